//! Files for calendars (RFC 5545).

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::document::{Described, Draft};
use crate::calendar::ics::Calendar;

/// 200 with a calendar's file.
#[derive(Debug)]
pub struct CalendarFile {
    /// What the file is called, without `.ics`.
    pub name: String,
    /// What is in it.
    pub calendar: Calendar,
}

impl IntoResponse for CalendarFile {
    fn into_response(self) -> Response {
        let mut response = self.calendar.to_string().into_response();
        let media = format!("text/calendar; charset=utf-8; method={}", self.calendar.method.as_str());
        let disposition = format!("attachment; filename=\"{}.ics\"", self.name);
        for (name, value) in [(header::CONTENT_TYPE, media), (header::CONTENT_DISPOSITION, disposition)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

impl CalendarFile {
    /// What the documentation says of its content.
    #[must_use]
    pub fn content() -> Value {
        json!({ "text/calendar": { "schema": { "type": "string" } } })
    }
}

impl Described for CalendarFile {
    fn describe(draft: &mut Draft<'_>) {
        draft.answers(200, "The file.", &["Content-Disposition"], &Self::content());
    }
}
