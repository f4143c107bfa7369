//! What the tests share: a running stack, tenants of their own, clients that speak HTTP, a receiver of webhooks.
//!
//! A test talks to the product over HTTP as anybody would. Tests of one binary share a stack and never a tenant; a test
//! that moves the clock or stops the stack starts its own.

#![expect(clippy::missing_panics_doc, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so and ends")]

mod authenticator;
pub mod budget;
pub mod bulk;
mod client;
mod dice;
mod function;
pub mod gateway;
pub mod lab;
mod operations;
mod receiver;
pub mod recount;
mod samples;
pub mod scenes;
mod server;
mod tenant;
pub mod wire;
mod world;

pub use authenticator::Authenticator;
pub use client::{Answer, Client};
pub use dice::Dice;
pub use function::{Ended, Function, request, variables};
pub use operations::{FUNCTIONS, Operation, Operations, WORKERS, needs};
pub use receiver::{Received, Receiver, Reply};
pub use samples::{Sample, asks};
pub use server::{Settings, Stack, shared};
pub use tenant::{PASSWORD, Tenant};
pub use world::{NOW, World};
