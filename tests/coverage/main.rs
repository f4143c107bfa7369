//! Every operation that exists, whichever it is: who may call it, what it says of foreign objects and wrong methods, and
//! whether everything is written that belongs to it. A new route makes these tests fail until it has all of that; the
//! failures say what to add, and where.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so and ends")]

mod bodies;
mod forgeries;
mod gateway;
mod methods;
mod objects;
mod probes;
mod queries;
mod roles;
mod rows;

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tests::{
    Operation, Sample, World,
    gateway::{Ask, readable},
};

/// What was found, told at once.
#[derive(Debug, Default)]
struct Misses(Vec<String>);

impl Misses {
    fn note(&mut self, miss: impl Into<String>) {
        self.0.push(miss.into());
    }

    /// Notes it unless it holds.
    fn unless(&mut self, holds: bool, miss: impl FnOnce() -> String) {
        if !holds {
            self.note(miss());
        }
    }

    /// There are none; the test ends otherwise.
    #[track_caller]
    fn none(mut self) {
        self.0.dedup();
        assert!(self.0.is_empty(), "{} missing:\n{}\n", self.0.len(), self.0.join("\n"));
    }
}

/// Every operation of which it is known how it is called, with that.
fn called(world: &World) -> Vec<(Operation, Ask)> {
    let asks = tests::asks(world);
    world.operations.iter().filter_map(|operation| Some((operation.clone(), asks.get(operation.id)?.clone()))).collect()
}

/// The answer of an operation, asked from an address of its own: no limit is met by who tries much.
async fn answer(world: &World, operation: &Operation, ask: &Ask) -> Value {
    let mut event = world.event(operation, ask);
    elsewhere(&mut event);
    said(world, operation.function, event).await
}

/// It comes from an address of its own.
fn elsewhere(event: &mut Value) {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let [.., b, c, d] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    event["requestContext"]["http"]["sourceIp"] = format!("198.{}.{c}.{d}", 18 + b % 2).into();
}

/// The answer of a function to an event.
async fn said(world: &World, function: &str, event: Value) -> Value {
    readable(world.replay(&Sample { function: function.into(), name: "coverage".into(), event }).await)
}

/// An answer in a line: its status, what a client goes by, the beginning of its body.
fn brief(answer: &Value) -> String {
    let header = |name: &str| answer["headers"][name].as_str().map(|value| format!(" {name}: {value}")).unwrap_or_default();
    let body: String = answer["body"].to_string().chars().take(300).collect();
    format!("{}{}{} {body}", answer["statusCode"], header("www-authenticate"), header("allow"))
}

/// `{"errors": {"detail": …}}` and nothing else, as JSON, with this status.
fn refused(answer: &Value, status: u16) -> bool {
    let detail = answer["body"]["errors"]["detail"].as_str().unwrap_or_default();
    answer["statusCode"] == json!(status)
        && answer["headers"]["content-type"] == json!("application/json")
        && !detail.is_empty()
        && answer["body"] == json!({ "errors": { "detail": detail } })
}

/// What was refused has left nothing behind but counts of attempts, which go.
async fn unwritten(world: &World, operation: &Operation, misses: &mut Misses) {
    let changed = world.differences().await;
    let lasting: Vec<_> = changed.iter().filter(|key| !key.pk.starts_with("~window#")).collect();
    misses.unless(lasting.is_empty(), || {
        format!("{operation} was refused and has changed {} items: {:?}", lasting.len(), lasting[0])
    });
    if !changed.is_empty() {
        world.reset().await;
    }
}

/// Who was refused has changed nothing.
async fn unchanged(world: &World, misses: &mut Misses) {
    for key in world.differences().await {
        misses.note(format!("a refused request changed {key:?}"));
    }
}
