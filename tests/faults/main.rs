//! Whatever becomes of a single call: nothing is lost, doubled, half done or counted wrongly. Here for the samples; the scenes
//! beside them have a test of their own (`tests/full.sh large`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

mod check;
mod erased;
mod plain;
mod trial;
mod writers;

use check::check;
use tests::{Sample, lab::Lab, scenes::Scene};

/// The samples of functions, under every fault at every call.
fn functions(names: &[&str]) {
    let mut lab = Lab::start();
    let of_these = |sample: &Sample| names.contains(&sample.function.as_str());
    let samples = lab.samples().into_iter().filter(of_these).map(|sample| Scene { before: Vec::new(), sample });
    let samples: Vec<_> = samples.collect();
    check(&mut lab, samples);
}

#[test]
fn who_comes_in() {
    functions(&["auth", "users", "departments", "access-links", "tags", "webhooks"]);
}

#[test]
fn who_calls_and_who_answers() {
    functions(&["public", "calls", "export", "docs"]);
}

#[test]
fn who_is_known() {
    functions(&["customers"]);
}

#[test]
fn who_has_an_appointment() {
    functions(&["appointments"]);
}

#[test]
fn what_happens_by_itself() {
    functions(&["events-dispatcher", "webhook-worker", "scheduler"]);
}
