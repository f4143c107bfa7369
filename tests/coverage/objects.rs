//! Foreign objects: to another tenant they do not exist. In a path that is 404, in a query or a body 422 on the field.

use serde_json::{Map, Value, json};
use tests::{Operation, World};

use crate::{Misses, answer, brief, called, refused, rows::role, unchanged};

/// What no answer may say: the foreign tenant's names all have this in them.
const FOREIGN: &str = "globex";

/// What a slot is of, by its name and the path before it: `{id}` after `departments` is a department's.
fn kind(path: &str, slot: &str) -> String {
    let owner = path.split(&format!("/{{{slot}}}")).next().and_then(|before| before.rsplit('/').next()).unwrap_or_default();
    let name = if slot == "id" { owner.trim_end_matches('s') } else { slot.trim_end_matches("_id") };
    name.replace('-', "_")
}

/// The foreign object of a kind; a miss when there is none.
fn foreign(world: &World, operation: &Operation, kind: &str, misses: &mut Misses) -> Option<String> {
    let name = format!("{FOREIGN}.{kind}");
    let found = world.find(&name).map(ToOwned::to_owned);
    misses.unless(found.is_some(), || {
        format!("{operation} takes the identifier of a {kind}: add one that is foreign, {name}, to tests/support/world/build.rs")
    });
    found
}

fn silent(answer: &Value) -> bool {
    !answer.to_string().to_lowercase().contains(FOREIGN)
}

#[tokio::test]
async fn a_foreign_or_malformed_id_in_a_path_is_404() {
    let (world, mut misses) = (World::start().await, Misses::default());
    for (operation, ask) in called(&world) {
        for slot in operation.slots() {
            let known = &ask.slots[slot];
            let mut wrong = vec!["not-an-id".to_owned(), "%00".into(), known[1..].into(), uuid::Uuid::nil().to_string()];
            if role(&operation) != Some("public") {
                wrong.extend(foreign(&world, &operation, &kind(operation.path, slot), &mut misses));
            }
            for id in wrong {
                let answer = answer(&world, &operation, &ask.clone().slot(slot, &id)).await;
                misses.unless(refused(&answer, 404) && silent(&answer), || {
                    format!("{operation} with {id} as {{{slot}}} must be 404 and say nothing of it: {}", brief(&answer))
                });
                // Those that are open to everybody are limited.
                if role(&operation) == Some("public") {
                    world.reset().await;
                }
            }
        }
    }
    unchanged(&world, &mut misses).await;
    misses.none();
}

#[tokio::test]
async fn a_foreign_id_in_a_query_or_a_body_is_422_on_its_field() {
    let (world, mut misses) = (World::start().await, Misses::default());
    let mut slots = 0;
    for (operation, mut ask) in called(&world) {
        // By a manager: what attendants may not do at all is 403.
        ask.caller = ask.caller.map(|_| "acme.manager");
        let queries = queries(&operation).into_iter().map(|name| (name, None));
        let bodies = bodies(&operation, &world.operations.schemas).into_iter();
        let bodies = bodies.map(|way| (way.last().cloned().unwrap_or_default(), Some(way)));
        for (field, way) in queries.chain(bodies) {
            let Some(id) = foreign(&world, &operation, &kind("", &field), &mut misses) else { continue };
            let mut ask = ask.clone();
            match way {
                None => ask = ask.query(&field, &id),
                Some(way) => {
                    let body = ask.body.get_or_insert_with(|| json!({}));
                    *way.iter().fold(body, |object, name| &mut object[name]) = id.into();
                }
            }
            slots += 1;
            let answer = answer(&world, &operation, &ask).await;
            let named = answer["statusCode"] == json!(422) && answer["body"]["errors"][&field].is_array();
            misses.unless(named && silent(&answer), || {
                format!("{operation} with a foreign {field} must be 422 on it and say nothing more: {}", brief(&answer))
            });
        }
    }
    unchanged(&world, &mut misses).await;
    assert!(slots > 0, "the schemas have no identifiers: they are not read rightly");
    misses.none();
}

/// The parameters of a query that are identifiers.
fn queries(operation: &Operation) -> Vec<String> {
    let parameters = operation.spec["parameters"].as_array().into_iter().flatten();
    let ids = parameters.filter(|parameter| parameter["in"] == "query" && is_id(&parameter["schema"]));
    ids.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
}

/// The fields of a body that are identifiers, each with the way to it.
fn bodies(operation: &Operation, schemas: &Map<String, Value>) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    ids(&operation.spec["requestBody"]["content"]["application/json"]["schema"], schemas, &mut Vec::new(), &mut found);
    found
}

fn ids(schema: &Value, schemas: &Map<String, Value>, way: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    if is_id(schema) {
        found.push(way.clone());
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        ids(&schemas[name], schemas, way, found);
    }
    for part in ["allOf", "anyOf", "oneOf"].iter().filter_map(|word| schema[word].as_array()).flatten() {
        ids(part, schemas, way, found);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        way.push(name.clone());
        ids(property, schemas, way, found);
        way.pop();
    }
}

fn is_id(schema: &Value) -> bool {
    schema["format"] == "uuid"
}
