//! The end of everything that is kept about a customer (LGPD, art. 18 VI).
//!
//! Removing a customer takes the name off what was theirs and leaves a row beside the customer for each such object. Erasing
//! goes along these rows: off the objects goes what anybody wrote, and with it what was told of them. It looks again, later
//! each time, for a day: what was under way has then come to rest, in an index, a stream or a process, and what agents or the
//! customer still wrote in the meantime has gone as well. What a look does it finds done when it looks again.
//!
//! Whatever else comes to be kept about a customer (recordings, files, transcripts) goes in `strip_row`, with its call.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    clock::{Time, days},
    error::{Error, Result},
    forget::{AGAIN, Bears, forget},
    ids::{CustomerId, Id},
    models::{
        AccessLink, Appointment, Call, Customer,
        customer::{Erasure, Forgotten, Merged},
        delivery::SLACK,
    },
    storage::{Entity, Item, Key, Store, Stored, contend, entity, keys},
};

/// Objects, and copies of what was told of them, that the schedule's look takes on: some seconds of work.
pub const PORTION: usize = 500;
/// Objects that are written at the same time.
const AT_ONCE: usize = 4;
/// How long it looks again.
const LASTS: Duration = days(1);

/// The mark of a customer who is erased from now on.
#[must_use]
pub fn mark(customer: CustomerId, now: Time) -> Erasure {
    Erasure { id: customer, from: String::new(), found: false, due_at: now + SLACK, inserted_at: now }
}

/// Something is left of a customer who was removed.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer.
pub async fn remains(store: &Store, customer: CustomerId) -> Result<bool> {
    let marks = [Forgotten::key(store.tenant(), customer), Erasure::key(store.tenant(), customer)];
    let whom = customer.to_string();
    let (found, rows, told) = tokio::try_join!(store.db().items(&marks), rows(store, customer, "", 1), store.told(&whom, 1))?;
    Ok(!rows.is_empty() || !told.is_empty() || marks.iter().any(|mark| found.item(mark).is_some()))
}

/// Goes on with an erasure: at most so many objects and copies. Answers how much was found; the erasure stays due until it
/// has lasted and nothing is.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer; the erasure then stays due.
pub async fn go_on(store: &Store, id: CustomerId, portion: usize) -> Result<u64> {
    let Some(seen) = store.get::<Erasure>(id).await? else { return Ok(0) };
    let named = forget(store, id, portion).await?;
    let told = store.take_back(&id.to_string(), portion).await?;
    let rows = rows(store, id, &seen.from, portion).await?;
    let ids = rows.iter().filter_map(|row| CustomerId::from_key(row.sk.rsplit_once('#')?.1)).map(|id| id.to_string());
    let listed = store.take_back_lists(&ids.chain([id.to_string()]).collect::<Vec<_>>()).await?;
    let more = rows.last().filter(|_| rows.len() == portion).map(|row| row.sk.clone());
    let stripped = stream::iter(rows).map(|row| strip_row(store, id, row)).buffer_unordered(AT_ONCE);
    let stripped: usize = stripped.try_collect::<Vec<_>>().await?.into_iter().sum();
    let (found, now) = (named + told + listed + stripped, store.clock().now());
    let further = |from: &str, found, pause| Erasure { from: from.to_owned(), found, due_at: now + pause, ..seen.value.clone() };
    let (any, age) = (seen.found || found > 0, Duration::from_secs(now.since(seen.inserted_at)));
    let write = if more.is_some() || named >= portion {
        store.write().update(&seen, &further(more.as_deref().unwrap_or_default(), any, Duration::ZERO))
    } else if any || age < LASTS {
        store.write().update(&seen, &further("", false, if any { SLACK } else { age.max(AGAIN) }))
    } else if end(store, id).await? {
        store.write().delete(&seen)
    } else {
        return Ok(1);
    };
    match write.commit(()).await {
        // Another look was quicker.
        Ok(()) | Err(Error::Conflict) => Ok(found as u64),
        Err(error) => Err(error),
    }
}

/// Removes the rows themselves; says whether all are gone.
async fn end(store: &Store, customer: CustomerId) -> Result<bool> {
    let rows = rows(store, customer, "", PORTION).await?;
    let all = rows.len() < PORTION;
    store.db().forget(rows).await.map(|()| all)
}

/// So many rows of what was a customer's at most, from one on.
async fn rows(store: &Store, customer: CustomerId, from: &str, most: usize) -> Result<Vec<Key>> {
    let partition = keys::object_partition(store.tenant(), Customer::KIND, &customer.key());
    let from = if from.is_empty() { keys::FORMER } else { from };
    let rows = store.db().from(&partition, from, i32::try_from(most).unwrap_or(i32::MAX)).await?;
    let rows = rows.iter().filter_map(|row| entity::text(row, "SK")).filter(|sk| sk.starts_with(keys::FORMER));
    Ok(rows.map(|sk| Key { pk: partition.clone(), sk: sk.to_owned() }).collect())
}

/// Strips the object of a row. Answers how much was found.
async fn strip_row(store: &Store, customer: CustomerId, row: Key) -> Result<usize> {
    let parts = row.sk.strip_prefix(keys::FORMER).and_then(|rest| rest.split_once('#'));
    match parts {
        Some((Call::KIND, id)) => strip_call(store, customer, id).await,
        Some((Appointment::KIND, id)) => strip::<Appointment>(store, customer, id).await.map(|(found, _)| found),
        Some((Merged::KIND | Customer::KIND, id)) => begin(store, id).await,
        Some((AccessLink::KIND, id)) => strip::<AccessLink>(store, customer, id).await.map(|(found, _)| found),
        _ => Err(Error::Internal(format!("a row of an unknown kind: {}", row.sk))),
    }
}

/// Who was merged into the customer, or into whom the customer was merged, is erased as well: something was told under that
/// identifier, or still lies there.
async fn begin(store: &Store, id: &str) -> Result<usize> {
    let Some(id) = CustomerId::from_key(id) else { return Ok(0) };
    store.insert(&mark(id, store.clock().now())).await.map(usize::from)
}

/// A call, and the link that let nobody else in, which is noted.
async fn strip_call(store: &Store, customer: CustomerId, id: &str) -> Result<usize> {
    let (found, call) = strip::<Call>(store, customer, id).await?;
    let Some(link) = call.and_then(|call| call.access_link_id) else { return Ok(found) };
    let alone = |link: Stored<AccessLink>| link.customer_id.is_none() && link.max_uses == 1 && link.forgotten() != link.value;
    if !store.get::<AccessLink>(link).await?.is_some_and(alone) {
        return Ok(found);
    }
    let row = Key::former(store.tenant(), customer, AccessLink::KIND, link);
    store.write().put_over(&row, Item::new()).commit(()).await?;
    Ok(found + strip::<AccessLink>(store, customer, &link.key()).await?.0)
}

/// What people write about a customer.
trait Erased: Bears + PartialEq {
    /// It without any of that.
    fn erased(&self) -> Self;
}

impl Erased for Call {
    fn erased(&self) -> Self {
        self.erased()
    }
}

impl Erased for Appointment {
    fn erased(&self) -> Self {
        self.erased()
    }
}

impl Erased for AccessLink {
    fn erased(&self) -> Self {
        self.forgotten()
    }
}

/// Takes off an object what anybody wrote, unless it has become another customer's, and takes back what was told of it.
/// Answers how much was found, and the object.
async fn strip<T: Erased>(store: &Store, customer: CustomerId, id_key: &str) -> Result<(usize, Option<T>)> {
    let Some(id) = T::Id::from_key(id_key) else { return Ok((0, None)) };
    let (stripped, object) = contend(|| async {
        let Some(seen) = store.get::<T>(id).await? else { return Ok((0, None)) };
        let erased = seen.erased();
        if erased == seen.value || seen.customer().is_some_and(|other| other != customer) {
            return Ok((0, Some(seen.value)));
        }
        store.write().update(&seen, &erased).commit(()).await.map(|()| (1, Some(erased)))
    })
    .await?;
    Ok((stripped + store.take_back(&id.to_string(), PORTION).await?, object))
}
