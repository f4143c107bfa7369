//! The stack on one machine: the whole API, the workers and the AWS services they need, in one process.

pub mod aws;
mod control;
mod demo;
pub mod openapi;
mod pump;
mod secret;
pub mod settings;
mod stack;
mod state;

pub use stack::{Stack, StartError, routes};
