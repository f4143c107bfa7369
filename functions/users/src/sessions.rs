//! Where the caller is logged in.

use schemars::JsonSchema;
use shared::{
    Error, Result,
    api::{Filters, NoContent, Paging, Path, Query, Rows},
    auth::{Attendant, Caller},
    ids::{Id, SessionId},
    input::{Fields, Input},
    models::{Session, User, session::SessionView},
    storage::{Entity, Stored, contend, entity, keys},
};

/// Where in the list.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    #[schemars(flatten)]
    paging: Paging<Session>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { paging: Paging::read(fields, true) }
    }
}

/// The caller's sessions that have not ended.
pub async fn list(caller: Caller<Attendant>, Query(wanted): Query<Wanted>) -> Result<Rows<SessionView>> {
    let store = caller.store();
    let paging = wanted.paging.of(caller.user());
    let query = paging.query(&caller, Filters::none())?;
    let partition = keys::object_partition(store.tenant(), User::KIND, &caller.user().key());
    let sessions = store.db().partition(&partition, keys::SESSIONS);
    let (user, sessions) = tokio::try_join!(store.find::<User>(caller.user()), sessions)?;
    let sessions = sessions.into_iter().map(entity::from_item).collect::<Result<Vec<Stored<Session>>>>()?;
    let standing = sessions.into_iter().filter(|session| session.stands(&user, caller.now())).collect();
    let page = store.page_in_memory(standing, &query)?;
    Ok(paging.rows(&caller, &query, page, |session| session.view(session.id == caller.claims.sid)))
}

/// Ends one of the caller's sessions: its tokens die at once.
pub async fn end(caller: Caller<Attendant>, Path(id): Path<SessionId>) -> Result<NoContent> {
    contend(|| async {
        let store = caller.store();
        let (user, seen) = tokio::try_join!(store.find::<User>(caller.user()), store.find::<Session>((caller.user(), id)))?;
        if !seen.stands(&user, caller.now()) {
            return Err(Error::NotFound("Resource not found"));
        }
        caller.write().delete(&seen).commit(NoContent).await
    })
    .await
}
