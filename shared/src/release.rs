//! Calls that wait for an agent who serves no longer go back to the queue.
//!
//! They are found through an index, which may lag: they are looked for at once, and once more when it has caught up. The
//! user is due until then, so that a crash between the two loses none.

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    clock::{Time, days},
    error::Result,
    ids::{CallId, UserId},
    models::{
        Call, User,
        call::{Action, CallStatus},
        delivery::SLACK,
    },
    storage::{
        Store, contend,
        list::{Query, Start},
    },
};

/// Calls that are written at the same time; they mostly share a department's counts.
const AT_ONCE: usize = 4;

/// When to look again after a user was deactivated: an index is seconds behind at most.
#[must_use]
pub fn due(now: Time) -> Time {
    now + SLACK
}

/// Gives back what waits for a user who serves no longer. Answers how many calls that were.
///
/// # Errors
/// [`crate::Error::Internal`] when the table does not answer.
pub async fn release(store: &Store, user: UserId) -> Result<u64> {
    let now = store.clock().now();
    let mut query = Query {
        filters: vec![("user_id", user.to_string()), ("status", CallStatus::Queued.to_string())],
        search: None,
        sort: "inserted_at",
        descending: true,
        // A call waits a day at most, and was transferred within days of its beginning.
        range: Some(((now - days(7)).key(), (now + days(1)).key())),
        ranged: None,
        start: Start::Skip(0),
        size: 100,
    };
    let mut released = 0;
    loop {
        let (calls, next) = store.rows::<Call>(&query).await?;
        let ids: Vec<CallId> = calls.iter().map(|call| call.id).collect();
        let given_back = stream::iter(ids).map(|id| give_back(store, id, user)).buffer_unordered(AT_ONCE);
        let given_back: Vec<bool> = given_back.try_collect().await?;
        released += given_back.into_iter().map(u64::from).sum::<u64>();
        match next {
            Some(place) => query.start = Start::After(place),
            None => return Ok(released),
        }
    }
}

async fn give_back(store: &Store, id: CallId, agent: UserId) -> Result<bool> {
    contend(|| async {
        let Some(seen) = store.get::<Call>(id).await?.filter(|call| call.user_id == Some(agent)) else { return Ok(false) };
        let Ok(released) = seen.after(Action::Release, store.clock().now()) else { return Ok(false) };
        store.write().update(&seen, &released).commit(()).await.map(|()| true)
    })
    .await
}

/// The second look, by the schedule.
///
/// # Errors
/// [`crate::Error::Internal`] when the table does not answer; the user then stays due.
pub async fn again(store: &Store, id: UserId) -> Result<u64> {
    let Some(seen) = store.get::<User>(id).await? else { return Ok(0) };
    let released = if seen.input.active { 0 } else { release(store, id).await? };
    contend(|| async {
        let Some(seen) = store.get::<User>(id).await?.filter(|seen| seen.releases_at.is_some()) else { return Ok(()) };
        store.write().update(&seen, &User { releases_at: None, ..seen.value.clone() }).commit(()).await
    })
    .await?;
    Ok(released)
}
