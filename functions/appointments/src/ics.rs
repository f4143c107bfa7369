//! An appointment for calendars (RFC 5545).

use shared::{
    Result,
    api::{CalendarFile, Path},
    auth::{Attendant, Caller},
    calendar::ics::{Calendar, Method},
    ids::AppointmentId,
    models::{Appointment, User, appointment::AppointmentStatus},
};

/// An appointment for a calendar. What a calendar has of it already is replaced, since each change raises the sequence; a
/// cancelled one is taken out.
pub async fn read(caller: Caller<Attendant>, Path(id): Path<AppointmentId>) -> Result<CalendarFile> {
    let seen = caller.store().find::<Appointment>(id).await?;
    let agent = caller.store().get::<User>(seen.user_id).await?;
    let email = agent.as_ref().map(|agent| agent.input.email.as_str());
    let method = if seen.status == AppointmentStatus::Cancelled { Method::Cancel } else { Method::Publish };
    let calendar = Calendar { method, name: None, events: vec![seen.entry(seen.version, caller.now(), email)] };
    Ok(CalendarFile { name: format!("appointment-{id}"), calendar })
}
