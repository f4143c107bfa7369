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
    types::{AttributeValue, Update},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Db, about, attributes,
    entity::{self, Item},
    failed,
    keys::Key,
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
            .return_values_on_condition_check_failure(aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match taken {
            Ok(_) => Ok(Begin::Run(Self::held(key, holder))),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refused)) => match refused.item() {
                    // A repeated request of the SDK's, whose first was applied and its answer lost.
                    Some(item) if entity::text(item, "holder") == Some(&holder) => Ok(Begin::Run(Self::held(key, holder))),
                    Some(item) => Self::standing(item, request),
                    None => Ok(Begin::Running),
                },
                // It met the transaction that records the answer.
                Some(PutItemError::TransactionConflictException(_)) => Ok(Begin::Running),
                _ => Err(failed("PutItem")(error)),
            },
        }
    }

    fn held(key: Key, holder: String) -> Self {
        Self { key, holder, recorded: AtomicBool::new(false) }
    }

    /// The transaction that makes the change has recorded the answer.
    pub(super) fn was_recorded(&self) {
        self.recorded.store(true, Ordering::Relaxed);
    }

    fn standing(item: &Item, request: &str) -> Result<Begin> {
        if entity::text(item, "asked") != Some(request) {
            return Ok(Begin::Differs);
        }
        match entity::text(item, "answer") {
            Some(answer) => serde_json::from_str(answer).map(Begin::Replay).map_err(|e| Error::internal("recorded answer", e)),
            None => Ok(Begin::Running),
        }
    }

    /// Seconds after which a waiting request may try again.
    pub const RETRY_AFTER: u64 = 1;

    /// The update that records the answer, as part of the transaction that makes the change.
    pub(super) fn record(&self, table: &str, tenant: &str, answer: &Recorded) -> Result<Update> {
        let Kept { expression, names, values } = Kept::of(Some(tenant), answer)?;
        Update::builder()
            .table_name(table)
            .set_key(Some(attributes(&self.key)))
            .update_expression(expression)
            .condition_expression(HELD)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .expression_attribute_values(":holder", AttributeValue::S(self.holder.clone()))
            .build()
            .map_err(|e| Error::internal("idempotency", e))
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
        let Kept { expression, names, values } = Kept::of(tenant, answer)?;
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
        match kept {
            Err(error)
                if !error.as_service_error().is_some_and(
                    aws_sdk_dynamodb::operation::update_item::UpdateItemError::is_conditional_check_failed_exception,
                ) =>
            {
                Err(failed("UpdateItem")(error))
            }
            _ => Ok(()),
        }
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
        match released {
            Err(error)
                if !error.as_service_error().is_some_and(
                    aws_sdk_dynamodb::operation::delete_item::DeleteItemError::is_conditional_check_failed_exception,
                ) =>
            {
                Err(failed("DeleteItem")(error))
            }
            _ => Ok(()),
        }
    }
}

/// An answer as an update writes it, with whom it is about.
struct Kept {
    expression: String,
    names: HashMap<String, String>,
    values: Item,
}

impl Kept {
    fn of(tenant: Option<&str>, answer: &Recorded) -> Result<Self> {
        let text = serde_json::to_string(answer).map_err(|e| Error::internal("recorded answer", e))?;
        let mut attributes = entity::texts([("answer", text)]);
        if let Some(tenant) = tenant {
            let body: Value = answer.body.as_deref().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
            attributes.extend(entity::texts([("tenant", tenant.to_owned())]));
            attributes.extend(about::whom_of_answer(&body).map(|whom| about::place(tenant, &whom)).into_iter().flatten());
        }
        let sets: Vec<String> = attributes.keys().map(|name| format!("#{name} = :{name}")).collect();
        Ok(Self {
            expression: format!("SET {}", sets.join(", ")),
            names: attributes.keys().map(|name| (format!("#{name}"), name.clone())).collect(),
            values: attributes.into_iter().map(|(name, value)| (format!(":{name}"), value)).collect(),
        })
    }
}

/// What stands under a key is an answer.
pub(super) fn is_answer(key: &Key) -> bool {
    key.pk.starts_with(&Key::idempotency("").pk)
}

/// Takes an answer back: the key stays used, and who asks again hears that what was made is gone.
pub(super) async fn take_back(db: &Db, key: Key) -> Result<()> {
    let gone = Recorded { status: 404, body: Some(r#"{"errors":{"detail":"Resource not found"}}"#.into()), etag: None };
    let gone = serde_json::to_string(&gone).map_err(|e| Error::internal("recorded answer", e))?;
    let taken = db
        .client()
        .update_item()
        .table_name(db.table())
        .set_key(Some(attributes(&key)))
        .update_expression(about::taken_off("SET answer = :gone"))
        .condition_expression("attribute_exists(answer)")
        .expression_attribute_values(":gone", AttributeValue::S(gone))
        .send()
        .await;
    match taken {
        Err(error)
            if !error.as_service_error().is_some_and(
                aws_sdk_dynamodb::operation::update_item::UpdateItemError::is_conditional_check_failed_exception,
            ) =>
        {
            Err(failed("UpdateItem")(error))
        }
        _ => Ok(()),
    }
}

/// This holder still has the lease and has recorded nothing.
const HELD: &str = "holder = :holder AND attribute_not_exists(answer)";
