//! The document of the API: what is committed is what the code says, and it says the truth.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use http::Method;
use jsonschema::{Draft, Validator};
use local::openapi::{openapi, recorded};
use serde_json::{Map, Value, json};
use shared::clock::days;
use tests::{Client, Tenant};
use uuid::Uuid;

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

/// Resolves a reference.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    schema["$ref"].as_str().map_or(schema, |reference| document.pointer(&reference[1..]).unwrap())
}

/// Text of so many characters that nobody would object to otherwise.
fn text(length: u64, begin: &str) -> String {
    begin.chars().chain("zkqvxwjm".chars().cycle()).take(usize::try_from(length).unwrap()).collect()
}

/// A value of a schema; of objects the required fields alone.
fn fitting(schema: &Value) -> Value {
    if let Some(words) = schema["enum"].as_array() {
        return words[0].clone();
    }
    match (kind(schema), schema["format"].as_str()) {
        ("object", _) => {
            let required = schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap());
            required.map(|name| (name.to_owned(), fitting(&schema["properties"][name]))).collect::<Map<_, _>>().into()
        }
        ("array", _) => json!([fitting(&schema["items"])]),
        ("integer", _) => schema["minimum"].as_i64().unwrap_or(1).into(),
        ("boolean", _) => true.into(),
        (_, Some("uuid" | "object-id")) => Uuid::from_u128(7).to_string().into(),
        (_, Some("email")) => "ana@example.com".into(),
        (_, Some("phone")) => "+55 11 4000-1007".into(),
        (_, Some("network")) => "192.0.2.0/24".into(),
        (_, Some("color")) => "#1a2b3c".into(),
        (_, Some("country")) => "PT".into(),
        (_, Some("time-zone")) => "America/Sao_Paulo".into(),
        (_, Some("uri")) => "https://example.com/".into(),
        (_, Some("date-time")) => (tests::shared().app().clock().now() + days(1)).to_string().into(),
        _ => text(schema["minLength"].as_u64().unwrap_or(3).max(3), "").into(),
    }
}

fn kind(schema: &Value) -> &str {
    schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap()
}

/// Values that a schema allows, and values that it does not.
fn probes(schema: &Value) -> (Vec<Value>, Vec<Value>) {
    let nullable = schema["type"].as_array().is_some_and(|kinds| kinds.contains(&json!("null")));
    let (mut good, mut bad) = (vec![fitting(schema)], vec![json!({ "no": ["such", "thing"] })]);
    if nullable { &mut good } else { &mut bad }.push(Value::Null);
    if let Some(words) = schema["enum"].as_array() {
        good.extend(words.iter().cloned());
        bad.push("no such word".into());
    }
    if schema.get("pattern").is_some() {
        bad.extend(["-zkqvx", "zkqvx-", "Zkqvx", "zk qvx"].map(Value::from));
    }
    let begin = if schema["format"] == "uri" { "https://example.com/" } else { "" };
    if let Some(most) = schema["maxLength"].as_u64() {
        good.push(text(most, begin).into());
        bad.push(text(most + 1, begin).into());
    }
    if let Some(least) = schema["minLength"].as_u64() {
        good.push(text(least.max(3), begin).into());
        bad.push(text(least - 1, begin).into());
    }
    if let Some(least) = schema["minimum"].as_i64() {
        good.push(least.into());
        bad.push((least - 1).into());
    }
    if let Some(most) = schema["maximum"].as_i64() {
        good.push(most.into());
        bad.push((most + 1).into());
    }
    if let Some(least) = schema["minItems"].as_u64() {
        bad.push(Value::Array(vec![fitting(&schema["items"]); usize::try_from(least - 1).unwrap()]));
        bad.push(json!(["no such word"]));
    }
    if let Some(most) = schema["maxProperties"].as_u64() {
        let headers = |count| (0..count).map(|n| (format!("x-{n}"), Value::from("value"))).collect::<Map<_, _>>();
        good.push(headers(most).into());
        bad.push(headers(most + 1).into());
    }
    (good, bad)
}

/// The paths of the fields that an answer finds fault with. What else there is in the tenant, or beside it in the body, is no
/// fault of a value's form.
fn faults(answer: &tests::Answer) -> BTreeSet<String> {
    let fields = if answer.status == 422 { answer.errors().as_object().cloned().unwrap_or_default() } else { Map::new() };
    let of_form = |reason: &Value| {
        let others = ["does not exist", "has already been taken", "is not right", "is invalid or has expired"];
        !others.contains(&reason.as_str().unwrap()) && !reason.as_str().unwrap().starts_with("can't be blank without")
    };
    fields
        .into_iter()
        .filter(|(_, reasons)| reasons.as_array().is_some_and(|all| all.iter().any(of_form)))
        .map(|(path, _)| path)
        .collect()
}

/// One operation as a client calls it, each time from elsewhere and for another object.
struct Called<'a> {
    client: Client,
    method: Method,
    path: &'a str,
}

impl Called<'_> {
    async fn answer(&self, query: &str, body: Option<&Value>) -> tests::Answer {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into()).to_string();
        let path: Vec<_> = self.path.split('/').map(|part| if part.starts_with('{') { &id } else { part }).collect();
        let client = self.client.elsewhere().with("content-type", "application/json");
        let body = body.map(ToString::to_string).unwrap_or_default();
        client.send(self.method.clone(), &format!("{}{query}", path.join("/")), body).await
    }

    /// What is refused of a value of one field: the paths, as far as they are the field's or lie in it.
    async fn refuses(&self, wrapper: Option<&str>, base: &Value, field: &str, value: Option<&Value>) -> Vec<String> {
        let mut fields = base.clone();
        let place = format!("/{}", field.replace('.', "/"));
        let (outer, name) = place.rsplit_once('/').unwrap();
        let object = fields.pointer_mut(outer).unwrap().as_object_mut().unwrap();
        match value {
            Some(value) => object.insert(name.into(), value.clone()),
            None => object.remove(name),
        };
        let body = wrapper.map_or_else(|| fields.clone(), |key| json!({ key: fields }));
        let answer = self.answer("", Some(&body)).await;
        assert_ne!(answer.status, 400, "{} {field}: {}", self.path, answer.text());
        let inside = |path: &str| path.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        faults(&answer).into_iter().filter(|path| inside(path)).collect()
    }
}

/// Every field of an object and of those in it: its path, its schema, whether it must be there.
fn fields<'a>(schema: &'a Value, outer: &str, found: &mut Vec<(String, &'a Value, bool)>) {
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        found.push((format!("{outer}{name}"), field, required.iter().any(|known| *known == name)));
        fields(field, &format!("{outer}{name}."), found);
    }
}

/// What the document says of bodies: which fields must be there, how long, how large, which words. Tried at each limit and
/// one beyond; on a tenant of its own, since what is right is done.
#[tokio::test]
async fn bodies_are_taken_as_the_document_says() {
    let document = document();
    let (mut tried, mut wrong) = (0, Vec::new());
    for (method, path, operation) in operations(&document) {
        let whole = &operation["requestBody"]["content"]["application/json"]["schema"];
        if whole.is_null() {
            continue;
        }
        let tenant = Tenant::new(tests::shared()).await;
        let called = Called { client: tenant.manager, method: method.to_uppercase().parse().unwrap(), path };
        let wrapper =
            whole["properties"].as_object().and_then(|fields| fields.keys().next()).filter(|_| whole.get("$ref").is_none());
        let schema = resolved(&document, wrapper.map_or(whole, |key| &whole["properties"][key]));
        let (base, mut all) = (fitting(schema), Vec::new());
        fields(schema, "", &mut all);
        for (field, schema, required) in all {
            if field.contains('.') && base.pointer(&format!("/{}", field.rsplit_once('.').unwrap().0.replace('.', "/"))).is_none()
            {
                continue;
            }
            let faults = async |value: Option<&Value>| called.refuses(wrapper.map(String::as_str), &base, &field, value).await;
            // What stands in a list is an element's matter: the values that are tried of it name nothing that there is.
            let refuses = async |value: Option<&Value>| faults(value).await.iter().any(|path| !path.contains('['));
            let (good, bad) = probes(schema);
            for value in good.iter().filter(|_| schema["type"] != "object") {
                if refuses(Some(value)).await {
                    wrong.push(format!("{path}: {field} must take {value}"));
                }
            }
            for value in bad {
                if faults(Some(&value)).await.is_empty() {
                    wrong.push(format!("{path}: {field} must not take {value}"));
                }
            }
            if refuses(None).await != required {
                wrong.push(format!("{path}: {field} must be there: {required}"));
            }
            tried += 1;
        }
    }
    assert!(wrong.is_empty() && tried > 40, "of {tried}:\n{}", wrong.join("\n"));
}

/// What it says of the parameters of queries.
#[tokio::test]
async fn queries_are_taken_as_the_document_says() {
    let document = document();
    let tenant = Tenant::new(tests::shared()).await;
    let (mut tried, mut wrong) = (0, Vec::new());
    for (method, path, operation) in operations(&document) {
        let called = Called { client: tenant.manager.clone(), method: method.to_uppercase().parse().unwrap(), path };
        for parameter in operation["parameters"].as_array().unwrap().iter().filter(|parameter| parameter["in"] == "query") {
            let (name, schema) = (parameter["name"].as_str().unwrap(), &parameter["schema"]);
            let missed = faults(&called.answer("", None).await).contains(name);
            assert_eq!(parameter["required"], missed, "{path}: {name}");
            let (good, bad) = probes(schema);
            let told = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            let refuses = async |value: &Value| {
                let query = url::form_urlencoded::Serializer::new("?".to_owned()).append_pair(name, &told(value)).finish();
                faults(&called.answer(&query, None).await).contains(name)
            };
            // Of these there is more to say than a schema can.
            let free = ["cursor", "date_from", "date_to", "from", "to", "columns", "tz"].contains(&name);
            for value in good.iter().filter(|_| !free) {
                if refuses(value).await {
                    wrong.push(format!("{path}: {name} must take {value}"));
                }
            }
            for value in bad.iter().filter(|value| !value.is_null() && (free || !value.is_object() || kind(schema) != "string")) {
                if !refuses(value).await {
                    wrong.push(format!("{path}: {name} must not take {value}"));
                }
            }
            tried += 1;
        }
    }
    assert!(wrong.is_empty() && tried > 40, "of {tried}:\n{}", wrong.join("\n"));
}
