//! What operations cost, and what they may cost: `docs/budgets.md`.

mod cases;
mod figures;
mod measure;
mod table;

pub use figures::Figures;
pub use measure::{Measured, judge, measure, measure_customers, none, stale};
pub use table::{Row, Rows, read, write};

/// Calls of the two tenants whose figures are written down.
pub const WRITTEN: [usize; 2] = [100, 100_000];
