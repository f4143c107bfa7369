//! The keys of a deployment, what is sealed under its secrets, and the hashes of passwords.

mod jwt;
pub mod keys;
pub mod password;
pub mod ring;
pub mod secret;
pub mod totp;
