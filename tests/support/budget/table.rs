//! `docs/budgets.md`: a row for each case, with its ceilings and what was measured.

use std::{collections::BTreeMap, fs, path::PathBuf};

use super::figures::Figures;

/// A row.
#[derive(Debug)]
pub struct Row {
    /// What it may cost at most.
    pub ceiling: Figures,
    /// What each thousand calls of the tenant may add; none where the tenant's size makes no difference.
    pub growth: Option<Figures>,
    /// What was measured and written down, with a hundred calls and with a hundred thousand.
    pub measured: [Option<Figures>; 2],
}

/// The rows by the names of their cases.
pub type Rows = BTreeMap<String, Row>;

fn file() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "docs", "budgets.md"].iter().collect()
}

/// Reads the table.
#[must_use]
pub fn read() -> Rows {
    let text = fs::read_to_string(file()).unwrap();
    text.lines().filter_map(|line| Some((case(line)?, row(line)))).collect()
}

/// Writes measured figures down; the rest of the document stays as it is.
pub fn write(measured: &BTreeMap<String, [Figures; 2]>) {
    let text = fs::read_to_string(file()).unwrap();
    let lines = text.lines().map(|line| match case(line).and_then(|case| measured.get(&case)) {
        Some([small, large]) => {
            let large = if small.same_work(large) { "the same".to_owned() } else { large.to_string() };
            format!("| {} | {small} | {large} |", cells(line)[..4].join(" | "))
        }
        None => line.to_owned(),
    });
    fs::write(file(), lines.map(|line| line + "\n").collect::<String>()).unwrap();
}

/// The case of a line of the table.
fn case(line: &str) -> Option<String> {
    let name = line.strip_prefix("| `")?.split(" |").next()?;
    Some(name.replace('`', ""))
}

/// The cells of a line.
fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

fn row(line: &str) -> Row {
    let cells = cells(line);
    let [_, _, ceiling, growth, small, large] = cells[..] else { panic!("not six cells: {line}") };
    let ceiling = ceiling.parse().unwrap_or_else(|flaw| panic!("{flaw}: {line}"));
    let small = small.parse().ok();
    let large = if large == "the same" { small } else { large.parse().ok() };
    Row { ceiling, growth: growth.parse().ok(), measured: [small, large] }
}
