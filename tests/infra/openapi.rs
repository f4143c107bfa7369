//! The document of the API: what is committed is what the code says. That it says the truth of bodies and queries is tried in
//! `tests/coverage`.

use std::{collections::BTreeSet, path::Path};

use jsonschema::{Draft, Validator};
use local::openapi::{openapi, recorded};
use serde_json::{Value, json};

fn document() -> Value {
    serde_json::from_str(docs::OPENAPI).unwrap()
}

/// Every operation: method, path, what is said of it.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

#[test]
fn what_is_committed_is_what_the_code_says() {
    let examples = recorded(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../events")).unwrap();
    let now = openapi(&local::routes(), &examples);
    assert!(document() == now, "the document is out of date: write it anew with `cargo run -p tests --bin record`");
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document = document();
    let names: Vec<_> = operations(&document).map(|(.., operation)| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
}

/// A schema of the document on its own.
fn validator(document: &Value, schema: &Value) -> Validator {
    let whole = json!({ "components": document["components"], "allOf": [schema] });
    jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true).build(&whole).unwrap()
}

/// Whatever stands beside a schema as its example.
fn examples<'a>(value: &'a Value, found: &mut Vec<(&'a Value, &'a Value)>) {
    if let (Some(schema), Some(example)) = (value.get("schema"), value.get("example")) {
        found.push((schema, example));
    }
    match value {
        Value::Object(members) => members.values().for_each(|value| examples(value, found)),
        Value::Array(values) => values.iter().for_each(|value| examples(value, found)),
        _ => {}
    }
}

#[test]
fn every_example_is_what_its_schema_says() {
    let document = document();
    let mut all = Vec::new();
    for (.., operation) in operations(&document) {
        let before = all.len();
        examples(operation, &mut all);
        let json =
            operation["responses"].as_object().unwrap().values().any(|answer| !answer["content"]["application/json"].is_null());
        assert!(!json || all.len() > before, "{} has no example", operation["operationId"]);
    }
    examples(&document["components"]["responses"], &mut all);
    for (schema, example) in all {
        let errors: Vec<_> = validator(&document, schema).iter_errors(example).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{example:#}\n{errors:#?}");
    }
}
