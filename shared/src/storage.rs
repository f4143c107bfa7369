//! The one table: objects, their index rows, guards and counters, written together or not at all.
//!
//! A [`Store`] sees one tenant; nothing else reaches an object. What costs what stands in `storage/README.md`.

use aws_sdk_dynamodb::{error::ProvideErrorMetadata, types::AttributeValue};

use crate::{
    chance::Chance,
    clock::{Clock, Time},
    error::{Error, Result},
};

pub mod about;
pub mod audit;
pub mod cursor;
pub mod db;
pub mod entity;
pub mod facets;
pub mod idempotency;
pub mod keys;
pub mod list;
pub mod ops;
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
pub use db::{Db, Snapshot};
pub use entity::{Count, Entity, Item, Listing, Sort, Stored};
pub use facets::{Facets, Tallied};
pub use keys::Key;
pub use retry::contend;
pub use write::{Gate, Write};

/// A failed call of the table's service, for the log.
pub fn failed<E>(operation: &'static str) -> impl FnOnce(E) -> Error
where
    E: std::error::Error + ProvideErrorMetadata,
{
    move |error| Error::of_service(operation, error.code(), error.message(), &error)
}

/// Whether a conditional write was made: its condition may have failed.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer.
pub(crate) fn made<T, E>(operation: &'static str, outcome: Result<T, E>) -> Result<bool>
where
    E: std::error::Error + ProvideErrorMetadata,
{
    match outcome {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(failed(operation)(error)),
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

    /// The same store, for what is nobody's doing: no answer is recorded with it, and the trail names nobody.
    #[must_use]
    pub fn unattended(&self) -> Self {
        self.clone().gated(Gate { admission: self.gate.admission.clone(), ..Gate::default() })
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
        made("PutItem", put.send().await)
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
