//! When an appointment is reminded of.

use schemars::JsonSchema;
use serde::Serialize;

use super::Appointment;
use crate::clock::Time;

/// Minutes before the beginning, the earliest first.
const LEADS: [u32; 2] = [24 * 60, 60];

/// A reminder of an appointment.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Reminder {
    /// The appointment.
    #[serde(flatten)]
    pub appointment: Appointment,
    /// Which reminder it is: minutes before the beginning, 1440 or 60.
    pub minutes_before: u32,
}

impl Appointment {
    /// When it is first reminded of: at the first moment that was ahead when its beginning was set.
    pub(super) fn first_reminder(&self) -> Option<Time> {
        self.next_reminder(self.rescheduled_at.unwrap_or(self.inserted_at))
    }

    /// When it is next reminded of after a moment.
    #[must_use]
    pub fn next_reminder(&self, after: Time) -> Option<Time> {
        LEADS.into_iter().map(|minutes| self.ahead(minutes)).find(|at| *at > after)
    }

    /// The reminder for a moment: the latest that is due, which stands for those before it. None once it has begun.
    #[must_use]
    pub fn reminder(&self, now: Time) -> Option<u32> {
        let due = LEADS.into_iter().rev().find(|minutes| self.ahead(*minutes) <= now);
        due.filter(|_| now < self.scheduled_at)
    }

    fn ahead(&self, minutes: u32) -> Time {
        self.scheduled_at - std::time::Duration::from_secs(u64::from(minutes) * 60)
    }
}
