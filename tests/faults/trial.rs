//! One piece of work, undisturbed and under every fault at every call.

use std::time::Duration;

use serde_json::{Value, json};
use shared::{
    clock::Time,
    events::EventRecord,
    models::Delivery,
    storage::{Entity, entity::TTL},
};
use tests::{
    NOW, Sample,
    lab::{Changes, Lab, Run},
    recount::recount,
    scenes,
    wire::{Call, Fault, Kind, Weather},
};

use crate::plain::{Plain, is_kept_for_repetitions};

/// When a client, or Lambda, comes again: at once, or after what a dead process held has lapsed.
const AT_ONCE: i64 = 0;
const LATER: i64 = 60;

/// What may differ when work is done again that was done and not heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Nothing: a key or a claim makes it one.
    Same,
    /// The version: a change that is made again is a change.
    Newer,
    /// The answer, which is this refusal: it cannot be done twice.
    Refused(u16),
    /// A session more, which nobody holds and which lapses.
    Session,
    /// When it is told of: what the schedule made, it tells of a minute later.
    Told,
}

/// A piece of work and what it comes to undisturbed.
#[derive(Debug)]
pub struct Trial<'a> {
    lab: &'a Lab,
    sample: &'a Sample,
    again: Again,
    /// Undisturbed: at once, at the time at which it is tried again, and at both.
    wanted: [Plain; 3],
    /// What its own run leaves, undisturbed, before anything is tried again or the schedule comes.
    own: Plain,
    /// The calls of the undisturbed run.
    calls: Vec<Call>,
    /// What is wrong with the counts after it.
    miscounts: Vec<String>,
}

/// What a trial came to.
#[derive(Debug, Default)]
struct Attempts {
    seeds: Vec<(String, Time)>,
    runs: Vec<Run>,
    /// The run whose answer counts: the client's last.
    answered: usize,
    /// The table after the last.
    after: Changes,
}

impl<'a> Trial<'a> {
    /// Runs it undisturbed.
    pub fn new(lab: &'a Lab, sample: &'a Sample, again: Again) -> Self {
        let undisturbed = |moments: &[i64]| {
            let (mut attempts, mut own) = (Attempts::default(), None);
            for after in moments {
                attempts.run(lab, sample, *after, Weather::default());
                own.get_or_insert_with(|| attempts.own(lab));
                attempts.follow_up(lab, sample);
            }
            lab.restore(&attempts.after);
            (attempts, own.unwrap())
        };
        let [(at_once, own), (later, _), (twice, _)] = [&[AT_ONCE][..], &[LATER], &[AT_ONCE, LATER]].map(undisturbed);
        let mut items = lab.built.clone();
        for (key, item) in at_once.after.clone() {
            drop(items.remove(&key));
            items.extend(item.map(|item| (key, item)));
        }
        let wanted = [&at_once, &later, &twice].map(|attempts| attempts.plain(lab, again));
        Self { lab, sample, again, wanted, own, calls: at_once.runs[0].calls.clone(), miscounts: recount(&items) }
    }

    /// What is wrong with the counts after it, undisturbed. Whatever comes to the same then counts right as well.
    pub fn miscounts(&self) -> impl Iterator<Item = String> {
        self.miscounts.iter().map(|miscount| format!("{}: {miscount}", self.sample.name))
    }

    /// Every fault that can befall it, at each call; of calls that are alike at the first and the last.
    pub fn faults(&self) -> impl Iterator<Item = Fault> {
        let like = |site: usize, others: &[Call]| others.iter().any(|other| alike(other, &self.calls[site]));
        let between = move |site: usize| like(site, &self.calls[..site]) && like(site, &self.calls[site + 1..]);
        let sites = self.calls.iter().enumerate().filter(move |(site, _)| !between(*site));
        sites.flat_map(|(site, call)| {
            let kinds = Kind::ALL.into_iter().filter(|kind| kind.befalls(call));
            kinds.flat_map(move |kind| kind.extents().iter().map(move |extent| Fault { site, kind, extent: *extent }))
        })
    }

    /// Runs it under a fault, and again when it says that it failed. Answers what is wrong with what came of it.
    pub fn run(&self, fault: Fault) -> Option<String> {
        let mut attempts = Attempts::default();
        attempts.run(self.lab, self.sample, AT_ONCE, Weather { fault: Some(fault), ..Weather::default() });
        let first = attempts.own(self.lab);
        attempts.follow_up(self.lab, self.sample);
        self.lab.restore(&attempts.after);
        let last = attempts.plain(self.lab, self.again);
        let half = !first.lasting().is_empty() && first.lasting() != self.own.lasting();
        let (what, came, wanted) = if self.is_one_transaction() && half {
            ("half of it is done", first, &self.own)
        } else if !self.is_right(&last) {
            ("it comes to something else", last, &self.wanted[0])
        } else {
            return None;
        };
        let statuses: Vec<_> = attempts.runs.iter().map(|run| run.answer["statusCode"].to_string()).collect();
        let (name, call, statuses) = (&self.sample.name, &self.calls[fault.site], statuses.join(", "));
        Some(format!("{name}, {fault:?} ({call}), answers {statuses}: {what}\n{}", came.against(wanted)))
    }

    fn is_right(&self, came: &Plain) -> bool {
        self.wanted.iter().any(|wanted| {
            // What a worker answers, its like does not read. A message that was not sent is sent again by the schedule,
            // when its delivery is overdue; but an event is not done with before its messages are sent.
            let same = match self.sample.function.as_str() {
                "scheduler" | "webhook-worker" => came.changes == wanted.changes,
                _ => came == wanted,
            };
            same || self.is_right_again(came, wanted)
        })
    }

    /// It is all written at once. What a worker leaves half done comes again; what the clock has changed is written on its own.
    fn is_one_transaction(&self) -> bool {
        let lasting = |call: &&Call| call.changes.iter().any(|key| !is_kept_for_repetitions(&key.pk));
        !is_worker(self.sample) && self.calls.iter().filter(lasting).count() < 2
    }

    /// Something is written that lasts.
    pub fn changes_something(&self) -> bool {
        changes_something(&self.calls)
    }

    fn is_right_again(&self, came: &Plain, wanted: &Plain) -> bool {
        let refused = wanted.answer["statusCode"].as_u64().is_some_and(|status| status >= 400);
        if (refused || wanted.lasting().is_empty()) && came.answer == wanted.answer && came.lasting() == wanted.lasting() {
            // Only the record of the answer is missing, which a change is written with and this was not.
            return true;
        }
        match self.again {
            Again::Same | Again::Session | Again::Told => false,
            Again::Newer => versionless(came) == versionless(wanted),
            Again::Refused(status) => came.answer["statusCode"] == json!(status) && came.changes == wanted.changes,
        }
    }
}

impl Attempts {
    fn run(&mut self, lab: &Lab, sample: &Sample, after: i64, weather: Weather) {
        let at = scenes::moment(&sample.event) + std::time::Duration::from_secs(after.unsigned_abs());
        // Each run draws otherwise. But what an attempt draws is the jitter of a pause, which is to be the same.
        let drawn = if sample.function == "webhook-worker" { String::new() } else { " again".repeat(self.runs.len()) };
        let name = sample.name.clone() + &drawn;
        let sample = Sample { name, event: scenes::at(&sample.event, at), ..sample.clone() };
        self.answered = self.runs.len();
        self.runs.push(lab.replay(&sample, weather));
        self.seeds.push((sample.name, at));
        let calls: Vec<_> = self.runs.iter().flat_map(|run| run.calls.clone()).collect();
        self.after = lab.changes(&calls);
    }

    /// Tries again as a client does, as Lambda does, as the schedule does.
    fn follow_up(&mut self, lab: &Lab, sample: &Sample) {
        let fair = Weather::default;
        let status = |attempts: &Self| attempts.runs[attempts.answered].answer["statusCode"].as_u64();
        match sample.function.as_str() {
            // The schedule, until nothing is left to do: what it does makes events, which are dispatched in their turn.
            "scheduler" => {
                let idle = |run: &Run| {
                    ["events", "deliveries", "lapsed", "reminded", "erased", "untagged", "linked"]
                        .iter()
                        .all(|what| run.answer[what] == json!(0))
                };
                for n in 0..6 {
                    if n == 0 || !idle(&self.runs[self.runs.len() - 1]) {
                        self.run(lab, sample, AT_ONCE, fair());
                    }
                }
            }
            // The stream hands its records on again at once, the queue a message when it has been hidden for long enough.
            "events-dispatcher" | "webhook-worker" => {
                let after = if sample.function == "webhook-worker" { LATER } else { AT_ONCE };
                if self.runs[self.runs.len() - 1].answer["batchItemFailures"] != json!([]) {
                    self.run(lab, sample, after, fair());
                }
            }
            _ => {
                if matches!(status(self), Some(409 | 429 | 500..)) {
                    self.run(lab, sample, AT_ONCE, fair());
                }
                if status(self) == Some(409) {
                    self.run(lab, sample, LATER, fair());
                }
                // What a change leaves to the schedule, which looks again where it has found something.
                let changed = self.runs.iter().any(|run| changes_something(&run.calls));
                let minutes = match sample.name.split(' ').next() {
                    _ if !changed => 0,
                    Some("updateUser") => 1,
                    // It makes what is left, and then it tells of it.
                    Some("createAccessLinks") if sample.name.starts_with("createAccessLinks of") => 2,
                    Some("mergeCustomers" | "deleteCustomer") => 3,
                    _ => 0,
                };
                // The answer that counts is the client's.
                let answered = self.answered;
                for minute in 0..minutes {
                    self.run(lab, &later(lab, minute), AT_ONCE, fair());
                }
                self.answered = answered;
                if minutes > 0 && status(self) == Some(409) {
                    self.run(lab, sample, LATER, fair());
                }
            }
        }
    }

    /// What the first run left.
    fn own(&self, lab: &Lab) -> Plain {
        Plain::of(&lab.built, &self.seeds, &Value::Null, &self.runs[0].calls, &self.after)
    }

    fn plain(&self, lab: &Lab, again: Again) -> Plain {
        let calls: Vec<_> = self.runs.iter().flat_map(|run| run.calls.clone()).collect();
        let answer = &self.runs[self.answered].answer;
        let mut changes = self.after.clone();
        if again == Again::Session {
            let told = answer.to_string();
            changes.retain(|key, _| key.sk.strip_prefix("session#").is_none_or(|session| told.contains(session)));
        }
        if again == Again::Told {
            changes.values_mut().flatten().filter(|item| is_told(item)).for_each(forget_when);
        }
        Plain::of(&lab.built, &self.seeds, answer, &calls, &changes)
    }
}

fn changes_something(calls: &[Call]) -> bool {
    calls.iter().flat_map(|call| &call.changes).any(|key| !is_kept_for_repetitions(&key.pk))
}

fn alike(one: &Call, other: &Call) -> bool {
    (&one.action, &one.touches, one.items) == (&other.action, &other.touches, other.items)
}

/// It is an event, or its delivery to a webhook.
fn is_told(item: &Value) -> bool {
    [EventRecord::KIND, Delivery::KIND].iter().any(|kind| item["k"]["S"] == *kind)
}

/// Takes off an item when it was made, and when it is due.
fn forget_when(item: &mut Value) {
    let Some(item) = item.as_object_mut() else { return };
    item.retain(|name, _| !["S1", "S2", "S3", "at", TTL, "v"].contains(&name.as_str()));
    if let Some(data) = item.get_mut("d").and_then(|data| data["M"].as_object_mut()) {
        data.retain(|name, _| !name.ends_with("_at"));
    }
}

/// It is not begun by a client, who would read the answer.
fn is_worker(sample: &Sample) -> bool {
    sample.event.get("requestContext").is_none()
}

/// The schedule, when an index has caught up.
pub fn a_minute_later(lab: &Lab) -> Sample {
    let mut minute = lab.samples().into_iter().find(|sample| sample.function == "scheduler").unwrap();
    minute.event["time"] = (NOW + Duration::from_secs(61)).to_string().into();
    minute
}

/// The schedule, so many minutes later.
pub fn later(lab: &Lab, minutes: u64) -> Sample {
    let minute = a_minute_later(lab);
    let at = scenes::moment(&minute.event) + Duration::from_secs(61 * minutes);
    Sample { name: format!("{} {minutes}", minute.name), event: scenes::at(&minute.event, at), ..minute }
}

/// Without versions and the moments of the last change, in the table and in the answer.
pub fn versionless(plain: &Plain) -> Plain {
    let mut plain = plain.clone();
    if let Some(headers) = plain.answer["headers"].as_object_mut() {
        headers.remove("etag");
    }
    for item in plain.changes.values_mut().filter_map(Value::as_object_mut) {
        item.remove("v");
        if let Some(data) = item.get_mut("d").and_then(|data| data["M"].as_object_mut()) {
            data.remove("revision");
            data.remove("updated_at");
        }
    }
    plain
}
