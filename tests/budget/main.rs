//! What each operation costs: its chain of calls to the services, their number, units and bytes, against ceilings that
//! were set from what it must touch (`docs/budgets.md`); in a small tenant and in a large one.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so and ends")]

mod cases;
mod figures;
mod measure;
mod table;

/// Calls of the two tenants. Once more with a hundred thousand: `tests/full.sh budgets`.
const SIZES: [usize; 2] = [100, 5_000];

#[test]
fn every_operation_keeps_within_its_budget() {
    let rows = table::read();
    let (measured, mut flaws) = measure::measure(SIZES);
    for (case, [small, large]) in &measured {
        println!("{case:45} {small:28} {large}");
    }
    flaws.extend(measure::judge(&measured, &rows, SIZES));
    let stale = measure::stale(&measured, &rows, 0);
    if !stale.is_empty() {
        flaws.push(format!("docs/budgets.md is not up to date (`cargo run -p tests --bin budgets`):\n{}", stale.join("\n")));
    }
    assert!(flaws.is_empty(), "{} flaws\n{}", flaws.len(), flaws.join("\n"));
}
