//! What `cargo test` compiled serves `cargo run -p local`: with other features, dependencies would be compiled again, for minutes.

use std::{collections::BTreeSet, process::Command};

/// The packages of a selection, each with its features.
fn packages(selection: &[&str]) -> BTreeSet<String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--locked", "--prefix", "none", "--format", "{p} [{f}]"]).args(selection);
    let output = tree.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // What was listed already is marked.
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

#[test]
fn the_stack_has_the_dependencies_of_its_tests() {
    let tests = packages(&["--workspace", "--edges", "normal,build,dev"]);
    let stack = packages(&["--package", "local", "--edges", "normal,build"]);
    let others: Vec<&String> = stack.difference(&tests).collect();
    assert_eq!(others, Vec::<&String>::new(), "infra/local/Cargo.toml names the features that the tests have");
    assert!(stack.len() > 100, "{stack:?}");
}
