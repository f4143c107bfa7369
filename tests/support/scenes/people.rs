//! People and their letters, and requests that bear idempotency keys.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ATTENDANT, MANAGER, Scene, Stage};
use crate::{gateway::Ask, samples::Sample, world::NOW};

impl Stage<'_> {
    /// Letters of every kind, in the place of the sample's.
    pub(super) fn letters(&self) -> Vec<Sample> {
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

    /// A manager erases a customer.
    pub(super) fn erasing(&self, what: &str) -> Sample {
        self.other("deleteCustomer", what, |ask| Ask { caller: Some(MANAGER), ..ask }.query("erase", "true"))
    }

    /// People who come, go and forget.
    pub(super) fn people(&self) -> Vec<Scene> {
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
            Scene {
                before: vec![self.other("createCustomer", "who shares an e-mail", |ask| {
                    let body = json!({ "name": "Helena D.", "email": "Helena.Duarte@example.com" });
                    ask.body(json!({ "customer": body }))
                })],
                sample: self.other("deleteCustomer", "whose e-mail another has", |ask| ask),
            },
            Scene {
                before: vec![self.other("deleteCustomer", "before", |ask| ask)],
                sample: self.worker("scheduler", "after a customer was removed", NOW + Duration::from_secs(61)),
            },
            Scene {
                before: vec![self.other("mergeCustomers", "before", |ask| ask)],
                sample: self.worker("scheduler", "after customers were merged", NOW + Duration::from_secs(61)),
            },
            Scene {
                before: vec![self.other("mergeCustomers", "before", |ask| ask)],
                sample: self.other("deleteCustomer", "by an old identifier", |ask| ask.slot("id", self.id("acme.duplicate"))),
            },
            Scene {
                before: vec![self.other("mergeCustomers", "before", |ask| ask)],
                sample: self.other("mergeCustomers", "who are one", |ask| ask),
            },
            alone(self.other("mergeCustomers", "in a trial", |ask| {
                ask.body(json!({ "primary_id": self.id("acme.customer"), "duplicate_ids": [self.id("acme.duplicate")], "dry_run": true }))
            })),
            Scene {
                before: vec![self.other("mergeCustomers", "before", |ask| ask)],
                sample: self.other("joinCall", "as somebody who was merged", |ask| {
                    let body = json!({ "name": "Beatriz", "email": "beatriz.lima@example.com" });
                    ask.slot("token", self.id("acme.website.token")).body(body)
                }),
            },
            Scene {
                before: vec![self.erasing("before")],
                sample: self.worker("scheduler", "after a customer was erased", NOW + Duration::from_secs(61)),
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

    /// Idempotency keys: the first answer, its replay, another request, one that still runs, refusals that are kept and others
    /// that are not.
    pub(super) fn keys(&self) -> Vec<Scene> {
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
