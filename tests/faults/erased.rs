//! Whatever call of an erasure fails, and the process with it: the schedule ends it, and nothing of the person is left.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{
    NOW, Sample,
    lab::{Changes, Lab},
    scenes,
    wire::{Call, Extent, Fault, Kind, Weather},
};

/// How the world's customer is known.
const MARKS: [&str; 4] = ["helena", "duarte", "210001004", "Helena"];

/// The schedule, minutes after the erasure.
fn minute(lab: &Lab, after: u64) -> Sample {
    let mut minute = lab.samples().into_iter().find(|sample| sample.function == "scheduler").unwrap();
    minute.event["time"] = (NOW + Duration::from_secs(after)).to_string().into();
    minute.name = format!("{} {after}", minute.name);
    minute
}

/// What bears the person's mark, after changes.
fn traces(lab: &Lab, changes: &Changes) -> Vec<String> {
    let marked = |item: &Value| MARKS.iter().any(|mark| item.to_string().contains(mark));
    let untouched = lab.built.iter().filter(|(key, _)| !changes.contains_key(key));
    let written = changes.iter().filter_map(|(key, item)| Some((key, item.as_ref()?)));
    let all = untouched.chain(written).filter(|(key, item)| key.pk.starts_with("acme#") && marked(item));
    all.map(|(key, _)| format!("{} {}", key.pk, key.sk)).collect()
}

/// Runs the erasure under a fault, again when the client hears that it failed, and what follows by itself.
fn run(lab: &Lab, erasing: &Sample, fault: Option<Fault>) -> (Vec<Call>, Vec<String>) {
    let first = lab.replay(erasing, Weather { fault, ..Weather::default() });
    let mut calls = first.calls.clone();
    if first.answer["statusCode"] != json!(204) {
        calls.extend(lab.replay(&Sample { name: "again".into(), ..erasing.clone() }, Weather::default()).calls);
    }
    for after in [61, 182, 420] {
        calls.extend(lab.replay(&minute(lab, after), Weather::default()).calls);
    }
    let changes = lab.changes(&calls);
    lab.restore(&changes);
    (first.calls, traces(lab, &changes))
}

#[test]
fn an_erasure_that_dies_anywhere_is_ended() {
    let lab = Lab::start();
    let erasing = scenes::erasing(&lab);
    assert!(traces(&lab, &Changes::new()).len() > 10, "there is somebody to erase");
    let (calls, left) = run(&lab, &erasing, None);
    assert_eq!(left, Vec::<String>::new());
    let kinds = [(Kind::Reset, Extent::Rest), (Kind::Unanswered, Extent::Rest), (Kind::Conflict, Extent::Call)];
    let mut wrong = Vec::new();
    for (site, call) in calls.iter().enumerate() {
        for (kind, extent) in kinds.into_iter().filter(|(kind, _)| kind.befalls(call)) {
            let fault = Fault { site, kind, extent };
            let (_, left) = run(&lab, &erasing, Some(fault));
            wrong.extend((!left.is_empty()).then(|| format!("{fault:?} ({call}) leaves {left:?}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
