//! One transaction: objects with all that is kept beside them, counters, limits, events; all of it or nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, ConditionCheck, Delete, Put, Update},
};
use futures_util::future::{BoxFuture, Shared};

use super::{
    Store, attributes,
    audit::{Audited, Author, Entry},
    entity::{self, Entity, Item, KIND, Stored},
    facets::{Facets, Tallied},
    failed,
    idempotency::{Lease, Recorded},
    keys::Key,
    ops::{Ops, meaning_of, whole},
    tally::Tally,
};
use crate::{
    clock::Time,
    error::{Error, Result},
};

/// Resolves to whether the request may go on: the caller's session stands, the endpoint's limit is not used up.
pub type Admission = Shared<BoxFuture<'static, Result<()>>>;

/// What a request hangs on each of its transactions.
#[derive(Clone, Default)]
pub struct Gate {
    /// Awaited before anything is written.
    pub admission: Option<Admission>,
    /// The idempotency key under which the answer is recorded with the change.
    pub lease: Option<Arc<Lease>>,
    /// Who makes the request: the trail tells of each change.
    pub author: Option<Arc<Author>>,
    /// When what the trail tells was done, if that was earlier.
    pub done_at: Option<Time>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { admission, lease, author, done_at } = self;
        let mut text = f.debug_struct("Gate");
        text.field("admission", &admission.is_some()).field("lease", lease).field("author", author);
        text.field("done_at", done_at).finish()
    }
}

/// What a transaction answers; recorded with it when the request bears an idempotency key.
pub trait Answer {
    /// The answer as a replay shall give it, secrets masked; `None` is not recorded.
    fn record(&self) -> Option<Recorded>;
}

impl Answer for () {
    fn record(&self) -> Option<Recorded> {
        None
    }
}

/// A transaction while it is put together.
#[must_use = "nothing is written before `commit`"]
pub struct Write<'a> {
    store: &'a Store,
    ops: Ops,
    tallies: BTreeMap<Key, Tally>,
    trail: Vec<(Option<Audited>, Option<Audited>)>,
    awaited: Option<String>,
}

impl fmt::Debug for Write<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write").field("ops", &self.ops.len()).finish_non_exhaustive()
    }
}

/// One more in a number of an object.
#[derive(Debug)]
pub struct Step<'a> {
    /// The number.
    pub number: &'a str,
    /// It must be below this.
    pub below: u64,
    /// A field that must have this value.
    pub state: (&'a str, String),
    /// The field that takes the time.
    pub stamp: &'a str,
}

/// The items that [`Write::create`] writes of an object, without the trail's.
#[must_use]
pub fn touched<T: Entity>(tenant: &str, value: &T) -> BTreeSet<Key> {
    value.facets(tenant).keys(&T::LISTING).chain([T::key(tenant, value.id())]).collect()
}

impl<'a> Write<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store, ops: Ops::new(&store.db.table), tallies: BTreeMap::new(), trail: Vec::new(), awaited: None }
    }

    /// A new object; refused as [`Error::Conflict`] when its identity exists and as "has already been taken" when a
    /// unique value of it does.
    pub fn create<T: Entity>(mut self, value: &T) -> Self {
        let facets = value.facets(self.store.tenant()).counted(&T::LISTING);
        self.beside(None, Some(&facets));
        self.put_entity(value, &facets, None);
        self.trace(None, value.audited());
        self
    }

    /// A changed object; [`Error::Conflict`] when it is no longer what was read.
    pub fn update<T: Entity>(mut self, old: &Stored<T>, new: &T) -> Self {
        let tenant = self.store.tenant();
        let (before, after) = (old.value.facets(tenant).counted(&T::LISTING), new.facets(tenant).counted(&T::LISTING));
        self.beside(Some(&before), Some(&after));
        self.put_entity(new, &after, Some(old.version));
        self.trace(old.value.audited(), new.audited());
        self
    }

    /// One more in a number of an object, in place: many at once do not get in each other's way. [`Error::Conflict`] when
    /// the step does not fit what stands there. Nothing that follows from the object may depend on what it changes.
    pub fn step<T: Entity>(mut self, id: T::Id, step: &Step<'_>) -> Self {
        let update = Update::builder()
            .set_key(Some(attributes(&T::key(&self.store.tenant, id))))
            .update_expression("SET d.#number = d.#number + :one, d.#stamp = :now, v = v + :one")
            .condition_expression("d.#number < :below AND d.#state = :state")
            .expression_attribute_names("#number", step.number)
            .expression_attribute_names("#stamp", step.stamp)
            .expression_attribute_names("#state", step.state.0)
            .expression_attribute_values(":one", AttributeValue::N("1".into()))
            .expression_attribute_values(":below", AttributeValue::N(step.below.to_string()))
            .expression_attribute_values(":state", AttributeValue::S(step.state.1.clone()))
            .expression_attribute_values(":now", AttributeValue::S(self.store.clock.now().to_string()));
        self.ops.update(update, |_| Error::Conflict);
        self
    }

    /// An object's end; [`Error::Conflict`] when it is no longer what was read.
    pub fn delete<T: Entity>(mut self, old: &Stored<T>) -> Self {
        self.beside(Some(&old.value.facets(self.store.tenant()).counted(&T::LISTING)), None);
        self.trace(old.value.audited(), None);
        let delete = Delete::builder()
            .condition_expression("v = :seen")
            .expression_attribute_values(":seen", AttributeValue::N(old.version.to_string()));
        self.ops.delete(&T::key(&self.store.tenant, old.value.id()), delete, |_| Error::Conflict);
        self
    }

    /// An object of another kind in the place of one, under the same key; [`Error::Conflict`] when that is no longer what was
    /// read. What lies beside both stays. The trail is told of it by [`Write::tell`], if at all.
    pub fn turn<T: Entity, U: Entity>(mut self, old: &Stored<T>, new: &U) -> Self {
        let tenant = self.store.tenant();
        let (before, after) = (old.value.facets(tenant).counted(&T::LISTING), new.facets(tenant).counted(&U::LISTING));
        self.beside(Some(&before), Some(&after));
        self.put_entity(new, &after, Some(old.version));
        self
    }

    /// What the trail tells beside the changes of the objects themselves.
    pub fn tell(mut self, before: Audited, after: Audited) -> Self {
        self.trace(Some(before), Some(after));
        self
    }

    /// A plain item that must not exist yet.
    pub fn put_new(mut self, key: &Key, values: Item, meaning: impl Fn(Option<&Item>) -> Error + Send + Sync + 'static) -> Self {
        self.ops.put_new(key, values, meaning);
        self
    }

    /// A plain item, whatever was there.
    pub fn put_over(mut self, key: &Key, values: Item) -> Self {
        self.ops.put_over(key, values);
        self
    }

    /// The end of a plain item that must exist.
    pub fn remove(mut self, key: &Key, meaning: impl Fn(Option<&Item>) -> Error + Send + Sync + 'static) -> Self {
        self.ops.remove(key, meaning);
        self
    }

    /// Another plain item, or none, in the place of one whose field has this value; [`Error::Conflict`] when it has not.
    pub fn replace(mut self, key: &Key, (field, was): (&str, String), values: Option<Item>) -> Self {
        let (is, was) = ("#field = :was", AttributeValue::S(was));
        match values {
            Some(values) => {
                let put = Put::builder().set_item(Some(whole(key, values))).condition_expression(is);
                let put = put.expression_attribute_names("#field", field).expression_attribute_values(":was", was);
                self.ops.put(put, |_| Error::Conflict);
            }
            None => {
                let delete = Delete::builder().condition_expression(is);
                let delete = delete.expression_attribute_names("#field", field).expression_attribute_values(":was", was);
                self.ops.delete(key, delete, |_| Error::Conflict);
            }
        }
        self
    }

    /// The end of a plain item whose named counts must all be 0 or absent.
    pub fn remove_idle(
        mut self,
        key: &Key,
        counts: &[&str],
        meaning: impl Fn(Option<&Item>) -> Error + Send + Sync + 'static,
    ) -> Self {
        let idle: Vec<String> = (0..counts.len()).map(|n| format!("(attribute_not_exists(#c{n}) OR #c{n} <= :zero)")).collect();
        let mut delete = Delete::builder()
            .condition_expression(idle.join(" AND "))
            .expression_attribute_values(":zero", AttributeValue::N("0".into()));
        for (n, count) in counts.iter().enumerate() {
            delete = delete.expression_attribute_names(format!("#c{n}"), *count);
        }
        self.ops.delete(key, delete, meaning);
        self
    }

    /// An object that must be there, without a change to it.
    pub fn exists<T: Entity>(mut self, key: &Key, meaning: impl Fn(Option<&Item>) -> Error + Send + Sync + 'static) -> Self {
        let check = ConditionCheck::builder()
            .condition_expression("#k = :k")
            .expression_attribute_names("#k", KIND)
            .expression_attribute_values(":k", AttributeValue::S(T::KIND.into()))
            .set_key(Some(attributes(key)));
        self.ops.check(check, meaning);
        self
    }

    /// An object that must be as it was read, without a change to it; [`Error::Conflict`] when it is not.
    pub fn same<T: Entity>(mut self, seen: &Stored<T>) -> Self {
        let check = ConditionCheck::builder()
            .condition_expression("v = :seen")
            .expression_attribute_values(":seen", AttributeValue::N(seen.version.to_string()))
            .set_key(Some(attributes(&T::key(&self.store.tenant, seen.value.id()))));
        self.ops.check(check, |_| Error::Conflict);
        self
    }

    /// A plain item whose field must have this value, or which must not be there, without a change to it;
    /// [`Error::Conflict`] when it is otherwise.
    pub fn unchanged(mut self, key: &Key, field: &str, was: Option<String>) -> Self {
        let check = ConditionCheck::builder().set_key(Some(attributes(key)));
        let check = match was {
            None => check.condition_expression("attribute_not_exists(PK)"),
            Some(was) => check
                .condition_expression("#field = :was")
                .expression_attribute_names("#field", field)
                .expression_attribute_values(":was", AttributeValue::S(was)),
        };
        self.ops.check(check, |_| Error::Conflict);
        self
    }

    /// Changes counts that decide; changes of one item within the transaction are merged.
    pub fn tally(mut self, key: &Key, change: impl FnOnce(&mut Tally)) -> Self {
        change(self.tallies.entry(key.clone()).or_default());
        self
    }

    /// The answer is replayed when nothing lies in a partition any more: until then its request still runs.
    pub fn awaiting(mut self, partition: String) -> Self {
        self.awaited = Some(partition);
        self
    }

    /// One more of a count, beside those that follow from objects.
    pub fn count(mut self, tallied: &Tallied) -> Self {
        self.tallies.entry(tallied.key.clone()).or_default().follow(tallied, 1);
        self
    }

    /// The store that is written to.
    #[must_use]
    pub fn store(&self) -> &'a Store {
        self.store
    }

    /// A transaction that cannot be put together: `commit` says why.
    pub fn flawed(mut self, error: Error) -> Self {
        self.ops.flawed(error);
        self
    }

    /// Writes everything, and the answer with it when the request bears an idempotency key.
    ///
    /// # Errors
    /// The meaning of the first condition that failed; [`Error::Conflict`] when another write was in the way.
    pub async fn commit<A: Answer>(mut self, answer: A) -> Result<A> {
        let gate = &self.store.gate;
        if let Some(author) = gate.author.clone() {
            self = self.told(&author)?;
        }
        if let Some(admission) = gate.admission.clone() {
            admission.await?;
        }
        let keyed = gate.lease.clone().zip(answer.record());
        if let Some((lease, recorded)) = &keyed {
            for item in lease.record(&self.store.db.table, &self.store.tenant, recorded, self.awaited.as_deref())? {
                self.ops.push(item, |_| Error::StillRunning(1));
            }
        }
        for (key, tally) in std::mem::take(&mut self.tallies) {
            self.ops.extend(tally.into_op(&self.store.db.table, &key)?);
        }
        let (items, meanings) = self.ops.finish()?;
        let db = &self.store.db;
        let outcome = db.client.transact_write_items().set_transact_items(Some(items)).send().await;
        let Err(error) = outcome else {
            if let Some((lease, _)) = keyed {
                lease.was_recorded();
            }
            return Ok(answer);
        };
        if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() {
            return Err(meaning_of(cancelled.cancellation_reasons(), |n, item| meanings[n](item)));
        }
        Err(failed("TransactWriteItems")(error))
    }

    fn trace(&mut self, before: Option<Audited>, after: Option<Audited>) {
        if before.is_some() || after.is_some() {
            self.trail.push((before, after));
        }
    }

    /// With the trail's entries of its changes.
    fn told(mut self, author: &Author) -> Result<Self> {
        let at = self.store.gate.done_at.unwrap_or_else(|| self.store.clock.now());
        for (before, after) in std::mem::take(&mut self.trail) {
            if let Some(entry) = Entry::of(self.store.mint()?, author, before, after, at) {
                self = self.create(&entry);
            }
        }
        Ok(self)
    }

    fn put_entity<T: Entity>(&mut self, value: &T, facets: &Facets, seen: Option<u64>) {
        match entity::to_item(&self.store.tenant, value, facets, seen.unwrap_or(0) + 1) {
            Ok(item) => {
                let put = Put::builder().set_item(Some(item));
                let put = match seen {
                    None => put.condition_expression("attribute_not_exists(PK)"),
                    Some(seen) => put
                        .condition_expression("v = :seen")
                        .expression_attribute_values(":seen", AttributeValue::N(seen.to_string())),
                };
                self.ops.put(put, |_| Error::Conflict);
            }
            Err(error) => self.ops.flawed(error),
        }
    }

    /// What is kept beside an object, as it changes with it.
    fn beside(&mut self, before: Option<&Facets>, after: Option<&Facets>) {
        let none = BTreeMap::new();
        let (old, new) = (before.map_or(&none, |facets| &facets.beside), after.map_or(&none, |facets| &facets.beside));
        for key in old.keys().filter(|key| !new.contains_key(key)) {
            self.ops.remove(key, |_| Error::Conflict);
        }
        for (key, row) in new {
            match (old.get(key), row.unique) {
                (Some(known), _) if known.item == row.item => {}
                (None, Some(field)) => {
                    self.ops.put_new(key, row.item.clone(), move |_| Error::invalid(field, "has already been taken"));
                }
                _ => self.ops.put_over(key, row.item.clone()),
            }
        }
        for (sign, facets) in [(-1, before), (1, after)] {
            for tallied in facets.map_or(&[][..], |facets| &facets.tallied) {
                self.tallies.entry(tallied.key.clone()).or_default().follow(tallied, sign);
            }
        }
    }
}
