//! What becomes of an appointment.

use schemars::JsonSchema;
use shared::{
    Error, Result,
    api::{Path, Shown, Valid},
    auth::{Attendant, Caller},
    events::{Event, EventName},
    ids::AppointmentId,
    input::{Fields, Input, rules},
    models::{
        Appointment, Company,
        appointment::{Action, Agenda, agenda},
    },
    storage::{Entity, Stored, contend},
};

use crate::conflicts::clear;

/// Confirms an appointment. Where a company prevents double booking, one of two that overlap since before is not confirmed.
pub async fn confirm(caller: Caller<Attendant>, Path(id): Path<AppointmentId>) -> Result<Shown<Appointment>> {
    contend(|| async {
        let (seen, company) = with_company(&caller, id).await?;
        let changed = seen.after(Action::Confirm, caller.now())?;
        if company.input.prevent_double_booking {
            let (store, keys) = (caller.store(), agenda::keys(caller.tenant(), seen.user_id, seen.span()));
            let agenda = Agenda::of(caller.tenant(), &store.db().items(&keys).await?, seen.user_id, seen.span());
            clear(store, &agenda, seen.department_id, Some(id)).await?;
        }
        commit(&caller, &seen, changed, EventName::AppointmentConfirmed).await
    })
    .await
}

/// Why it is called off.
#[derive(Debug, JsonSchema)]
pub struct Cancel {
    /// Why.
    #[schemars(length(max = 2000))]
    reason: Option<String>,
}

impl Input for Cancel {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { reason: fields.optional("reason", rules::prose(2000)) }
    }
}

/// Calls an appointment off.
pub async fn cancel(
    caller: Caller<Attendant>,
    Path(id): Path<AppointmentId>,
    Valid(input): Valid<Cancel>,
) -> Result<Shown<Appointment>> {
    act(&caller, id, Action::Cancel { reason: input.reason }, EventName::AppointmentCancelled).await
}

/// An appointment took place.
pub async fn complete(caller: Caller<Attendant>, Path(id): Path<AppointmentId>) -> Result<Shown<Appointment>> {
    act(&caller, id, Action::Complete, EventName::AppointmentCompleted).await
}

/// The customer did not come.
pub async fn no_show(caller: Caller<Attendant>, Path(id): Path<AppointmentId>) -> Result<Shown<Appointment>> {
    act(&caller, id, Action::NoShow, EventName::AppointmentNoShow).await
}

/// An appointment that must be there, and the company.
pub async fn with_company(caller: &Caller<Attendant>, id: AppointmentId) -> Result<(Stored<Appointment>, Stored<Company>)> {
    let keys = [Appointment::key(caller.tenant(), id), Company::key(caller.tenant(), ())];
    let mut found = caller.store().db().items(&keys).await?;
    let appointment = found.take(&keys[0])?.ok_or(Error::NotFound("Resource not found"))?;
    let company = found.take(&keys[1])?.ok_or_else(|| Error::Internal("no company".into()))?;
    Ok((appointment, company))
}

async fn act(caller: &Caller<Attendant>, id: AppointmentId, action: Action<'_>, event: EventName) -> Result<Shown<Appointment>> {
    contend(|| async {
        let seen = caller.store().find::<Appointment>(id).await?;
        let changed = seen.after(action.clone(), caller.now())?;
        commit(caller, &seen, changed, event).await
    })
    .await
}

async fn commit(
    caller: &Caller<Attendant>,
    seen: &Stored<Appointment>,
    changed: Appointment,
    event: EventName,
) -> Result<Shown<Appointment>> {
    let event = Event::Appointment(event, Box::new(changed.clone()));
    let write = caller.write().update(seen, &changed).emit(&event, changed.updated_at);
    write.commit(Shown(changed, seen.version + 1)).await
}
