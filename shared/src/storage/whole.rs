//! Everything that the table holds of a tenant: for an operator who exports or deletes one. It reads the whole table,
//! which no request may.

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{Stream, TryStreamExt};

use super::{Db, entity::Item, failed, key_of, keys::Key};
use crate::error::Result;

impl Db {
    /// Every item of a tenant, also those whose keys do not begin with it; in no order, each as it is when it is read.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] when the table does not answer.
    pub fn whole(&self, tenant: &str) -> impl Stream<Item = Result<Item>> + Send + Unpin + use<> {
        let items = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .filter_expression("begins_with(PK, :own) OR #tenant = :tenant OR d.#tenant = :tenant")
            .expression_attribute_names("#tenant", "tenant")
            .expression_attribute_values(":own", AttributeValue::S(format!("{tenant}#")))
            .expression_attribute_values(":tenant", AttributeValue::S(tenant.into()))
            .into_paginator()
            .items()
            .send();
        let items = futures_util::stream::unfold(items, async |mut items| Some((items.next().await?, items)));
        Box::pin(items.map_err(|error| failed("Scan")(error)))
    }

    /// Removes everything of a tenant but one item, again and again until nothing new turns up: requests may be under way.
    /// Answers how many items that were.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] when the table does not answer; what is left goes the next time.
    pub async fn wipe(&self, tenant: &str, kept: &Key) -> Result<u64> {
        let mut removed = 0;
        loop {
            let mut found = 0;
            let mut items = self.whole(tenant).try_chunks(100);
            while let Some(items) = items.try_next().await.map_err(|broken| broken.1)? {
                let keys: Vec<Key> = items.iter().filter_map(key_of).filter(|key| key != kept).collect();
                found += keys.len() as u64;
                self.forget(keys).await?;
            }
            if found == 0 {
                return Ok(removed);
            }
            removed += found;
        }
    }
}
