//! `/export`: rows for spreadsheets.

mod calls;
mod sheet;

use shared::{api::Routes, app::Need};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[];

/// The group's routes.
pub fn routes() -> Routes {
    Routes::of("Export", "Rows for spreadsheets.").get(
        "/api/v1/export/calls.csv",
        calls::calls,
        "exportCalls",
        "The calls that joined in a range, the last 30 days by default",
    )
}
