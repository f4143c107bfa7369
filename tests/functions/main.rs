//! Functions as processes: how they start, what they say when they cannot, what one bad event leaves behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

mod environment;
mod events;
mod trust;

use tests::variables;
use tokio::process::Command;

/// The programs of two functions, and one that panics when it is told to.
const USERS: &str = env!("CARGO_BIN_EXE_users-process");
const WEBHOOK_WORKER: &str = env!("CARGO_BIN_EXE_webhook-worker-process");
const PANICKING: &str = env!("CARGO_BIN_EXE_panicking-process");

/// A program with the environment of a function and nothing else.
fn program(path: &str) -> Command {
    let mut command = Command::new(path);
    command.env_clear().envs(variables(path.as_ref()));
    command
}
