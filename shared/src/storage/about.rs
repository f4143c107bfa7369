//! What was told of somebody lies in copies: events, their deliveries, recorded answers. Each bears whom it is about, in an
//! index of its own, so that an erasure finds them and reads nobody else's.

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::{
    Store,
    entity::{self, G6, Item},
    failed, idempotency, key_of,
    keys::{self, Key},
};
use crate::error::Result;

/// Copies that are taken back at the same time.
const AT_ONCE: usize = 8;
/// Answers about many that are read at once: the largest have 250 KB.
const LISTS: usize = 20;
/// Index rows of a page.
const PAGE: i32 = 500;

/// Whom an object is about, as the API shows it: its customer; else itself, who may be one, or may have had one.
#[must_use]
pub fn whom(shown: &Value) -> Option<String> {
    ["customer_id", "id", "call_id"].iter().find_map(|name| shown[*name].as_str()).map(ToOwned::to_owned)
}

/// Whom an answer is about that shows several objects.
const MANY: &str = "*";

/// Whom a recorded answer is about: many, where it lists objects or says which are in the way.
pub(super) fn whom_of_answer(body: &Value) -> Option<String> {
    let many = [&body["data"], &body["conflicts"]].into_iter().any(Value::is_array);
    if many { Some(MANY.into()) } else { whom(&body["data"]) }
}

/// The attributes by which a copy is found.
pub(super) fn place(tenant: &str, whom: &str) -> Item {
    let (partition, order) = G6.attributes();
    entity::texts([(&partition, keys::about(tenant, whom)), (&order, keys::SELF.to_owned())])
}

/// An update that takes these attributes away too, and others with them.
pub(super) fn taken_off(update: &str, others: &[&str]) -> String {
    let (partition, order) = G6.attributes();
    format!("{update} REMOVE {partition}, {order}, {}", others.join(", "))
}

impl Store {
    /// Takes back what was told of a customer, or of an object that has none: events and deliveries go, of an answer stays
    /// that its key was used. So many copies at most; answers how many.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] when the table does not answer.
    pub async fn take_back(&self, whom: &str, most: usize) -> Result<usize> {
        let keys = self.told(whom, most).await?;
        let count = keys.len();
        let (answers, copies): (Vec<Key>, Vec<Key>) = keys.into_iter().partition(idempotency::is_answer);
        self.db.forget(copies).await?;
        let answers = stream::iter(answers).map(|key| idempotency::take_back(&self.db, key)).buffer_unordered(AT_ONCE);
        answers.try_collect::<()>().await.map(|()| count)
    }

    /// Takes back answers that are about many, and show one of these objects or customers among them: of those that were
    /// recorded in the last days each is read. Answers how many that were.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] when the table does not answer.
    pub async fn take_back_lists(&self, shown: &[String]) -> Result<usize> {
        let keys = self.told(MANY, usize::MAX).await?;
        let mut taken = 0;
        for keys in keys.chunks(LISTS) {
            let found = self.db.items(keys).await?;
            for (key, item) in keys.iter().filter_map(|key| Some((key, found.item(key)?))) {
                let answer = idempotency::whole(&self.db, key, item).await?;
                if answer.is_some_and(|text| shown.iter().any(|id| text.contains(id))) {
                    idempotency::take_back(&self.db, key.clone()).await?;
                    taken += 1;
                }
            }
        }
        Ok(taken)
    }

    /// The keys of what was told, so many at most.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] when the table does not answer.
    pub async fn told(&self, whom: &str, most: usize) -> Result<Vec<Key>> {
        let (partition, _) = G6.attributes();
        let mut found = self
            .db
            .client
            .query()
            .table_name(&self.db.table)
            .index_name(G6.index())
            .key_condition_expression("#p = :p")
            .expression_attribute_names("#p", partition)
            .expression_attribute_values(":p", AttributeValue::S(keys::about(&self.tenant, whom)))
            .into_paginator()
            .page_size(i32::try_from(most).unwrap_or(PAGE).min(PAGE))
            .items()
            .send();
        let mut keys = Vec::new();
        while keys.len() < most
            && let Some(item) = found.next().await
        {
            keys.extend(key_of(&item.map_err(failed("Query"))?));
        }
        Ok(keys)
    }
}
