//! Idempotency keys: the same request again gets the first answer again.
//!
//! The first request takes a lease; its transaction records the answer together with the change, so that a crash at any
//! moment leaves both or neither. A lease that lapsed (its holder died) is taken over; whoever lost it cannot commit.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
};

use aws_sdk_dynamodb::{
    operation::put_item::PutItemError,
    types::{AttributeValue, Put, TransactWriteItem, Update},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Db, about, attributes,
    entity::{self, Item},
    failed,
    keys::Key,
    made,
    ops::ALL_OLD,
};
use crate::{
    chance::Chance,
    clock::{Time, days},
    error::{Error, Result},
    text::hex,
};

/// How long an answer is replayed.
const KEPT: std::time::Duration = days(1);
/// How long a request may run: longer than the gateway lets it.
const LEASE_SECONDS: i64 = 35;

/// Bytes of an answer that an item takes; a longer one has further items.
const PIECE: usize = 350_000;

/// A recorded answer, secrets masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The HTTP status.
    pub status: u16,
    /// The body's text; none for 204.
    pub body: Option<String>,
    /// The `ETag`.
    pub etag: Option<String>,
}

/// What stands under a key when a request comes with it.
#[derive(Debug)]
pub enum Begin {
    /// Nothing, or a lapsed lease: the request runs under this one.
    Run(Lease),
    /// The first answer.
    Replay(Recorded),
    /// The key was used with another request.
    Differs,
    /// The first request still runs.
    Running,
}

/// The right to answer under a key.
#[derive(Debug)]
pub struct Lease {
    key: Key,
    holder: String,
    kept: Time,
    recorded: AtomicBool,
}

impl Lease {
    /// Takes the key, or says what stands under it. `scope` is what the key is unique within, `request` the hash of
    /// what is asked.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn begin(db: &Db, chance: &Chance, scope_hash: &str, request: &str, now: Time) -> Result<Begin> {
        let key = Key::idempotency(scope_hash);
        let holder = hex(&chance.draw::<16>()?);
        let until = Time::from_epoch(now.epoch() + LEASE_SECONDS);
        let taken = db
            .client()
            .put_item()
            .table_name(db.table())
            .set_item(Some(attributes(&key)))
            .item("asked", AttributeValue::S(request.into()))
            .item("holder", AttributeValue::S(holder.clone()))
            .item("lease", AttributeValue::N(until.epoch().to_string()))
            .item("kept", AttributeValue::N((now + KEPT).epoch().to_string()))
            .item(entity::TTL, AttributeValue::N((now + KEPT).epoch().to_string()))
            .condition_expression(
                "attribute_not_exists(PK) OR kept <= :now OR (attribute_not_exists(answer) AND asked = :asked AND lease <= :now)",
            )
            .expression_attribute_values(":now", AttributeValue::N(now.epoch().to_string()))
            .expression_attribute_values(":asked", AttributeValue::S(request.into()))
            .return_values_on_condition_check_failure(ALL_OLD)
            .send()
            .await;
        match taken {
            Ok(_) => Ok(Begin::Run(Self::held(key, holder, now))),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refused)) => match refused.item() {
                    // A repeated request of the SDK's, whose first was applied and its answer lost.
                    Some(item) if entity::text(item, "holder") == Some(&holder) => Ok(Begin::Run(Self::held(key, holder, now))),
                    Some(item) => Self::standing(db, &key, item, request).await,
                    None => Ok(Begin::Running),
                },
                // It met the transaction that records the answer.
                Some(PutItemError::TransactionConflictException(_)) => Ok(Begin::Running),
                _ => Err(failed("PutItem")(error)),
            },
        }
    }

    fn held(key: Key, holder: String, now: Time) -> Self {
        Self { key, holder, kept: now + KEPT, recorded: AtomicBool::new(false) }
    }

    /// The transaction that makes the change has recorded the answer.
    pub(super) fn was_recorded(&self) {
        self.recorded.store(true, Ordering::Relaxed);
    }

    async fn standing(db: &Db, key: &Key, item: &Item, request: &str) -> Result<Begin> {
        if entity::text(item, "asked") != Some(request) {
            return Ok(Begin::Differs);
        }
        if let Some(partition) = entity::text(item, "awaits")
            && !db.from(partition, "0", 1).await?.is_empty()
        {
            return Ok(Begin::Running);
        }
        let Some(answer) = whole(db, key, item).await? else { return Ok(Begin::Running) };
        serde_json::from_str(&answer).map(Begin::Replay).map_err(|e| Error::internal("recorded answer", e))
    }

    /// Seconds after which a waiting request may try again.
    pub const RETRY_AFTER: u64 = 1;

    /// What records the answer, as part of the transaction that makes the change. It is replayed when nothing lies in the
    /// awaited partition any more.
    pub(super) fn record(
        &self,
        table: &str,
        tenant: &str,
        answer: &Recorded,
        awaited: Option<&str>,
    ) -> Result<Vec<TransactWriteItem>> {
        let text = serde_json::to_string(answer).map_err(|e| Error::internal("recorded answer", e))?;
        let (first, more) = pieces(&text);
        let mut beside = Item::new();
        if !more.is_empty() {
            beside.insert("more".into(), AttributeValue::N(more.len().to_string()));
        }
        if let Some(partition) = awaited {
            beside.insert("awaits".into(), AttributeValue::S(partition.into()));
        }
        let Kept { expression, names, values } = Kept::of(Some(tenant), answer, first, beside);
        let flaw = |e| Error::internal("idempotency", e);
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(attributes(&self.key)))
            .update_expression(expression)
            .condition_expression(HELD)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .expression_attribute_values(":holder", AttributeValue::S(self.holder.clone()));
        let mut items = vec![TransactWriteItem::builder().update(update.build().map_err(flaw)?).build()];
        for (n, piece) in more.iter().enumerate() {
            let put = Put::builder()
                .table_name(table)
                .set_item(Some(attributes(&self.key.piece(n + 1))))
                .item("tenant", AttributeValue::S(tenant.into()))
                .item("answer", AttributeValue::S((*piece).into()))
                .item(entity::TTL, AttributeValue::N(self.kept.epoch().to_string()));
            items.push(TransactWriteItem::builder().put(put.build().map_err(flaw)?).build());
        }
        Ok(items)
    }

    /// Records the answer of a request that changed nothing, of a tenant where one is known. One that was recorded with a
    /// change stays.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn keep(&self, db: &Db, tenant: Option<&str>, answer: &Recorded) -> Result<()> {
        if self.recorded.load(Ordering::Relaxed) {
            return Ok(());
        }
        let text = serde_json::to_string(answer).map_err(|e| Error::internal("recorded answer", e))?;
        let Kept { expression, names, values } = Kept::of(tenant, answer, &text, Item::new());
        let kept = db
            .client()
            .update_item()
            .table_name(db.table())
            .set_key(Some(attributes(&self.key)))
            .update_expression(expression)
            .condition_expression(HELD)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .expression_attribute_values(":holder", AttributeValue::S(self.holder.clone()))
            .send()
            .await;
        made("UpdateItem", kept).map(drop)
    }

    /// Gives the key back: the request was refused in a way that is not replayed.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn release(&self, db: &Db) -> Result<()> {
        let released = db
            .client()
            .delete_item()
            .table_name(db.table())
            .set_key(Some(attributes(&self.key)))
            .condition_expression(HELD)
            .expression_attribute_values(":holder", AttributeValue::S(self.holder.clone()))
            .send()
            .await;
        made("DeleteItem", released).map(drop)
    }
}

/// A text in pieces of which each fits into an item: the first, and those after it.
fn pieces(text: &str) -> (&str, Vec<&str>) {
    let (first, mut rest) = text.split_at(text.floor_char_boundary(PIECE));
    let mut more = Vec::new();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE));
        more.push(piece);
        rest = after;
    }
    (first, more)
}

/// The further pieces of an answer.
fn further(key: &Key, item: &Item) -> Vec<Key> {
    (1..=entity::number(item, "more").unwrap_or(0)).map(|n| key.piece(n)).collect()
}

/// The text of an answer, with its further pieces; none when there is no answer yet.
pub(super) async fn whole(db: &Db, key: &Key, item: &Item) -> Result<Option<String>> {
    let Some(first) = entity::text(item, "answer") else { return Ok(None) };
    let (mut answer, more) = (first.to_owned(), further(key, item));
    if !more.is_empty() {
        let pieces = db.items(&more).await?;
        answer.extend(more.iter().filter_map(|key| entity::text(pieces.item(key)?, "answer")));
    }
    Ok(Some(answer))
}

/// An answer as an update writes it, with whom it is about.
struct Kept {
    expression: String,
    names: HashMap<String, String>,
    values: Item,
}

impl Kept {
    fn of(tenant: Option<&str>, answer: &Recorded, text: &str, beside: Item) -> Self {
        let mut attributes = entity::texts([("answer", text.to_owned())]);
        attributes.extend(beside);
        if let Some(tenant) = tenant {
            let body: Value = answer.body.as_deref().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
            attributes.extend(entity::texts([("tenant", tenant.to_owned())]));
            attributes.extend(about::whom_of_answer(&body).map(|whom| about::place(tenant, &whom)).into_iter().flatten());
        }
        let sets: Vec<String> = attributes.keys().map(|name| format!("#{name} = :{name}")).collect();
        Self {
            expression: format!("SET {}", sets.join(", ")),
            names: attributes.keys().map(|name| (format!("#{name}"), name.clone())).collect(),
            values: attributes.into_iter().map(|(name, value)| (format!(":{name}"), value)).collect(),
        }
    }
}

/// What stands under a key is an answer.
pub(super) fn is_answer(key: &Key) -> bool {
    key.pk.starts_with(&Key::idempotency("").pk)
}

/// Takes an answer back, its further pieces first: the key stays used, and who asks again hears that what was made is gone.
pub(super) async fn take_back(db: &Db, key: Key) -> Result<()> {
    let gone = Recorded { status: 404, body: Some(r#"{"errors":{"detail":"Resource not found"}}"#.into()), etag: None };
    let gone = serde_json::to_string(&gone).map_err(|e| Error::internal("recorded answer", e))?;
    if let Some(item) = db.item(&key).await? {
        db.forget(further(&key, &item)).await?;
    }
    let taken = db
        .client()
        .update_item()
        .table_name(db.table())
        .set_key(Some(attributes(&key)))
        .update_expression(about::taken_off("SET answer = :gone", &["more", "awaits"]))
        .condition_expression("attribute_exists(answer)")
        .expression_attribute_values(":gone", AttributeValue::S(gone))
        .send()
        .await;
    made("UpdateItem", taken).map(drop)
}

/// This holder still has the lease and has recorded nothing.
const HELD: &str = "holder = :holder AND attribute_not_exists(answer)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_text_again() {
        let long = format!("x{}", "é".repeat(PIECE));
        let (first, more) = pieces(&long);
        assert_eq!((more.len(), first.len()), (2, PIECE - 1));
        assert_eq!(format!("{first}{}", more.concat()), long);
        assert_eq!(pieces("short"), ("short", Vec::new()));
        assert_eq!(pieces(&"x".repeat(PIECE)).1.len(), 0);
    }
}
