//! An appointment as other calendars have it.

use super::{Appointment, AppointmentStatus};
use crate::{
    calendar::ics::{Event, Person, Status},
    clock::Time,
};

impl Appointment {
    /// The appointment at a version, for a text made at a moment. Its agent called it; it is known by the same name wherever
    /// it is shown, and each change raises its sequence.
    #[must_use]
    pub fn entry(&self, version: u64, stamp: Time, agent_email: Option<&str>) -> Event {
        let span = self.span();
        Event {
            uid: format!("{}@voki", self.id),
            sequence: u32::try_from(version - 1).unwrap_or(u32::MAX),
            stamp,
            last_modified: Some(self.updated_at),
            start: span.start,
            end: span.end(),
            status: match self.status {
                AppointmentStatus::Cancelled => Status::Cancelled,
                AppointmentStatus::Scheduled => Status::Tentative,
                _ => Status::Confirmed,
            },
            summary: self.title.clone(),
            description: self.description.clone(),
            organizer: agent_email.map(|email| Person { name: Some(self.user_name.clone()), email: email.to_owned() }),
        }
    }
}
