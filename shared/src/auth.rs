//! Who is calling: tokens, sessions, roles.

pub mod caller;
pub mod context;
pub mod token;

pub use caller::{Admitted, Attendant, Caller, Manager, Oneself, Supervisor};
