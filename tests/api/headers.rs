//! Headers that every endpoint shares: `X-Tenant`, `X-Request-Id`, CORS, `ETag` and `If-Match`; and HEAD.

use std::collections::BTreeSet;

use http::Method;
use serde_json::json;
use tests::{Answer, Client, Settings, Stack, Tenant, shared};
use tokio::task::JoinSet;
use uuid::Uuid;

const ME: &str = "/api/v1/users/me";

/// The names in a comma-separated header, in lower case.
fn names(answer: &Answer, header: &str) -> BTreeSet<String> {
    let text = answer.header(header).unwrap_or_default().to_lowercase();
    text.split(',').map(|name| name.trim().to_owned()).collect()
}

async fn preflight(client: &Client, origin: &str, method: &str) -> Answer {
    client
        .with("origin", origin)
        .with("access-control-request-method", method)
        .with("access-control-request-headers", "authorization,content-type")
        .send(Method::OPTIONS, ME, "")
        .await
}

#[tokio::test]
async fn x_tenant_must_be_the_tokens_tenant() {
    let (tenant, other) = (Tenant::new(shared()).await, Tenant::new(shared()).await);
    let (agent, _) = tenant.user("agent", "attendant").await;
    let _ = tenant.manager.with("x-tenant", &tenant.slug).get(ME).await.expect(200);
    for wrong in [&other.slug, "nobody", "", &tenant.slug.to_uppercase()] {
        let client = tenant.manager.with("x-tenant", wrong);
        let answer = client.get(ME).await.expect(401);
        assert!(answer.errors()["detail"].is_string());
        let _ = client.post("/api/v1/departments", json!({ "department": { "name": "x" } })).await.expect(401);
        let _ = agent.with("x-tenant", wrong).get("/api/v1/users").await.expect(401);
    }
    assert_eq!(tenant.manager.get("/api/v1/departments").await.expect(200).json()["meta"]["total_count"], json!(0));
}

#[tokio::test]
async fn a_request_id_is_taken_or_minted() {
    let tenant = Tenant::new(shared()).await;
    for path in [ME, "/api/v1/nothing", "/api/v1/users?page=0", "/api/health"] {
        let given = Uuid::new_v4().to_string();
        let answer = tenant.manager.with("x-request-id", &given).get(path).await;
        assert_eq!(answer.header("x-request-id"), Some(given.as_str()));
        let minted = tenant.manager.get(path).await.header("x-request-id").unwrap().to_owned();
        let again = tenant.manager.get(path).await.header("x-request-id").unwrap().to_owned();
        assert!(!minted.is_empty() && minted != again, "{minted}");
    }
    let refused = tenant.anonymous.with("x-request-id", "mine").get(ME).await.expect(401);
    assert_eq!(refused.header("x-request-id"), Some("mine"));
}

#[tokio::test]
async fn browsers_of_every_origin_may_call() {
    let client = shared().client();
    for method in ["GET", "POST", "PUT", "DELETE"] {
        let answer = preflight(&client, "https://app.example.com", method).await;
        assert!(answer.status.is_success());
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert!(names(&answer, "access-control-allow-methods").contains(&method.to_lowercase()), "{method}");
        let allowed = names(&answer, "access-control-allow-headers");
        for header in ["authorization", "content-type", "idempotency-key", "if-match", "x-tenant", "x-request-id"] {
            assert!(allowed.contains(header), "{header}");
        }
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
    let refused = client.with("origin", "https://app.example.com").get(ME).await.expect(401);
    assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
    let exposed = names(&refused, "access-control-expose-headers");
    for header in ["etag", "retry-after", "x-request-id", "idempotent-replayed", "ratelimit", "ratelimit-policy"] {
        assert!(exposed.contains(header), "{header}");
    }
}

#[tokio::test]
async fn origins_are_a_setting() {
    let settings = Settings::default().with("VOKI_CORS_ORIGINS", "https://app.example.com, https://desk.example.com");
    let stack = Stack::start(settings).await;
    let client = stack.client();
    for origin in ["https://app.example.com", "https://desk.example.com"] {
        assert_eq!(preflight(&client, origin, "PUT").await.header("access-control-allow-origin"), Some(origin));
        let answer = client.with("origin", origin).get("/api/health").await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert!(names(&answer, "vary").contains("origin"));
    }
    for origin in ["https://evil.example.com", "http://app.example.com", "https://app.example.com:8443", "null"] {
        assert_eq!(preflight(&client, origin, "PUT").await.header("access-control-allow-origin"), None);
        let answer = client.with("origin", origin).get("/api/health").await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let tenant = Tenant::new(shared()).await;
    let id = tenant.department(json!({ "name": "Support" })).await;
    let one = format!("/api/v1/departments/{id}");
    for (client, path, status) in [
        (&tenant.manager, one.as_str(), 200),
        (&tenant.manager, "/api/v1/departments", 200),
        (&tenant.manager, "/api/v1/nothing", 404),
        (&tenant.manager, "/api/v1/departments/not-an-id", 404),
        (&tenant.anonymous, "/api/v1/departments", 401),
    ] {
        let (head, get) = (client.send(Method::HEAD, path, "").await.expect(status), client.get(path).await.expect(status));
        assert!(head.bytes.is_empty() && !get.bytes.is_empty(), "{path}");
        for header in ["etag", "content-type"] {
            assert_eq!(head.header(header), get.header(header), "{path}");
        }
    }
}

#[tokio::test]
async fn every_single_object_has_a_tag_that_changes_with_it() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let token = tenant.link(&department, 1).await;
    let link = tenant.manager.get("/api/v1/access-links").await.expect(200).data()[0]["id"].as_str().unwrap().to_owned();
    let call = tenant.join(&token, "Carlos").await;
    let hook = json!({ "webhook": { "url": "https://example.com/hook", "events": ["*"], "active": false } });
    let hook = tenant.manager.post("/api/v1/webhooks", hook).await.expect(201).data()["id"].as_str().unwrap().to_owned();
    let department = format!("/api/v1/departments/{department}");
    let others = [format!("/api/v1/access-links/{link}"), format!("/api/v1/calls/{call}"), format!("/api/v1/webhooks/{hook}")];
    for path in others.iter().chain([&department]).map(String::as_str).chain([ME]) {
        let tag = tenant.manager.get(path).await.expect(200).header("etag").unwrap_or_default().to_owned();
        assert!(tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'), "{path}: {tag}");
        assert_eq!(tenant.manager.get(path).await.expect(200).header("etag"), Some(tag.as_str()));
    }
    let before = tenant.manager.get(&department).await.expect(200).header("etag").unwrap().to_owned();
    let written = tenant.manager.put(&department, json!({ "department": { "name": "Sales" } })).await.expect(200);
    assert_ne!(written.header("etag").unwrap(), before);
    assert_eq!(written.header("etag"), tenant.manager.get(&department).await.expect(200).header("etag"));
}

#[tokio::test]
async fn if_match_admits_the_present_version_alone() {
    let tenant = Tenant::new(shared()).await;
    let made = json!({ "department": { "name": "Support" } });
    let made = tenant.manager.post("/api/v1/departments", made).await.expect(201);
    let path = format!("/api/v1/departments/{}", made.data()["id"].as_str().unwrap());
    let first = made.header("etag").unwrap().to_owned();
    assert_eq!(tenant.manager.get(&path).await.header("etag"), Some(first.as_str()));
    let put = async |tag: &str, name: &str| {
        tenant.manager.with("if-match", tag).put(&path, json!({ "department": { "name": name } })).await
    };
    let second = put(&first, "One").await.expect(200).header("etag").unwrap().to_owned();
    let stale = put(&first, "Two").await.expect(412);
    assert!(stale.errors()["detail"].is_string());
    for tag in ["\"no\"", "nonsense", ""] {
        let _ = put(tag, "Three").await.expect(412);
    }
    assert_eq!(tenant.manager.get(&path).await.expect(200).data()["name"], json!("One"));
    let _ = put(&format!("\"no\", {second}"), "Four").await.expect(200);
    let _ = put("*", "Five").await.expect(200);
    let _ = tenant.manager.put(&path, json!({ "department": { "name": "Six" } })).await.expect(200);
    let _ = tenant.manager.with("if-match", &second).delete(&path).await.expect(412);
    let last = tenant.manager.get(&path).await.expect(200).header("etag").unwrap().to_owned();
    let _ = tenant.manager.with("if-match", &last).delete(&path).await.expect(204);
}

#[tokio::test]
async fn of_two_writers_with_one_tag_one_wins() {
    let tenant = Tenant::new(shared()).await;
    let id = tenant.department(json!({ "name": "Support" })).await;
    let path = format!("/api/v1/departments/{id}");
    for round in 0..5 {
        let tag = tenant.manager.get(&path).await.expect(200).header("etag").unwrap().to_owned();
        let mut writers = JoinSet::new();
        for n in 0..4 {
            let (client, path) = (tenant.manager.with("if-match", &tag), path.clone());
            let body = json!({ "department": { "name": format!("Writer {round}-{n}") } });
            writers.spawn(async move { client.put(&path, body).await });
        }
        let answers = writers.join_all().await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 3));
        assert!(lost.iter().all(|answer| answer.status == 412));
        assert_eq!(tenant.manager.get(&path).await.expect(200).data()["name"], won[0].data()["name"]);
    }
}
