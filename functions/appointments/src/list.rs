//! Finding appointments.

use schemars::JsonSchema;
use shared::{
    Result,
    api::{Path, Query, Rows, Served, Shown},
    auth::{Attendant, Caller},
    ids::AppointmentId,
    input::{Fields, Input},
    models::{Appointment, appointment::AppointmentStatus},
};

/// Which appointments.
#[derive(Debug, JsonSchema)]
pub struct Wanted(Served<Appointment, AppointmentStatus>);

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self(Served::read(fields, false))
    }
}

/// The tenant's appointments, the earliest first; dates are those of their beginning, whatever they are sorted by.
pub async fn list(caller: Caller<Attendant>, Query(Wanted(wanted)): Query<Wanted>) -> Result<Rows<Appointment>> {
    let store = caller.store();
    let filters = wanted.filters().within_of("scheduled_at", wanted.dates.range(store).await?);
    let query = wanted.paging.query(&caller, filters)?;
    let page = wanted.page(store, &query, |query| async move { store.list(&query).await }).await?;
    Ok(wanted.paging.rows(&caller, &query, page, |appointment| appointment.value))
}

/// One appointment.
pub async fn read(caller: Caller<Attendant>, Path(id): Path<AppointmentId>) -> Result<Shown<Appointment>> {
    let appointment = caller.store().find::<Appointment>(id).await?;
    Ok(Shown(appointment.value, appointment.version))
}
