//! Domain events: written in the transaction that makes the change, dispatched from the table's stream.

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::models::event_name::EventName;
use crate::{
    clock::Time,
    error::{Error, Result},
    ids::EventId,
    models::{
        Appointment, Mail,
        access_link::LinkView,
        appointment::Reminder,
        call::CallView,
        customer::{CustomerView, MergedView},
        delivery::{KEPT, SLACK},
        mail::Letter,
        webhook::WebhookView,
    },
    storage::{Entity, Facets, Key, Write, about},
};

/// What happened, with the object as the API shows it to a manager.
#[derive(Debug, Clone)]
pub enum Event {
    /// One of `call.*`.
    Call(EventName, Box<CallView>),
    /// One of `customer.*`.
    Customer(EventName, CustomerView),
    /// `customer.merged`.
    Merged(Box<MergedView>),
    /// One of `access_link.*`.
    Link(EventName, LinkView),
    /// One of `appointment.*`.
    Appointment(EventName, Box<Appointment>),
    /// `appointment.reminder`.
    Reminder(Box<Reminder>),
    /// `webhook.disabled`.
    Webhook(EventName, WebhookView),
}

impl Event {
    fn parts(&self) -> Result<(EventName, Value)> {
        let (name, data) = match self {
            Self::Call(name, data) => (name, serde_json::to_value(data)),
            Self::Customer(name, data) => (name, serde_json::to_value(data)),
            Self::Merged(data) => (&EventName::CustomerMerged, serde_json::to_value(data)),
            Self::Link(name, data) => (name, serde_json::to_value(data)),
            Self::Appointment(name, data) => (name, serde_json::to_value(data)),
            Self::Reminder(data) => (&EventName::AppointmentReminder, serde_json::to_value(data)),
            Self::Webhook(name, data) => (name, serde_json::to_value(data)),
        };
        Ok((*name, data.map_err(|e| Error::internal("event", e))?))
    }
}

/// An event as it lies in the table. It is due until it is dispatched: what a lost stream leaves behind, the schedule
/// finds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventRecord {
    /// Its identifier; receivers know a repeated delivery by it.
    pub id: EventId,
    /// Its name.
    pub name: String,
    /// When it happened.
    pub at: Time,
    /// The body that every receiver gets, byte for byte.
    pub payload: String,
    /// Whom it is about.
    #[serde(default)]
    pub about: Option<String>,
    /// When its deliveries were made.
    pub dispatched_at: Option<Time>,
}

impl Entity for EventRecord {
    const KIND: &'static str = "event";
    type Id = EventId;

    fn id(&self) -> EventId {
        self.id
    }

    fn key(tenant: &str, id: EventId) -> Key {
        Key::object(tenant, Self::KIND, id)
    }

    fn facets(&self, tenant: &str) -> Facets {
        let due = if self.dispatched_at.is_none() { Some(self.at + SLACK) } else { None };
        Facets::of::<Self>(tenant, self.id).due(due).about(self.about.clone()).ttl(self.at + KEPT)
    }
}

/// The body of a delivery.
#[must_use]
pub fn payload(id: EventId, event: &str, at: Time, data: &Value) -> String {
    serde_json::json!({ "id": id, "event": event, "timestamp": at, "data": data }).to_string()
}

impl Write<'_> {
    /// A mail that is sent if, and only if, the transaction happens.
    pub fn post(self, letter: Letter, at: Time) -> Self {
        match self.store().mint() {
            Ok(id) => self.create(&Mail::new(id, letter, at)),
            Err(error) => self.flawed(error),
        }
    }

    /// An event that happens if, and only if, the transaction does.
    pub fn emit(self, event: &Event, at: Time) -> Self {
        match event.parts().and_then(|parts| Ok((self.store().mint()?, parts))) {
            Ok((id, (name, data))) => {
                let payload = payload(id, &name.to_string(), at, &data);
                let about = about::whom(&data);
                self.create(&EventRecord { id, name: name.to_string(), at, payload, about, dispatched_at: None })
            }
            Err(error) => self.flawed(error),
        }
    }
}
