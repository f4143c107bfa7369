//! Finding calls.

use schemars::JsonSchema;
use shared::{
    Result,
    api::{Dates, Filters, Paging, Path, Query, Rows, Shown},
    auth::{Attendant, Caller},
    ids::{CallId, CustomerId, DepartmentId, UserId},
    input::{Fields, Input, rules},
    lapse,
    models::{
        Call, Customer, Department, User,
        call::{CallStatus, CallView},
    },
    waiting,
};

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
        .within(wanted.dates.range(store).await?);
    let query = wanted.paging.query(&caller, filters)?;
    let (page, ..) = tokio::try_join!(
        lapse::list::<Call>(store, &query),
        store.known::<Department>("department_id", wanted.department_id),
        store.known::<User>("user_id", wanted.user_id),
        store.known::<Customer>("customer_id", wanted.customer_id),
    )?;
    let now = caller.now();
    let places = waiting::positions(store, page.rows.iter().map(|row| &row.value), now).await?;
    Ok(wanted.paging.rows(&caller, &query, page, |call| call.view(caller.claims.role, places.get(&call.ticket).copied(), now)))
}

/// One call.
pub async fn read(caller: Caller<Attendant>, Path(id): Path<CallId>) -> Result<Shown<CallView>> {
    let call = lapse::find::<Call>(caller.store(), id).await?;
    let now = caller.now();
    let places = waiting::positions(caller.store(), [&call.value], now).await?;
    Ok(Shown(call.view(caller.claims.role, places.get(&call.ticket).copied(), now), call.version))
}
