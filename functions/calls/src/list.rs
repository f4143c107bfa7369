//! Finding calls.

use schemars::JsonSchema;
use shared::{
    Result,
    api::{Path, Query, Rows, Served, Shown},
    auth::{Attendant, Caller},
    ids::{CallId, TagId},
    input::{Fields, Input, rules},
    lapse,
    models::{
        Call,
        call::{CallStatus, CallView},
    },
    tags,
};

use crate::Views;

/// Which calls.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    #[schemars(flatten)]
    served: Served<Call, CallStatus>,
    /// That bear this tag.
    tag_id: Option<TagId>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { served: Served::read(fields, true), tag_id: fields.optional(Call::TAG, rules::id) }
    }
}

/// The tenant's calls, the latest first.
pub async fn list(caller: Caller<Attendant>, Query(wanted): Query<Wanted>) -> Result<Rows<CallView>> {
    let (store, Wanted { served, tag_id }) = (caller.store(), wanted);
    let filters = served.filters().with(Call::TAG, tag_id).within(served.dates.range(store).await?);
    let query = served.paging.query(&caller, filters)?;
    let page = served.page(store, &query, |query| async move { lapse::list(store, &query).await });
    let (page, ()) = tokio::try_join!(page, tags::known(store, Call::TAG, tag_id))?;
    let calls: Vec<&Call> = page.rows.iter().map(|row| &row.value).collect();
    let views = Views::read(&caller, &calls).await?;
    Ok(served.paging.rows(&caller, &query, page, |call| views.of(&call)))
}

/// One call.
pub async fn read(caller: Caller<Attendant>, Path(id): Path<CallId>) -> Result<Shown<CallView>> {
    let call = lapse::find::<Call>(caller.store(), id).await?;
    let views = Views::read(&caller, &[&call.value]).await?;
    Ok(Shown(views.of(&call), call.version))
}
