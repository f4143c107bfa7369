//! Indexes lag behind the table: what changes something does the same with index rows from before the last change.

use std::collections::BTreeSet;

use serde_json::Value;
use shared::storage::entity::{DUE, Slot};
use tests::{
    Sample,
    lab::Lab,
    scenes,
    wire::{Call, Weather},
};

use crate::{
    plain::Plain,
    trial::{a_minute_later, later, versionless},
};

/// Work that changes something, with the partitions of indexes that it reads.
fn readers(lab: &Lab) -> Vec<(Sample, BTreeSet<String>)> {
    let scenes = scenes::changing(lab).into_iter().filter(|scene| scene.before.is_empty()).map(|scene| scene.sample);
    let all = lab.samples().into_iter().chain(scenes).filter(changes);
    let with_what_it_reads = |sample: Sample| {
        let run = lab.replay(&sample, Weather::default());
        lab.restore(&lab.changes(&run.calls));
        let of_index = |call: &&Call| call.touches.iter().any(|(_, resource)| resource.starts_with("index/"));
        let read: BTreeSet<String> = run.calls.iter().filter(of_index).flat_map(|call| call.names.clone()).collect();
        (!read.is_empty()).then_some((sample, read))
    };
    all.filter_map(with_what_it_reads).collect()
}

/// Work that changes something, with the partitions of indexes in which it does.
fn writers(lab: &Lab) -> Vec<(Sample, BTreeSet<String>)> {
    let with_what_it_writes = |sample: Sample| {
        let changes = lab.changes(&lab.replay(&sample, Weather::default()).calls);
        lab.restore(&changes);
        let items = changes.iter().flat_map(|(key, now)| lab.built.get(key).into_iter().chain(now));
        let written = items.flat_map(partitions).collect();
        (sample, written)
    };
    lab.samples().into_iter().filter(changes).map(with_what_it_writes).collect()
}

/// The partitions of indexes in which an item lies.
fn partitions(item: &Value) -> impl Iterator<Item = String> {
    let names = Slot::ALL.map(|slot| slot.attributes().0).into_iter().chain([DUE.0.to_owned()]);
    names.filter_map(|name| item[name]["S"].as_str().map(ToOwned::to_owned))
}

/// Of a worker, or not a GET.
fn changes(sample: &Sample) -> bool {
    sample.event["requestContext"]["http"]["method"] != "GET"
}

#[test]
fn index_rows_from_before_the_last_change_decide_nothing() {
    let lab = Lab::start();
    let before = lab.copy();
    let (readers, last_changes) = (readers(&lab), writers(&lab));
    assert!(readers.iter().any(|(reader, _)| reader.function == "scheduler"), "the schedule reads an index");
    for (reader, read) in &readers {
        for (last, _) in last_changes.iter().filter(|(_, written)| !written.is_disjoint(read)) {
            let [fresh, stale] = [None, Some(before.clone())].map(|stale| after(&lab, last, reader, stale));
            assert!(fresh == stale, "{} after {}, with stale index rows:\n{}", reader.name, last.name, stale.against(&fresh));
        }
    }
}

/// What a reader comes to after a last change, with indexes read from a table.
fn after(lab: &Lab, last: &Sample, reader: &Sample, stale: Option<String>) -> Plain {
    let again = |n: usize| Sample { name: format!("{} {n}", reader.name), ..reader.clone() };
    // What the schedule has not seen it sees a minute later, and then what follows from it: what it did counts, not when.
    let minutes: Vec<Sample> = match reader.function.as_str() {
        "scheduler" => (0..3).map(again).collect(),
        // Calls that an index does not show yet are given back by the schedule.
        "users" => vec![a_minute_later(lab)],
        // So is what bears a customer's name, for as long as it finds something.
        "customers" => (0..3).map(|minute| later(lab, minute)).collect(),
        _ => Vec::new(),
    };
    let mut calls = lab.replay(last, Weather::default()).calls;
    let run = lab.replay(reader, Weather { stale, ..Weather::default() });
    calls.extend(run.calls);
    calls.extend(minutes.iter().flat_map(|sample| lab.replay(sample, Weather::default()).calls));
    let changes = lab.changes(&calls);
    lab.restore(&changes);
    let answer = if reader.function == "scheduler" { Value::Null } else { run.answer };
    let seeds: Vec<_> =
        [last, reader].into_iter().chain(&minutes).map(|sample| (sample.name.clone(), scenes::moment(&sample.event))).collect();
    let plain = Plain::of(&lab.built, &seeds, &answer, &calls, &changes);
    // What has just been put off may be put off again: a delivery is claimed before it is attempted.
    if minutes.is_empty() { plain } else { versionless(&plain) }
}
