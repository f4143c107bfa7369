//! An appointment for calendars (RFC 5545).

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use shared::{
    Result,
    api::{
        Path,
        document::{Described, Draft},
    },
    auth::{Attendant, Caller},
    calendar::ics::{Calendar, Event, Method, Person, Status},
    ids::AppointmentId,
    models::{Appointment, User, appointment::AppointmentStatus},
};

/// A calendar's file.
#[derive(Debug)]
pub struct File {
    id: AppointmentId,
    calendar: Calendar,
}

/// An appointment for a calendar. What a calendar has of it already is replaced, since each change raises the sequence; a
/// cancelled one is taken out.
pub async fn read(caller: Caller<Attendant>, Path(id): Path<AppointmentId>) -> Result<File> {
    let seen = caller.store().find::<Appointment>(id).await?;
    let agent = caller.store().get::<User>(seen.user_id).await?;
    let cancelled = seen.status == AppointmentStatus::Cancelled;
    let span = seen.span();
    let event = Event {
        uid: format!("{id}@voki"),
        sequence: u32::try_from(seen.version - 1).unwrap_or(u32::MAX),
        stamp: caller.now(),
        last_modified: Some(seen.updated_at),
        start: span.start,
        end: span.end(),
        status: match seen.status {
            AppointmentStatus::Cancelled => Status::Cancelled,
            AppointmentStatus::Scheduled => Status::Tentative,
            _ => Status::Confirmed,
        },
        summary: seen.title.clone(),
        description: seen.description.clone(),
        organizer: agent.map(|agent| Person { name: Some(seen.user_name.clone()), email: agent.input.email.clone() }),
        attendees: Vec::new(),
    };
    let method = if cancelled { Method::Cancel } else { Method::Publish };
    Ok(File { id, calendar: Calendar { method, events: vec![event] } })
}

impl IntoResponse for File {
    fn into_response(self) -> Response {
        let mut response = self.calendar.to_string().into_response();
        let (media, disposition) = (
            format!("text/calendar; charset=utf-8; method={}", self.calendar.method.as_str()),
            format!("attachment; filename=\"appointment-{}.ics\"", self.id),
        );
        for (name, value) in [(header::CONTENT_TYPE, media), (header::CONTENT_DISPOSITION, disposition)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

impl Described for File {
    fn describe(draft: &mut Draft<'_>) {
        let content = json!({ "text/calendar": { "schema": { "type": "string" } } });
        draft.answers(200, "The file.", &["Content-Disposition"], &content);
    }
}
