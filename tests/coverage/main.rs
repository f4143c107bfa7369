//! Every operation that exists, whichever it is: who may call it, what it says of foreign objects and wrong methods, and
//! whether everything is written that belongs to it. A new route makes these tests fail until it has all of that; the
//! failures say what to add, and where.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

mod forgeries;
mod gateway;
mod methods;
mod objects;
mod roles;
mod rows;

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

/// The answer of an operation.
async fn answer(world: &World, operation: &Operation, ask: &Ask) -> Value {
    said(world, operation.function, world.event(operation, ask)).await
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

/// Who was refused has changed nothing.
async fn unchanged(world: &World, misses: &mut Misses) {
    for key in world.differences().await {
        misses.note(format!("a refused request changed {key:?}"));
    }
}
