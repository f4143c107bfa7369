//! Bodies: every field of every body is tried at each of its limits and beyond. What is wrong is 422 on that very field, all
//! of it is told at once, and nothing of it is written.

use serde_json::{Map, Value, json};
use tests::{Operation, World, gateway::Ask};

use crate::{
    Misses, answer, brief, called,
    probes::{
        self, allowed, alternatives, complaints, deceiving, fitting, forbidden, is_secret, kind, names, nullable, objections,
    },
    unwritten,
};

/// A field of a body: how errors name it, where it is in the body, what is said of it, whether it must be there, or another
/// in its place.
struct Field {
    path: String,
    pointer: String,
    schema: Value,
    required: bool,
    alternative: bool,
}

/// An operation that takes a body: how it is called, and the fields.
struct Body {
    operation: Operation,
    ask: Ask,
    fields: Vec<Field>,
}

/// Every operation that takes a body, with all that a body may contain in it.
fn bodies(world: &World) -> Vec<Body> {
    let schemas = &world.operations.schemas;
    let with_body = called(world).into_iter().filter_map(|(operation, mut ask)| {
        let schema = &operation.spec["requestBody"]["content"]["application/json"]["schema"];
        let schema = resolved(schema, schemas).clone();
        let mut body = ask.body.take().unwrap_or_else(|| json!({}));
        let wrapper =
            schema["properties"].as_object().filter(|all| all.len() == 1 && all.values().all(|of| of["$ref"].is_string()));
        let (key, inner) = wrapper
            .and_then(|all| all.iter().next())
            .map_or((String::new(), &schema), |(key, of)| (format!("/{key}"), resolved(of, schemas)));
        let mut fields = Vec::new();
        collect(inner, &key, "", &mut fields);
        for field in &fields {
            complete(&mut body, field);
        }
        ask.body = Some(body);
        (!fields.is_empty()).then_some(Body { operation, ask, fields })
    });
    with_body.collect()
}

fn resolved<'a>(schema: &'a Value, schemas: &'a Map<String, Value>) -> &'a Value {
    let name = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    name.map_or(schema, |name| &schemas[name])
}

/// Every field of an object, of the objects in it, of those in its lists.
fn collect(schema: &Value, pointer: &str, path: &str, found: &mut Vec<Field>) {
    let required = |name: &str| schema["required"].as_array().into_iter().flatten().any(|known| known == name);
    let alternatives: Vec<_> = alternatives(schema).into_iter().flatten().collect();
    let mut field = |pointer: String, path: String, schema: &Value, required: bool, alternative: bool| {
        found.push(Field { path: path.clone(), pointer: pointer.clone(), schema: schema.clone(), required, alternative });
        collect(schema, &pointer, &path, found);
    };
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        field(format!("{pointer}/{name}"), path, inner, required(name), alternatives.iter().any(|known| *known == name));
    }
    if schema["items"].is_object() {
        field(format!("{pointer}/0"), format!("{path}[0]"), &schema["items"], false, false);
    }
}

/// Puts a list or an object where there is none, so that what may lie in it can be tried.
fn complete(body: &mut Value, field: &Field) {
    let holds = matches!(kind(&field.schema), "array" | "object") && field.schema.get("maxProperties").is_none();
    if holds && body.pointer(&field.pointer).is_none_or(|value| value == &json!([])) {
        set(body, &field.pointer, Some(fitting(&field.schema)));
    }
}

/// Sets a value in a body, or takes it out.
fn set(body: &mut Value, pointer: &str, value: Option<Value>) {
    let (outer, name) = pointer.rsplit_once('/').unwrap();
    match (body.pointer_mut(outer), value) {
        (Some(Value::Object(object)), Some(value)) => drop(object.insert(name.into(), value)),
        (Some(Value::Object(object)), None) => drop(object.remove(name)),
        (Some(Value::Array(items)), value) => {
            items.truncate(0);
            items.extend(value);
        }
        (outer, _) => panic!("{pointer} has no place in {outer:?}"),
    }
}

impl Body {
    /// The call with another value of a field, or without it, each time from another address.
    fn with(&self, field: &Field, value: Option<Value>) -> Ask {
        let mut ask = self.ask.clone();
        set(ask.body.as_mut().unwrap(), &field.pointer, value);
        ask
    }

    async fn answer(&self, world: &World, ask: &Ask) -> Value {
        answer(world, &self.operation, ask).await
    }

    /// What is wrong with one field: each wrong value is refused, for it alone.
    async fn refuses(&self, world: &World, field: &Field, misses: &mut Misses) {
        let Self { operation, .. } = self;
        let mut bad: Vec<_> = forbidden(&field.schema).into_iter().map(Some).collect();
        if kind(&field.schema) == "string" && !is_secret(&field.path) {
            bad.extend(deceiving().map(Some));
        }
        bad.extend(field.required.then_some(None));
        for value in bad {
            let told = value.as_ref().map_or_else(|| "nothing".to_owned(), |value| value.to_string().chars().take(60).collect());
            let answer = self.answer(world, &self.with(field, value)).await;
            let right = complaints(&answer).is_some_and(|all| !all.is_empty() && all.iter().all(|name| names(name, &field.path)));
            misses.unless(right, || format!("{operation}: {} as {told} must be 422 on it alone: {}", field.path, brief(&answer)));
        }
    }

    /// Each right value is taken; an unusual text is kept as it is.
    async fn takes(&self, world: &World, field: &Field, misses: &mut Misses) {
        let Self { operation, .. } = self;
        let free = kind(&field.schema) == "string"
            && ["enum", "format", "pattern"].iter().all(|word| field.schema.get(word).is_none())
            && field.schema["maxLength"].as_u64().is_some_and(|most| most >= 200);
        let mut good: Vec<_> = allowed(&field.schema).into_iter().map(Some).collect();
        good.extend(free.then(|| Some(probes::UNUSUAL.into())));
        good.extend((free && nullable(&field.schema)).then(|| Some("   ".into())));
        good.extend((!field.required && !field.path.ends_with(']')).then_some(None));
        good.retain(|value| !(field.alternative && value.as_ref().is_none_or(Value::is_null)));
        for value in good.into_iter().filter(|_| kind(&field.schema) != "object") {
            let unusual = value.as_ref().is_some_and(|value| value == probes::UNUSUAL);
            let answer = self.answer(world, &self.with(field, value.clone())).await;
            let objections = objections(&answer, &field.path);
            misses
                .unless(objections.is_empty(), || format!("{operation}: {} must take {value:?}: {}", field.path, brief(&answer)));
            let done = answer["statusCode"].as_u64().is_some_and(|status| status < 300);
            let shown = &answer["body"]["data"][&field.path];
            misses.unless(!unusual || !done || shown.is_null() || shown == probes::UNUSUAL, || {
                format!("{operation}: {} must be kept as it is: {shown}", field.path)
            });
            if done {
                world.reset().await;
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_field_is_422_on_it_and_nothing_is_written() {
    let (world, mut misses) = (World::start().await, Misses::default());
    let mut tried = 0;
    for body in bodies(&world) {
        for field in &body.fields {
            Box::pin(body.refuses(&world, field, &mut misses)).await;
            tried += 1;
        }
        unwritten(&world, &body.operation, &mut misses).await;
    }
    assert!(tried > 100, "of {tried} fields: the schemas are not read rightly");
    misses.none();
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let (world, mut misses) = (World::start().await, Misses::default());
    for body in bodies(&world) {
        let mut ask = body.ask.clone();
        // Of what lies in lists the list alone.
        let leaves: Vec<_> =
            body.fields.iter().filter(|field| !field.path.contains('[') && field.schema.get("properties").is_none()).collect();
        for field in &leaves {
            let wrong = if kind(&field.schema) == "object" { json!("none") } else { json!({ "no": "such" }) };
            set(ask.body.as_mut().unwrap(), &field.pointer, Some(wrong));
        }
        let answer = body.answer(&world, &ask).await;
        let wanted = leaves.iter().map(|field| field.path.clone()).collect();
        misses.unless(complaints(&answer) == Some(wanted), || {
            format!("{} must name all that is wrong: {}", body.operation, brief(&answer))
        });
        unwritten(&world, &body.operation, &mut misses).await;
    }
    misses.none();
}

#[tokio::test]
async fn all_that_does_not_exist_is_told_at_once() {
    let (world, mut misses) = (World::start().await, Misses::default());
    for body in bodies(&world) {
        let mut ask = body.ask.clone();
        // By a manager: what attendants may not do at all is 403.
        ask.caller = ask.caller.map(|_| "acme.manager");
        let ids: Vec<_> =
            body.fields.iter().filter(|field| field.schema["format"] == "uuid" && !field.path.contains('[')).collect();
        for field in &ids {
            set(ask.body.as_mut().unwrap(), &field.pointer, Some(fitting(&field.schema)));
        }
        let answer = body.answer(&world, &ask).await;
        let wanted = ids.iter().map(|field| field.path.clone()).collect();
        misses.unless(ids.is_empty() || complaints(&answer) == Some(wanted), || {
            format!("{} must name all that does not exist: {}", body.operation, brief(&answer))
        });
        world.reset().await;
    }
    misses.none();
}

#[tokio::test]
async fn what_is_within_the_limits_is_taken() {
    let (world, mut misses) = (World::start().await, Misses::default());
    for body in bodies(&world) {
        for field in &body.fields {
            Box::pin(body.takes(&world, field, &mut misses)).await;
        }
        world.reset().await;
    }
    misses.none();
}

/// Numbers that no computer has, half a character, a name twice: a refusal, or what the last of them says; never a failure.
#[tokio::test]
async fn odd_json_is_no_failure() {
    let (world, mut misses) = (World::start().await, Misses::default());
    for body in bodies(&world) {
        let field = &body.fields[0];
        let mark = "a mark that is replaced";
        let whole = body.with(field, Some(mark.into())).body.unwrap().to_string();
        for odd in
            ["1e400", "-1e-400", "123456789012345678901234567890", r#""\ud800""#, r#""\ud83d\ude00""#, "1, \"no\": 2", "NaN"]
        {
            let mut event = world.event(&body.operation, &body.ask);
            crate::elsewhere(&mut event);
            event["body"] = whole.replace(&format!("\"{mark}\""), odd).into();
            let answer = crate::said(&world, body.operation.function, event).await;
            let fine = answer["statusCode"].as_u64().is_some_and(|status| status < 500);
            misses.unless(fine, || format!("{}: {} as {odd}: {}", body.operation, field.path, brief(&answer)));
        }
        world.reset().await;
    }
    misses.none();
}
