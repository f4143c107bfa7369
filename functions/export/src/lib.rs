//! `/export`: rows for spreadsheets.

mod calls;
mod sheet;

use shared::api::{Routes, routing::get};

/// The group's routes.
pub fn routes() -> Routes {
    Routes::new().api_route("/api/v1/export/calls.csv", get(calls::calls))
}
