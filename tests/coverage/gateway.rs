//! What a gateway can bring: bodies in base64, strange paths and queries, a named stage, events that are none.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tests::{
    NOW, World,
    gateway::{Ask, event, invoke},
};

use crate::{refused, said};

/// The event of an operation's sample.
fn sample(world: &World, id: &str) -> Value {
    let asks = tests::asks(world);
    world.event(world.operations.named(id), &asks[id])
}

/// The answer to a bare GET of a path by an attendant, with a query.
async fn get(world: &World, function: &str, path: &str, query: &str) -> Value {
    let mut event = event("GET", path, "$default", NOW);
    event["rawQueryString"] = query.into();
    event["headers"]["authorization"] = format!("Bearer {}", world.token("acme.supervisor")).into();
    said(world, function, event).await
}

fn status(answer: &Value) -> u64 {
    answer["statusCode"].as_u64().unwrap_or_default()
}

#[tokio::test]
async fn a_body_in_base64_is_read() {
    let world = World::start().await;
    let plain = sample(&world, "createDepartment");
    let body = plain["body"].as_str().unwrap().replace("Technical", "Técnico 🛠");
    let encoded = |body: &[u8]| {
        let mut event = plain.clone();
        event["body"] = STANDARD.encode(body).into();
        event["isBase64Encoded"] = true.into();
        event
    };
    let answer = said(&world, "departments", encoded(body.as_bytes())).await;
    assert_eq!((status(&answer), &answer["body"]["data"]["name"]), (201, &json!("Técnico 🛠 support")), "{answer}");
    // No text at all, and text in another coding.
    for body in [&[0xff, 0xfe, 0x00, 0x01, 0x80][..], b"{\"department\":{\"name\":\"T\xe9cnico\"}}", b"\x1f\x8b\x08\x00\x00\x00"]
    {
        let answer = said(&world, "departments", encoded(body)).await;
        assert!(refused(&answer, 400), "{answer}");
    }
    let mut empty = encoded(b"");
    empty["body"] = Value::Null;
    assert!(refused(&said(&world, "departments", empty).await, 400));
}

#[tokio::test]
async fn without_a_body_there_is_an_empty_one() {
    let world = World::start().await;
    let mut event = sample(&world, "createDepartment");
    for body in [None, Some(Value::Null), Some(json!(""))] {
        let event = event.as_object_mut().unwrap();
        match body {
            Some(body) => event.insert("body".into(), body),
            None => event.remove("body"),
        };
        let answer = said(&world, "departments", Value::Object(event.clone())).await;
        assert!(refused(&answer, 400), "{answer}");
    }
    let mut event = sample(&world, "assignCall");
    event["body"] = Value::Null;
    assert_eq!(status(&said(&world, "calls", event).await), 200);
}

/// The last value counts, as if it were the only one.
#[tokio::test]
async fn of_a_repeated_parameter_the_last_counts() {
    let world = World::start().await;
    let active = get(&world, "departments", "/api/v1/departments", "active=true").await;
    let twice = get(&world, "departments", "/api/v1/departments", "active=false&active=true").await;
    assert_eq!(twice["body"], active["body"]);
    let wrong = get(&world, "departments", "/api/v1/departments", "active=true&active=perhaps").await;
    assert_eq!((status(&wrong), wrong["body"]["errors"]["active"].is_array()), (422, true), "{wrong}");
}

#[tokio::test]
async fn paths_are_what_they_are_called() {
    let world = World::start().await;
    let id = world.id("acme.department");
    for path in [
        "/API/V1/DEPARTMENTS",
        "/api/v1/Departments",
        "/api/v1/departments/",
        "//api/v1/departments",
        "/api/v1/departments%20",
        "/api/v1/départements",
        "/api/v1/departments/\u{202e}x",
        "/api/v1/departments/%F0%9F%9B%A0",
        "/api/v1/departments/%ff%fe",
        "/api/v1/departments/%",
        "/api/v1/departments/%00",
        "/api/v1/departments/..%2f..%2fusers",
        &format!("/api/v1/departments/{}", id.replace('-', "")),
        &format!("/api/v1/departments/{id}/"),
        &format!("/api/v1/departments/{id}%20"),
        &format!("/api/v1/departments/{{{id}}}"),
        &format!("/api/v1/departments/{}", "x".repeat(8_000)),
        "",
    ] {
        let answer = get(&world, "departments", path, "").await;
        assert!(refused(&answer, 404), "{path}: {answer}");
    }
    // Written in another way, it is the same identifier.
    for path in
        [format!("/api/v1/departments/{}", id.to_uppercase()), format!("/api/v1/departments/%{:x}{}", id.as_bytes()[0], &id[1..])]
    {
        let answer = get(&world, "departments", &path, "").await;
        assert_eq!(status(&answer), 200, "{path}: {answer}");
    }
}

#[tokio::test]
async fn queries_are_read_as_they_come() {
    let world = World::start().await;
    let found = async |query: &str| {
        let answer = Box::pin(get(&world, "calls", "/api/v1/calls", query)).await;
        assert_eq!(status(&answer), 200, "{query}: {answer}");
        answer["body"]["meta"]["total_count"].as_u64().unwrap()
    };
    let all = found("").await;
    for query in ["search=jo%C3%A3o", "search=jo%c3%a3o+santos", "search=João", "search=joao%20santos", "search=JO%C3%83O"] {
        assert_eq!(found(query).await, 1, "{query}");
    }
    for query in
        ["&", "&&=&", "=", "colour=%ff", "%00=%00", "colour", "\u{1f6e0}=\u{1f6e0}", "page=1&", "colour=%", "a[]=1&a[]=2"]
    {
        assert_eq!(found(query).await, all, "{query}");
    }
    for query in ["status=a&status=b", "status=%ff", "page=%00", "page=1%20", "cursor=%00", "date_from=%F0%9F%9B%A0"] {
        let answer = Box::pin(get(&world, "calls", "/api/v1/calls", query)).await;
        assert_eq!(status(&answer), 422, "{query}: {answer}");
    }
    // What no browser sends without coding it first, and some clients do.
    for query in ["search=<script>", "search=a b", "search=\"a\"", "search=a|b^c`d{e}", "search=a\\b", "search=a#b"] {
        let answer = Box::pin(get(&world, "calls", "/api/v1/calls", query)).await;
        assert!(matches!(status(&answer), 200 | 400 | 422), "{query}: {answer}");
    }
}

#[tokio::test]
async fn headers_may_be_many_and_large() {
    let world = World::start().await;
    let mut event = sample(&world, "getMe");
    let plain = said(&world, "users", event.clone()).await;
    event["cookies"] = json!(["theme=dark", "session=\u{e9}"]);
    event["headers"]["x-large"] = "x".repeat(60_000).into();
    event["headers"]["x-name"] = "José \u{1f6e0}".into();
    event["headers"]["accept"] = "text/html, */*;q=0.1".into();
    event["headers"].as_object_mut().unwrap().remove("host");
    event["stageVariables"] = Value::Null;
    event["queryStringParameters"] = Value::Null;
    event.as_object_mut().unwrap().remove("rawQueryString");
    assert_eq!(said(&world, "users", event.clone()).await, plain);
    event["headers"]["x-request-id"] = "y".repeat(60_000).into();
    assert_eq!(said(&world, "users", event.clone()).await, plain, "an identifier of that length is not taken over");
    event["headers"]["authorization"] = format!("Bearer {}", "z".repeat(60_000)).into();
    assert!(refused(&said(&world, "users", event).await, 401));
}

#[tokio::test]
async fn a_named_stage_is_no_part_of_the_path() {
    let world = World::start().await;
    let at = |stage: &str, path: &str| {
        let mut event = event("GET", path, "GET /api/health", NOW);
        event["requestContext"]["stage"] = stage.into();
        event
    };
    let health = said(&world, "docs", at("$default", "/api/health")).await;
    assert_eq!(status(&health), 200);
    // A name of one's own before the API leaves the stage out.
    for (stage, path) in [("prod", "/prod/api/health"), ("prod", "/api/health"), ("api", "/api/api/health")] {
        assert_eq!(said(&world, "docs", at(stage, path)).await, health, "{stage}: {path}");
    }
    for (stage, path) in [("prod", "/prod/prod/api/health"), ("prod", "/production/api/health"), ("$default", "/prod/api/health")]
    {
        assert!(refused(&said(&world, "docs", at(stage, path)).await, 404), "{stage}: {path}");
    }
    let mut event = sample(&world, "listCalls");
    let plain = said(&world, "calls", event.clone()).await;
    event["requestContext"]["stage"] = "prod".into();
    event["rawPath"] = format!("/prod{}", event["rawPath"].as_str().unwrap()).into();
    assert_eq!(said(&world, "calls", event).await, plain, "the query stays");
}

/// A gateway takes one value of each header: those of a repeated one are joined.
#[tokio::test]
async fn no_header_of_an_answer_is_lost() {
    let world = World::start().await;
    let answer = said(&world, "export", sample(&world, "exportCalls")).await;
    let vary = answer["headers"]["vary"].as_str().unwrap();
    assert!(vary.contains("accept-encoding") && vary.contains("origin"), "{vary}");
}

/// What is no event of the gateway is an error of that invocation; the next one works.
#[tokio::test]
async fn an_event_that_is_none_is_an_error_and_no_panic() {
    let world = World::start().await;
    let good = sample(&world, "getMe");
    let with = |path: &str, value: Value| {
        let mut event = good.clone();
        *event.pointer_mut(path).unwrap() = value;
        event.to_string()
    };
    let first_version =
        json!({ "version": "1.0", "resource": "/", "path": "/", "httpMethod": "GET", "requestContext": { "httpMethod": "GET" } });
    for event in [
        String::new(),
        "{".into(),
        "{}".into(),
        "[]".into(),
        "null".into(),
        "7".into(),
        json!({ "Records": [] }).to_string(),
        first_version.to_string(),
        with("/requestContext", json!({})),
        with("/requestContext", Value::Null),
        with("/requestContext/http", json!({ "path": "/" })),
        with("/requestContext/http/method", json!("NO SUCH METHOD")),
        with("/headers", json!([])),
        with("/headers/accept", json!("a\nb")),
        with("/rawPath", json!(7)),
        with("/isBase64Encoded", json!(true)).replace("\"headers\"", "\"body\":\"%%%\",\"headers\""),
    ] {
        let outcome = invoke(world.function("users"), &event).await;
        assert!(outcome.is_err(), "{event}: {outcome:?}");
    }
    let ask = Ask { caller: Some("acme.attendant"), ..Ask::default() };
    let event = world.event(world.operations.named("getMe"), &ask);
    assert_eq!(status(&said(&world, "users", event).await), 200);
}
