//! Domain events: written in the transaction that makes the change, dispatched from the table's stream.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    clock::Time,
    error::{Error, Result},
    ids::EventId,
    input::rules::Words,
    models::{
        access_link::LinkView,
        call::CallView,
        customer::Customer,
        delivery::{KEPT, SLACK},
        webhook::{WebhookView, payload},
    },
    storage::{Entity, Facets, Key, Write},
    words,
};

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
        /// An access link was made.
        LinkCreated = "access_link.created",
        /// An access link's last use was used.
        LinkUsed = "access_link.used",
        /// An access link was called back.
        LinkCancelled = "access_link.cancelled",
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

/// What happened, with the object as the API shows it to a manager.
#[derive(Debug, Clone)]
pub enum Event {
    /// One of `call.*`.
    Call(EventName, Box<CallView>),
    /// `customer.created`.
    Customer(EventName, Customer),
    /// One of `access_link.*`.
    Link(EventName, LinkView),
    /// `webhook.disabled`.
    Webhook(EventName, WebhookView),
}

impl Event {
    fn parts(&self) -> Result<(EventName, Value)> {
        let (name, data) = match self {
            Self::Call(name, data) => (name, serde_json::to_value(data)),
            Self::Customer(name, data) => (name, serde_json::to_value(data)),
            Self::Link(name, data) => (name, serde_json::to_value(data)),
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
        Facets::of::<Self>(tenant, self.id).due(due).ttl(self.at + KEPT)
    }
}

impl Write<'_> {
    /// An event that happens if, and only if, the transaction does.
    pub fn emit(self, event: &Event, at: Time) -> Self {
        let id = self.store().mint();
        match event.parts() {
            Ok((name, data)) => {
                let payload = payload(id, name.as_str(), at, &data);
                self.create(&EventRecord { id, name: name.to_string(), at, payload, dispatched_at: None })
            }
            Err(error) => self.flawed(error),
        }
    }
}
