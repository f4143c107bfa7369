//! Measures what each operation costs, in a tenant with a hundred calls and in one with a hundred thousand, and writes it down
//! in `docs/budgets.md`.

use tests::budget::{WRITTEN, judge, measure, none, read, write};

fn main() {
    let (measured, flaws) = measure(WRITTEN);
    write(&measured);
    none(&[flaws, judge(&measured, &read(), WRITTEN)].concat());
}
