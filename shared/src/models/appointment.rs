//! Appointments: calls with a date.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::department::Desk;
use crate::{
    clock::Time,
    ids::{AppointmentId, CustomerId, DepartmentId, UserId},
    storage::{
        Audited, Count, Entity, Facets, Key, Listing, Sort,
        entity::{G1, G2, G3, G4, G5, G6},
    },
    text, words,
};

pub mod agenda;
mod entry;
mod input;
mod reminder;
mod state;

pub use agenda::{Agenda, Span};
pub use input::{AppointmentChange, AppointmentInput, minutes};
pub use reminder::Reminder;
pub use state::Action;

words! {
    /// Where an appointment stands.
    pub enum AppointmentStatus {
        /// Awaits confirmation.
        Scheduled = "scheduled",
        /// The agent or the customer confirmed it.
        Confirmed = "confirmed",
        /// It took place.
        Completed = "completed",
        /// It was called off.
        Cancelled = "cancelled",
        /// The customer did not come.
        NoShow = "no_show",
    }
}

impl AppointmentStatus {
    /// It is still to come, and takes its agent's time.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Scheduled | Self::Confirmed)
    }
}

/// An appointment. Names and contact are those at its booking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Appointment {
    /// Its identifier.
    pub id: AppointmentId,
    /// What it is called.
    pub title: String,
    /// What it is about.
    pub description: Option<String>,
    /// Where it stands.
    pub status: AppointmentStatus,
    /// When it begins.
    pub scheduled_at: Time,
    /// Minutes that it takes.
    pub duration_minutes: u32,
    /// The department.
    pub department_id: DepartmentId,
    /// The department's name.
    pub department_name: String,
    /// The agent.
    pub user_id: UserId,
    /// The agent's name.
    pub user_name: String,
    /// The customer.
    pub customer_id: Option<CustomerId>,
    /// The customer's name.
    pub customer_name: Option<String>,
    /// The customer's e-mail.
    pub customer_email: Option<String>,
    /// The customer's phone number, E.164.
    pub customer_phone: Option<String>,
    /// Notes for those who work for the tenant.
    pub notes: Option<String>,
    /// Why it was called off.
    pub cancellation_reason: Option<String>,
    /// When it was last given another beginning; null when it never was.
    pub rescheduled_at: Option<Time>,
    /// When it was booked.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// The title of an appointment whose customer was erased.
const ERASED: &str = "Erased";

impl Appointment {
    /// The appointment without its customer, who was removed.
    #[must_use]
    pub fn forgotten(&self) -> Self {
        Self { customer_id: None, customer_name: None, customer_email: None, customer_phone: None, ..self.clone() }
    }

    /// Its time has passed, whether or not anybody said what became of it.
    #[must_use]
    pub fn is_over(&self, now: Time) -> bool {
        self.span().end() <= now
    }

    /// The appointment without what anybody has written about its customer, who was erased.
    #[must_use]
    pub fn erased(&self) -> Self {
        Self { title: ERASED.into(), description: None, notes: None, cancellation_reason: None, ..self.forgotten() }
    }

    /// The time that it takes.
    #[must_use]
    pub fn span(&self) -> Span {
        Span { start: self.scheduled_at, minutes: self.duration_minutes }
    }
}

impl Entity for Appointment {
    const KIND: &'static str = "appointment";
    const LISTING: Listing = Listing {
        sorts: &[
            Sort {
                name: "scheduled_at",
                all: G1,
                by: &[("status", G2), ("department_id", G3), ("user_id", G4), ("customer_id", G5)],
            },
            Sort { name: "inserted_at", all: G6, by: &[] },
        ],
        filters: &[
            ("customer_id", Count::Item),
            ("user_id", Count::Item),
            ("department_id", Count::Item),
            ("status", Count::Field),
        ],
        counted: true,
    };
    type Id = AppointmentId;

    fn id(&self) -> AppointmentId {
        self.id
    }

    fn key(tenant: &str, id: AppointmentId) -> Key {
        Key::object(tenant, Self::KIND, id)
    }

    /// Without the customer, who may want to be forgotten, and without the texts that may be about them.
    fn audited(&self) -> Option<Audited> {
        let Self { department_id, user_id, status, scheduled_at, duration_minutes, .. } = self;
        let fields = serde_json::json!({
            "department_id": department_id, "user_id": user_id, "status": status, "scheduled_at": scheduled_at,
            "duration_minutes": duration_minutes,
        });
        Some(Audited::of("appointment", self.id, fields))
    }

    fn facets(&self, tenant: &str) -> Facets {
        let or_empty = |value: &Option<String>| value.clone().unwrap_or_default();
        let facets = Facets::of::<Self>(tenant, self.id)
            .sort("scheduled_at", self.scheduled_at.key())
            .sort("inserted_at", self.inserted_at.key())
            .filter("status", self.status.to_string())
            .filter("department_id", self.department_id.to_string())
            .filter("user_id", self.user_id.to_string())
            .filter("customer_id", self.customer_id.map(|id| id.to_string()))
            .words(&text::words(&[&self.title, &or_empty(&self.customer_name), &or_empty(&self.customer_email)]));
        if !self.status.is_open() {
            return facets;
        }
        let facets = match self.first_reminder() {
            Some(at) => facets.due_row(Key::reminder(tenant, self.id), at),
            None => facets,
        };
        let facets = facets.tally(Desk::holds(tenant, self.department_id, "appointments"));
        agenda::taken(tenant, self.user_id, self.id, self.span()).into_iter().fold(facets, Facets::tally)
    }
}
