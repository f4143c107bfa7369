//! Measuring all cases at two sizes of the tenant, and judging what was measured.

use std::{collections::BTreeMap, path::Path};

use tempfile::TempDir;

use super::{
    WRITTEN,
    cases::{broad, cases},
    figures::Figures,
    table::{Row, Rows},
};
use crate::{
    bulk::{Bulk, customers},
    lab::Lab,
    recount::recount,
    scenes::Scene,
    wire::{Call, Weather},
};

/// What was measured, by case: in a small tenant and in a large one.
pub type Measured = BTreeMap<String, [Figures; 2]>;

/// Measures all cases in a tenant with so many calls and as many customers, and in one with so many more.
#[must_use]
pub fn measure(sizes: [usize; 2]) -> (Measured, Vec<String>) {
    compare(sizes.map(|size| (size, size)))
}

/// Measures all cases in a tenant with a hundred calls and as many customers, and in one with so many customers more.
#[must_use]
pub fn measure_customers(sizes: [usize; 2]) -> (Measured, Vec<String>) {
    compare(sizes.map(|size| (sizes[0], size)))
}

#[expect(clippy::print_stdout, reason = "the table is to be seen")]
fn compare(tenants: [(usize, usize); 2]) -> (Measured, Vec<String>) {
    let mut flaws = Vec::new();
    let [small, large] = tenants.map(|(calls, customers)| in_tenant(calls, customers, &mut flaws));
    let both = small.into_iter().map(|(case, small)| {
        let large = large[&case];
        println!("{case:46} {:26} {large}", small.to_string());
        (case, [small, large])
    });
    (both.collect(), flaws)
}

fn in_tenant(calls: usize, people: usize, flaws: &mut Vec<String>) -> BTreeMap<String, Figures> {
    let folder = quick_folder();
    let mut lab = Lab::in_folder(folder.path());
    let bulk = Bulk::load(&mut lab, calls);
    flaws.extend(recount(lab.known()).into_iter().map(|flaw| format!("with {calls} calls: {flaw}")));
    customers(&mut lab, people);
    flaws.extend(broad(&lab).iter().zip([people, calls]).filter_map(|(sample, rows)| {
        let status = lab.replay(sample, Weather::default()).answer["statusCode"].as_u64();
        let expected = if rows < WRITTEN[1] { 200 } else { 422 };
        (status != Some(expected)).then(|| format!("with {calls} calls: {} answers {status:?} to a broad search", sample.name))
    }));
    let figures = cases(&lab, &bulk).into_iter().map(|(case, Scene { before, sample })| {
        let mut all: Vec<Call> = before.iter().flat_map(|sample| lab.replay(sample, Weather::default()).calls).collect();
        let run = lab.replay(&sample, Weather::default());
        all.extend(run.calls.clone());
        lab.restore(&lab.changes(&all));
        if run.answer["statusCode"].as_u64().is_some_and(|status| status >= 300) {
            flaws.push(format!("{case}: answers {}, {}", run.answer["statusCode"], listed(&run.calls)));
        }
        if run.calls.iter().any(|call| call.action == "Scan") {
            flaws.push(format!("{case}: scans the table"));
        }
        (case, Figures::of(&run.calls))
    });
    figures.collect()
}

/// A folder that lies in memory where the system has such: nothing waits for a disk.
fn quick_folder() -> TempDir {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() { TempDir::new_in(shared) } else { TempDir::new() }.unwrap()
}

/// What is wrong with what was measured at these sizes.
#[must_use]
pub fn judge(measured: &Measured, rows: &Rows, sizes: [usize; 2]) -> Vec<String> {
    let mut flaws = Vec::new();
    for (case, figures) in measured {
        let Some(row) = rows.get(case) else {
            flaws.push(format!(
                "{case}: no ceiling: say in docs/budgets.md what it must touch and what that comes to; measured {}",
                figures[0]
            ));
            continue;
        };
        for (figures, size) in figures.iter().zip(sizes) {
            let ceiling = row.ceiling_at(size);
            if !figures.within(&ceiling) {
                flaws.push(format!("{case}: {figures} with {size} calls exceeds {ceiling}"));
            }
        }
        if row.growth.is_none() && !figures[0].same_work(&figures[1]) {
            flaws.push(format!("{case}: {} with {} calls, {} with {}", figures[0], sizes[0], figures[1], sizes[1]));
        }
    }
    let gone = rows.keys().filter(|case| !measured.contains_key(*case));
    flaws.extend(gone.map(|case| format!("{case}: there is no such case any more: take it out of docs/budgets.md")));
    flaws
}

impl Row {
    fn ceiling_at(&self, calls: usize) -> Figures {
        let thousands = f64::from(u32::try_from(calls).unwrap()) / 1000.0;
        self.growth.map_or(self.ceiling, |each| self.ceiling.plus(each, thousands))
    }
}

/// What is written down differs from what was measured.
#[must_use]
pub fn stale(measured: &Measured, rows: &Rows, column: usize) -> Vec<String> {
    let known = measured.iter().filter_map(|(case, figures)| Some((case, figures[column], rows.get(case)?.measured[column])));
    known
        .filter(|(_, now, then)| then.is_none_or(|then| !then.same_work(now)))
        .map(|(case, now, then)| {
            let then = then.map_or("nothing".into(), |then| then.to_string());
            format!("{case}: {now}, where docs/budgets.md says {then}: `cargo run -p tests --bin budgets`")
        })
        .collect()
}

/// There are no flaws; the test ends otherwise.
#[track_caller]
pub fn none(flaws: &[String]) {
    assert!(flaws.is_empty(), "{} flaws\n{}\n", flaws.len(), flaws.join("\n"));
}

fn listed(calls: &[Call]) -> String {
    calls.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
