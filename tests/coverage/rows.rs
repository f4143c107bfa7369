//! What is written of every operation: its least role, its sample, its route, its documentation.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::{Value, json};
use tests::{FUNCTIONS, Operation, Operations, Sample, WORKERS, World};

use crate::Misses;

/// Least roles as the contract gives them. Transcribed by hand: what is derived from the code proves nothing about it.
const TABLE: &str = include_str!("operations.csv");
const TEMPLATE: &str = include_str!("../../infra/sam/template.yaml");

/// How what is written down is made anew.
const STALE: &str = "run `cargo run -p tests --bin record`";

/// Who may call at all.
const ROLES: [&str; 4] = ["public", "attendant", "supervisor", "manager"];

/// The least role of an operation: `public`, `attendant`, `supervisor` or `manager`.
pub fn role(operation: &Operation) -> Option<&'static str> {
    roles().get(&operation.to_string()).copied()
}

/// The least roles by `METHOD /path`.
fn roles() -> BTreeMap<String, &'static str> {
    let rows = TABLE.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    rows.map(|row| (format!("{} {}", row[0], row[1]), row[2])).collect()
}

#[test]
fn every_route_has_its_least_role() {
    let (mut misses, mut roles) = (Misses::default(), roles());
    misses.unless(TABLE.lines().count() == roles.len() + 1, || "tests/coverage/operations.csv has a row twice".into());
    for operation in Operations::read().iter() {
        match roles.remove(&operation.to_string()) {
            None => misses.note(format!(
                "{operation} has no row in tests/coverage/operations.csv: add its least role as the contract gives it"
            )),
            Some(role) => misses.unless(ROLES.contains(&role), || {
                format!("tests/coverage/operations.csv: {operation} has the role {role:?}, which is none of {ROLES:?}")
            }),
        }
    }
    for row in roles.into_keys() {
        misses.note(format!("tests/coverage/operations.csv: {row} is no route: take the row out"));
    }
    misses.none();
}

#[tokio::test]
async fn every_operation_and_worker_has_its_sample() {
    let world = World::start().await;
    let (mut misses, mut asks) = (Misses::default(), tests::asks(&world));
    for operation in world.operations.iter() {
        misses.unless(asks.remove(operation.id).is_some(), || {
            let id = operation.id;
            format!("{operation} has no sample: add how {id:?} is called to `asks` in tests/support/samples.rs")
        });
    }
    for id in asks.into_keys() {
        misses.note(format!("tests/support/samples.rs: there is no operation {id:?}: take it out"));
    }
    let mut files = BTreeSet::new();
    for Sample { function, name, .. } in Sample::all(&world).await {
        for file in [format!("events/{function}/{name}.json"), format!("events/{function}/{name}.answer.json")] {
            misses.unless(root(&file).exists(), || format!("{file} is not there: {STALE}"));
            files.insert(file);
        }
    }
    for function in FUNCTIONS.map(|(name, _)| name).into_iter().chain(WORKERS) {
        for entry in fs::read_dir(root(&format!("events/{function}"))).into_iter().flatten() {
            let file = format!("events/{function}/{}", entry.unwrap().file_name().display());
            misses.unless(files.contains(&file), || format!("{file} is nobody's sample: delete it"));
        }
    }
    misses.none();
}

#[test]
fn every_route_is_deployed_and_no_other() {
    let (mut misses, operations) = (Misses::default(), Operations::read());
    for (function, _) in FUNCTIONS {
        let mut deployed = deployed(function);
        for operation in operations.iter().filter(|operation| operation.function == function) {
            // A GET answers HEAD as well.
            let head = (operation.method == "GET").then(|| format!("HEAD {}", operation.path));
            for route in [Some(operation.to_string()), head].into_iter().flatten() {
                misses.unless(deployed.remove(&route), || {
                    format!(
                        "{route} is no event of the function with `Binary: {function}` in infra/sam/template.yaml: add it there"
                    )
                });
            }
        }
        for route in deployed {
            misses.note(format!("infra/sam/template.yaml: {route} is no route of {function}: take the event out"));
        }
    }
    for worker in WORKERS {
        misses.unless(TEMPLATE.contains(&format!("Binary: {worker} }}")), || {
            format!("infra/sam/template.yaml: no function has `Binary: {worker}`")
        });
    }
    let local = local::routes();
    let mut local: BTreeSet<_> = local.operations().iter().map(|row| format!("{} {}", row.method, row.path)).collect();
    for operation in operations.iter() {
        misses.unless(local.remove(&operation.to_string()), || {
            format!("{operation} is not on one machine: merge the routes of {} in infra/local/src/stack.rs", operation.function)
        });
    }
    for route in local {
        misses.note(format!("{route} is no function's: add its function to FUNCTIONS in tests/support/operations.rs"));
    }
    misses.none();
}

/// The routes of the function that runs a binary, as the template has them.
fn deployed(binary: &str) -> BTreeSet<String> {
    let mut functions = TEMPLATE.split("Type: AWS::Serverless::Function").skip(1);
    let function = functions.find(|function| function.contains(&format!("Binary: {binary} }}"))).unwrap_or_default();
    let value = |line: &str, key: &str| {
        let rest = line.split_once(key)?.1.trim_start();
        Some(rest.split([',', ' ']).next()?.trim_matches('"').to_owned())
    };
    function.lines().filter_map(|line| Some(format!("{} {}", value(line, "Method:")?, value(line, "Path:")?))).collect()
}

#[test]
fn every_operation_is_documented_with_examples() {
    let (mut misses, operations) = (Misses::default(), Operations::read());
    let document: Value = serde_json::from_str(docs::OPENAPI).unwrap();
    for operation in operations.iter() {
        let said = &document["paths"][operation.path][operation.method.to_lowercase()];
        let lacks = |what: &str| format!("{operation} has no {what} in functions/docs/openapi.json: {STALE}");
        misses.unless(said["operationId"] == operation.id, || lacks("operation"));
        misses.unless(said["summary"].as_str().is_some_and(|text| !text.is_empty()), || lacks("summary"));
        misses.unless(said["requestBody"].is_null() || has_example(&said["requestBody"]), || lacks("example of its body"));
        let successes = said["responses"].as_object().into_iter().flatten().filter(|(status, _)| status.starts_with('2'));
        misses.unless(
            successes.map(|(_, response)| response).any(|response| response["content"] == json!({}) || has_example(response)),
            || lacks("example of its answer"),
        );
    }
    misses.none();
}

/// What is said of a body has an example.
fn has_example(said: &Value) -> bool {
    said["content"].as_object().into_iter().flatten().any(|(_, media)| !media["example"].is_null())
}

fn root(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)
}
