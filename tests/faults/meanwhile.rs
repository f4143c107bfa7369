//! Two at once, for every two pieces of work that touch the same: one is done whole between a read and the write that follows
//! from it. What comes of both is what comes of one after the other, in one order or the other.

use serde_json::{Value, json};
use shared::storage::Key;
use tests::{
    NOW, Sample,
    lab::{Changes, Lab},
    scenes,
    wire::{Call, Weather},
};

use crate::{
    plain::{Plain, is_kept_for_repetitions},
    trial::{later, versionless},
};

/// Work, and what it does when nobody else is there.
struct Work {
    sample: Sample,
    calls: Vec<Call>,
    /// What it changes and others read.
    changed: Vec<Key>,
}

impl Work {
    fn of(lab: &Lab, sample: Sample) -> Self {
        let calls = lab.replay(&sample, Weather::default()).calls;
        let changes = lab.changes(&calls);
        lab.restore(&changes);
        // What is only added to, or made anew by each, is nobody's to read before a write.
        let apart = |pk: &str| ["#count#", "#words#", "#audit#", "#event#", "~window#"].iter().any(|part| pk.contains(part));
        let changed = changes.into_keys().filter(|key| !apart(&key.pk)).collect();
        Self { sample, calls, changed }
    }

    /// The calls before which somebody else may come: those that write what lasts.
    fn sites(&self) -> impl Iterator<Item = usize> {
        let lasting = |call: &Call| call.writes() && call.changes.iter().any(|key| !is_kept_for_repetitions(&key.pk));
        self.calls.iter().enumerate().filter(move |(_, call)| lasting(call)).map(|(site, _)| site)
    }

    /// It reads or writes what the other changes.
    fn meets(&self, other: &Self) -> bool {
        let touches =
            |call: &Call, key: &Key| call.names.contains(&key.pk) && (call.action == "Query" || call.names.contains(&key.sk));
        self.calls.iter().any(|call| other.changed.iter().any(|key| touches(call, key)))
    }
}

/// How two pieces of work are done.
#[derive(Clone, Copy)]
enum Way {
    /// One after the other.
    InTurn([usize; 2]),
    /// The second before this call of the first.
    Between(usize),
}

const IN_TURN: [Way; 2] = [Way::InTurn([0, 1]), Way::InTurn([1, 0])];

/// What has come of it.
#[derive(Debug, Clone, PartialEq)]
struct Outcome {
    answers: [Value; 2],
    changes: Changes,
}

/// Two pieces of work that meet.
struct Pair<'a> {
    lab: &'a Lab,
    two: [&'a Sample; 2],
    /// What the schedule does afterwards.
    afterwards: Vec<Sample>,
}

impl Pair<'_> {
    /// Does both. The table is then as it was built.
    fn come(&self, way: Way, seen: &mut Vec<Call>) -> Outcome {
        let mut answers = [Value::Null, Value::Null];
        let fair = |sample: &Sample| self.lab.replay(sample, Weather::default());
        match way {
            Way::InTurn(order) => {
                for n in order {
                    let run = fair(self.two[n]);
                    answers[n] = run.answer;
                    seen.extend(run.calls);
                }
            }
            Way::Between(site) => {
                let (run, answer) = self.lab.interleave(self.two[0], site, self.two[1]);
                answers = [run.answer, answer];
                seen.extend(run.calls);
            }
        }
        for sample in &self.afterwards {
            seen.extend(fair(sample).calls);
        }
        let changes = self.lab.changes(seen);
        self.lab.restore(&changes);
        let told =
            |answer: &Value| json!({ "status": answer["statusCode"], "etag": answer["headers"]["etag"], "body": answer["body"] });
        Outcome { answers: answers.each_ref().map(told), changes }
    }

    /// Without what was drawn, what is told of others and what is estimated.
    fn plain(&self, outcome: &Outcome) -> Plain {
        let answers = json!({ "first": outcome.answers[0], "second": outcome.answers[1] });
        let afterwards = self.afterwards.iter().map(|sample| (sample.name.clone(), scenes::moment(&sample.event)));
        let seeds: Vec<_> = self.two.iter().map(|sample| (sample.name.clone(), NOW)).chain(afterwards).collect();
        let mut plain = Plain::of(&self.lab.built, &seeds, &answers, &[], &outcome.changes);
        plain.changes = plain.lasting();
        // Under whom of two who were merged an erasure finds what was theirs: it looks under both.
        plain.changes.retain(|key, _| !key.contains("former#"));
        forget(&mut plain.answer);
        plain.changes.values_mut().for_each(forget);
        // What the schedule does may come in one step or in two.
        if self.afterwards.is_empty() { plain } else { versionless(&plain) }
    }

    /// Does the second before each call of the first at which it may come. Answers what is wrong with what came of it.
    fn wrong(&mut self, sites: impl Iterator<Item = usize>) -> Vec<(usize, String)> {
        let mut seen = Vec::new();
        let wanted = IN_TURN.map(|way| self.come(way, &mut seen));
        let mut wrong = Vec::new();
        for site in sites {
            let came = self.come(Way::Between(site), &mut seen);
            if !wanted.contains(&came) && self.right(&came, &wanted).is_some() {
                wrong.extend(self.wrong_afterwards(site).map(|how| (site, how)));
            }
        }
        wrong
    }

    /// The same when the schedule has been there as well.
    fn wrong_afterwards(&mut self, site: usize) -> Option<String> {
        let mut seen = Vec::new();
        // A removed customer's name, or the calls of who is no longer active: the schedule takes up what came too late.
        self.afterwards = (0..4).map(|minutes| later(self.lab, minutes)).collect();
        let wanted = IN_TURN.map(|way| self.come(way, &mut seen));
        let came = self.come(Way::Between(site), &mut seen);
        let wrong = self.right(&came, &wanted);
        self.afterwards.clear();
        wrong
    }

    /// How what came differs from what is nearest among what was wanted; not at all, if it is one of these.
    fn right(&self, came: &Outcome, wanted: &[Outcome; 2]) -> Option<String> {
        let (came, wanted) = (self.plain(came), wanted.each_ref().map(|wanted| self.plain(wanted)));
        let same = |wanted: &Plain| {
            came.changes == wanted.changes && ["first", "second"].iter().all(|of| alike(&came.answer[of], &wanted.answer[of]))
        };
        let nearest = || wanted.iter().map(|wanted| came.against(wanted)).min_by_key(String::len).unwrap_or_default();
        (!wanted.iter().any(same)).then(nearest)
    }
}

/// An answer says as much as another: the same, a refusal for a reason that is met first, that the same request is still being
/// worked on, that what is to go is gone.
fn alike(came: &Value, wanted: &Value) -> bool {
    let [was, is] = [wanted, came].map(|answer| answer["status"].as_u64().unwrap_or_default());
    let gone = |status| [204, 401, 404].contains(&status);
    came == wanted || is == 409 || (is >= 400 && was >= 400) || (gone(is) && gone(was))
}

/// Takes out what is counted or estimated beside a change, and holds at the moment of reading alone.
fn forget(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members
                .retain(|name, _| !["position", "place", "estimated_wait_time", "pace", "usage_count"].contains(&name.as_str()));
            members.values_mut().for_each(forget);
        }
        Value::Array(values) => values.iter_mut().for_each(forget),
        // What an event bears is JSON in a text.
        Value::String(text) => {
            if let Some(mut inner) = serde_json::from_str(text).ok().filter(Value::is_object) {
                forget(&mut inner);
                *text = inner.to_string();
            }
        }
        _ => {}
    }
}

/// What may come of two that is neither one after the other nor wrong.
fn known(one: &str, other: &str) -> bool {
    match (one.split(' ').next(), other.split(' ').next()) {
        // Who was let in is let finish what is only about oneself, whatever becomes of the role meanwhile.
        (Some("updateMe" | "setupMfa" | "changePassword"), Some("updateUser")) => true,
        // The answer shows the tag as it was read; whoever looks next sees it as it is.
        (Some("addCallTag"), Some("updateTag")) => true,
        // Two strangers who do the same cannot be told apart.
        (Some("joinCall"), Some("joinCall")) => one == other && one.ends_with("stranger"),
        // Links of a batch are made in another order, which nobody sees, and not as the customer's when that has gone.
        (Some("createAccessLinks"), Some("deleteCustomer")) => one.ends_with("many words"),
        _ => false,
    }
}

/// Whatever refers to something, to that which the samples delete: to a department, a sector, a tag, a customer.
fn referring(lab: &Lab) -> Vec<Sample> {
    let (world, asks) = (&lab.world, tests::asks(&lab.world));
    let deleted = world.operations.iter().filter(|operation| operation.method == "DELETE").filter_map(|operation| {
        let kind = operation.path.strip_prefix("/api/v1/")?.strip_suffix("s/{id}")?;
        Some((kind, &asks.get(operation.id)?.slots["id"]))
    });
    // A tag is a parent, too.
    let fields = |kind: &str| [Some(format!("{kind}_id")), (kind == "tag").then(|| "parent_id".to_owned())];
    let deleted: Vec<_> =
        deleted.flat_map(|(kind, id)| fields(kind).into_iter().flatten().map(move |field| (field, id))).collect();
    let mut found = Vec::new();
    for (operation, ask) in world.operations.iter().filter_map(|operation| Some((operation, asks.get(operation.id)?))) {
        let schema = operation.spec["requestBody"]["content"]["application/json"]["schema"].to_string();
        let names: Vec<_> = world.operations.schemas.iter().filter(|(name, _)| schema.contains(&format!("/{name}\""))).collect();
        for (field, id) in
            deleted.iter().filter(|(field, _)| names.iter().any(|(_, schema)| !schema["properties"][field].is_null()))
        {
            let mut ask = ask.clone();
            let body = ask.body.get_or_insert_with(|| json!({}));
            let wrapper =
                body.as_object().and_then(|whole| whole.iter().find(|(_, inner)| inner.is_object())).map(|(key, _)| key.clone());
            let fields = match wrapper {
                Some(key) => &mut body[key],
                None => body,
            };
            fields[field] = id.as_str().into();
            let name = format!("{} of what is deleted", operation.id);
            found.push(Sample { function: operation.function.into(), name, event: world.event(operation, &ask) });
        }
    }
    found
}

/// Everything that clients may change.
fn all(lab: &Lab) -> Vec<Work> {
    let scenes = scenes::changing(lab).into_iter().filter(|scene| scene.before.is_empty()).map(|scene| scene.sample);
    let by_clients = |sample: &Sample| {
        let http = &sample.event["requestContext"];
        http.is_object() && http["http"]["method"] != "GET" && scenes::moment(&sample.event) == NOW
    };
    lab.samples().into_iter().chain(scenes).chain(referring(lab)).filter(by_clients).map(|sample| Work::of(lab, sample)).collect()
}

/// Every second of those that change something, from this one on, with all that it meets.
#[expect(clippy::print_stdout, reason = "how much was tried is to be seen")]
fn half(first: usize) {
    let lab = Lab::start();
    let works = all(&lab);
    let (mut wrong, mut pairs) = (Vec::new(), 0);
    for one in works.iter().filter(|one| !one.changed.is_empty()).skip(first).step_by(2) {
        for other in works.iter().filter(|other| one.meets(other) && !known(&one.sample.name, &other.sample.name)) {
            let other = Sample { name: format!("{} meanwhile", other.sample.name), ..other.sample.clone() };
            let mut pair = Pair { lab: &lab, two: [&one.sample, &other], afterwards: Vec::new() };
            pairs += 1;
            for (site, how) in pair.wrong(one.sites()) {
                wrong.push(format!("{} before call {site} ({}) of {}:\n{how}", other.name, one.calls[site], one.sample.name));
            }
        }
    }
    println!("{pairs} pairs");
    let left = lab.items() != lab.built;
    assert!(
        wrong.is_empty() && !left,
        "{} of {pairs} pairs came out wrong, left behind: {left}\n\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn of_two_at_once_comes_what_comes_of_one_after_the_other() {
    half(0);
}

#[test]
fn of_two_others_as_well() {
    half(1);
}
