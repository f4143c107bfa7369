//! Measures what each operation costs, in a tenant with a hundred calls and in one with a hundred thousand, and writes it down
//! in `docs/budgets.md`. With a number it measures instead in a tenant with a hundred calls and so many customers.

use std::num::ParseIntError;

use tests::budget::{WRITTEN, judge, measure, measure_customers, none, read, write};

fn main() -> Result<(), ParseIntError> {
    if let Some(customers) = std::env::args().nth(1) {
        let sizes = [WRITTEN[0], customers.parse()?];
        let (measured, flaws) = measure_customers(sizes);
        none(&[flaws, judge(&measured, &read(), sizes)].concat());
        return Ok(());
    }
    let (measured, flaws) = measure(WRITTEN);
    write(&measured);
    none(&[flaws, judge(&measured, &read(), WRITTEN)].concat());
    Ok(())
}
