//! The same in a tenant with a hundred thousand calls.

use tests::budget::{WRITTEN, judge, measure, none, read, stale};

#[test]
fn a_large_tenant_costs_no_more() {
    let rows = read();
    let (measured, flaws) = measure(WRITTEN);
    none(&[flaws, judge(&measured, &rows, WRITTEN), stale(&measured, &rows, 0), stale(&measured, &rows, 1)].concat());
}
