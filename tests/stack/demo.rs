//! The demo tenant: three who may log in, and something to look at.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Client, Settings};

use crate::{
    kill::kept,
    process::{Engine, Process},
    proxy::Fault,
};

const ACCOUNTS: [(&str, &str); 3] =
    [("manager@demo.test", "manager"), ("supervisor@demo.test", "supervisor"), ("attendant@demo.test", "attendant")];

async fn login(process: &Process, email: &str) -> Client {
    let client = process.client();
    let body = json!({ "tenant": "demo", "email": email, "password": "voki-demo-2026" });
    let answer = client.post("/api/auth/login", body).await.expect(200).json();
    client.bearer(answer["access_token"].as_str().unwrap())
}

/// Everything that the demo's lists show, by identifier, with what they count.
async fn seen(process: &Process) -> Value {
    let manager = login(process, "manager@demo.test").await;
    let mut seen = serde_json::Map::new();
    for path in ["users", "departments", "customers", "tags", "access-links", "calls"] {
        let list = manager.get(&format!("/api/v1/{path}?page_size=100&sort_by=inserted_at")).await.expect(200).json();
        let rows = list["data"].as_array().unwrap();
        assert!(!rows.is_empty(), "no {path}");
        assert_eq!(list["meta"]["total_count"], rows.len(), "{path}");
        let ids: BTreeSet<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
        seen.insert(path.to_owned(), json!(ids));
    }
    let csv = manager.get("/api/v1/export/calls.csv").await.expect(200).text();
    let ids: BTreeSet<&str> = csv.lines().skip(1).map(|row| row.split(',').next().unwrap()).collect();
    assert_eq!(json!(ids), seen["calls"], "the export and the list");
    Value::Object(seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn three_may_log_in_and_see_something_that_is_seeded_once() {
    let folder = tempfile::tempdir().unwrap();
    let settings = kept(folder.path()).with("VOKI_DEMO", "1");
    let process = Process::start(&settings).await;
    for (email, role) in ACCOUNTS {
        let me = login(&process, email).await.get("/api/v1/users/me").await.expect(200).data();
        assert_eq!((&me["email"], &me["role"]), (&json!(email), &json!(role)));
    }
    let first = seen(&process).await;
    let manager = login(&process, "manager@demo.test").await;
    let departments = manager.get("/api/v1/departments").await.expect(200).json();
    let support = &departments["data"][0];
    assert_eq!(
        (&support["name"], &support["identifier"], &support["user_count"]),
        (&json!("Support"), &json!("support"), &json!(3))
    );
    let members = format!("/api/v1/departments/{}/users", support["id"].as_str().unwrap());
    assert_eq!(manager.get(&members).await.expect(200).json()["meta"]["total_count"], 3);
    let tree = manager.get("/api/v1/tags/tree").await.expect(200).data();
    assert!(
        tree.as_array().unwrap().iter().any(|tag| tag["children"].as_array().is_some_and(|below| !below.is_empty())),
        "{tree}"
    );
    let tags = manager.get("/api/v1/tags").await.expect(200).data();
    let borne: u64 = tags.as_array().unwrap().iter().map(|tag| tag["usage_count"].as_u64().unwrap()).sum();
    let served = manager.get("/api/v1/calls?status=completed").await.expect(200).json();
    assert_eq!(served["meta"]["total_count"], borne, "each bears a tag");
    for status in ["completed", "missed"] {
        let calls = manager.get(&format!("/api/v1/calls?status={status}")).await.expect(200).json();
        assert_ne!(calls["meta"]["total_count"], 0, "{status}");
    }
    assert_eq!(process.end().await.status.code(), Some(0));

    let process = Process::start(&settings).await;
    assert_eq!(seen(&process).await, first);
    assert_eq!(process.end().await.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_seeds_the_next_start_finishes_it() {
    let whole = Engine::start().await;
    let process = Process::start(&whole.settings().with("VOKI_DEMO", "1")).await;
    let counts =
        |seen: &Value| -> Vec<usize> { seen.as_object().unwrap().values().map(|ids| ids.as_array().unwrap().len()).collect() };
    let expected = counts(&seen(&process).await);
    process.kill().await;
    for writes in [1, 4, 9, 20] {
        let engine = Engine::start().await;
        engine.proxy.fault(Fault::Stuck("TransactWriteItems", writes));
        let settings: Settings = engine.settings().with("VOKI_DEMO", "1");
        // It never gets to its first line.
        let starting = tokio::spawn({
            let settings = settings.clone();
            async move { Process::start(&settings).await }
        });
        engine.proxy.stuck().await;
        starting.abort();
        assert!(starting.await.unwrap_err().is_cancelled());
        engine.proxy.fault(Fault::None);
        let process = Process::start(&settings).await;
        assert_eq!(counts(&seen(&process).await), expected, "killed after {writes} writes");
        process.kill().await;
    }
}
