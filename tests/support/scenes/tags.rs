//! Tags, and the calls that bear them.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ATTENDANT, SUPERVISOR, Scene, Stage};
use crate::{gateway::Ask, samples::Sample, world::NOW};

impl Stage<'_> {
    /// Tags that move, go and come.
    pub(super) fn tags(&self) -> Vec<Scene> {
        let alone = |sample| Scene { before: Vec::new(), sample };
        let update = |what: &str, name: &str, fields: Value| {
            let ask = Ask::by(ATTENDANT).slot("id", self.id(name)).body(json!({ "tag": fields }));
            self.sample("updateTag", what, &ask, NOW)
        };
        let under = |parent: &str| json!({ "parent_id": self.id(parent) });
        let deleted = || self.other("deleteTag", "before", |ask| ask);
        let bear = |what: &str, call: &str, tag: &str| {
            let ask = Ask::by(ATTENDANT).slot("id", self.id(call)).body(json!({ "tag_id": self.id(tag) }));
            self.sample("addCallTag", what, &ask, NOW)
        };
        let sweep = |what: &str, after| self.worker("scheduler", what, NOW + Duration::from_secs(after));
        // What else is due is done before.
        let swept = || [sweep("before", 0), sweep("before that", 0)];
        vec![
            alone(update("to another place", "acme.reminder", under("acme.praise"))),
            alone(update("to below itself", "acme.parent", under("acme.tag"))),
            alone(self.other("createTag", "of a name that is taken", |ask| {
                ask.body(json!({ "tag": { "name": "REFUND", "parent_id": self.id("acme.parent") } }))
            })),
            alone(bear("that it bears", "acme.completed", "acme.tag")),
            Scene { before: vec![deleted()], sample: bear("that was deleted", "acme.active", "acme.tag") },
            alone(self.sample(
                "deleteTag",
                "with nothing under it",
                &Ask::by(SUPERVISOR).slot("id", self.id("acme.praise")),
                NOW,
            )),
            Scene { before: swept().into_iter().chain([deleted()]).collect(), sample: sweep("after a tag was deleted", 1) },
            Scene { before: vec![bear("before", "acme.active", "acme.tag"), deleted()], sample: self.tagged_call_ends() },
        ]
    }

    /// What a call bears is rewritten with it.
    fn tagged_call_ends(&self) -> Sample {
        self.call(ATTENDANT, "completeCall", "that bears tags", "acme.active", json!({}))
    }
}
