//! What a customer leaves behind who is removed, or merged into another: calls, appointments and links that bear the
//! identifier, and old identifiers that lead to it. They lose name and contact, or go over to the other.
//!
//! A customer may have any number of them. The answer does not wait: some go at once, the others with the schedule, which
//! looks until an index that may lag has caught up and nothing is found any more.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    clock::Time,
    error::Result,
    ids::{AccessLinkId, CustomerId, Id},
    matching,
    models::{
        AccessLink, Appointment, Call, Customer,
        customer::{Forgotten, Merged},
        delivery::SLACK,
    },
    storage::{Entity, Item, Key, Store, Stored, Write, contend, entity, keys, list::Query},
    text,
};

/// Objects that one look takes on: some seconds of work.
const PORTION: usize = 500;
/// Objects that are written at the same time.
const AT_ONCE: usize = 4;
/// After how long the schedule looks again: later than whoever drains the stack at one moment goes on to.
pub(crate) const AGAIN: Duration = Duration::from_secs(2 * SLACK.as_secs());

/// Rows that are written in one transaction.
const ROWS: usize = 50;

/// What is written with a customer's end: whom e-mail and phone stand for from now on, and rows by which an erasure finds what
/// nothing else leads to.
///
/// # Errors
/// [`crate::Error::Internal`] when the table does not answer.
pub async fn parting<'a>(store: &Store, write: Write<'a>, customer: &Customer) -> Result<Write<'a>> {
    let moved = Box::pin(matching::moved(store, write, customer, None));
    let (write, rows) = tokio::try_join!(moved, Box::pin(rows_for(store, customer)))?;
    Ok(noted(write, &rows))
}

/// Rows of the links that were made for a customer's e-mail. Of many, all but the last ones are written.
async fn rows_for(store: &Store, customer: &Customer) -> Result<Vec<Key>> {
    let mut from = None;
    loop {
        let (links, next) = links_for(store, customer, from, ROWS).await?;
        let row = |link: &Stored<AccessLink>| Key::former(store.tenant(), customer.id, AccessLink::KIND, link.id);
        let rows: Vec<Key> = links.iter().map(row).collect();
        if next.is_none() {
            return Ok(rows);
        }
        if !rows.is_empty() {
            noted(store.write(), &rows).commit(()).await?;
        }
        from = next;
    }
}

/// Links that were made for a customer's e-mail before anybody knew who that is: from the one after that on, of so many with
/// the e-mail. Answers after which it goes on, if it does.
///
/// # Errors
/// [`crate::Error::Internal`] when the table does not answer.
pub async fn links_for(
    store: &Store,
    customer: &Customer,
    after: Option<AccessLinkId>,
    most: usize,
) -> Result<(Vec<Stored<AccessLink>>, Option<AccessLinkId>)> {
    let Some(email) = customer.input.email.as_deref() else { return Ok((Vec::new(), None)) };
    let key = text::caseless(email);
    let (found, next) = store.with_word::<AccessLink>(email, after, most).await?;
    let mut links = store.get_all::<AccessLink>(found).await?;
    links.retain(|link| link.customer_id.is_none() && link.customer_email.as_deref().map(text::caseless).as_ref() == Some(&key));
    Ok((links, next))
}

fn noted<'a>(write: Write<'a>, rows: &[Key]) -> Write<'a> {
    rows.iter().fold(write, |write, row| write.put_over(row, Item::new()))
}

/// The mark of a customer who is removed now.
#[must_use]
pub fn mark(customer: CustomerId, now: Time) -> Forgotten {
    Forgotten { id: customer, due_at: now + SLACK, inserted_at: now }
}

/// Takes a removed customer off at most so many calls, appointments and links each; answers how many that were.
///
/// # Errors
/// [`crate::Error::Internal`] when the table does not answer.
pub async fn forget(store: &Store, customer: CustomerId, portion: usize) -> Result<usize> {
    hand_over(store, customer, None, portion).await
}

/// Gives at most so many of each kind of what bears a customer's identifier to another customer, or to nobody; answers how
/// many that were.
///
/// # Errors
/// [`crate::Error::Internal`] when the table does not answer.
pub async fn hand_over(store: &Store, from: CustomerId, to: Option<CustomerId>, portion: usize) -> Result<usize> {
    let partition = keys::object_partition(store.tenant(), Customer::KIND, &from.key());
    let links = async {
        let rows = store.db().from(&partition, keys::LINKS, i32::try_from(portion).unwrap_or(i32::MAX)).await?;
        let ids = rows.iter().filter_map(|row| Id::from_key(entity::text(row, "SK")?.strip_prefix(keys::LINKS)?));
        change_all::<AccessLink>(store, ids.collect(), from, to).await
    };
    let calls = Box::pin(listed::<Call>(store, from, to, portion));
    let appointments = Box::pin(listed::<Appointment>(store, from, to, portion));
    let merged = Box::pin(listed::<Merged>(store, from, to, portion));
    let (calls, appointments, links, merged) = tokio::try_join!(calls, appointments, Box::pin(links), merged)?;
    Ok(calls + appointments + links + merged)
}

/// Changes what an index lists of a customer.
async fn listed<T: Bears>(store: &Store, from: CustomerId, to: Option<CustomerId>, portion: usize) -> Result<usize> {
    let sort = T::LISTING.sorts.first().map_or("", |sort| sort.name);
    let (rows, _) = store.rows::<T>(&Query::of("customer_id", from, sort, portion)).await?;
    change_all::<T>(store, rows.iter().map(|row| row.id()).collect(), from, to).await
}

async fn change_all<T: Bears>(store: &Store, ids: Vec<T::Id>, from: CustomerId, to: Option<CustomerId>) -> Result<usize> {
    let count = ids.len();
    let changes = stream::iter(ids).map(|id| change::<T>(store, id, from, to)).buffer_unordered(AT_ONCE);
    changes.try_collect::<()>().await.map(|()| count)
}

/// What bears a customer's identifier.
pub trait Bears: Entity<Id: Id> {
    /// Whose.
    fn customer(&self) -> Option<CustomerId>;
    /// As another customer's.
    #[must_use]
    fn following(&self, customer: CustomerId) -> Self;
    /// As nobody's.
    #[must_use]
    fn forgotten(&self) -> Self;
    /// The rows by which an erasure, perhaps much later, finds what is nobody's now.
    fn former(&self, tenant: &str, customer: CustomerId) -> Vec<Key> {
        vec![Key::former(tenant, customer, Self::KIND, self.id())]
    }
}

impl Bears for Call {
    fn customer(&self) -> Option<CustomerId> {
        self.customer_id
    }

    fn following(&self, customer: CustomerId) -> Self {
        Self { customer_id: Some(customer), ..self.clone() }
    }

    fn forgotten(&self) -> Self {
        self.forgotten()
    }
}

impl Bears for Appointment {
    fn customer(&self) -> Option<CustomerId> {
        self.customer_id
    }

    fn following(&self, customer: CustomerId) -> Self {
        Self { customer_id: Some(customer), ..self.clone() }
    }

    fn forgotten(&self) -> Self {
        self.forgotten()
    }
}

impl Bears for AccessLink {
    fn customer(&self) -> Option<CustomerId> {
        self.customer_id
    }

    fn following(&self, customer: CustomerId) -> Self {
        Self { customer_id: Some(customer), ..self.clone() }
    }

    fn forgotten(&self) -> Self {
        self.forgotten()
    }
}

impl Bears for Merged {
    fn customer(&self) -> Option<CustomerId> {
        self.customer_id
    }

    fn following(&self, customer: CustomerId) -> Self {
        Self { customer_id: Some(customer), ..self.clone() }
    }

    /// It leads nowhere, and is due: the schedule ends it.
    fn forgotten(&self) -> Self {
        Self { customer_id: None, due_at: Some(self.inserted_at), ..self.clone() }
    }

    /// Either identifier leads to what was the other's.
    fn former(&self, tenant: &str, customer: CustomerId) -> Vec<Key> {
        vec![Key::former(tenant, customer, Self::KIND, self.id), Key::former(tenant, self.id, Customer::KIND, customer)]
    }
}

async fn change<T: Bears>(store: &Store, id: T::Id, from: CustomerId, to: Option<CustomerId>) -> Result<()> {
    contend(|| async {
        let Some(seen) = store.get::<T>(id).await?.filter(|seen| seen.customer() == Some(from)) else { return Ok(()) };
        let changed = to.map_or_else(|| seen.forgotten(), |to| seen.following(to));
        let write = store.write().update(&seen, &changed);
        let write = match to {
            Some(_) => write,
            None => noted(write, &seen.former(store.tenant(), from)),
        };
        write.commit(()).await
    })
    .await
}

/// The schedule's look; answers how many objects it changed.
///
/// # Errors
/// [`crate::Error::Internal`] when the table does not answer; the customer then stays due.
pub async fn again(store: &Store, id: CustomerId) -> Result<u64> {
    let Some(seen) = store.get::<Forgotten>(id).await? else { return Ok(0) };
    let (changed, now) = (forget(store, id, PORTION).await?, store.clock().now());
    // An index is seconds behind at most.
    let write = if changed == 0 && now >= seen.inserted_at + SLACK {
        store.write().delete(&seen)
    } else {
        let pause = if changed >= PORTION { Duration::ZERO } else { AGAIN };
        store.write().update(&seen, &Forgotten { due_at: now + pause, ..seen.value.clone() })
    };
    match write.commit(()).await {
        // Another look was quicker.
        Ok(()) | Err(crate::Error::Conflict) => Ok(changed as u64),
        Err(error) => Err(error),
    }
}
