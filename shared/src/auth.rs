//! Who is calling: tokens, sessions, roles.

pub mod caller;
pub mod context;
pub mod token;

pub use caller::{Admitted, Attendant, Caller, Manager, Oneself, Supervisor};

use crate::{
    app::App,
    error::Result,
    ids::UserId,
    storage::rate::{self, Limit, Window},
};

/// Counts a guess at a user's password or code by somebody who has proven a first factor, from whatever address: twice as
/// many a minute as an address may at login.
///
/// # Errors
/// [`crate::Error::TooMany`].
pub async fn guess(app: &App, tenant: &str, user: UserId) -> Result<()> {
    let Some(limit) = app.settings().auth_limit else { return Ok(()) };
    let limit = Limit { requests: limit.requests.saturating_mul(2), ..limit };
    let window = Window { scope: format!("guess\n{tenant}\n{user}"), limit };
    rate::admit(app.db(), &[window], app.clock().now_millis()).await.and_then(rate::within)
}
