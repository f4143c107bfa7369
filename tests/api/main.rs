//! The API over HTTP, through the real storage engine; the tree mirrors that of the URLs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so and ends")]

mod access_links;
mod admin;
mod agents;
mod api_keys;
mod appointments;
mod auth;
mod calls;
mod company;
mod conventions;
mod customers;
mod deliveries;
mod departments;
mod erasure;
mod export;
mod headers;
mod idempotency;
mod journey;
mod keys;
mod lists;
mod mails;
mod me;
mod merging;
mod mfa;
mod models;
mod passwords;
mod public;
mod rate_limits;
mod receivers;
mod scene;
mod signup;
mod tags;
mod users;
mod webhooks;
