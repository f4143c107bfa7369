//! Methods: those that a path lacks are 405 with those that it has, a preflight is answered, HEAD is GET without a body.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tests::{
    NOW, World,
    gateway::{Ask, event},
};

use crate::{Misses, answer, brief, called, refused, said};

/// The methods that clients may think of.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];

/// What the gateway calls with a request that none of its routes takes.
const DEFAULT: &str = "docs";

/// A path as it is called, the function that has it, and the methods that it has.
struct Path {
    called: String,
    function: &'static str,
    methods: BTreeSet<&'static str>,
}

/// Every path, by how it is written.
fn paths(world: &World) -> BTreeMap<&'static str, Path> {
    let mut paths = BTreeMap::new();
    for (operation, ask) in called(world) {
        let called = ask.event(&operation, NOW)["rawPath"].as_str().unwrap().to_owned();
        let new = || Path { called, function: operation.function, methods: BTreeSet::new() };
        let methods = &mut paths.entry(operation.path).or_insert_with(new).methods;
        methods.insert(operation.method);
        methods.extend((operation.method == "GET").then_some("HEAD"));
    }
    paths
}

/// The names in a header that lists some.
fn listed(header: &Value) -> BTreeSet<&str> {
    header.as_str().into_iter().flat_map(|list| list.split(',')).map(str::trim).collect()
}

#[tokio::test]
async fn a_method_that_a_path_lacks_is_405_with_those_that_it_has() {
    let (world, mut misses) = (World::start().await, Misses::default());
    for (path, Path { called, function, methods }) in paths(&world) {
        for method in METHODS.into_iter().filter(|method| !methods.contains(method)) {
            for function in [function, DEFAULT] {
                let answer = said(&world, function, event(method, &called, "$default", NOW)).await;
                let right = refused(&answer, 405) && listed(&answer["headers"]["allow"]) == methods;
                misses.unless(right, || {
                    format!("{method} {path} at {function} must be 405 with Allow: {methods:?}: {}", brief(&answer))
                });
            }
        }
    }
    misses.none();
}

#[tokio::test]
async fn a_preflight_is_answered() {
    let (world, mut misses) = (World::start().await, Misses::default());
    for (path, Path { called, function, methods }) in paths(&world) {
        for method in methods {
            let mut preflight = event("OPTIONS", &called, "$default", NOW);
            preflight["headers"]["origin"] = "https://app.example.com".into();
            preflight["headers"]["access-control-request-method"] = method.into();
            preflight["headers"]["access-control-request-headers"] = "authorization, content-type, idempotency-key".into();
            for function in [function, DEFAULT] {
                let answer = said(&world, function, preflight.clone()).await;
                let (status, headers) = (&answer["statusCode"], &answer["headers"]);
                let allowed = |header: &str, wanted: &[&str]| {
                    let listed = listed(&headers[format!("access-control-allow-{header}")]);
                    wanted.iter().all(|name| listed.contains(name))
                };
                // HEAD needs no permission.
                let method_allowed = method == "HEAD" || allowed("methods", &[method]);
                let right = (*status == json!(200) || *status == json!(204))
                    && allowed("origin", &["*"])
                    && method_allowed
                    && allowed("headers", &["authorization", "content-type", "idempotency-key", "if-match"]);
                misses.unless(right, || format!("a preflight for {method} {path} at {function}: {answer}"));
            }
        }
    }
    misses.none();
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let (world, mut misses) = (World::start().await, Misses::default());
    for (operation, ask) in called(&world).into_iter().filter(|(operation, _)| operation.method == "GET") {
        let get = answer(&world, &operation, &ask).await;
        world.reset().await;
        let mut event = world.event(&operation, &ask);
        event["requestContext"]["http"]["method"] = "HEAD".into();
        let head = said(&world, operation.function, event).await;
        world.reset().await;
        let same = head["statusCode"] == get["statusCode"] && head["headers"] == get["headers"];
        let empty = head["body"].as_str().unwrap_or_default().is_empty();
        misses.unless(same && empty, || format!("HEAD {} must be as GET without its body: {head} after {get}", operation.path));
    }
    misses.none();
}

/// A foreign origin may read what a browser hides otherwise.
#[tokio::test]
async fn an_answer_says_who_may_read_it() {
    let (world, mut misses) = (World::start().await, Misses::default());
    for (operation, ask) in called(&world) {
        let ask = Ask { caller: None, ..ask }.header("origin", "https://app.example.com");
        let answer = answer(&world, &operation, &ask).await;
        misses.unless(answer["headers"]["access-control-allow-origin"] == json!("*"), || {
            format!("{operation} must say whose pages may read it: {}", brief(&answer))
        });
        world.reset().await;
    }
    misses.none();
}
