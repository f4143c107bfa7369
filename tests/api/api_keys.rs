//! API keys, and the audit trail.

use serde_json::{Value, json};
use shared::storage::audit::Entry;
use tests::{Client, PASSWORD, Settings, Stack, Tenant, shared};

use crate::scene::{Scene, text};

const KEYS: &str = "/api/v1/api-keys";
const TRAIL: &str = "/api/v1/audit-log";

async fn create(tenant: &Tenant, fields: Value) -> tests::Answer {
    tenant.manager.post(KEYS, json!({ "api_key": fields })).await
}

/// A key with these scopes: what it is, and a client that bears it.
async fn key(tenant: &Tenant, scopes: &[&str]) -> (Value, Client) {
    let made = create(tenant, json!({ "name": "ERP", "scopes": scopes })).await.expect(201).data();
    let client = tenant.anonymous.elsewhere().bearer(made["token"].as_str().unwrap());
    (made, client)
}

#[tokio::test]
async fn a_key_is_shown_once_and_masked_from_then_on() {
    let tenant = Tenant::new(shared()).await;
    let (made, _) = key(&tenant, &["calls:read", "calls:read", "users:write"]).await;
    let token = text(&made["token"]);
    assert!(token.starts_with(&format!("vk_{}_", tenant.slug)));
    assert_eq!(made["scopes"], json!(["calls:read", "users:write"]));
    let id = text(&made["id"]);
    let read = tenant.manager.get(&format!("{KEYS}/{id}")).await.expect(200).data();
    assert_eq!(read["token"], json!(format!("••••{}", &token[token.len() - 4..])));
    let keys: Vec<_> = read.as_object().unwrap().keys().collect();
    let all = ["address_ranges", "expires_at", "id", "inserted_at", "last_used_at", "name", "scopes", "token", "updated_at"];
    assert_eq!(keys, all);
    assert_eq!(tenant.manager.get(KEYS).await.expect(200).json()["data"], json!([read]));
    let keyed = tenant.manager.with("idempotency-key", "one");
    let body = json!({ "api_key": { "name": "Other", "scopes": ["calls:read"] } });
    let first = keyed.post(KEYS, body.clone()).await.expect(201).data();
    let again = keyed.post(KEYS, body).await.expect(201).data();
    assert_eq!((&again["id"], &again["token"]), (&first["id"], &json!("••••")));
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_named() {
    let tenant = Tenant::new(shared()).await;
    for (field, values) in [
        ("name", vec![json!(""), json!(null)]),
        (
            "scopes",
            vec![json!([]), json!("calls:read"), json!(["calls"]), json!(["calls:delete"]), json!(["api-keys:read"]), json!([1])],
        ),
        ("expires_at", vec![json!("2020-01-01T00:00:00Z"), json!("tomorrow")]),
        ("address_ranges", vec![json!("10.0.0.0/8"), json!(["10.0.0.0/33"]), json!([7])]),
    ] {
        for value in values {
            let mut fields = json!({ "name": "ERP", "scopes": ["calls:read"] });
            fields[field] = value;
            let errors = create(&tenant, fields).await.expect(422).errors();
            assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), [field]);
        }
    }
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say_and_nothing_else() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let (_, client) = key(&scene.tenant, &["departments:read", "departments:write", "calls:read", "export:read"]).await;
    let _ = client.get("/api/v1/departments").await.expect(200);
    let made = client.post("/api/v1/departments", json!({ "department": { "name": "By a key" } })).await.expect(201).data();
    let _ = client.get("/api/v1/calls").await.expect(200);
    let _ = client.get("/api/v1/export/calls.csv").await.expect(200);
    let call = scene.join("Carlos").await;
    let refused = client.post(&format!("/api/v1/calls/{call}/start"), json!({})).await.expect(403).json();
    assert_eq!(refused, json!({ "errors": { "detail": "Requires the scope calls:write" } }));
    let _ = client.get("/api/v1/users").await.expect(403);
    let _ = client.get("/api/v1/webhooks").await.expect(403);
    for (path, method) in
        [("/api/v1/users/me", "GET"), (KEYS, "GET"), ("/api/auth/logout", "POST"), ("/api/v1/users/me/sessions", "GET")]
    {
        let answer = client.send(method.parse().unwrap(), path, "").await.expect(403).json();
        assert_eq!(answer, json!({ "errors": { "detail": "An API key cannot do this" } }), "{path}");
    }
    // It takes idempotency keys as everybody does.
    let keyed = client.with("idempotency-key", "one");
    let body = json!({ "department": { "name": "Once" } });
    let first = keyed.post("/api/v1/departments", body.clone()).await.expect(201).data();
    assert_eq!(keyed.post("/api/v1/departments", body).await.expect(201).data(), first);
    // Another tenant's objects are nobody's.
    let other = Tenant::new(&stack).await;
    let (_, foreign) = key(&other, &["departments:read"]).await;
    let _ = foreign.get(&format!("/api/v1/departments/{}", text(&made["id"]))).await.expect(404);
    let _ = client.with("x-tenant", &other.slug).get("/api/v1/departments").await.expect(401);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_key_ends_at_once_at_its_time_and_outside_its_networks() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let list = "/api/v1/departments";
    let (made, client) = key(&tenant, &["departments:read"]).await;
    let path = format!("{KEYS}/{}", text(&made["id"]));
    let _ = client.get(list).await.expect(200);
    let narrowed = json!({ "api_key": { "address_ranges": ["198.51.100.7"] } });
    assert_eq!(tenant.manager.put(&path, narrowed).await.expect(200).data()["address_ranges"], json!(["198.51.100.7/32"]));
    let _ = client.get(list).await.expect(401);
    let _ = client.with("x-forwarded-for", "198.51.100.7").get(list).await.expect(200);
    let ending = (stack.app().clock().now() + std::time::Duration::from_secs(60)).to_string();
    let _ = tenant.manager.put(&path, json!({ "api_key": { "address_ranges": [], "expires_at": ending } })).await.expect(200);
    let _ = client.get(list).await.expect(200);
    tenant.advance(60).await;
    let _ = client.get(list).await.expect(401);
    let _ = tenant.manager.put(&path, json!({ "api_key": { "expires_at": null } })).await.expect(200);
    let _ = client.get(list).await.expect(200);
    let _ = tenant.manager.delete(&path).await.expect(204);
    let _ = client.get(list).await.expect(401);
    let _ = tenant.manager.get(&path).await.expect(404);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_rotated_key_overlaps_with_the_one_before() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let list = "/api/v1/departments";
    let (made, old) = key(&tenant, &["departments:read"]).await;
    let path = format!("{KEYS}/{}/rotate", text(&made["id"]));
    let _ = tenant.manager.post(&path, json!({ "grace_hours": 169 })).await.expect(422);
    let rotated = tenant.manager.post(&path, json!({ "grace_hours": 1 })).await.expect(200).data();
    let new = tenant.anonymous.elsewhere().bearer(rotated["token"].as_str().unwrap());
    for client in [&old, &new] {
        let _ = client.get(list).await.expect(200);
    }
    tenant.advance(3600).await;
    let _ = old.get(list).await.expect(401);
    let _ = new.get(list).await.expect(200);
    let manager = tenant.login("manager@example.com", PASSWORD).await;
    let manager = tenant.anonymous.bearer(manager["access_token"].as_str().unwrap());
    let next = manager.post(&path, json!({ "grace_hours": 0 })).await.expect(200).data();
    let _ = new.get(list).await.expect(401);
    let _ = tenant.anonymous.elsewhere().bearer(next["token"].as_str().unwrap()).get(list).await.expect(200);
    let used = manager.get(&format!("{KEYS}/{}", text(&made["id"]))).await.expect(200).data();
    assert!(used["last_used_at"].is_string());
    stack.shutdown().await;
}

/// Who holds an `ETag` of a key holds it still after the key was used.
#[tokio::test]
async fn the_use_of_a_key_is_no_change_of_it() {
    let tenant = Tenant::new(shared()).await;
    let (made, client) = key(&tenant, &["calls:read"]).await;
    let own = format!("{KEYS}/{}", text(&made["id"]));
    let etag = tenant.manager.get(&own).await.expect(200).header("etag").unwrap().to_owned();
    let _ = client.get("/api/v1/calls").await.expect(200);
    assert!(tenant.manager.get(&own).await.expect(200).data()["last_used_at"].is_string());
    let renamed = json!({ "api_key": { "name": "Renamed" } });
    let _ = tenant.manager.with("if-match", &etag).put(&own, renamed.clone()).await.expect(200);
    let _ = tenant.manager.with("if-match", &etag).put(&own, renamed).await.expect(412);
    let _ = tenant.manager.with("if-match", &etag).delete(&own).await.expect(412);
}

/// What would let a key become somebody takes a person.
#[tokio::test]
async fn a_key_becomes_nobody() {
    let tenant = Tenant::new(shared()).await;
    let (_, client) = key(&tenant, &["users:read", "users:write"]).await;
    let (_, ana) = tenant.user("ana", "attendant").await;
    let managers = client.get("/api/v1/users?role=manager").await.expect(200).data();
    let boss = text(&managers[0]["id"]);
    let wrapped = |fields: Value| json!({ "user": fields });
    let bia = |more: Value| {
        let mut fields = json!({ "name": "Bia", "email": "bia@example.com" });
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        wrapped(fields)
    };
    for refused in [json!({ "password": PASSWORD }), json!({ "role": "manager" })] {
        let detail = client.post("/api/v1/users", bia(refused.clone())).await.expect(403).errors();
        assert_eq!(detail, json!({ "detail": "An API key cannot do this" }));
        let _ = client.put(&format!("/api/v1/users/{ana}"), wrapped(refused)).await.expect(403);
    }
    for change in [json!({ "email": "thief@example.com" }), json!({ "role": "attendant" }), json!({ "active": false })] {
        let _ = client.put(&format!("/api/v1/users/{boss}"), wrapped(change)).await.expect(403);
    }
    let _ = client.put(&format!("/api/v1/users/{ana}"), wrapped(json!({ "email": "thief@example.com" }))).await.expect(403);
    let _ = client.delete(&format!("/api/v1/users/{ana}/mfa")).await.expect(403);
    let _ = client.post("/api/v1/users", bia(json!({ "role": "supervisor" }))).await.expect(201);
    let _ = client.put(&format!("/api/v1/users/{ana}"), wrapped(json!({ "active": false }))).await.expect(200);
}

#[tokio::test]
async fn what_is_no_key_is_401() {
    let tenant = Tenant::new(shared()).await;
    let other = Tenant::new(shared()).await;
    let (made, _) = key(&tenant, &["departments:read"]).await;
    let token = text(&made["token"]);
    let parts: Vec<&str> = token.split('_').collect();
    let forged = [
        format!("vk_{}_{}_{}", other.slug, parts[2], parts[3]),
        format!("vk_{}_{}_{}", parts[1], "0".repeat(32), parts[3]),
        format!("vk_{}_{}_{}x", parts[1], parts[2], parts[3]),
        format!("vk_{}_{}_{}", parts[1], parts[2], parts[3].to_uppercase()),
        format!("vk_{}_{}_", parts[1], parts[2]),
        format!("VK_{}_{}_{}", parts[1], parts[2], parts[3]),
        format!("{token}_"),
        format!("vk_a#b_{}_{}", parts[2], parts[3]),
    ];
    for forged in forged {
        let _ = tenant.anonymous.bearer(&forged).get("/api/v1/departments").await.expect(401);
    }
    let _ = tenant.anonymous.bearer(&token).get("/api/v1/departments").await.expect(200);
}

/// The trail by a query: actions, latest first.
async fn trail(client: &Client, query: &str) -> Vec<Value> {
    let list = client.get(&format!("{TRAIL}?{query}")).await.expect(200).json();
    let rows = list["data"].as_array().unwrap().clone();
    assert!(query.contains("page_size") || list["meta"]["total_count"] == json!(rows.len()));
    rows
}

#[tokio::test]
async fn the_trail_tells_who_did_what_to_which_object() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let me = text(&tenant.manager.get("/api/v1/users/me").await.expect(200).data()["id"]);
    let named = tenant.manager.with("x-request-id", "trace-1").with("x-forwarded-for", "203.0.113.9");
    let made = named.post("/api/v1/departments", json!({ "department": { "name": "Support" } })).await.expect(201).data();
    let path = format!("/api/v1/departments/{}", text(&made["id"]));
    let _ = tenant.manager.put(&path, json!({ "department": { "name": "Help", "max_queue_size": 20 } })).await.expect(200);
    let _ = tenant.manager.put(&path, json!({ "department": { "name": "Help" } })).await.expect(200);
    let (api_key, client) = key(&tenant, &["departments:write"]).await;
    let _ = client.delete(&path).await.expect(204);

    let query = format!("object_id={}", text(&made["id"]));
    let rows = trail(&tenant.manager, &query).await;
    let actions: Vec<_> = rows.iter().map(|row| text(&row["action"])).collect();
    assert_eq!(actions, ["department.deleted", "department.updated", "department.created"], "what changes nothing is no entry");
    let created = &rows[2];
    assert_eq!(
        (&created["actor"], &created["object"], &created["ip"], &created["request_id"]),
        (
            &json!({ "type": "user", "id": me, "name": "Maria Manager" }),
            &json!({ "type": "department", "id": made["id"] }),
            &json!("203.0.113.9"),
            &json!("trace-1"),
        )
    );
    assert_eq!(
        (&created["changes"]["name"], &rows[1]["changes"]),
        (&json!([null, "Support"]), &json!({ "name": ["Support", "Help"] }))
    );
    assert_eq!(rows[0]["actor"], json!({ "type": "api_key", "id": api_key["id"], "name": "ERP" }));

    let key_id = text(&api_key["id"]);
    for (query, expected) in [
        (format!("actor={key_id}"), vec!["department.deleted"]),
        (format!("actor={me}&object_type=department"), vec!["department.updated", "department.created"]),
        ("action=department.created".to_owned(), vec!["department.created"]),
        (format!("object_id={key_id}"), vec!["api_key.created"]),
        ("object_type=webhook".to_owned(), vec![]),
        ("date_to=2020-01-01".to_owned(), vec![]),
    ] {
        let rows = trail(&tenant.manager, &query).await;
        assert_eq!(rows.iter().map(|row| text(&row["action"])).collect::<Vec<_>>(), expected, "{query}");
    }
    let first = tenant.manager.get(&format!("{TRAIL}?page_size=2")).await.expect(200).json();
    let cursor = text(&first["meta"]["next_cursor"]);
    let second = tenant.manager.get(&format!("{TRAIL}?page_size=2&cursor={cursor}")).await.expect(200).json();
    assert!(second["data"].as_array().unwrap().iter().all(|row| !first["data"].as_array().unwrap().contains(row)));
    let other = Tenant::new(&stack).await;
    assert_eq!(trail(&other.manager, &query).await, Vec::<Value>::new());
    stack.shutdown().await;
}

#[tokio::test]
async fn the_trail_holds_no_secret() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let (_, id) = tenant.user("ana", "attendant").await;
    let path = format!("/api/v1/users/{id}");
    let _ = tenant.manager.put(&path, json!({ "user": { "password": "nine green bottles, one wall" } })).await.expect(200);
    let hook = json!({ "webhook": {
        "url": "https://example.com/hook", "events": ["*"], "secret": "sixteen or more!", "headers": { "authorization": "Bearer 4f1c9b" },
    } });
    let hook = tenant.manager.post("/api/v1/webhooks", hook).await.expect(201).data();
    let changed = json!({ "webhook": { "secret": "another, of sixteen" } });
    let _ = tenant.manager.put(&format!("/api/v1/webhooks/{}", text(&hook["id"])), changed).await.expect(200);
    let (made, _) = key(&tenant, &["calls:read"]).await;
    let shown = tenant.manager.get(&format!("{TRAIL}?page_size=100")).await.expect(200).text();
    assert!(shown.contains(r#""password":["••••","••••"]"#) && shown.contains(r#""secret":["••••","••••"]"#), "{shown}");
    // Nor does what is stored of it.
    let store = stack.app().store(&tenant.slug);
    let query = shared::storage::list::Query {
        filters: Vec::new(),
        search: None,
        sort: "inserted_at",
        descending: true,
        range: None,
        ranged: None,
        start: shared::storage::list::Start::Skip(0),
        size: 100,
    };
    let stored =
        serde_json::to_string(&store.list::<Entry>(&query).await.unwrap().rows.iter().map(|row| &row.value).collect::<Vec<_>>());
    for secret in [PASSWORD, "nine green", "sixteen", "4f1c9b", "argon2id", &text(&made["token"])] {
        assert!(!shown.contains(secret) && !stored.as_ref().unwrap().contains(secret), "{secret}");
    }
    stack.shutdown().await;
}
