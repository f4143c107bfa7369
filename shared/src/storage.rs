//! The one table: objects, their index rows, guards and counters, written together or not at all.
//!
//! A [`Store`] sees one tenant; nothing else reaches an object. What costs what stands in `storage/README.md`.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{
    Client,
    error::ProvideErrorMetadata,
    types::{AttributeValue, KeysAndAttributes},
};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    chance::Chance,
    clock::{Clock, Time},
    error::{Error, Result},
};

pub mod about;
pub mod audit;
pub mod cursor;
pub mod entity;
pub mod facets;
pub mod idempotency;
pub mod keys;
pub mod list;
pub mod rate;
pub mod retry;
mod search;
pub mod table;
pub mod tally;
mod totals;
mod walk;
mod whole;
pub mod write;

pub use audit::{Audited, Author};
pub use entity::{Count, Entity, Item, Listing, Sort, Stored};
pub use facets::{Facets, Tallied};
pub use keys::Key;
pub use retry::contend;
pub use write::{Gate, Write};

/// The table and the way to it; cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    client: Client,
    table: String,
}

/// A failed call of the table's service, for the log.
pub fn failed<E>(operation: &'static str) -> impl FnOnce(E) -> Error
where
    E: std::error::Error + ProvideErrorMetadata,
{
    move |error| Error::of_service(operation, error.code(), error.message(), &error)
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

/// A key as the SDK takes it.
pub(crate) fn attributes(key: &Key) -> Item {
    Item::from([("PK".to_owned(), AttributeValue::S(key.pk.clone())), ("SK".to_owned(), AttributeValue::S(key.sk.clone()))])
}

/// The key of an item.
#[must_use]
pub fn key_of(item: &Item) -> Option<Key> {
    Some(Key { pk: entity::text(item, "PK")?.to_owned(), sk: entity::text(item, "SK")?.to_owned() })
}

/// Items that were read together.
#[derive(Debug, Default)]
pub struct Snapshot {
    items: std::collections::HashMap<Key, Item>,
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

/// One tenant's objects.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
    tenant: std::sync::Arc<str>,
    clock: Clock,
    chance: Chance,
    gate: Gate,
}

impl Store {
    /// The same store, with what a request hangs on each of its transactions.
    #[must_use]
    pub fn gated(mut self, gate: Gate) -> Self {
        self.gate = gate;
        self
    }

    /// The tenant's slug.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Who makes the request; nobody when a worker does.
    #[must_use]
    pub fn author(&self) -> Option<&Author> {
        self.gate.author.as_deref()
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The table.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// A new identifier, ordered by the present moment.
    ///
    /// # Errors
    /// [`Error::Internal`] without randomness.
    pub fn mint<I: crate::ids::Id>(&self) -> Result<I> {
        I::mint(self.clock.now_millis(), &self.chance)
    }

    /// An object, strongly consistent: one read. Nothing when one of another kind has taken its place.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn get<T: Entity>(&self, id: T::Id) -> Result<Option<Stored<T>>> {
        self.db.item(&T::key(&self.tenant, id)).await?.filter(entity::is::<T>).map(entity::from_item).transpose()
    }

    /// An object that must be there.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn find<T: Entity>(&self, id: T::Id) -> Result<Stored<T>> {
        self.get(id).await?.ok_or(Error::NotFound("Resource not found"))
    }

    /// Objects by their identifiers, in that order; missing ones are left out.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn get_all<T: Entity>(&self, ids: impl IntoIterator<Item = T::Id>) -> Result<Vec<Stored<T>>> {
        let keys: Vec<Key> = ids.into_iter().map(|id| T::key(&self.tenant, id)).collect();
        let mut found = self.db.items(&keys).await?;
        keys.iter().filter_map(|key| found.take(key).transpose()).collect()
    }

    /// An object that a filter or a body names exists; none named is fine.
    ///
    /// # Errors
    /// [`Error::Invalid`] on the field.
    pub async fn known<T: Entity>(&self, field: &str, id: Option<T::Id>) -> Result<()> {
        let Some(id) = id else { return Ok(()) };
        match self.db.item(&T::key(&self.tenant, id)).await? {
            Some(_) => Ok(()),
            None => Err(Error::invalid(field, "does not exist")),
        }
    }

    /// The keys of what the clock has changed in a kind's lists and nobody has written yet; the first two hundred, what
    /// one request may settle. The schedule does the rest.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn lapsing<T: Entity>(&self, now: Time) -> Result<Vec<Key>> {
        self.lapsing_of(T::KIND, now).await
    }

    async fn lapsing_of(&self, kind: &str, now: Time) -> Result<Vec<Key>> {
        let (partition, order) = entity::G7.attributes();
        let items = self
            .db
            .client
            .query()
            .table_name(&self.db.table)
            .index_name(entity::G7.index())
            .key_condition_expression("#p = :p AND #s < :s")
            .expression_attribute_names("#p", partition)
            .expression_attribute_names("#s", order)
            .expression_attribute_values(":p", AttributeValue::S(keys::lapsing(&self.tenant, kind)))
            .expression_attribute_values(":s", AttributeValue::S((now + std::time::Duration::from_secs(1)).key()))
            .limit(200)
            .send()
            .await
            .map_err(failed("Query"))?;
        Ok(items.items().iter().filter_map(key_of).collect())
    }

    /// A new object with nothing beside it, unless it is there: one write. Answers whether it was new.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn insert<T: Entity>(&self, value: &T) -> Result<bool> {
        let facets = value.facets(&self.tenant);
        if !facets.stands_alone(&T::LISTING) {
            return Err(Error::Internal(format!("{} takes a transaction", T::KIND)));
        }
        let item = entity::to_item(&self.tenant, value, &facets, 1)?;
        let put = self
            .db
            .client
            .put_item()
            .table_name(&self.db.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(PK)");
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(aws_sdk_dynamodb::operation::put_item::PutItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(failed("PutItem")(error)),
        }
    }

    /// Writes an object's change; none when another was first. A write that was merely in the way is waited for.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn supersede<T: Entity>(&self, seen: &Stored<T>, changed: &T) -> Result<Option<Stored<T>>> {
        contend(|| async {
            match self.write().update(seen, changed).commit(()).await {
                Ok(()) => Ok(Some(Stored { value: changed.clone(), version: seen.version + 1 })),
                Err(Error::Conflict) => match self.get::<T>(seen.value.id()).await? {
                    Some(now) if now.version == seen.version => Err(Error::Conflict),
                    _ => Ok(None),
                },
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// A transaction.
    pub fn write(&self) -> Write<'_> {
        Write::new(self)
    }
}
