//! Finding appointments.

use schemars::JsonSchema;
use shared::{
    Result,
    api::{Dates, Filters, Paging, Path, Query, Rows, Shown},
    auth::{Attendant, Caller},
    ids::{AppointmentId, CustomerId, DepartmentId, UserId},
    input::{Fields, Input, rules},
    merging::Names,
    models::{Appointment, Department, User, appointment::AppointmentStatus},
};

/// Which appointments.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    #[schemars(flatten)]
    paging: Paging<Appointment>,
    #[schemars(flatten)]
    dates: Dates,
    /// That stand so.
    status: Option<AppointmentStatus>,
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
            paging: Paging::read(fields, false),
            dates: Dates::read(fields),
            status: fields.optional("status", rules::word),
            department_id: fields.optional("department_id", rules::id),
            user_id: fields.optional("user_id", rules::id),
            customer_id: fields.optional("customer_id", rules::id),
        }
    }
}

/// The tenant's appointments, the earliest first; dates are those of their beginning, whatever they are sorted by.
pub async fn list(caller: Caller<Attendant>, Query(wanted): Query<Wanted>) -> Result<Rows<Appointment>> {
    let store = caller.store();
    let filters = Filters::none()
        .with("status", wanted.status)
        .with("department_id", wanted.department_id)
        .with("user_id", wanted.user_id)
        .with("customer_id", wanted.customer_id)
        .within_of("scheduled_at", wanted.dates.range(store).await?);
    let query = wanted.paging.query(&caller, filters)?;
    let (page, names, ..) = tokio::try_join!(
        store.list::<Appointment>(&query),
        Names::of(store, wanted.customer_id),
        store.known::<Department>("department_id", wanted.department_id),
        store.known::<User>("user_id", wanted.user_id),
    )?;
    let page = match names.query(&query) {
        Some(query) => names.shown(store.list(&query).await?),
        None => page,
    };
    Ok(wanted.paging.rows(&caller, &query, page, |appointment| appointment.value))
}

/// One appointment.
pub async fn read(caller: Caller<Attendant>, Path(id): Path<AppointmentId>) -> Result<Shown<Appointment>> {
    let appointment = caller.store().find::<Appointment>(id).await?;
    Ok(Shown(appointment.value, appointment.version))
}
