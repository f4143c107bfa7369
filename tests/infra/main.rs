//! What is deployed is what is written: the templates against the code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

mod docs;
mod events;
mod features;
mod openapi;
mod proofs;
mod roles;
