//! `/appointments`: calls with a date.

mod available;
mod booking;
mod calendar;
mod double;
mod feed;
mod finding;
mod model;
#[cfg(feature = "calendars")]
mod others;
mod reminders;
mod states;
mod times;
mod walls;

use serde_json::{Value, json};
use tests::{Answer, Client, Stack, Tenant, shared};

use crate::scene::text;

pub const APPOINTMENTS: &str = "/api/v1/appointments";

/// A tenant with a department and two agents.
pub struct Office {
    pub tenant: Tenant,
    pub department: String,
    pub agent: Client,
    pub agent_id: String,
    pub other_id: String,
    /// A midnight of UTC that is to come, in seconds since the epoch.
    midnight: i64,
}

impl Office {
    pub async fn new() -> Self {
        Self::on(shared()).await
    }

    pub async fn on(stack: &Stack) -> Self {
        let tenant = Tenant::new(stack).await;
        let (agent, agent_id) = tenant.user("agent", "attendant").await;
        let (_, other_id) = tenant.user("other", "attendant").await;
        let department = tenant.department(json!({ "name": "Support" })).await;
        let midnight = (stack.app().clock().now().epoch() / 86_400 + 3) * 86_400;
        Self { tenant, department, agent, agent_id, other_id, midnight }
    }

    /// So many minutes after that midnight.
    pub fn at(&self, minutes: i64) -> String {
        ::shared::clock::Time::from_epoch(self.midnight + minutes * 60).to_string()
    }

    /// Minutes after that midnight.
    #[track_caller]
    pub fn minutes(&self, time: &Value) -> i64 {
        (crate::scene::epoch(time) - self.midnight) / 60
    }

    /// The body of a booking: at an hour of that day, with fields in place of those or beside them.
    pub fn body(&self, fields: Value) -> Value {
        let mut whole = json!({
            "title": "A talk", "scheduled_at": self.at(600), "department_id": self.department, "customer_name": "Carlos",
        });
        let Value::Object(fields) = fields else { panic!("fields are an object") };
        whole.as_object_mut().unwrap().extend(fields);
        json!({ "appointment": whole })
    }

    /// The agent books with these fields.
    pub async fn book(&self, fields: Value) -> Answer {
        self.agent.post(APPOINTMENTS, self.body(fields)).await
    }

    /// The agent has booked from a minute on.
    pub async fn booked(&self, minute: i64, minutes: i64) -> Value {
        self.book(json!({ "scheduled_at": self.at(minute), "duration_minutes": minutes })).await.expect(201).data()
    }

    /// What becomes of an appointment.
    pub async fn act(&self, appointment: &Value, action: &str, body: Value) -> Answer {
        self.agent.post(&format!("{}/{action}", path(appointment)), body).await
    }

    pub async fn put(&self, appointment: &Value, fields: Value) -> Answer {
        self.agent.put(&path(appointment), json!({ "appointment": fields })).await
    }

    /// An appointment as it is.
    pub async fn shown(&self, appointment: &Value) -> Value {
        self.agent.get(&path(appointment)).await.expect(200).data()
    }

    /// The company prevents double booking, or does not.
    pub async fn strict(&self, strict: bool) {
        let body = json!({ "company": { "prevent_double_booking": strict } });
        let _ = self.tenant.manager.put("/api/v1/company", body).await.expect(200);
    }
}

pub fn path(appointment: &Value) -> String {
    format!("{APPOINTMENTS}/{}", text(&appointment["id"]))
}

/// The fields that an answer complains of.
#[track_caller]
pub fn wrong(answer: Answer) -> Vec<String> {
    answer.expect(422).errors().as_object().unwrap().keys().cloned().collect()
}
