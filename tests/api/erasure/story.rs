//! A customer whose every trace is left: every operation that takes a text about one is told the person's, under a key, while
//! one receiver takes the events and another quotes them in its refusals.

use serde_json::{Value, json};
use tests::{Answer, Client, Operation, Receiver, Reply, Stack};

use super::person::{Forms, Person};
use crate::scene::{Scene, text};

/// What was told, and how.
pub struct Story<'a> {
    pub scene: Scene,
    forms: Forms<'a>,
    receivers: Vec<Receiver>,
    /// What was asked under a key, to be asked again.
    asked: Vec<(Client, String, Value)>,
}

impl<'a> Story<'a> {
    pub async fn begin(stack: &Stack, person: &'a Person) -> Self {
        let scene = Scene::with(stack, json!({ "name": "Support", "max_queue_size": 100, "max_wait_time": 86_400 })).await;
        let mut forms = Forms::new(person);
        for (name, value) in [
            ("department_id", json!(scene.department)),
            ("user_id", json!(scene.agent_id)),
            ("rating", json!(5)),
            ("scheduled_at", json!("2030-03-04T08:00:00Z")),
        ] {
            forms.known.insert(name.into(), value);
        }
        Self { scene, forms, receivers: Vec::new(), asked: Vec::new() }
    }

    /// Everything is told; answers the customer's identifier.
    pub async fn told(&mut self) -> String {
        // From now on, so that nobody else is quoted.
        let _ = self.scene.tenant.drain().await;
        let quoting = Reply::Body(500, format!("cannot take {}", self.forms.name()));
        for reply in [Reply::Status(200), quoting] {
            let receiver = Receiver::start().await;
            receiver.reply(reply);
            let _ = self.scene.webhook(&receiver, &["*"]).await;
            self.receivers.push(receiver);
        }
        let all = self.forms.operations();
        let named = |id: &str| all.iter().find(|operation| operation.id == id).unwrap();
        let made = self.post(&self.scene.tenant.manager.clone(), CUSTOMERS, named("createCustomer")).await.expect(201);
        let id = text(&made.data()["id"]);
        for operation in &all {
            self.tell(operation, &id).await;
        }
        // One link names nobody but by name, and nobody else comes in through it.
        let link = json!({ "access_link": { "department_id": self.scene.department, "customer_name": self.forms.name() } });
        let link = self.scene.tenant.manager.post("/api/v1/access-links", link).await.expect(201).data();
        let _ = self.joined(&text(&link["token"])).await;
        self.refused().await;
        let _ = self.scene.tenant.drain().await;
        id
    }

    async fn tell(&mut self, operation: &Operation, customer: &str) {
        let manager = self.scene.tenant.manager.clone();
        let slots: Vec<&str> = operation.slots().collect();
        match (operation.path.trim_start_matches("/api/v1/").split('/').next().unwrap(), slots.as_slice()) {
            ("customers", []) => {}
            ("customers", [_]) => {
                let path = operation.path.replace("{id}", customer);
                let _ = manager.put(&path, self.forms.body(operation)).await.expect(200);
            }
            // With the customer named, and with what they are found by.
            (_, []) => {
                let _ = self.post(&manager, operation.path, operation).await.expect(201);
                self.forms.known.insert("customer_id".into(), json!(customer));
                let _ = self.post(&manager, operation.path, operation).await.expect(201);
                self.forms.known.remove("customer_id");
            }
            ("call", ["token"]) => drop(self.waiting().await),
            ("call" | "calls", [slot]) => self.tell_of_calls(operation, slot).await,
            ("appointments", [slot]) => {
                let id = self.booked().await;
                let path = operation.path.replace(&format!("{{{slot}}}"), &id);
                if operation.method == "PUT" {
                    let _ = manager.put(&path, self.forms.body(operation)).await.expect(200);
                } else {
                    let _ = self.post(&manager, &path, operation).await.expect(200);
                }
            }
            _ => panic!("{operation} takes a text about a customer: tell it here"),
        }
    }

    /// A call in whatever state takes it, by whoever may.
    async fn tell_of_calls(&mut self, operation: &Operation, slot: &str) {
        for state in ["queued", "active", "completed"] {
            let call = self.waiting().await;
            for action in
                ["start", "complete"].iter().take(["queued", "active", "completed"].iter().position(|s| *s == state).unwrap())
            {
                let _ = self.scene.act(&call, action).await.expect(200);
            }
            let path = operation.path.replace(&format!("{{{slot}}}"), &call);
            let public = operation.path.starts_with("/api/v1/call/");
            for client in [self.scene.agent.clone(), self.scene.tenant.manager.clone()] {
                let client = if public { self.scene.tenant.anonymous.elsewhere() } else { client };
                let answer = self.post(&client, &path, operation).await;
                if answer.status.is_success() {
                    return;
                }
            }
        }
        panic!("{operation} was refused in every state");
    }

    /// The person waits.
    async fn waiting(&mut self) -> String {
        let token = self.scene.token.clone();
        self.joined(&token).await
    }

    async fn joined(&mut self, token: &str) -> String {
        let join = self.forms.operations().into_iter().find(|operation| operation.id == "joinCall").unwrap();
        let client = self.scene.tenant.anonymous.elsewhere();
        let answer = self.post(&client, &join.path.replace("{token}", token), &join).await.expect(200);
        text(&answer.data()["call_id"])
    }

    /// The person has an appointment.
    async fn booked(&mut self) -> String {
        let create = self.forms.operations().into_iter().find(|operation| operation.id == "createAppointment").unwrap();
        let manager = self.scene.tenant.manager.clone();
        text(&self.post(&manager, create.path, &create).await.expect(201).data()["id"])
    }

    /// Somebody else is refused, because the person has an appointment then.
    async fn refused(&mut self) {
        let client = self.scene.tenant.manager.with("idempotency-key", "refused");
        let body = json!({ "appointment": {
            "title": "Another", "scheduled_at": self.forms.known["scheduled_at"], "department_id": self.scene.department,
            "user_id": self.scene.agent_id, "customer_name": "Somebody else", "reject_conflicts": true,
        } });
        let refused = client.post(APPOINTMENTS, body.clone()).await.expect(422).text();
        assert!(refused.contains(&self.forms.name()), "{refused}");
        self.asked.push((client, APPOINTMENTS.into(), body));
    }

    /// Asks under a key of its own.
    async fn post(&mut self, client: &Client, path: &str, operation: &Operation) -> Answer {
        let client = client.with("idempotency-key", &format!("key {}", self.asked.len()));
        let body = self.forms.body(operation);
        let answer = client.post(path, body.clone()).await;
        if answer.status.is_success() {
            self.asked.push((client, path.to_owned(), body));
        }
        answer
    }

    /// The receivers quote nobody any more.
    pub fn hush(&self) {
        for receiver in &self.receivers {
            receiver.reply(Reply::Status(200));
        }
    }

    /// Nobody who looks or asks again is told anything.
    pub async fn is_over(&self, person: &Person) {
        for (client, path, body) in &self.asked {
            let again = client.elsewhere().post(path, body.clone()).await;
            assert_eq!(
                (again.status.as_u16(), again.header("idempotent-replayed")),
                (404, Some("true")),
                "{path}: {}",
                again.text()
            );
            assert!(!person.is_in(&again.text()), "{path}");
        }
        let manager = &self.scene.tenant.manager;
        let hooks = manager.get("/api/v1/webhooks").await.expect(200).data();
        let deliveries =
            hooks.as_array().unwrap().iter().map(|hook| format!("/api/v1/webhooks/{}/deliveries", text(&hook["id"])));
        let lists = ["calls", "appointments", "access-links", "customers", "audit-log", "export/calls.csv"];
        for path in lists.map(|list| format!("/api/v1/{list}")).into_iter().chain(deliveries) {
            assert!(!person.is_in(&manager.get(&path).await.expect(200).text()), "{path}");
        }
    }
}

const CUSTOMERS: &str = "/api/v1/customers";
const APPOINTMENTS: &str = "/api/v1/appointments";
