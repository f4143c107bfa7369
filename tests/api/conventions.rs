//! What every endpoint does alike with bodies: the envelope of refusals, the order of checks, PUT.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};
use tests::{Answer, Client, Tenant, shared};
use uuid::Uuid;

const DEPARTMENTS: &str = "/api/v1/departments";

/// The answer is JSON and says `{"errors":{"detail": text}}`, nothing else.
#[track_caller]
fn has_detail(answer: &Answer) {
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    let detail = body["errors"]["detail"].as_str().unwrap_or_default();
    assert!(!detail.is_empty(), "{body}");
    assert_eq!(body, json!({ "errors": { "detail": detail } }));
}

/// The fields that a 422 complains of, each with a list of messages.
#[track_caller]
fn fields(answer: Answer) -> BTreeSet<String> {
    let errors = answer.expect(422).errors();
    let map = errors.as_object().cloned().unwrap_or_default();
    for (field, messages) in &map {
        let messages: Vec<&str> = messages.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        assert!(!messages.is_empty() && messages.iter().all(|text| !text.is_empty()), "{field}: {errors}");
    }
    map.into_iter().map(|(field, _)| field).collect()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

/// A POST of these very bytes as JSON.
async fn raw(client: &Client, path: &str, body: &str) -> Answer {
    client.with("content-type", "application/json").send(Method::POST, path, body.to_owned()).await
}

#[tokio::test]
async fn what_is_not_there_is_404_in_the_envelope() {
    let tenant = Tenant::new(shared()).await;
    for path in ["/", "/nothing", "/api", "/api/v1/nothing", "/api/v2/users", "/api/v1/departments/a/b/c"] {
        for client in [&tenant.anonymous, &tenant.manager] {
            has_detail(&client.get(path).await.expect(404));
            has_detail(&raw(client, path, "{").await.expect(404));
        }
    }
}

#[tokio::test]
async fn a_wrong_method_is_405_with_those_that_work() {
    let tenant = Tenant::new(shared()).await;
    let id = Uuid::new_v4();
    let one = format!("{DEPARTMENTS}/{id}");
    let cases: [(Method, &str, &[&str]); 6] = [
        (Method::DELETE, "/api/v1/users", &["GET", "HEAD", "POST"]),
        (Method::POST, "/api/v1/users/me", &["GET", "HEAD", "PUT"]),
        (Method::PATCH, &one, &["DELETE", "GET", "HEAD", "PUT"]),
        (Method::PUT, "/api/auth/login", &["POST"]),
        (Method::GET, "/api/signup/register", &["POST"]),
        (Method::PUT, "/api/health", &["GET", "HEAD"]),
    ];
    for (method, path, allowed) in cases {
        for client in [&tenant.anonymous, &tenant.manager] {
            let answer = client.send(method.clone(), path, "").await.expect(405);
            has_detail(&answer);
            let named: BTreeSet<&str> = answer.header("allow").unwrap().split(',').map(str::trim).collect();
            assert_eq!(named, allowed.iter().copied().collect(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_413() {
    let tenant = Tenant::new(shared()).await;
    let padded = |length: usize| {
        let bare = json!({ "department": { "name": "Large" }, "padding": "" }).to_string().len();
        json!({ "department": { "name": "Large" }, "padding": "x".repeat(length - bare) }).to_string()
    };
    assert_eq!(padded(1 << 20).len(), 1 << 20);
    let _ = raw(&tenant.manager, DEPARTMENTS, &padded(1 << 20)).await.expect(201);
    has_detail(&raw(&tenant.manager, DEPARTMENTS, &padded((1 << 20) + 1)).await.expect(413));
    has_detail(&raw(&tenant.manager, DEPARTMENTS, &"x".repeat(3 << 20)).await.expect(413));
    let _ = raw(&tenant.anonymous, DEPARTMENTS, &"x".repeat(2 << 20)).await.expect(401);
}

#[tokio::test]
async fn what_cannot_be_parsed_is_400() {
    let tenant = Tenant::new(shared()).await;
    let good = json!({ "department": { "name": "Support" } }).to_string();
    let deep = "[".repeat(100_000);
    for body in ["{", "nonsense", r#"{"department": }"#, "[]", "7", "null", r#""text""#, &good[1..], &deep, &format!("{good}x")] {
        has_detail(&raw(&tenant.manager, DEPARTMENTS, body).await.expect(400));
    }
    let latin = tenant.manager.with("content-type", "application/json");
    has_detail(&latin.send(Method::POST, DEPARTMENTS, &b"{\"department\":{\"name\":\"T\xe9\"}}"[..]).await.expect(400));

    let plain = &tenant.manager;
    has_detail(&plain.send(Method::POST, DEPARTMENTS, good.clone()).await.expect(400));
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application", ""] {
        let answer = plain.with("content-type", kind).send(Method::POST, DEPARTMENTS, good.clone()).await;
        has_detail(&answer.expect(400));
    }
    let list = plain.get(DEPARTMENTS).await.expect(200).json();
    assert_eq!(list["meta"]["total_count"], json!(0));
    for kind in ["application/json; charset=utf-8", "Application/JSON"] {
        let _ = plain.with("content-type", kind).send(Method::POST, DEPARTMENTS, good.clone()).await.expect(201);
    }
}

#[tokio::test]
async fn a_missing_wrapper_is_400_and_named() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let one = format!("{DEPARTMENTS}/{department}");
    let creates = [
        ("user", "/api/v1/users"),
        ("department", DEPARTMENTS),
        ("access_link", "/api/v1/access-links"),
        ("webhook", "/api/v1/webhooks"),
    ];
    for (key, path) in creates {
        for body in [json!({}), json!({ "name": "x" }), json!({ key: null }), json!({ key: [] }), json!({ key: "x" })] {
            let answer = tenant.manager.post(path, body).await.expect(400);
            has_detail(&answer);
            let detail = answer.errors()["detail"].clone();
            assert!(detail.as_str().unwrap().contains(key), "{detail}");
        }
        has_detail(&tenant.manager.send(Method::POST, path, "").await.expect(400));
    }
    has_detail(&tenant.manager.put(&one, json!({ "name": "Renamed" })).await.expect(400));
    assert_eq!(tenant.manager.get(&one).await.expect(200).data()["name"], json!("Support"));
}

#[tokio::test]
async fn every_violation_is_reported_at_once() {
    let tenant = Tenant::new(shared()).await;
    let wrong = json!({
        "name": "  ", "identifier": "No Good", "description": 7, "active": "yes", "sector_id": "x",
        "max_queue_size": 0, "max_wait_time": 86_401,
    });
    let all = set(["name", "identifier", "description", "active", "sector_id", "max_queue_size", "max_wait_time"]);
    let answer = tenant.manager.post(DEPARTMENTS, json!({ "department": wrong })).await;
    assert_eq!(answer.errors()["name"], json!(["can't be blank"]));
    assert_eq!(fields(answer), all);

    let id = tenant.department(json!({ "name": "Support" })).await;
    assert_eq!(fields(tenant.manager.put(&format!("{DEPARTMENTS}/{id}"), json!({ "department": wrong })).await), all);

    let answer =
        tenant.manager.post("/api/v1/users", json!({ "user": { "role": "king", "email": "x", "password": "short" } })).await;
    assert_eq!(fields(answer), set(["name", "email", "role", "password"]));
    let answer = tenant.anonymous.post("/api/auth/login", json!({ "email": 1 })).await;
    assert_eq!(fields(answer), set(["email", "password", "tenant"]));
    let link = json!({ "access_link": { "department_id": "x", "customer_email": "x", "customer_phone": "abc", "max_uses": 0 } });
    let answer = tenant.manager.post("/api/v1/access-links", link).await;
    assert_eq!(fields(answer), set(["department_id", "customer_email", "customer_phone", "max_uses"]));
}

#[tokio::test]
async fn a_wrong_type_is_422_and_never_read_as_something_else() {
    let tenant = Tenant::new(shared()).await;
    for (field, values) in [
        ("name", vec![json!(null), json!(7), json!(["x"]), json!({})]),
        ("max_queue_size", vec![json!("20"), json!(20.5), json!(true), json!([]), json!(1e30), json!("")]),
        ("active", vec![json!("true"), json!(1), json!({}), json!("")]),
        ("description", vec![json!(1), json!(false), json!([])]),
    ] {
        for value in values {
            let mut department = json!({ "name": "Support" });
            department[field] = value.clone();
            let answer = tenant.manager.post(DEPARTMENTS, json!({ "department": department })).await;
            assert_eq!((answer.status.as_u16(), answer.errors().get(field).is_some()), (422, true), "{field}: {value}");
        }
    }
}

#[tokio::test]
async fn checks_come_in_their_order() {
    let tenant = Tenant::new(shared()).await;
    let (agent, _) = tenant.user("agent", "attendant").await;
    let id = tenant.department(json!({ "name": "Support" })).await;
    let _ = tenant.department(json!({ "name": "Taken", "identifier": "taken" })).await;
    let (one, nothing) = (format!("{DEPARTMENTS}/{id}"), format!("{DEPARTMENTS}/{}", Uuid::new_v4()));
    let malformed = format!("{DEPARTMENTS}/not-an-id");
    let stale = |client: &Client| client.with("content-type", "application/json").with("if-match", "\"999\"");
    let put = async |client: &Client, path: &str, body: &str| stale(client).send(Method::PUT, path, body.to_owned()).await;
    let broken = "{";
    let invalid = r#"{"department": {"max_queue_size": 0}}"#;
    let taken = r#"{"department": {"identifier": "taken"}}"#;

    let _ = put(&tenant.anonymous, &malformed, broken).await.expect(401);
    let _ = put(&agent.bearer("x.y.z"), &malformed, broken).await.expect(401);
    let _ = put(&agent, &malformed, broken).await.expect(403);
    let _ = put(&tenant.manager, &malformed, broken).await.expect(404);
    let _ = put(&tenant.manager, &nothing, broken).await.expect(400);
    let _ = put(&tenant.manager, &nothing, r#"{"max_queue_size": 0}"#).await.expect(400);
    let _ = put(&tenant.manager, &nothing, invalid).await.expect(422);
    let _ = put(&tenant.manager, &nothing, taken).await.expect(404);
    let _ = put(&tenant.manager, &one, invalid).await.expect(422);
    let _ = put(&tenant.manager, &one, taken).await.expect(412);
    let answer = tenant.manager.put(&one, json!({ "department": { "identifier": "taken" } })).await;
    assert_eq!(fields(answer), set(["identifier"]));
    let _ = tenant.manager.get("/api/v1/departments/not-an-id?page=0").await.expect(404);
    let _ = agent.get("/api/v1/users?page=0").await.expect(403);
}

#[tokio::test]
async fn unknown_fields_are_ignored_and_bodies_where_none_is_documented() {
    let tenant = Tenant::new(shared()).await;
    let made = json!({ "department": { "name": "Support", "colour": "red", "id": Uuid::nil(), "user_count": 9 }, "more": [1] });
    let made = tenant.manager.post(DEPARTMENTS, made).await.expect(201).data();
    assert_eq!(made["user_count"], json!(0));
    assert_ne!(made["id"], json!(Uuid::nil()));
    assert!(made.get("colour").is_none());
    let _ = tenant.manager.get("/api/v1/departments?colour=red&limit=-1").await.expect(200);

    let link = json!({ "access_link": { "department_id": made["id"] } });
    let link = tenant.manager.post("/api/v1/access-links", link).await.expect(201).data();
    let path = format!("/api/v1/access-links/{}/cancel", link["id"].as_str().unwrap());
    let _ = tenant.manager.with("content-type", "text/plain").send(Method::POST, &path, "not json {").await.expect(200);
}

#[tokio::test]
async fn put_changes_what_it_names_and_null_clears_or_resets() {
    let tenant = Tenant::new(shared()).await;
    let fields =
        json!({ "name": "Support", "description": "First line", "active": false, "max_queue_size": 5, "max_wait_time": 60 });
    let id = tenant.department(fields).await;
    let path = format!("{DEPARTMENTS}/{id}");
    let before = tenant.manager.get(&path).await.expect(200).data();
    let put = async |fields: Value| tenant.manager.put(&path, json!({ "department": fields })).await.expect(200).data();
    let without_time = |mut object: Value| {
        object["updated_at"] = json!(null);
        object
    };
    assert_eq!(without_time(put(json!({})).await), without_time(before.clone()));

    let mut expected = without_time(before);
    expected["max_queue_size"] = json!(7);
    assert_eq!(without_time(put(json!({ "max_queue_size": 7 })).await), expected);
    expected["description"] = json!(null);
    expected["max_queue_size"] = json!(20);
    expected["max_wait_time"] = json!(300);
    expected["active"] = json!(true);
    let nulls = json!({ "description": null, "max_queue_size": null, "max_wait_time": null, "active": null });
    assert_eq!(without_time(put(nulls).await), expected);
    assert_eq!(without_time(tenant.manager.get(&path).await.expect(200).data()), expected);
    let answer = tenant.manager.put(&path, json!({ "department": { "name": null } })).await.expect(422);
    assert_eq!(answer.errors(), json!({ "name": ["can't be blank"] }));
}

#[tokio::test]
async fn another_tenants_ids_are_as_unknown_ones() {
    let (tenant, other) = (Tenant::new(shared()).await, Tenant::new(shared()).await);
    let theirs = other.department(json!({ "name": "Theirs" })).await;
    let (_, their_user) = other.user("agent", "attendant").await;
    let ours = tenant.department(json!({ "name": "Ours" })).await;
    let unknown = Uuid::new_v4().to_string();
    let path = |id: &str| format!("{DEPARTMENTS}/{id}");
    let foreign = tenant.manager.get(&path(&theirs)).await.expect(404);
    assert_eq!(foreign.json(), tenant.manager.get(&path(&unknown)).await.expect(404).json());
    let _ = tenant.manager.put(&path(&theirs), json!({ "department": { "name": "Mine" } })).await.expect(404);
    let _ = tenant.manager.delete(&path(&theirs)).await.expect(404);
    for id in [&theirs, &unknown] {
        let link = json!({ "access_link": { "department_id": id } });
        assert_eq!(fields(tenant.manager.post("/api/v1/access-links", link).await), set(["department_id"]));
        assert_eq!(fields(tenant.manager.get(&format!("/api/v1/access-links?department_id={id}")).await), set(["department_id"]));
    }
    for id in [&their_user, &unknown, &"not-an-id".to_owned()] {
        let answer = tenant.manager.post(&format!("{DEPARTMENTS}/{ours}/users"), json!({ "user_id": id })).await;
        assert_eq!(fields(answer), set(["user_id"]));
    }
    assert_eq!(other.manager.get(&path(&theirs)).await.expect(200).data()["name"], json!("Theirs"));
}

#[tokio::test]
async fn texts_are_trimmed_and_bounded_and_times_are_utc() {
    let tenant = Tenant::new(shared()).await;
    let made = json!({ "department": { "name": format!("  {} ", "é".repeat(200)), "description": "one\n\ttwo" } });
    let made = tenant.manager.post(DEPARTMENTS, made).await.expect(201).data();
    assert_eq!(made["name"], json!("é".repeat(200)));
    assert_eq!(made["description"], json!("one\n\ttwo"));
    for name in [&"é".repeat(201), "a\u{0}b", "a\nb", "a\u{1b}b", "a\u{7f}b"] {
        let answer = tenant.manager.post(DEPARTMENTS, json!({ "department": { "name": name } })).await;
        assert_eq!(fields(answer), set(["name"]), "{name:?}");
    }
    for description in [&"x".repeat(10_001), "a\u{0}b"] {
        let answer = tenant.manager.post(DEPARTMENTS, json!({ "department": { "name": "x", "description": description } })).await;
        assert_eq!(fields(answer), set(["description"]));
    }
    for name in ["inserted_at", "updated_at"] {
        let at = made[name].as_str().unwrap();
        let shape: String = at.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00T00:00:00Z");
    }
    assert_eq!(made["id"].as_str().unwrap().parse::<Uuid>().unwrap().get_version_num(), 7);
}
