//! What a removed customer leaves behind: calls, appointments and links that bear the name and the contact.
//!
//! A customer may have any number of them. The answer does not wait: some go at once, the others with the schedule, which
//! looks until an index that may lag has caught up and nothing is found any more.

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    clock::Time,
    error::Result,
    ids::{CustomerId, Id},
    models::{AccessLink, Appointment, Call, Customer, customer::Forgotten, delivery::SLACK},
    storage::{
        Entity, Item, Key, Store, contend, entity, keys,
        list::{Query, Start},
    },
};

/// Objects that one look takes on: some seconds of work.
const PORTION: usize = 500;
/// Objects that are written at the same time.
const AT_ONCE: usize = 4;

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
    let partition = keys::object_partition(store.tenant(), Customer::KIND, &customer.key());
    let links = async {
        let rows = store.db().partition(&partition, keys::LINKS).await?;
        let ids = rows.iter().filter_map(|row| Id::from_key(entity::text(row, "SK")?.strip_prefix(keys::LINKS)?));
        change_all::<AccessLink>(store, ids.take(portion).collect(), customer).await
    };
    let (calls, appointments) = (listed::<Call>(store, customer, portion), listed::<Appointment>(store, customer, portion));
    let (calls, appointments, links) = tokio::try_join!(calls, appointments, links)?;
    Ok(calls + appointments + links)
}

/// Changes what an index lists of a customer.
async fn listed<T: Bears>(store: &Store, customer: CustomerId, portion: usize) -> Result<usize> {
    let query = Query {
        filters: vec![("customer_id", customer.to_string())],
        search: None,
        sort: T::LISTING.sorts.first().map_or("", |sort| sort.name),
        descending: true,
        range: None,
        ranged: None,
        start: Start::Skip(0),
        size: portion,
    };
    let (rows, _) = store.rows::<T>(&query).await?;
    change_all::<T>(store, rows.iter().map(|row| row.id()).collect(), customer).await
}

async fn change_all<T: Bears>(store: &Store, ids: Vec<T::Id>, customer: CustomerId) -> Result<usize> {
    let count = ids.len();
    let changes = stream::iter(ids).map(|id| change::<T>(store, id, customer)).buffer_unordered(AT_ONCE);
    changes.try_collect::<()>().await.map(|()| count)
}

/// What bears a customer's name.
pub(crate) trait Bears: Entity<Id: Id> {
    /// Whose it is.
    fn customer(&self) -> Option<CustomerId>;
    /// It without the customer.
    fn forgotten(&self) -> Self;
}

impl Bears for Call {
    fn customer(&self) -> Option<CustomerId> {
        self.customer_id
    }

    fn forgotten(&self) -> Self {
        self.forgotten()
    }
}

impl Bears for Appointment {
    fn customer(&self) -> Option<CustomerId> {
        self.customer_id
    }

    fn forgotten(&self) -> Self {
        self.forgotten()
    }
}

impl Bears for AccessLink {
    fn customer(&self) -> Option<CustomerId> {
        self.customer_id
    }

    fn forgotten(&self) -> Self {
        self.forgotten()
    }
}

async fn change<T: Bears>(store: &Store, id: T::Id, customer: CustomerId) -> Result<()> {
    contend(|| async {
        let Some(seen) = store.get::<T>(id).await?.filter(|seen| seen.customer() == Some(customer)) else { return Ok(()) };
        // An erasure, perhaps much later, finds it by this row.
        let row = Key::former(store.tenant(), customer, T::KIND, id);
        store.write().update(&seen, &seen.forgotten()).put_over(&row, Item::new()).commit(()).await
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
        store.write().update(&seen, &Forgotten { due_at: now + SLACK, ..seen.value.clone() })
    };
    match write.commit(()).await {
        // Another look was quicker.
        Ok(()) | Err(crate::Error::Conflict) => Ok(changed as u64),
        Err(error) => Err(error),
    }
}
