//! What events are called.

use crate::{input::rules::Words, words};

words! {
    /// The names of the events.
    pub enum EventName {
        /// A customer joined a queue.
        CallCreated = "call.created",
        /// An agent was set.
        CallAssigned = "call.assigned",
        /// An agent began.
        CallStarted = "call.started",
        /// An agent ended it.
        CallCompleted = "call.completed",
        /// Nobody took it in time, or the customer left.
        CallMissed = "call.missed",
        /// The customer rated it.
        CallRated = "call.rated",
        /// A customer was made.
        CustomerCreated = "customer.created",
        /// A customer was changed.
        CustomerUpdated = "customer.updated",
        /// Customers turned out to be one.
        CustomerMerged = "customer.merged",
        /// An access link was made.
        LinkCreated = "access_link.created",
        /// An access link's last use was used.
        LinkUsed = "access_link.used",
        /// An access link was called back.
        LinkCancelled = "access_link.cancelled",
        /// An appointment was booked.
        AppointmentCreated = "appointment.created",
        /// An appointment was confirmed.
        AppointmentConfirmed = "appointment.confirmed",
        /// An appointment was called off.
        AppointmentCancelled = "appointment.cancelled",
        /// An appointment took place.
        AppointmentCompleted = "appointment.completed",
        /// The customer did not come to an appointment.
        AppointmentNoShow = "appointment.no_show",
        /// An appointment got another time or another agent.
        AppointmentRescheduled = "appointment.rescheduled",
        /// An appointment begins in a day or in an hour: `minutes_before`.
        AppointmentReminder = "appointment.reminder",
        /// A webhook was disabled because its receiver failed.
        WebhookDisabled = "webhook.disabled",
    }
}

impl EventName {
    /// The event of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.as_str() == name)
    }

    /// All names, for a message.
    #[must_use]
    pub fn list() -> String {
        Self::ALL.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
    }
}
