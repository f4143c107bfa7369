//! Finding calls.

use schemars::JsonSchema;
use shared::{
    Result,
    api::{Dates, Filters, Paging, Path, Query, Rows, Shown},
    auth::{Attendant, Caller},
    ids::{CallId, CustomerId, DepartmentId, TagId, UserId},
    input::{Fields, Input, rules},
    lapse,
    merging::Names,
    models::{
        Call, Department, User,
        call::{CallStatus, CallView},
    },
    tags,
};

use crate::Views;

/// Which calls.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    #[schemars(flatten)]
    paging: Paging<Call>,
    #[schemars(flatten)]
    dates: Dates,
    /// That stand so.
    status: Option<CallStatus>,
    /// In this department.
    department_id: Option<DepartmentId>,
    /// Of this agent.
    user_id: Option<UserId>,
    /// Of this customer.
    customer_id: Option<CustomerId>,
    /// That bear this tag.
    tag_id: Option<TagId>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            paging: Paging::read(fields, true),
            dates: Dates::read(fields),
            status: fields.optional("status", rules::word),
            department_id: fields.optional("department_id", rules::id),
            user_id: fields.optional("user_id", rules::id),
            customer_id: fields.optional("customer_id", rules::id),
            tag_id: fields.optional(Call::TAG, rules::id),
        }
    }
}

/// The tenant's calls, the latest first.
pub async fn list(caller: Caller<Attendant>, Query(wanted): Query<Wanted>) -> Result<Rows<CallView>> {
    let store = caller.store();
    let filters = Filters::none()
        .with("status", wanted.status)
        .with("department_id", wanted.department_id)
        .with("user_id", wanted.user_id)
        .with("customer_id", wanted.customer_id)
        .with(Call::TAG, wanted.tag_id)
        .within(wanted.dates.range(store).await?);
    let query = wanted.paging.query(&caller, filters)?;
    let (page, names, ..) = tokio::try_join!(
        lapse::list::<Call>(store, &query),
        Names::of(store, wanted.customer_id),
        store.known::<Department>("department_id", wanted.department_id),
        store.known::<User>("user_id", wanted.user_id),
        tags::known(store, Call::TAG, wanted.tag_id),
    )?;
    let page = match names.query(&query) {
        Some(query) => names.shown(lapse::list::<Call>(store, &query).await?),
        None => page,
    };
    let calls: Vec<&Call> = page.rows.iter().map(|row| &row.value).collect();
    let views = Views::read(&caller, &calls).await?;
    Ok(wanted.paging.rows(&caller, &query, page, |call| views.of(&call)))
}

/// One call.
pub async fn read(caller: Caller<Attendant>, Path(id): Path<CallId>) -> Result<Shown<CallView>> {
    let call = lapse::find::<Call>(caller.store(), id).await?;
    let views = Views::read(&caller, &[&call.value]).await?;
    Ok(Shown(views.of(&call), call.version))
}
