//! The keys of a deployment, and the hashes of passwords.

mod jwt;
pub mod keys;
pub mod password;
