//! Appointments.

use std::time::Duration;

use serde_json::{Value, json};
use shared::clock::Time;

use super::{ATTENDANT, MANAGER, SUPERVISOR, Scene, Stage};
use crate::{gateway::Ask, samples::Sample, world::NOW};

impl Stage<'_> {
    /// Booking with whom, over what, and otherwise.
    pub(super) fn appointments(&self) -> Vec<Scene> {
        let alone = |sample| Scene { before: Vec::new(), sample };
        let book = |what: &str, fields: Value| self.book(what, &fields);
        let customer = self.0.built.values().find(|item| {
            item["k"]["S"] == "customer"
                && item["d"]["M"]["name"]["S"] == "Helena Duarte"
                && item["PK"]["S"].as_str().unwrap().starts_with("acme")
        });
        let customer = customer.unwrap()["d"]["M"]["id"]["S"].as_str().unwrap();
        let one = |operation: &str, what: &str, name: &str, body: Value| {
            self.sample(operation, what, &Ask::by(ATTENDANT).slot("id", self.id(name)).body(body), NOW)
        };
        let strict = || {
            let body = json!({ "company": { "prevent_double_booking": true } });
            vec![self.sample("updateCompany", "before", &Ask::by(MANAGER).body(body), NOW)]
        };
        let otherwise = json!({ "appointment": {
            "department_id": self.id("acme.sales"), "user_id": self.id("acme.colleague"), "customer_id": null,
            "customer_name": "A stranger", "scheduled_at": "2026-02-24T23:50:00Z",
        } });
        let elsewhere = json!({
            "scheduled_at": "2026-02-23T23:00:00Z", "duration_minutes": 90, "user_id": self.id("acme.colleague"), "reject_conflicts": true,
        });
        let over = json!({ "scheduled_at": "2026-02-23T23:50:00Z", "reject_conflicts": true });
        let near = "2026-02-22T14:00:30Z".parse::<Time>().unwrap();
        vec![
            alone(book("with somebody known", json!({ "customer_id": customer }))),
            alone(book(
                "with who has the e-mail",
                json!({
                    "customer_name": "Beatriz", "customer_email": "beatriz.lima@example.com", "customer_phone": "(21) 4000-1007",
                }),
            )),
            alone(book("that must not overlap", json!({ "customer_id": customer, "reject_conflicts": true }))),
            alone(book(
                "over another",
                json!({
                    "customer_id": customer, "scheduled_at": "2026-02-24T00:05:00Z", "reject_conflicts": true,
                }),
            )),
            Scene { before: strict(), sample: book("where none may overlap", json!({ "customer_name": "A stranger" })) },
            alone(one("updateAppointment", "otherwise", "acme.confirmed", otherwise)),
            alone(one("rescheduleAppointment", "that must not overlap", "acme.appointment", elsewhere)),
            alone(one("rescheduleAppointment", "over another", "acme.appointment", over)),
            Scene {
                before: strict(),
                sample: one("confirmAppointment", "where none may overlap", "acme.appointment", json!({})),
            },
            alone(self.other("updateDepartmentHours", "that were not set", |ask| ask.slot("id", self.id("acme.sales")))),
            alone(one("confirmAppointment", "that is called off", "acme.called_off", json!({}))),
            alone(one(
                "rescheduleAppointment",
                "to what is near",
                "acme.appointment",
                json!({ "scheduled_at": "2026-02-20T10:30:00Z" }),
            )),
            Scene {
                before: vec![self.worker("scheduler", "an hour before", near - Duration::from_secs(3600))],
                sample: self.worker("scheduler", "of a day before an appointment", near),
            },
            alone(self.sample("subscribeCalendar", "for the first time", &Ask::by(SUPERVISOR), NOW)),
        ]
    }

    fn book(&self, what: &str, fields: &Value) -> Sample {
        let mut whole = json!({
            "title": "A talk", "scheduled_at": "2026-02-23T23:00:00Z", "department_id": self.id("acme.department"),
        });
        whole.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.other("createAppointment", what, |ask| ask.body(json!({ "appointment": whole })))
    }
}
