//! Measures what each operation costs, in a tenant with a hundred calls and in one with a hundred thousand, and writes it down
//! in `docs/budgets.md`. With `check` it writes nothing and fails where what is written down, or a ceiling, does not hold.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a tool that cannot go on says so and ends")]

mod cases;
mod figures;
mod measure;
mod table;

use std::fs;

use measure::Measured;

const SIZES: [usize; 2] = [100, 100_000];

fn main() {
    let (measured, mut flaws) = measure::measure(SIZES);
    let check = std::env::args().nth(1).as_deref() == Some("check");
    if !check {
        write(&measured);
    }
    let rows = table::read();
    flaws.extend(measure::judge(&measured, &rows, SIZES));
    flaws.extend([0, 1].into_iter().flat_map(|column| measure::stale(&measured, &rows, column)));
    for flaw in &flaws {
        println!("{flaw}");
    }
    if !flaws.is_empty() {
        std::process::exit(1);
    }
}

/// Writes measured figures down; the rest of the document stays as it is.
fn write(measured: &Measured) {
    let text = fs::read_to_string(table::file()).unwrap();
    let lines = text.lines().map(|line| match table::case(line).and_then(|case| measured.get(&case)) {
        Some([small, large]) => {
            let large = if small == large { "the same".to_owned() } else { large.to_string() };
            format!("| {} | {small} | {large} |", table::cells(line)[..4].join(" | "))
        }
        None => line.to_owned(),
    });
    fs::write(table::file(), lines.map(|line| line + "\n").collect::<String>()).unwrap();
}
