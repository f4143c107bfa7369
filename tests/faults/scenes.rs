//! The scenes beside the samples, under every fault at every call.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

mod check;
mod meanwhile;
mod plain;
mod stale;
mod trial;

use check::check;
use tests::{lab::Lab, scenes};

/// Every second scene, from this one on.
fn half(first: usize) {
    let mut lab = Lab::start();
    let scenes: Vec<_> = scenes::changing(&lab).into_iter().skip(first).step_by(2).collect();
    check(&mut lab, scenes);
}

#[test]
fn one_half() {
    half(0);
}

#[test]
fn the_other_half() {
    half(1);
}
