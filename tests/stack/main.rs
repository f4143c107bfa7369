//! The stack as a process: starting, ending, being killed, being two.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so and ends")]

mod demo;
mod kill;
mod process;
mod proxy;
mod races;
mod rounds;
mod start;
