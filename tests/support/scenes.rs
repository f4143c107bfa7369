//! Pieces of work beside the samples: each takes a path through the product that no sample takes.

mod appointments;
mod links;
mod lists;
mod people;
mod tags;

use std::time::Duration;

use serde_json::{Value, json};
use shared::{
    auth::token::{access, verify},
    clock::Time,
    models::{Company, User},
};

use crate::{
    Reply,
    gateway::Ask,
    lab::Lab,
    samples::{Sample, asks},
    world::NOW,
};

pub use self::lists::reading;

/// A piece of work, and what was done before.
#[derive(Debug)]
pub struct Scene {
    /// What was done before, in order.
    pub before: Vec<Sample>,
    /// The work.
    pub sample: Sample,
}

/// Where nobody listens.
const NOBODY: &str = "http://127.0.0.1:9/hook";
const ATTENDANT: &str = "acme.attendant";
const SUPERVISOR: &str = "acme.supervisor";
const MANAGER: &str = "acme.manager";

/// Seconds after a delivery's beginning at which its attempts are due at the latest.
const ATTEMPTS: [u64; 10] = [0, 6, 366, 2_526, 11_166, 32_766, 75_966, 136_446, 222_846, 326_526];

/// What makes scenes of the world's people and things.
struct Stage<'a>(&'a Lab);

/// A manager erases the world's customer.
#[must_use]
pub fn erasing(lab: &Lab) -> Sample {
    Stage(lab).erasing("for good")
}

/// Every scene that changes something.
#[must_use]
pub fn changing(lab: &Lab) -> Vec<Scene> {
    let stage = Stage(lab);
    [
        stage.sessions(),
        stage.joins(),
        stage.calls(),
        stage.departments(),
        stage.appointments(),
        stage.links(),
        stage.tags(),
        stage.webhooks(),
        stage.attempts(),
        stage.people(),
        stage.lapses(),
        stage.keys(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Stage<'_> {
    /// An operation as it is called at a moment.
    fn sample(&self, operation: &str, what: &str, ask: &Ask, at: Time) -> Sample {
        let operation = self.0.world.operations.named(operation);
        let mut ask = ask.clone();
        if let Some(caller) = ask.caller.take() {
            ask = ask.header("authorization", &format!("Bearer {}", self.token(caller, at)));
        }
        let event = ask.event(operation, at);
        Sample { function: operation.function.into(), name: format!("{} {what}", operation.id), event }
    }

    /// A sample's operation, called otherwise.
    fn other(&self, operation: &str, what: &str, change: impl FnOnce(Ask) -> Ask) -> Sample {
        let ask = asks(&self.0.world).remove(operation).unwrap();
        self.sample(operation, what, &change(ask), NOW)
    }

    /// A sample's operation at another moment.
    fn at(&self, operation: &str, what: &str, after: u64) -> Sample {
        let ask = asks(&self.0.world).remove(operation).unwrap();
        self.sample(operation, what, &ask, NOW + Duration::from_secs(after))
    }

    /// An access token of somebody, made at a moment.
    fn token(&self, caller: &str, at: Time) -> String {
        let (app, tenant) = (self.0.world.app(), caller.split('.').next().unwrap());
        let claims = verify(self.0.world.keys(), self.0.world.token(caller), NOW).unwrap();
        let user = self.0.at_home(app.store(tenant).find::<User>(claims.sub)).unwrap();
        let company = self.0.at_home(app.store(tenant).find::<Company>(())).unwrap();
        access(self.0.world.keys(), &company, &user, claims.sid, at).unwrap()
    }

    fn id(&self, name: &str) -> &str {
        self.0.world.id(name)
    }

    fn call(&self, caller: &'static str, operation: &str, what: &str, call: &str, body: Value) -> Sample {
        self.sample(operation, what, &Ask::by(caller).slot("id", self.id(call)).body(body), NOW)
    }

    /// A worker's sample at a moment.
    fn worker(&self, function: &str, what: &str, at: Time) -> Sample {
        let mut sample = self.0.samples().into_iter().find(|sample| sample.function == function).unwrap();
        sample.event["time"] = at.to_string().into();
        sample.name = format!("{} {what}", sample.name);
        sample
    }

    fn sessions(&self) -> Vec<Scene> {
        let refreshed = || self.at("refresh", "before", 0);
        vec![
            Scene { before: vec![refreshed()], sample: self.at("refresh", "again in time", 10) },
            Scene { before: vec![refreshed()], sample: self.at("refresh", "again too late", 31) },
        ]
    }

    fn joins(&self) -> Vec<Scene> {
        let join = |what: &str, link: &str, body: Value| Scene {
            before: Vec::new(),
            sample: self.other("joinCall", what, |ask| ask.slot("token", self.id(&format!("{link}.token"))).body(body)),
        };
        let full = json!({ "department": { "max_queue_size": 1 } });
        let overfull = self
            .other("joinCall", "a queue that is full of who has gone", |ask| ask.slot("token", self.id("acme.website.token")));
        let overfull = Sample { event: at(&overfull.event, NOW + Duration::from_secs(2_400)), ..overfull };
        vec![
            join("as a stranger", "acme.website", json!({ "name": "A stranger" })),
            join("as somebody known", "acme.website", json!({ "name": "Beatriz Lima", "email": "beatriz.lima@example.com" })),
            join(
                "with another phone",
                "acme.website",
                json!({ "name": "Helena", "email": "helena.duarte@example.com", "phone": "(11) 4000-1009" }),
            ),
            join("a link that is used up", "acme.used", json!({ "name": "Too late" })),
            Scene {
                before: vec![self.sample(
                    "updateDepartment",
                    "to one place",
                    &Ask::by(SUPERVISOR).slot("id", self.id("acme.department")).body(full),
                    NOW,
                )],
                sample: overfull,
            },
        ]
    }

    fn calls(&self) -> Vec<Scene> {
        let colleague = json!({ "user_id": self.id("acme.colleague") });
        let alone = |sample| Scene { before: Vec::new(), sample };
        vec![
            alone(self.call(ATTENDANT, "startCall", "of nobody", "acme.queued", json!({}))),
            alone(self.call(ATTENDANT, "assignCall", "that is the caller's", "acme.assigned", json!({}))),
            alone(self.call(SUPERVISOR, "assignCall", "to another", "acme.assigned", colleague.clone())),
            alone(self.call(ATTENDANT, "assignCall", "for another", "acme.queued", colleague)),
            alone(self.call(ATTENDANT, "completeCall", "that is over", "acme.completed", json!({}))),
        ]
    }

    fn departments(&self) -> Vec<Scene> {
        let alone = |sample| Scene { before: Vec::new(), sample };
        let department = |name: &str| Ask::by(SUPERVISOR).slot("id", self.id(name));
        let busy = self.sample("deleteDepartment", "that is busy", &department("acme.department"), NOW);
        let emptied = self.sample("cancelAccessLink", "before", &Ask::by(SUPERVISOR).slot("id", self.id("acme.expired")), NOW);
        vec![
            alone(self.other("createDepartment", "of a name that is taken", |ask| {
                ask.body(json!({ "department": { "name": "Billing" } }))
            })),
            alone(self.other("createDepartment", "with an identifier", |ask| {
                ask.body(json!({ "department": { "name": "Desk", "identifier": "desk-1" } }))
            })),
            alone(self.sample(
                "updateDepartment",
                "with a new identifier",
                &department("acme.department").body(json!({ "department": { "identifier": null, "active": false } })),
                NOW,
            )),
            alone(busy),
            Scene {
                before: vec![emptied],
                sample: self.sample("deleteDepartment", "with members", &department("acme.sales"), NOW),
            },
            alone(self.other("addDepartmentUser", "who is there", |ask| ask.slot("id", self.id("acme.department")))),
        ]
    }

    fn webhooks(&self) -> Vec<Scene> {
        let webhook = || Ask::by(MANAGER).slot("id", self.id("acme.webhook"));
        let off = json!({ "webhook": { "active": false } });
        let on = json!({ "webhook": { "active": true, "url": "https://hooks.example.com/other" } });
        vec![Scene {
            before: vec![self.sample("updateWebhook", "before", &webhook().body(off), NOW)],
            sample: self.sample("updateWebhook", "to active", &webhook().body(on), NOW),
        }]
    }

    fn attempts(&self) -> Vec<Scene> {
        let webhook = |what: &str, fields: Value| {
            let ask = Ask::by("initech.manager").slot("id", self.id("initech.webhook")).body(json!({ "webhook": fields }));
            self.sample("updateWebhook", what, &ask, NOW)
        };
        let attempt = |what: &str, n: usize| self.worker("webhook-worker", what, NOW + Duration::from_secs(ATTEMPTS[n]));
        let failing = webhook("to nobody", json!({ "url": NOBODY }));
        let gone = webhook("to who is gone", json!({ "url": self.0.receiver(Reply::Status(410)) }));
        let failed = |n: usize| std::iter::once(failing.clone()).chain((0..n).map(|n| attempt(&format!("{n}"), n))).collect();
        let disabled = Duration::from_secs(5 * 86_400);
        let more = |what: &str| {
            let fields = json!({ "url": format!("https://hooks.example.com/{what}"), "events": ["access_link.created"] });
            self.sample("createWebhook", what, &Ask::by("initech.manager").body(json!({ "webhook": fields })), NOW)
        };
        let fresh = self.0.samples().into_iter().find(|sample| sample.function == "events-dispatcher").unwrap();
        vec![
            Scene { before: failed(0), sample: attempt("that fails", 0) },
            Scene { before: failed(1), sample: attempt("that comes early", 0) },
            Scene { before: failed(1), sample: attempt("that fails again", 1) },
            Scene { before: failed(9), sample: attempt("that is the last", 9) },
            Scene { before: vec![gone], sample: attempt("at who is gone", 0) },
            Scene { before: vec![webhook("to inactive", json!({ "active": false }))], sample: attempt("at who is inactive", 0) },
            Scene { before: failed(1), sample: self.worker("webhook-worker", "that fails for days", NOW + disabled) },
            Scene {
                before: failed(1)
                    .into_iter()
                    .chain([webhook("back", json!({ "url": self.0.receiver(Reply::Status(200)) }))])
                    .collect(),
                sample: attempt("that succeeds after one that failed", 1),
            },
            Scene { before: vec![more("second"), more("third")], sample: Sample { name: "dispatch to three".into(), ..fresh } },
        ]
    }

    /// What the clock has changed, met by those who come first.
    fn lapses(&self) -> Vec<Scene> {
        let alone = |sample| Scene { before: Vec::new(), sample };
        let (soon, late) = (2_400, 8 * 86_400);
        // A session lives for seven days, unless it is refreshed.
        let refreshed = || {
            let token = json!({ "refresh_token": self.id(&format!("{SUPERVISOR}.refresh_token")) });
            vec![self.sample("refresh", "in between", &Ask::default().body(token), NOW + Duration::from_secs(86_400))]
        };
        let later = |sample| Scene { before: refreshed(), sample };
        let calls = |operation: &str, caller, ask: Ask, after| {
            self.sample(operation, "of what has lapsed", &Ask { caller: Some(caller), ..ask }, NOW + Duration::from_secs(after))
        };
        let one = |name: &str, slot: &str| Ask::default().slot(slot, self.id(name));
        vec![
            alone(calls("listCalls", ATTENDANT, Ask::default(), soon)),
            alone(calls("getCall", ATTENDANT, one("acme.queued", "id"), soon)),
            alone(calls("assignCall", ATTENDANT, one("acme.queued", "id"), soon)),
            alone(calls("startCall", ATTENDANT, one("acme.queued", "id"), soon)),
            alone(calls("exportCalls", SUPERVISOR, Ask::default(), soon)),
            later(calls("listAccessLinks", SUPERVISOR, Ask::default(), late)),
            later(calls("getAccessLink", SUPERVISOR, one("acme.link", "id"), late)),
            later(calls("cancelAccessLink", SUPERVISOR, one("acme.link", "id"), late)),
            later(calls("deleteDepartment", SUPERVISOR, one("acme.department", "id"), late)),
            alone(self.at("getCallStatus", "of what has lapsed", soon)),
            alone(self.at("leaveCall", "that has lapsed", soon)),
            alone(self.at("validateAccessLink", "that has lapsed", late)),
            alone(self.worker("scheduler", "of a week later", NOW + Duration::from_secs(late))),
        ]
    }
}

/// The moment of an event.
#[must_use]
pub fn moment(event: &Value) -> Time {
    let at = event["requestContext"]["timeEpoch"].as_i64().map(|millis| Time::from_epoch(millis / 1000));
    at.or_else(|| event["time"].as_str()?.parse().ok()).unwrap_or(NOW)
}

/// An event at another moment.
#[must_use]
pub fn at(event: &Value, at: Time) -> Value {
    let mut event = event.clone();
    if event.get("requestContext").is_some() {
        event["requestContext"]["timeEpoch"] = (at.epoch() * 1000).into();
    } else {
        event["time"] = at.to_string().into();
    }
    event
}
