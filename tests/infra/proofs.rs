//! What `docs/security.md` names as its proof is there.

use std::{collections::BTreeSet, fs, path::PathBuf};

const DOCUMENT: &str = include_str!("../../docs/security.md");

#[test]
fn every_test_that_the_document_names_exists() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let named: BTreeSet<&str> = DOCUMENT.split('`').skip(1).step_by(2).filter(|text| text.contains(".rs::")).collect();
    assert!(named.len() > 80, "{} tests are named", named.len());
    let missing: Vec<&str> = named
        .into_iter()
        .filter(|proof| {
            let (file, name) = proof.split_once("::").unwrap();
            let source = fs::read_to_string(root.join(file)).unwrap_or_default();
            !source.contains(&format!("fn {name}("))
        })
        .collect();
    assert!(missing.is_empty(), "docs/security.md names tests that are not there: {missing:#?}");
}

#[test]
fn every_file_that_the_document_names_exists() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["docs/", "events/", "functions/", "infra/", "shared/", "tests/"];
    let quoted = DOCUMENT.split('`').skip(1).step_by(2).filter(|text| folders.iter().any(|folder| text.starts_with(folder)));
    let missing: Vec<&str> = quoted.filter(|text| !text.contains("::") && !root.join(text).exists()).collect();
    assert!(missing.is_empty(), "docs/security.md names files that are not there: {missing:#?}");
}
