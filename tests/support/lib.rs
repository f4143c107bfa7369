//! What the tests share: a running stack, tenants of their own, clients that speak HTTP, a receiver of webhooks.
//!
//! A test talks to the product over HTTP as anybody would. Tests of one binary share a stack and never a tenant; a test
//! that moves the clock or stops the stack starts its own.

#![expect(clippy::missing_panics_doc, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so and ends")]

mod client;
mod receiver;
mod server;
mod tenant;

pub use client::{Answer, Client};
pub use receiver::{Received, Receiver, Reply};
pub use server::{Settings, Stack, shared};
pub use tenant::{PASSWORD, Tenant};
