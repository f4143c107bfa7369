//! What each operation costs: its chain of calls to the services, their number, units and bytes, against ceilings that
//! were set from what it must touch (`docs/budgets.md`); in a small tenant and in a large one.

use tests::budget::{judge, measure, none, read, stale};

/// Calls of the two tenants. With a hundred thousand it takes minutes: `tests/full.sh large`.
const SIZES: [usize; 2] = [100, 5_000];

#[test]
fn every_operation_keeps_within_its_budget() {
    let rows = read();
    let (measured, flaws) = measure(SIZES);
    none(&[flaws, judge(&measured, &rows, SIZES), stale(&measured, &rows, 0)].concat());
}
