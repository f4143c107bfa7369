//! Indexes lag behind the table: what changes something does the same with index rows from before the last change.

use serde_json::Value;
use tests::{Sample, lab::Lab, scenes, wire::Weather};

use crate::{
    plain::Plain,
    trial::{a_minute_later, later, versionless},
};

/// Pieces of work that change something and read an index.
fn readers(lab: &Lab) -> Vec<Sample> {
    let scenes = scenes::changing(lab).into_iter().filter(|scene| scene.before.is_empty()).map(|scene| scene.sample);
    let all = lab.samples().into_iter().chain(scenes).filter(changes);
    let reads_index = |sample: &Sample| {
        let run = lab.replay(sample, Weather::default());
        lab.restore(&lab.changes(&run.calls));
        run.calls.iter().flat_map(|call| &call.touches).any(|(_, resource)| resource.starts_with("index/"))
    };
    all.filter(reads_index).collect()
}

/// Of a worker, or not a GET.
fn changes(sample: &Sample) -> bool {
    sample.event["requestContext"]["http"]["method"] != "GET"
}

#[test]
fn index_rows_from_before_the_last_change_decide_nothing() {
    let lab = Lab::start();
    let before = lab.copy();
    let last_changes: Vec<Sample> = lab.samples().into_iter().filter(changes).collect();
    let readers = readers(&lab);
    assert!(readers.iter().any(|reader| reader.function == "scheduler"), "the schedule reads an index");
    for reader in &readers {
        for last in &last_changes {
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
