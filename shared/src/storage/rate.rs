//! Rate limits, exact under concurrency: a window opens with its first admitted request and admits exactly the limit.
//!
//! Several windows are asked at once: all admit or none counts.

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, TransactWriteItem, Update},
};
use sha2::{Digest, Sha256};

use super::{
    Db, attributes,
    entity::{self, Item},
    failed,
    keys::Key,
    made, ops,
    retry::contend,
};
use crate::error::{Error, Result};

/// So many requests in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Requests.
    pub requests: u32,
    /// Seconds.
    pub seconds: u32,
}

/// One window: what is limited, and how.
#[derive(Debug, Clone)]
pub struct Window {
    /// What is limited, for example an endpoint and an address.
    pub scope: String,
    /// The limit.
    pub limit: Limit,
}

/// How a window stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The limit.
    pub limit: Limit,
    /// The request was admitted.
    pub admitted: bool,
    /// Requests that the window still admits.
    pub remaining: u32,
    /// Seconds until the window ends, rounded up.
    pub reset: u64,
}

/// The windows as they stand in the table; absent ones have not opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    opened: i64,
    count: u32,
}

/// Counts a request against all windows, or against none when one of them is full. Answers how each stands.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer.
pub async fn admit(db: &Db, windows: &[Window], now_millis: i64) -> Result<Vec<Standing>> {
    let keys: Vec<Key> = windows.iter().map(|window| Key::window(&hash(&window.scope))).collect();
    contend(|| async {
        let found = db.items(&keys).await?;
        let seen: Vec<Option<Seen>> = keys.iter().map(|key| found.item(key).map(Seen::of)).collect();
        let open: Vec<Option<Seen>> =
            seen.iter().zip(windows).map(|(seen, window)| seen.filter(|seen| seen.open(window.limit, now_millis))).collect();
        let full = |n: usize| open[n].is_some_and(|seen| seen.count >= windows[n].limit.requests);
        let admitted = !(0..windows.len()).any(full);
        if admitted {
            let updates = (0..keys.len()).map(|n| update(db, &keys[n], seen[n], open[n], windows[n].limit, now_millis));
            match <[Update; 1]>::try_from(updates.collect::<Result<Vec<_>>>()?) {
                Ok([update]) => count(db, update).await?,
                Err(updates) => count_all(db, updates).await?,
            }
        }
        let standing = |n: usize| {
            let seen = open[n].unwrap_or(Seen { opened: now_millis, count: 0 });
            let limit = windows[n].limit;
            let remaining = limit.requests.saturating_sub(seen.count + u32::from(admitted));
            Standing { limit, admitted: admitted || !full(n), remaining, reset: seen.reset(limit, now_millis) }
        };
        Ok((0..windows.len()).map(standing).collect())
    })
    .await
}

/// Every window admits the request.
///
/// # Errors
/// [`Error::TooMany`] with the seconds until one that does not will.
pub fn within(standings: Vec<Standing>) -> Result<()> {
    match standings.into_iter().filter(|standing| !standing.admitted).map(|standing| standing.reset).max() {
        Some(seconds) => Err(Error::TooMany(seconds.max(1))),
        None => Ok(()),
    }
}

/// One more request in a window that still is what was read.
fn update(db: &Db, key: &Key, seen: Option<Seen>, open: Option<Seen>, limit: Limit, now_millis: i64) -> Result<Update> {
    let next = open.map_or(Seen { opened: now_millis, count: 1 }, |seen| Seen { count: seen.count + 1, ..seen });
    let ttl = next.opened / 1000 + i64::from(limit.seconds) + 60;
    let update = Update::builder()
        .table_name(db.table())
        .set_key(Some(attributes(key)))
        .update_expression("SET opened = :opened, hits = :hits, #ttl = :ttl")
        .expression_attribute_names("#ttl", entity::TTL)
        .expression_attribute_values(":opened", number(next.opened))
        .expression_attribute_values(":hits", number(i64::from(next.count)))
        .expression_attribute_values(":ttl", number(ttl));
    let update = match seen {
        None => update.condition_expression("attribute_not_exists(PK)"),
        Some(seen) => update
            .condition_expression("opened = :seen_opened AND hits = :seen_hits")
            .expression_attribute_values(":seen_opened", number(seen.opened))
            .expression_attribute_values(":seen_hits", number(i64::from(seen.count))),
    };
    update.build().map_err(|e| Error::internal("rate limit", e))
}

/// Counts in one window, at half the price of a transaction; [`Error::Conflict`] when another request got in between.
async fn count(db: &Db, update: Update) -> Result<()> {
    let counted = db
        .client()
        .update_item()
        .table_name(update.table_name)
        .set_key(Some(update.key))
        .update_expression(update.update_expression)
        .set_condition_expression(update.condition_expression)
        .set_expression_attribute_names(update.expression_attribute_names)
        .set_expression_attribute_values(update.expression_attribute_values)
        .send()
        .await;
    if made("UpdateItem", counted)? { Ok(()) } else { Err(Error::Conflict) }
}

/// Counts in all windows or in none; [`Error::Conflict`] when another request got in between.
async fn count_all(db: &Db, updates: Vec<Update>) -> Result<()> {
    let items = updates.into_iter().map(|update| TransactWriteItem::builder().update(update).build()).collect();
    let Err(error) = db.client().transact_write_items().set_transact_items(Some(items)).send().await else { return Ok(()) };
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            Err(ops::meaning_of(cancelled.cancellation_reasons(), |_, _| Error::Conflict))
        }
        _ => Err(failed("TransactWriteItems")(error)),
    }
}

impl Seen {
    fn of(item: &Item) -> Self {
        let count = entity::number(item, "hits").and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        Self { opened: entity::number(item, "opened").unwrap_or(0), count }
    }

    fn open(self, limit: Limit, now_millis: i64) -> bool {
        now_millis < self.opened + i64::from(limit.seconds) * 1000
    }

    fn reset(self, limit: Limit, now_millis: i64) -> u64 {
        let left = self.opened + i64::from(limit.seconds) * 1000 - now_millis;
        // Another request may have opened the window after this one had read the time.
        u64::try_from(left.max(0)).unwrap_or(0).div_ceil(1000).min(limit.seconds.into())
    }
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Scopes hold addresses and accounts: only their hash is stored.
#[must_use]
pub fn hash(scope: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(Sha256::digest(scope))
}
