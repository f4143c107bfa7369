//! The keys of a deployment, and the hashes of passwords.

pub mod keys;
pub mod password;
