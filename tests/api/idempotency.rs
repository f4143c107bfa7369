//! `Idempotency-Key`: the same request again gets the first answer again, and nothing happens twice.

use http::Method;
use serde_json::{Value, json};
use tests::{Answer, Client, PASSWORD, Settings, Stack, Tenant, shared};
use tokio::task::JoinSet;
use uuid::Uuid;

const DEPARTMENTS: &str = "/api/v1/departments";

fn keyed(client: &Client, key: &str) -> Client {
    client.with("idempotency-key", key)
}

fn replayed(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}

fn department(name: &str) -> Value {
    json!({ "department": { "name": name } })
}

async fn total(client: &Client, path: &str) -> Value {
    client.get(path).await.expect(200).json()["meta"]["total_count"].clone()
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer() {
    let tenant = Tenant::new(shared()).await;
    let client = keyed(&tenant.manager, "key-1");
    let first = client.post(DEPARTMENTS, department("Support")).await.expect(201);
    assert!(!replayed(&first));
    let _ = tenant.manager.post(DEPARTMENTS, department("Sales")).await.expect(201);
    for _ in 0..2 {
        let again = client.post(DEPARTMENTS, department("Support")).await.expect(201);
        assert!(replayed(&again));
        assert_eq!((again.json(), again.header("etag")), (first.json(), first.header("etag")));
        assert_eq!(again.header("content-type"), Some("application/json"));
    }
    assert_eq!(total(&tenant.manager, DEPARTMENTS).await, json!(2));
    let path = format!("{DEPARTMENTS}/{}", first.data()["id"].as_str().unwrap());
    let _ = tenant.manager.put(&path, json!({ "department": { "name": "Renamed" } })).await.expect(200);
    assert_eq!(client.post(DEPARTMENTS, department("Support")).await.expect(201).json(), first.json());
}

#[tokio::test]
async fn another_body_is_422() {
    let tenant = Tenant::new(shared()).await;
    let client = keyed(&tenant.manager, "key-1");
    let _ = client.post(DEPARTMENTS, department("Support")).await.expect(201);
    for body in [department("Sales"), json!({}), json!({ "department": { "name": "Support", "active": true } })] {
        let other = client.post(DEPARTMENTS, body).await.expect(422);
        assert!(!replayed(&other) && other.errors()["detail"].is_string());
    }
    assert_eq!(total(&tenant.manager, DEPARTMENTS).await, json!(1));
    assert!(replayed(&client.post(DEPARTMENTS, department("Support")).await.expect(201)));
}

#[tokio::test]
async fn a_key_has_at_most_255_characters() {
    let tenant = Tenant::new(shared()).await;
    let long = "k".repeat(255);
    let _ = keyed(&tenant.manager, &long).post(DEPARTMENTS, department("Support")).await.expect(201);
    assert!(replayed(&keyed(&tenant.manager, &long).post(DEPARTMENTS, department("Support")).await.expect(201)));
    let refused = keyed(&tenant.manager, &"k".repeat(256)).post(DEPARTMENTS, department("Support")).await.expect(400);
    assert!(refused.errors()["detail"].as_str().unwrap().contains("Idempotency-Key"));
    let _ = keyed(&tenant.anonymous, &"k".repeat(256)).post(DEPARTMENTS, department("Support")).await.expect(401);
    assert_eq!(total(&tenant.manager, DEPARTMENTS).await, json!(1));
    let _ = keyed(&tenant.manager, &"k".repeat(256)).get(DEPARTMENTS).await.expect(200);
}

#[tokio::test]
async fn refusals_of_the_handler_are_replayed() {
    let tenant = Tenant::new(shared()).await;
    let taken = json!({ "department": { "name": "Support", "identifier": "support" } });
    let id = tenant.department(json!({ "name": "Support", "identifier": "support" })).await;
    let client = keyed(&tenant.manager, "key-422");
    let refused = client.post(DEPARTMENTS, taken.clone()).await.expect(422);
    assert!(!replayed(&refused));
    let _ = tenant.manager.delete(&format!("{DEPARTMENTS}/{id}")).await.expect(204);
    let again = client.post(DEPARTMENTS, taken.clone()).await.expect(422);
    assert!(replayed(&again));
    assert_eq!(again.json(), refused.json());
    let _ = keyed(&tenant.manager, "key-new").post(DEPARTMENTS, taken).await.expect(201);

    let path = format!("{DEPARTMENTS}/{}/users", Uuid::new_v4());
    let body = json!({ "user_id": Uuid::new_v4() });
    let client = keyed(&tenant.manager, "key-404");
    let missing = client.post(&path, body.clone()).await.expect(404);
    let again = client.post(&path, body).await.expect(404);
    assert!(!replayed(&missing) && replayed(&again));
    assert_eq!(again.json(), missing.json());
}

#[tokio::test]
async fn what_cannot_be_read_or_may_not_be_done_is_not_replayed() {
    let stack = Stack::start(Settings::default().with("VOKI_DEFAULT_PLAN", "free")).await;
    let tenant = Tenant::new(&stack).await;
    let client = keyed(&tenant.manager, "key");
    for _ in 0..2 {
        let broken = client.with("content-type", "application/json").send(Method::POST, DEPARTMENTS, "{").await.expect(400);
        assert!(!replayed(&broken));
    }
    let _ = keyed(&tenant.anonymous, "key").post(DEPARTMENTS, department("Support")).await.expect(401);
    let only = tenant.department(json!({ "name": "Only" })).await;
    for _ in 0..2 {
        assert!(!replayed(&client.post(DEPARTMENTS, department("Support")).await.expect(403)));
    }
    let _ = tenant.manager.delete(&format!("{DEPARTMENTS}/{only}")).await.expect(204);
    let made = client.post(DEPARTMENTS, department("Support")).await.expect(201);
    assert!(!replayed(&made));
    assert!(replayed(&client.post(DEPARTMENTS, department("Support")).await.expect(201)));
    stack.shutdown().await;
}

#[tokio::test]
async fn a_key_is_its_users_and_its_paths() {
    let (tenant, other) = (Tenant::new(shared()).await, Tenant::new(shared()).await);
    let (supervisor, _) = tenant.user("supervisor", "supervisor").await;
    let first = keyed(&tenant.manager, "key").post(DEPARTMENTS, department("Support")).await.expect(201);
    for client in [&supervisor, &other.manager] {
        let theirs = keyed(client, "key").post(DEPARTMENTS, department("Support")).await.expect(201);
        assert!(!replayed(&theirs));
        assert_ne!(theirs.data()["id"], first.data()["id"]);
    }
    let login = tenant.login("manager@example.com", PASSWORD).await;
    let elsewhere = tenant.anonymous.bearer(login["access_token"].as_str().unwrap());
    assert!(replayed(&keyed(&elsewhere, "key").post(DEPARTMENTS, department("Support")).await.expect(201)));

    let link = json!({ "access_link": { "department_id": first.data()["id"] } });
    let link = keyed(&tenant.manager, "key").post("/api/v1/access-links", link).await.expect(201);
    assert!(!replayed(&link));
    let cancel = format!("/api/v1/access-links/{}/cancel", link.data()["id"].as_str().unwrap());
    let cancelled = keyed(&tenant.manager, "key").post(&cancel, json!({})).await.expect(200);
    let again = keyed(&tenant.manager, "key").post(&cancel, json!({})).await.expect(200);
    assert!(!replayed(&cancelled) && replayed(&again));
    assert_eq!(again.data()["status"], json!("cancelled"));
}

#[tokio::test]
async fn a_replay_is_refused_to_who_may_no_longer_write() {
    let tenant = Tenant::new(shared()).await;
    let client = keyed(&tenant.manager, "key");
    let _ = client.post(DEPARTMENTS, department("Support")).await.expect(201);
    let _ = tenant.manager.post("/api/auth/logout", json!({})).await.expect(204);
    assert!(!replayed(&client.post(DEPARTMENTS, department("Support")).await.expect(401)));
}

#[tokio::test]
async fn only_a_post_takes_a_key_and_not_at_authentication() {
    let tenant = Tenant::new(shared()).await;
    let id = tenant.department(json!({ "name": "Support" })).await;
    let path = format!("{DEPARTMENTS}/{id}");
    let client = keyed(&tenant.manager, "key");
    for name in ["One", "Two"] {
        let answer = client.put(&path, department(name)).await.expect(200);
        assert_eq!((replayed(&answer), &answer.data()["name"]), (false, &json!(name)));
    }
    let login = json!({ "email": "manager@example.com", "password": PASSWORD, "tenant": tenant.slug });
    let client = keyed(&tenant.anonymous.elsewhere(), "key");
    let one = client.post("/api/auth/login", login.clone()).await.expect(200);
    let two = client.post("/api/auth/login", login).await.expect(200);
    assert!(!replayed(&one) && !replayed(&two));
    assert_ne!(one.json()["refresh_token"], two.json()["refresh_token"]);
}

#[tokio::test]
async fn joining_again_gives_the_same_call() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let path = format!("/api/v1/call/{}/join", tenant.link(&department, 2).await);
    let customer = json!({ "name": "Carlos" });
    let first = keyed(&tenant.anonymous.elsewhere(), "key").post(&path, customer.clone()).await.expect(200);
    // On the public pages the path is the scope: another address is the same phone in another network.
    let again = keyed(&tenant.anonymous.elsewhere(), "key").post(&path, customer.clone()).await.expect(200);
    assert!(!replayed(&first) && replayed(&again));
    assert_eq!(again.json(), first.json());
    let other = keyed(&tenant.anonymous.elsewhere(), "other").post(&path, customer).await.expect(200);
    assert_ne!(other.data()["call_id"], first.data()["call_id"]);
    let last = keyed(&tenant.anonymous.elsewhere(), "last");
    let _ = last.post(&path, json!({ "name": "Late" })).await.expect(404);
    assert!(replayed(&last.post(&path, json!({ "name": "Late" })).await.expect(404)));
    assert_eq!(total(&tenant.manager, "/api/v1/calls").await, json!(2));
    let link = tenant.manager.get("/api/v1/access-links").await.expect(200).data()[0].clone();
    assert_eq!((&link["use_count"], &link["status"]), (&json!(2), &json!("used")));
}

#[tokio::test]
async fn a_secret_is_masked_in_a_replay() {
    let tenant = Tenant::new(shared()).await;
    let client = keyed(&tenant.manager, "key");
    let body =
        json!({ "webhook": { "url": "https://example.com/hook", "events": ["*"], "headers": { "x-key": "hidden value" } } });
    let first = client.post("/api/v1/webhooks", body.clone()).await.expect(201).data();
    let again = client.post("/api/v1/webhooks", body).await.expect(201);
    assert!(replayed(&again));
    let (secret, shown) = (first["secret"].as_str().unwrap(), again.data()["secret"].as_str().unwrap().to_owned());
    assert!(secret.starts_with("whsec_") && shown.ends_with(&secret[secret.len() - 4..]), "{shown}");
    assert!(!again.text().contains(&secret[6..secret.len() - 4]) && !again.text().contains("hidden value"));
    let mut masked = first.clone();
    masked["secret"] = json!(shown);
    assert_eq!(again.data(), masked);
}

#[tokio::test]
async fn many_at_once_make_one_object() {
    let tenant = Tenant::new(shared()).await;
    for round in 1..=5 {
        let mut requests = JoinSet::new();
        for _ in 0..8 {
            let client = keyed(&tenant.manager, &format!("round-{round}"));
            requests.spawn(async move { client.post(DEPARTMENTS, department("Support")).await });
        }
        let answers = requests.join_all().await;
        let first: Vec<_> = answers.iter().filter(|answer| answer.status == 201 && !replayed(answer)).collect();
        assert_eq!(first.len(), 1);
        for answer in &answers {
            match answer.status.as_u16() {
                201 => assert_eq!(answer.json(), first[0].json()),
                409 => assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1),
                status => panic!("{status}: {}", answer.text()),
            }
        }
        assert_eq!(total(&tenant.manager, DEPARTMENTS).await, json!(round));
    }
}

#[tokio::test]
async fn a_key_is_kept_for_a_day() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let again = async || {
        let login = tenant.login("manager@example.com", PASSWORD).await;
        let client = tenant.anonymous.bearer(login["access_token"].as_str().unwrap());
        keyed(&client, "key").post(DEPARTMENTS, department("Support")).await.expect(201)
    };
    let first = again().await;
    tenant.advance(23 * 3600).await;
    let kept = again().await;
    assert!(replayed(&kept));
    assert_eq!(kept.json(), first.json());
    tenant.advance(2 * 3600).await;
    let anew = again().await;
    assert!(!replayed(&anew));
    assert_ne!(anew.data()["id"], first.data()["id"]);
    stack.shutdown().await;
}
