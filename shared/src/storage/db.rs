//! The table itself: items by their keys, whoever's they are.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, KeysAndAttributes},
};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Entity, Gate, Item, Key, Store, Stored, attributes, entity, failed, key_of, retry};
use crate::{
    chance::Chance,
    clock::Clock,
    error::{Error, Result},
};

/// The table and the way to it; cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    pub(super) client: Client,
    pub(super) table: String,
}

/// Keys of one `BatchGetItem`.
const BATCH: usize = 100;

impl Db {
    /// The table of this name.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// One tenant's view of it.
    #[must_use]
    pub fn tenant(&self, tenant: &str, clock: &Clock, chance: &Chance) -> Store {
        Store { db: self.clone(), tenant: tenant.into(), clock: clock.clone(), chance: chance.clone(), gate: Gate::default() }
    }

    /// The way to the table.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// One item, strongly consistent.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn item(&self, key: &Key) -> Result<Option<Item>> {
        let found = self
            .client
            .get_item()
            .table_name(&self.table)
            .consistent_read(true)
            .set_key(Some(attributes(key)))
            .send()
            .await
            .map_err(failed("GetItem"))?;
        Ok(found.item)
    }

    /// Many items, strongly consistent, a hundred a request; missing ones are absent from the answer.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn items(&self, keys: &[Key]) -> Result<Snapshot> {
        let mut wanted = keys.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let chunks: Vec<Vec<Key>> = wanted.chunks(BATCH).map(<[Key]>::to_vec).collect();
        let items: Vec<Vec<Item>> = stream::iter(chunks).map(|chunk| self.batch(chunk)).buffered(4).try_collect().await?;
        Ok(Snapshot::new(items.into_iter().flatten()))
    }

    async fn batch(&self, keys: Vec<Key>) -> Result<Vec<Item>> {
        let mut items = Vec::with_capacity(keys.len());
        let mut round = 0;
        let mut pending: Vec<Item> = keys.iter().map(attributes).collect();
        while !pending.is_empty() {
            let request = KeysAndAttributes::builder()
                .set_keys(Some(pending))
                .consistent_read(true)
                .build()
                .map_err(|e| Error::internal("BatchGetItem", e))?;
            let mut answer =
                self.client.batch_get_item().request_items(&self.table, request).send().await.map_err(failed("BatchGetItem"))?;
            items.extend(answer.responses.take().into_iter().filter_map(|mut tables| tables.remove(&self.table)).flatten());
            pending = answer
                .unprocessed_keys
                .take()
                .and_then(|mut tables| tables.remove(&self.table))
                .map(|rest| rest.keys)
                .unwrap_or_default();
            if !pending.is_empty() {
                if round == retry::ATTEMPTS {
                    return Err(Error::Conflict);
                }
                retry::pause(round).await;
                round += 1;
            }
        }
        Ok(items)
    }

    /// Removes items to which nothing leads any more.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn forget(&self, keys: impl IntoIterator<Item = Key>) -> Result<()> {
        let deletions =
            keys.into_iter().map(|key| self.client.delete_item().table_name(&self.table).set_key(Some(attributes(&key))).send());
        stream::iter(deletions).buffer_unordered(8).try_collect::<Vec<_>>().await.map_err(failed("DeleteItem"))?;
        Ok(())
    }

    /// All items of a partition whose sort key begins so, strongly consistent, in order.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn partition(&self, pk: &str, prefix: &str) -> Result<Vec<Item>> {
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression(if prefix.is_empty() { "PK = :p" } else { "PK = :p AND begins_with(SK, :s)" })
            .expression_attribute_values(":p", AttributeValue::S(pk.into()));
        if !prefix.is_empty() {
            query = query.expression_attribute_values(":s", AttributeValue::S(prefix.into()));
        }
        query.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.map_err(failed("Query"))
    }

    /// So many items of a partition at most, from a sort key on, strongly consistent, in order.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn from(&self, pk: &str, sk: &str, limit: i32) -> Result<Vec<Item>> {
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("PK = :p AND SK >= :s")
            .expression_attribute_values(":p", AttributeValue::S(pk.into()))
            .expression_attribute_values(":s", AttributeValue::S(sk.into()))
            .limit(limit)
            .send()
            .await
            .map_err(failed("Query"))?;
        Ok(found.items.unwrap_or_default())
    }
}

/// Items that were read together.
#[derive(Debug, Default)]
pub struct Snapshot {
    items: HashMap<Key, Item>,
}

impl Snapshot {
    fn new(items: impl Iterator<Item = Item>) -> Self {
        Self { items: items.filter_map(|item| Some((key_of(&item)?, item))).collect() }
    }

    /// The raw item of a key.
    #[must_use]
    pub fn item(&self, key: &Key) -> Option<&Item> {
        self.items.get(key)
    }

    /// Takes the object of a key out; nothing when one of another kind has taken its place.
    ///
    /// # Errors
    /// [`Error::Internal`] when the item cannot be read.
    pub fn take<T: Entity>(&mut self, key: &Key) -> Result<Option<Stored<T>>> {
        self.items.remove(key).filter(entity::is::<T>).map(entity::from_item).transpose()
    }

    /// Takes out the objects of some identifiers, as far as they were there.
    ///
    /// # Errors
    /// [`Error::Internal`] when an item is not one of this kind.
    pub fn take_all<T: Entity<Id: Ord>>(
        &mut self,
        tenant: &str,
        ids: impl IntoIterator<Item = T::Id>,
    ) -> Result<BTreeMap<T::Id, Stored<T>>> {
        let each = |id| Some((id, self.take(&T::key(tenant, id)).transpose()?));
        ids.into_iter().filter_map(each).map(|(id, object)| Ok((id, object?))).collect()
    }
}
