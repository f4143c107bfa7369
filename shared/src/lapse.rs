//! What the clock changes: waiting calls are missed, links expire.
//!
//! An object that has lapsed is shown so by whoever reads it. The change is written, with its event and its counts, by
//! whoever comes first: a list that would count it wrongly, or the minute schedule. It bears the moment at which it was
//! due, so that it does not matter who that is.

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    batch,
    clock::Time,
    error::{Error, Result},
    events::{Event, EventName},
    ids::Id,
    models::{
        AccessLink, Call, LinkBatch, Role,
        access_link::LinkStatus,
        call::{Action, CallStatus},
    },
    storage::{
        Entity, Key, Store, Stored, contend,
        list::{Page, Query},
    },
    tags,
};

/// An object that time alone changes.
pub trait Lapses: Entity<Id: Id> {
    /// The object after its time has passed, and when that was.
    fn lapsed(&self, now: Time) -> Option<(Self, Time)>;

    /// The event that it is to have lapsed.
    fn told(&self, store: &Store) -> impl Future<Output = Result<Option<Event>>> + Send;
}

impl Lapses for Call {
    fn lapsed(&self, now: Time) -> Option<(Self, Time)> {
        let missed = self.after(Action::Lapse, now).ok().filter(|call| call.status == CallStatus::Missed)?;
        Some((missed, self.deadline))
    }

    async fn told(&self, store: &Store) -> Result<Option<Event>> {
        let view = self.view(Role::Manager, None, tags::of(store, self).await?, store.clock().now());
        Ok(Some(Event::Call(EventName::CallMissed, Box::new(view))))
    }
}

impl Lapses for AccessLink {
    fn lapsed(&self, now: Time) -> Option<(Self, Time)> {
        let expired = self.at(now);
        (self.status != expired.status && expired.status == LinkStatus::Expired).then_some((expired, self.expires_at))
    }

    async fn told(&self, _: &Store) -> Result<Option<Event>> {
        Ok(None)
    }
}

/// How many are written at the same time; they mostly share a department's counts.
const AT_ONCE: usize = 4;

/// An object after it was settled, and whether there was something to write.
#[derive(Debug)]
pub struct Settled<T> {
    /// The object; none when it is gone.
    pub object: Option<Stored<T>>,
    /// Its time had passed and nobody had written it.
    pub written: bool,
}

/// Writes the change of an object whose time has passed; nothing when it has not, or another was first.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer.
pub async fn settle<T: Lapses>(store: &Store, id: T::Id) -> Result<Settled<T>> {
    // It is nobody's doing, whoever comes first.
    let store = &store.unattended();
    contend(|| async {
        let Some(seen) = store.get::<T>(id).await? else { return Ok(Settled { object: None, written: false }) };
        let Some((lapsed, at)) = seen.lapsed(store.clock().now()) else {
            return Ok(Settled { object: Some(seen), written: false });
        };
        let write = store.write().update(&seen, &lapsed);
        let write = match lapsed.told(store).await? {
            Some(event) => write.emit(&event, at),
            None => write,
        };
        write.commit(()).await?;
        Ok(Settled { object: Some(Stored { value: lapsed, version: seen.version + 1 }), written: true })
    })
    .await
}

/// An object that must be there, as the clock has it.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find<T: Lapses>(store: &Store, id: T::Id) -> Result<Stored<T>> {
    let seen = store.find::<T>(id).await?;
    if seen.lapsed(store.clock().now()).is_none() {
        return Ok(seen);
    }
    settle(store, id).await?.object.ok_or(Error::NotFound("Resource not found"))
}

/// A page of a list as the clock has it: what has lapsed is settled first, which mostly is nothing.
///
/// # Errors
/// As [`Store::list`].
pub async fn list<T: Lapses>(store: &Store, query: &Query) -> Result<Page<T>> {
    let (due, page) = futures_util::try_join!(store.lapsing::<T>(store.clock().now()), store.list::<T>(query))?;
    if due.is_empty() {
        return Ok(page);
    }
    settle_all::<T>(store, due).await?;
    store.list(query).await
}

/// Settles everything of a kind that has lapsed in a tenant.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer.
pub async fn settle_due<T: Lapses>(store: &Store) -> Result<()> {
    let due = store.lapsing::<T>(store.clock().now()).await?;
    settle_all::<T>(store, due).await
}

async fn settle_all<T: Lapses>(store: &Store, due: Vec<Key>) -> Result<()> {
    let settled = stream::iter(due).map(|key| async move { settle_at::<T>(store, &key).await }).buffer_unordered(AT_ONCE);
    settled.try_collect::<()>().await.or_else(|error| if matches!(error, Error::Conflict) { Ok(()) } else { Err(error) })
}

/// Settles an object, or makes the links of a batch that its request has left.
async fn settle_at<T: Lapses>(store: &Store, key: &Key) -> Result<()> {
    if key.kind() == LinkBatch::KIND {
        return batch::go_on(store, key).await.map(drop);
    }
    match key.object_id() {
        Some(id) => settle::<T>(store, id).await.map(drop),
        None => Ok(()),
    }
}
