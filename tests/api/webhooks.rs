//! `/webhooks`: making, changing, trying them out.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tests::{Receiver, Reply, Settings, Stack, Tenant, shared};

use crate::scene::{list, manager, text};

const PATH: &str = "/api/v1/webhooks";

#[expect(clippy::needless_pass_by_value, reason = "reads as the body it makes")]
fn wrapped(fields: Value) -> Value {
    json!({ "webhook": fields })
}

/// A webhook that nobody listens to.
fn some() -> Value {
    json!({ "url": "https://example.com/hook", "events": ["call.created"] })
}

fn with(field: &str, value: Value) -> Value {
    let mut fields = some();
    fields[field] = value;
    wrapped(fields)
}

#[tokio::test]
async fn a_secret_is_shown_once_and_never_again() {
    let tenant = Tenant::new(shared()).await;
    let keyed = tenant.manager.with("idempotency-key", "one");
    let body = with("headers", json!({ "Authorization": "Bearer hidden-value" }));
    let made = keyed.post(PATH, body.clone()).await.expect(201);
    let secret = text(&made.data()["secret"]);
    assert_eq!(STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap().len(), 32);
    let path = format!("{PATH}/{}", text(&made.data()["id"]));
    let replayed = keyed.post(PATH, body).await.expect(201);
    assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
    let listed = tenant.manager.get(PATH).await.expect(200);
    let read = tenant.manager.get(&path).await.expect(200);
    let changed = tenant.manager.put(&path, wrapped(json!({ "description": "x" }))).await.expect(200);
    for (answer, shown) in [
        (&replayed, replayed.data()["secret"].clone()),
        (&listed, listed.data()[0]["secret"].clone()),
        (&read, read.data()["secret"].clone()),
        (&changed, changed.data()["secret"].clone()),
    ] {
        let shown = text(&shown);
        assert!(shown.ends_with(&secret[secret.len() - 4..]), "{shown}");
        assert!(!shown.contains(&secret[6..secret.len() - 4]) && shown.len() < secret.len(), "{shown}");
        assert!(!answer.text().contains(&secret));
    }
    for answer in [&made, &replayed, &listed, &read, &changed] {
        assert!(!answer.text().contains("hidden-value"), "{}", answer.text());
    }
    let headers = read.data()["headers"].as_object().unwrap().keys().map(|name| name.to_lowercase()).collect::<Vec<_>>();
    assert_eq!(headers, ["authorization"]);

    let other = tenant.manager.post(PATH, wrapped(some())).await.expect(201).data();
    assert_ne!(other["secret"], json!(secret), "every webhook has a secret of its own");
}

#[tokio::test]
async fn every_documented_key_is_there() {
    let tenant = Tenant::new(shared()).await;
    let made = tenant.manager.post(PATH, wrapped(some())).await.expect(201).data();
    let mut expected = json!({
        "id": made["id"], "url": "https://example.com/hook", "events": ["call.created"], "description": null, "active": true,
        "secret": made["secret"], "headers": {}, "rate_limit": null, "disabled_reason": null,
        "inserted_at": made["inserted_at"], "updated_at": made["inserted_at"],
    });
    assert_eq!(made, expected);
    let read = tenant.manager.get(&format!("{PATH}/{}", text(&made["id"]))).await.expect(200).data();
    expected["secret"] = read["secret"].clone();
    assert_eq!(read, expected);
}

#[tokio::test]
async fn what_is_wrong_with_it_is_said_at_once() {
    let tenant = Tenant::new(shared()).await;
    let detail = text(&tenant.manager.post(PATH, some()).await.expect(400).errors()["detail"]);
    assert!(detail.contains("webhook"), "{detail}");
    let errors = tenant.manager.post(PATH, wrapped(json!({}))).await.expect(422).errors();
    assert_eq!(errors, json!({ "url": ["can't be blank"], "events": ["can't be blank"] }));
    let (long, short) = ("x".repeat(128), "x".repeat(16));
    for (field, value, message) in [
        ("url", json!("no url"), None),
        ("url", json!("ftp://example.com/"), None),
        ("url", json!(7), None),
        ("url", json!(null), Some("can't be blank")),
        ("events", json!([]), Some("can't be blank")),
        ("events", json!("call.created"), None),
        ("events", json!(["call.created", "call.exploded"]), None),
        ("events", json!([7]), None),
        ("secret", json!("x".repeat(15)), None),
        ("secret", json!("x".repeat(129)), None),
        ("headers", json!({ "bad name": "x" }), None),
        ("headers", json!({ "x-name": "line\nbreak" }), None),
        ("headers", json!({ "x-name": 7 }), None),
        ("headers", json!(["x-name"]), None),
        ("active", json!("yes"), None),
        ("description", json!("x".repeat(10_001)), None),
    ] {
        let errors = tenant.manager.post(PATH, with(field, value.clone())).await.expect(422).errors();
        let said: Vec<&String> = errors.as_object().unwrap().keys().collect();
        assert_eq!(said, [field], "{value}");
        let first = text(&errors[field][0]);
        assert!(message.is_none_or(|expected| first == expected), "{value}: {first}");
        // A PUT is checked as a POST is.
    }
    assert!(list(&tenant.manager, PATH).await.is_empty(), "nothing was made");
    for secret in [short, long] {
        let made = tenant.manager.post(PATH, with("secret", json!(secret))).await.expect(201).data();
        assert_eq!(made["secret"], json!(secret));
        let path = format!("{PATH}/{}", text(&made["id"]));
        let errors =
            tenant.manager.put(&path, wrapped(json!({ "events": null, "url": "", "active": 1 }))).await.expect(422).errors();
        let said: Vec<&String> = errors.as_object().unwrap().keys().collect();
        assert_eq!(said, ["active", "events", "url"]);
    }
}

#[tokio::test]
async fn every_event_of_the_catalogue_can_be_wanted() {
    let tenant = Tenant::new(shared()).await;
    for event in ["call.created", "call.assigned", "call.started", "call.completed", "call.missed", "customer.created", "*"] {
        let made = tenant.manager.post(PATH, with("events", json!([event]))).await.expect(201).data();
        assert_eq!(made["events"], json!([event]));
    }
    for event in ["call.rated", "access_link.created", "access_link.used", "access_link.cancelled", "webhook.disabled"] {
        let _ = tenant.manager.post(PATH, with("events", json!([event]))).await.expect(201);
    }
}

#[tokio::test]
async fn a_put_changes_what_it_names() {
    let tenant = Tenant::new(shared()).await;
    let body = wrapped(json!({
        "url": "https://example.com/hook", "events": ["call.created"], "description": "Ours", "headers": { "x-team": "blue" },
        "secret": "a secret of mine".replace(' ', "-"),
    }));
    let made = tenant.manager.post(PATH, body).await.expect(201);
    let path = format!("{PATH}/{}", text(&made.data()["id"]));
    let etag = made.header("etag").unwrap().to_owned();
    let body = wrapped(json!({ "events": ["call.missed", "*"], "description": null, "active": false }));
    let changed = tenant.manager.with("if-match", &etag).put(&path, body).await.expect(200);
    let view = changed.data();
    assert_eq!(
        (&view["events"], &view["description"], &view["active"]),
        (&json!(["call.missed", "*"]), &json!(null), &json!(false))
    );
    assert_eq!((&view["url"], &view["disabled_reason"]), (&json!("https://example.com/hook"), &json!(null)));
    assert!(text(&view["secret"]).ends_with("mine") && view["headers"]["x-team"].is_string());
    assert_eq!(tenant.manager.get(&path).await.expect(200).data(), view);
    assert_ne!(changed.header("etag"), Some(etag.as_str()));
    let _ = tenant.manager.with("if-match", &etag).put(&path, wrapped(json!({ "active": true }))).await.expect(412);
    let _ = tenant.manager.with("if-match", &etag).delete(&path).await.expect(412);
    let reset = tenant.manager.put(&path, wrapped(json!({ "active": null, "headers": null }))).await.expect(200).data();
    assert_eq!((&reset["active"], &reset["headers"]), (&json!(true), &json!({})));
}

#[tokio::test]
async fn a_deleted_one_is_gone() {
    let tenant = Tenant::new(shared()).await;
    let made = tenant.manager.post(PATH, wrapped(some())).await.expect(201).data();
    let kept = tenant.manager.post(PATH, wrapped(some())).await.expect(201).data();
    let path = format!("{PATH}/{}", text(&made["id"]));
    assert!(tenant.manager.delete(&path).await.expect(204).bytes.is_empty());
    for gone in [path.clone(), format!("{path}/deliveries"), format!("{PATH}/nonsense")] {
        let _ = tenant.manager.get(&gone).await.expect(404);
    }
    let _ = tenant.manager.put(&path, wrapped(json!({ "active": true }))).await.expect(404);
    let _ = tenant.manager.delete(&path).await.expect(404);
    let _ = tenant.manager.post(&format!("{path}/test"), json!({})).await.expect(404);
    let left = list(&tenant.manager, PATH).await;
    assert_eq!(left.iter().map(|row| &row["id"]).collect::<Vec<_>>(), [&kept["id"]]);
}

#[tokio::test]
async fn they_are_the_managers_and_the_tenants() {
    let (tenant, other) = (Tenant::new(shared()).await, Tenant::new(shared()).await);
    let (supervisor, _) = tenant.user("supervisor", "supervisor").await;
    let made = tenant.manager.post(PATH, wrapped(some())).await.expect(201).data();
    let path = format!("{PATH}/{}", text(&made["id"]));
    for (client, status) in [(&supervisor, 403), (&other.manager, 404), (&tenant.anonymous, 401)] {
        let on_all = if status == 404 { 200 } else { status };
        let _ = client.get(PATH).await.expect(on_all);
        let _ = client.get(&path).await.expect(status);
        let _ = client.get(&format!("{path}/deliveries")).await.expect(status);
        let _ = client.put(&path, wrapped(json!({ "active": false }))).await.expect(status);
        let _ = client.delete(&path).await.expect(status);
        let _ = client.post(&format!("{path}/test"), json!({})).await.expect(status);
        if status != 404 {
            let _ = client.post(PATH, wrapped(some())).await.expect(status);
        }
    }
    assert_eq!(list(&tenant.manager, PATH).await.len(), 1);
    assert!(list(&other.manager, PATH).await.is_empty());
}

#[tokio::test]
async fn they_come_with_the_plan_advanced() {
    for (plan, status) in [("free", 403), ("basic", 403), ("advanced", 201), ("professional", 201)] {
        let stack = Stack::start(Settings::default().with("VOKI_DEFAULT_PLAN", plan)).await;
        let tenant = Tenant::new(&stack).await;
        let answer = tenant.manager.post(PATH, wrapped(some())).await.expect(status);
        if status == 403 {
            assert!(text(&answer.errors()["detail"]).starts_with("Plan limit reached"), "{}", answer.text());
            // The rules of its fields come before the plan.
            let _ = tenant.manager.post(PATH, wrapped(json!({}))).await.expect(422);
            assert!(list(&tenant.manager, PATH).await.is_empty());
        }
        stack.shutdown().await;
    }
}

#[tokio::test]
async fn where_private_addresses_are_forbidden_nothing_gets_there() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::default().with("VOKI_DATA", folder.path().to_str().unwrap());
    let receiver = Receiver::start().await;
    let stack = Stack::start(settings.clone()).await;
    let tenant = Tenant::new(&stack).await;
    let hook = wrapped(json!({ "url": receiver.url, "events": ["*"] }));
    let hook = text(&tenant.manager.post(PATH, hook).await.expect(201).data()["id"]);
    let slug = tenant.slug.clone();
    stack.shutdown().await;

    let stack = Stack::start(settings.with("VOKI_WEBHOOK_ALLOW_PRIVATE", "0")).await;
    let tenant = Tenant { slug, manager: stack.client(), anonymous: stack.client() };
    let tenant = Tenant { manager: manager(&tenant).await, ..tenant };
    for url in [
        "http://example.com/hook",
        "https://127.0.0.1/hook",
        "https://127.8.9.10/",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[fd00::1]/",
        "https://[fe80::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://localhost/hook",
    ] {
        let errors = tenant.manager.post(PATH, with("url", json!(url))).await.expect(422).errors();
        assert!(errors["url"][0].is_string(), "{url}");
    }
    let made = tenant.manager.post(PATH, wrapped(some())).await.expect(201).data();
    let path = format!("{PATH}/{}", text(&made["id"]));
    let _ = tenant.manager.put(&path, wrapped(json!({ "url": receiver.url }))).await.expect(422);
    // What was saved when it was allowed is refused where it would be called.
    let tried = tenant.manager.post(&format!("{PATH}/{hook}/test"), json!({})).await.expect(200).data();
    assert_eq!((&tried["delivered"], &tried["response_code"]), (&json!(false), &json!(null)));
    assert!(tried["error"].is_string());
    let _ = tenant.drain().await;
    assert!(receiver.received().is_empty());
    stack.shutdown().await;
}

#[tokio::test]
async fn trying_one_out_says_what_really_came_of_it() {
    let tenant = Tenant::new(shared()).await;
    let receiver = Receiver::start().await;
    let hook = wrapped(json!({ "url": receiver.url, "events": ["call.created"] }));
    let made = tenant.manager.post(PATH, hook).await.expect(201).data();
    let path = format!("{PATH}/{}/test", text(&made["id"]));
    for (reply, delivered, code, body) in [
        (Reply::Body(200, "thanks".into()), true, 200, "thanks".to_owned()),
        (Reply::Body(201, "é".repeat(4000)), true, 201, "é".repeat(2048)),
        (Reply::Body(404, "nothing here".into()), false, 404, "nothing here".to_owned()),
        (Reply::Status(500), false, 500, String::new()),
    ] {
        receiver.reply(reply);
        let outcome = tenant.manager.post(&path, json!({})).await.expect(200).data();
        assert_eq!((&outcome["delivered"], &outcome["response_code"]), (&json!(delivered), &json!(code)));
        assert_eq!((&outcome["response_body"], &outcome["error"]), (&json!(body), &json!(null)));
        assert!(outcome["duration_ms"].is_u64());
    }
    receiver.reply(Reply::Status(200));
    let _ = tenant.manager.post(&path, json!({ "event": "call.missed" })).await.expect(200);
    let last = receiver.received().pop().unwrap();
    assert_eq!((last.header("x-voki-event"), &last.json()["event"]), ("call.missed", &json!("call.missed")));
    assert!(tenant.manager.post(&path, json!({ "event": "call.exploded" })).await.expect(422).errors()["event"].is_array());
    let count = receiver.received().len();
    assert_eq!(count, 5);

    // A session that has ended sends nothing.
    let _ = tenant.manager.post("/api/auth/logout", json!({})).await.expect(204);
    let _ = tenant.manager.post(&path, json!({})).await.expect(401);
    assert_eq!(receiver.received().len(), count);

    let manager = manager(&tenant).await;
    drop(receiver);
    let outcome = manager.post(&path, json!({})).await.expect(200).data();
    assert_eq!(
        (&outcome["delivered"], &outcome["response_code"], &outcome["response_body"]),
        (&json!(false), &json!(null), &json!(null))
    );
    assert!(outcome["error"].is_string(), "{outcome}");
}
