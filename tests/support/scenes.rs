//! Pieces of work beside the samples: each takes a path through the product that no sample takes.

use std::time::Duration;

use serde_json::{Value, json};
use shared::{
    auth::token::{access, verify},
    clock::Time,
    models::{Company, User},
};

use crate::{
    PASSWORD, Reply,
    gateway::Ask,
    lab::Lab,
    samples::{Sample, asks},
    world::NOW,
};

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

/// Every scene that changes something.
#[must_use]
pub fn changing(lab: &Lab) -> Vec<Scene> {
    let stage = Stage(lab);
    [
        stage.sessions(),
        stage.joins(),
        stage.calls(),
        stage.departments(),
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

/// Every list in every order and by every filter, and what is read when something is missing.
#[must_use]
pub fn reading(lab: &Lab) -> Vec<Sample> {
    let stage = Stage(lab);
    let id = |name: &str| lab.world.id(name).to_owned();
    let list = |operation: &str, caller, query: &str| {
        let ask = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .fold(Ask::by(caller), |ask, (name, value)| ask.query(name, value));
        stage.sample(operation, &format!("by {query}"), &ask, NOW)
    };
    let mut all: Vec<_> =
        ["sort_by=name", "sort_by=email", "sort_by=role", "sort_by=inserted_at", "role=attendant", "active=true", "search=ana"]
            .map(|query| list("listUsers", MANAGER, query))
            .into();
    all.push(list("listUsers", MANAGER, "role=attendant&sort_by=email"));
    all.extend(
        ["sort_by=name", "sort_by=inserted_at", "active=true", "search=bil"]
            .map(|query| list("listDepartments", ATTENDANT, query)),
    );
    let department = format!("department_id={}", id("acme.department"));
    for sort in ["sort_by=inserted_at", "sort_by=expires_at"] {
        all.extend(
            ["", "&status=active", &format!("&{department}")]
                .map(|filter| list("listAccessLinks", SUPERVISOR, &format!("{sort}{filter}"))),
        );
    }
    let agent = format!("user_id={}", id(ATTENDANT));
    let customer =
        lab.built.values().find(|item| item["k"]["S"] == "customer" && item["PK"]["S"].as_str().unwrap().starts_with("acme"));
    let customer = format!("customer_id={}", customer.unwrap()["d"]["M"]["id"]["S"].as_str().unwrap());
    let both = format!("status=queued&{department}");
    all.extend(
        ["page=1", "status=queued", &department, &agent, &customer, &both, "date_from=2026-02-01", "search=beatriz"]
            .map(|query| list("listCalls", ATTENDANT, query)),
    );
    all.extend(["sort_by=inserted_at", "sort_by=url"].map(|query| list("listWebhooks", MANAGER, query)));
    for query in ["status=success", "event=call.created", "date_from=2026-02-01"] {
        let ask = query
            .split_once('=')
            .map(|(name, value)| Ask::by(MANAGER).slot("id", &id("acme.webhook")).query(name, value))
            .unwrap();
        all.push(stage.sample("listDeliveries", &format!("by {query}"), &ask, NOW));
    }
    for query in ["status=completed", &department] {
        all.push(list("exportCalls", SUPERVISOR, query));
    }
    let stranger = json!({ "email": "nobody@example.com", "password": PASSWORD, "tenant": "acme" });
    all.push(stage.sample("login", "as nobody", &Ask::default().body(stranger), NOW));
    all.extend(stage.letters());
    all
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

    /// Letters of every kind, in the place of the sample's.
    fn letters(&self) -> Vec<Sample> {
        let letter = |what: &str, letter: Value| {
            let mut sample = self.worker("mailer", what, NOW);
            let letter = serde_dynamo::to_item::<_, serde_dynamo::Item>(letter).unwrap();
            sample.event["Records"][0]["dynamodb"]["NewImage"]["d"]["M"]["letter"] = json!({ "M": letter });
            sample
        };
        let disabled = json!({
            "kind": "webhook_disabled", "webhook_id": self.id("acme.webhook"), "url": "https://hooks.example.com/voki", "reason": "Gone",
        });
        vec![
            letter("to the managers", disabled),
            letter("to nobody", json!({ "kind": "password_reset", "email": "nobody@example.com" })),
            letter("to who has forgotten", json!({ "kind": "password_reset", "email": "ana@example.com" })),
        ]
    }

    /// People who come, go and forget.
    fn people(&self) -> Vec<Scene> {
        let alone = |sample| Scene { before: Vec::new(), sample };
        let one = |name: &str| Ask::by(MANAGER).slot("id", self.id(name));
        let change = |what: &str, name: &str, fields: Value| {
            self.sample("updateUser", what, &one(name).body(json!({ "user": fields })), NOW)
        };
        let off = || change("to inactive", ATTENDANT, json!({ "active": false }));
        let code = |what: &str, fields: Value| self.other("verifyMfa", what, |ask| ask.body(fields));
        vec![
            alone(off()),
            Scene {
                before: vec![off()],
                sample: self.worker("scheduler", "after a user has left", NOW + Duration::from_secs(61)),
            },
            alone(change("to the last manager's end", MANAGER, json!({ "role": "attendant" }))),
            alone(self.other("createUser", "who is invited", |ask| {
                ask.body(json!({ "user": { "name": "Nina Reis", "email": "nina@example.com" } }))
            })),
            alone(code("with a wrong code", json!({ "mfa_token": self.id("acme.guarded.mfa_token"), "code": "aaaaa-aaaaa" }))),
            alone(self.other("resetPassword", "by a link that is none", |ask| {
                ask.body(json!({ "token": "nothing", "password": "nine green bottles, one wall" }))
            })),
            Scene {
                before: vec![self.other("resetPassword", "first", |ask| ask)],
                sample: self.other("resetPassword", "twice", |ask| ask),
            },
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

    /// Idempotency keys: the first answer, its replay, another request, one that still runs, refusals that are kept and others
    /// that are not.
    fn keys(&self) -> Vec<Scene> {
        let keyed = |sample: Sample| {
            let mut sample = sample;
            sample.event["headers"]["idempotency-key"] = "one".into();
            sample
        };
        let create = || self.other("createDepartment", "under a key", |ask| ask);
        let alone = |sample| Scene { before: Vec::new(), sample: keyed(sample) };
        let other = self
            .other("createDepartment", "under a key of another", |ask| ask.body(json!({ "department": { "name": "Other" } })));
        let over = self.call(ATTENDANT, "completeCall", "that is over, under a key", "acme.completed", json!({}));
        let for_another = self.call(
            ATTENDANT,
            "assignCall",
            "for another, under a key",
            "acme.queued",
            json!({ "user_id": self.id("acme.colleague") }),
        );
        let join = self.other("joinCall", "under a key", |ask| ask);
        let again = |sample: Sample| Scene {
            before: vec![keyed(sample.clone())],
            sample: keyed(Sample { name: format!("{} again", sample.name), ..sample }),
        };
        vec![
            alone(create()),
            again(create()),
            Scene { before: vec![keyed(create())], sample: keyed(other) },
            alone(over.clone()),
            again(over),
            alone(for_another),
            again(join),
            Scene {
                before: Vec::new(),
                sample: keyed(self.other("createUser", "without a body, under a key", |ask| ask.body(json!({})))),
            },
            Scene {
                before: Vec::new(),
                sample: keyed(self.other("createAccessLink", "without a body, under a key", |ask| ask.body(json!({})))),
            },
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
