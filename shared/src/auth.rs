//! Who is calling: tokens, passwords, sessions, roles.

pub mod caller;
pub mod keys;
pub mod password;
pub mod token;

pub use caller::{Admitted, Attendant, Caller, Manager, Supervisor};
