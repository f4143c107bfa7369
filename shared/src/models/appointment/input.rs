//! What is sent of an appointment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Appointment, AppointmentStatus, Span};
use crate::{
    clock::Time,
    ids::{CustomerId, DepartmentId, UserId},
    input::{Fields, Input, Raw, Rule, rules},
    models::customer::Whom,
};

/// What is booked.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AppointmentInput {
    /// What it is called.
    #[schemars(length(max = 200))]
    pub title: String,
    /// What it is about.
    #[schemars(length(max = 10_000))]
    pub description: Option<String>,
    /// When it begins, in the future.
    pub scheduled_at: Time,
    /// Minutes that it takes.
    #[schemars(range(min = 5, max = 1440), extend("default" = 30))]
    pub duration_minutes: u32,
    /// The department.
    pub department_id: DepartmentId,
    /// The agent, who must be active; the caller when absent. An API key must name one.
    pub user_id: Option<UserId>,
    /// An existing customer, whose name and contact fill in what is absent here.
    pub customer_id: Option<CustomerId>,
    /// The customer's name, needed without `customer_id`: the customer is then who has this e-mail, else this phone number,
    /// else a new one.
    #[schemars(length(max = 200))]
    pub customer_name: Option<String>,
    /// The customer's e-mail.
    #[schemars(email)]
    pub customer_email: Option<String>,
    /// The customer's phone number; kept as E.164.
    #[schemars(extend("format" = "phone"))]
    pub customer_phone: Option<String>,
    /// Notes for those who work for the tenant.
    #[schemars(length(max = 10_000))]
    pub notes: Option<String>,
    /// Whether it is refused when the agent is taken at that time, as if the company prevented double booking: then `conflicts`
    /// (as of `GET /conflicts`) and `next_free` (three beginnings) stand beside `errors`.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub reject_conflicts: bool,
}

impl Input for AppointmentInput {
    const WRAPPER: Option<&'static str> = Some("appointment");

    fn read(fields: &mut Fields<'_>) -> Self {
        let booked = Self::fields(fields, rules::future);
        if !fields.has("customer_id") && !fields.has("customer_name") {
            fields.violation("customer_name", "can't be blank without customer_id");
        }
        booked
    }
}

impl AppointmentInput {
    fn fields(fields: &mut Fields<'_>, scheduled_at: impl Rule<Time>) -> Self {
        let Whom { customer_id, customer_name, customer_email, customer_phone } = Whom::read(fields);
        Self {
            title: fields.required("title", rules::name),
            description: fields.optional("description", rules::notes),
            scheduled_at: fields.required("scheduled_at", scheduled_at),
            duration_minutes: minutes(fields).unwrap_or(Span::MINUTES),
            department_id: fields.required("department_id", rules::id),
            user_id: fields.optional("user_id", rules::id),
            customer_id,
            customer_name,
            customer_email,
            customer_phone,
            notes: fields.optional("notes", rules::notes),
            reject_conflicts: fields.default("reject_conflicts", false, rules::boolean),
        }
    }

    /// Somebody is described.
    #[must_use]
    pub fn describes_somebody(&self) -> bool {
        self.customer_name.is_some() || self.customer_email.is_some() || self.customer_phone.is_some()
    }

    /// The customer is described as an appointment has them.
    #[must_use]
    pub fn describes_customer_of(&self, appointment: &Appointment) -> bool {
        let Appointment { customer_name, customer_email, customer_phone, .. } = appointment;
        (&self.customer_name, &self.customer_email, &self.customer_phone) == (customer_name, customer_email, customer_phone)
    }
}

/// `duration_minutes`, if it is there.
pub fn minutes(fields: &mut Fields<'_>) -> Option<u32> {
    fields.default("duration_minutes", None, |raw: &Raw<'_>| rules::integer(5..=1440)(raw).map(Some))
}

/// What a PUT may say: everything that is booked, and the status that the appointment has.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AppointmentInput")]
pub struct AppointmentChange {
    /// What is booked.
    #[serde(flatten)]
    pub booked: AppointmentInput,
    /// The present one: what changes it are the actions.
    pub status: AppointmentStatus,
}

impl Input for AppointmentChange {
    const WRAPPER: Option<&'static str> = AppointmentInput::WRAPPER;

    fn read(fields: &mut Fields<'_>) -> Self {
        // What has begun is changed too, and one whose customer was removed.
        let booked = AppointmentInput::fields(fields, rules::start);
        Self { booked, status: fields.default("status", AppointmentStatus::Scheduled, rules::word) }
    }
}

impl AppointmentChange {
    /// An appointment as a PUT finds it.
    #[must_use]
    pub fn of(appointment: &Appointment) -> Self {
        let Appointment { title, description, notes, customer_name, customer_email, customer_phone, .. } = appointment.clone();
        let booked = AppointmentInput {
            title,
            description,
            scheduled_at: appointment.scheduled_at,
            duration_minutes: appointment.duration_minutes,
            department_id: appointment.department_id,
            user_id: Some(appointment.user_id),
            customer_id: appointment.customer_id,
            customer_name,
            customer_email,
            customer_phone,
            notes,
            reject_conflicts: false,
        };
        Self { booked, status: appointment.status }
    }

    /// The same without the customer: who names another one says who that is.
    #[must_use]
    pub fn of_nobody(mut self) -> Self {
        let booked = &mut self.booked;
        (booked.customer_name, booked.customer_email, booked.customer_phone) = (None, None, None);
        self
    }
}
