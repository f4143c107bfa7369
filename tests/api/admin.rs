//! What an operator does.

use std::collections::BTreeMap;

use admin::command;
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use shared::{
    Error,
    storage::{Item, Key, key_of},
};
use tests::{Settings, Stack, Tenant};

use crate::scene::{Scene, text};

#[tokio::test]
async fn a_tenant_is_made_and_its_manager_invited() {
    let stack = Stack::start(Settings::default().with("VOKI_SIGNUP", "closed").with("VOKI_DEFAULT_PLAN", "basic")).await;
    let client = stack.client();
    let create = ["tenant", "create", "acme", "Acme Telecom", "Maria Souza", "maria@example.com"];
    assert_eq!(command(stack.app(), &create).await.unwrap(), "The tenant acme is there; maria@example.com is invited by mail");
    let Err(Error::Invalid(taken)) = command(stack.app(), &create).await else { panic!("taken") };
    assert_eq!(taken.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["slug"]);
    let _ = client.post("/local/drain", json!({})).await.expect(200);
    let mails = client.get("/local/mails").await.expect(200).data();
    let (_, link) = mails[0]["text"].as_str().unwrap().split_once("?token=").unwrap();
    let password = "nine green bottles, one wall";
    let chosen = json!({ "token": link.trim(), "password": password });
    let _ = client.post("/api/auth/reset-password", chosen).await.expect(200);
    let login = json!({ "email": "maria@example.com", "password": password, "tenant": "acme" });
    let login = client.post("/api/auth/login", login).await.expect(200).json();
    let manager = client.bearer(login["access_token"].as_str().unwrap());
    let plan = manager.get("/api/v1/billing/plan").await.expect(200).data();
    assert_eq!((&plan["plan"], &plan["usage"]["active_users"]), (&json!("basic"), &json!(1)));
    let made = manager.get("/api/v1/audit-log?action=user.created").await.expect(200).data();
    assert_eq!(made[0]["actor"], json!({ "type": "operator", "id": "admin", "name": null }));
    stack.shutdown().await;
}

#[tokio::test]
async fn a_smaller_plan_leaves_what_is_there_and_lets_nothing_more_in() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    for name in ["ana", "bia", "caio"] {
        let _ = tenant.user(name, "attendant").await;
    }
    let department = tenant.department(json!({ "name": "One" })).await;
    let said = command(stack.app(), &["tenant", "plan", &tenant.slug, "free"]).await.unwrap();
    assert_eq!(said, format!("The tenant {} has the plan free", tenant.slug));
    let users = tenant.manager.get("/api/v1/users?active=true").await.expect(200).json();
    assert_eq!(users["meta"]["total_count"], json!(4));
    let another = json!({ "user": { "name": "Davi", "email": "davi@example.com", "password": tests::PASSWORD } });
    let refused = tenant.manager.post("/api/v1/users", another.clone()).await.expect(403).json();
    assert_eq!(refused, json!({ "errors": { "detail": "Plan limit reached: users (4 of 2)" } }));
    let _ = tenant.manager.post("/api/v1/departments", json!({ "department": { "name": "Two" } })).await.expect(403);
    let renamed = json!({ "department": { "name": "Still one" } });
    let _ = tenant.manager.put(&format!("/api/v1/departments/{department}"), renamed).await.expect(200);
    let hook = json!({ "webhook": { "url": "https://example.com/hook", "events": ["*"] } });
    let _ = tenant.manager.post("/api/v1/webhooks", hook).await.expect(403);
    assert_eq!(tenant.manager.get("/api/v1/company").await.expect(200).data()["recording_enabled"], json!(false));
    let _ = command(stack.app(), &["tenant", "plan", &tenant.slug, "enterprise"]).await.unwrap();
    let _ = tenant.manager.post("/api/v1/users", another).await.expect(201);
    stack.shutdown().await;
}

/// What the table holds of a tenant.
async fn whole(stack: &Stack, tenant: &str) -> BTreeMap<Key, Item> {
    let items = stack.app().db().whole(tenant).map_ok(|item| (key_of(&item).unwrap(), item));
    items.try_collect().await.unwrap()
}

/// A tenant with something of everything, and its secrets.
async fn busy(stack: &Stack) -> (Scene, Vec<String>) {
    let scene = Scene::new(stack).await;
    let manager = &scene.tenant.manager;
    let call = scene.join("Carlos Ferreira").await;
    let _ = scene.agent.post(&format!("/api/v1/calls/{call}/start"), json!({})).await.expect(200);
    let _ = scene.join("Ana").await;
    let sector = json!({ "sector": { "name": "Sales" } });
    let _ = manager.with("idempotency-key", "one").post("/api/v1/sectors", sector).await.expect(201);
    let secret = "a webhook's secret";
    let hook = json!({ "url": "https://example.com/h", "events": ["*"], "secret": secret, "headers": { "x-key": "a header" } });
    let _ = manager.post("/api/v1/webhooks", json!({ "webhook": hook })).await.expect(201);
    let key = json!({ "api_key": { "name": "ERP", "scopes": ["calls:read"] } });
    let key = text(&manager.post("/api/v1/api-keys", key).await.expect(201).data()["token"]);
    let seed = text(&manager.post("/api/v1/users/me/mfa/setup", json!({})).await.expect(200).data()["secret"]);
    let forgot = json!({ "email": "manager@example.com", "tenant": scene.tenant.slug });
    let _ = scene.tenant.anonymous.elsewhere().post("/api/auth/forgot-password", forgot).await.expect(200);
    let _ = scene.tenant.drain().await;
    (scene, vec![secret.into(), "a header".into(), key, seed, "$argon2".into(), "sealed".into(), "digest".into(), "nonce".into()])
}

#[tokio::test]
async fn what_a_tenant_has_is_exported_without_its_secrets() {
    let stack = Stack::start(Settings::default()).await;
    let ((scene, secrets), _other) = (busy(&stack).await, busy(&stack).await);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tenant.ndjson");
    let arguments = ["tenant", "export", &scene.tenant.slug, file.to_str().unwrap()];
    let said = command(stack.app(), &arguments).await.unwrap();
    let lines = std::fs::read_to_string(&file).unwrap();
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(said.starts_with(&format!("{} objects of the tenant {}", rows.len(), scene.tenant.slug)), "{said}");
    let mut counts = BTreeMap::<String, usize>::new();
    for row in &rows {
        *counts.entry(text(&row["kind"])).or_default() += 1;
    }
    assert!(counts.remove("audit").is_some_and(|count| count >= 6));
    let expected = [
        ("apikey", 1),
        ("call", 2),
        ("company", 1),
        ("customer", 2),
        ("department", 1),
        ("link", 1),
        ("member", 1),
        ("sector", 1),
        ("user", 2),
        ("webhook", 1),
    ];
    assert_eq!(counts, BTreeMap::from(expected.map(|(kind, count)| (kind.to_owned(), count))));
    for secret in secrets {
        assert!(!lines.contains(&secret), "{secret}");
    }
    let call = rows.iter().find(|row| row["kind"] == "call" && row["object"]["status"] == "active").unwrap();
    assert_eq!(call["object"]["customer_name"], json!("Carlos Ferreira"));
    let again = command(stack.app(), &arguments).await;
    assert!(matches!(again, Err(Error::Malformed(text)) if text.contains("exists")));
    stack.shutdown().await;
}

#[tokio::test]
async fn of_a_deleted_tenant_nothing_stays_but_that_its_slug_is_taken() {
    let stack = Stack::start(Settings::default()).await;
    let ((scene, _), (other, _)) = (busy(&stack).await, busy(&stack).await);
    let (slug, before) = (scene.tenant.slug.as_str(), whole(&stack, &other.tenant.slug).await);
    let said = command(stack.app(), &["tenant", "delete", slug, "for-good"]).await.unwrap();
    assert!(said.starts_with(&format!("The tenant {slug} is deleted: ")), "{said}");
    let left = whole(&stack, slug).await;
    assert_eq!(left.keys().collect::<Vec<_>>(), [&Key::company(slug)]);
    let company = format!("{left:?}");
    assert!(company.contains("deleted_at") && !company.contains("Test Company"), "{company}");
    assert!(whole(&stack, &other.tenant.slug).await == before, "another tenant has changed");
    // Whoever was in is out, whoever comes finds nothing.
    let login = json!({ "email": "manager@example.com", "password": tests::PASSWORD, "tenant": slug });
    let _ = scene.tenant.anonymous.elsewhere().post("/api/auth/login", login).await.expect(401);
    let _ = scene.tenant.manager.post("/api/v1/departments", json!({ "department": { "name": "Two" } })).await.expect(401);
    let _ = scene.tenant.anonymous.elsewhere().get(&format!("/api/v1/call/{}/validate", scene.token)).await.expect(404);
    let company = json!({ "name": "Another", "slug": slug });
    let user = json!({ "name": "Eva", "email": "eva@example.com", "password": tests::PASSWORD });
    let stranger = scene.tenant.anonymous.elsewhere();
    let refused = stranger.post("/api/signup/register", json!({ "company": company, "user": user })).await.expect(422);
    assert_eq!(refused.errors(), json!({ "company.slug": ["has already been taken"] }));
    // It can be said again; nothing else can be done to it.
    let again = command(stack.app(), &["tenant", "delete", slug, "for-good"]).await.unwrap();
    assert_eq!(again, format!("The tenant {slug} is deleted: 0 items"));
    for arguments in [&["tenant", "plan", slug, "free"][..], &["tenant", "export", slug, "nowhere"]] {
        assert!(matches!(command(stack.app(), arguments).await, Err(Error::NotFound(_))), "{arguments:?}");
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn what_is_no_command_is_said() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let before = tenant.anonymous.get("/api/auth/.well-known/jwks.json").await.expect(200).json();
    let said = command(stack.app(), &["keys", "rotate"]).await.unwrap();
    let kid = text(&before["keys"][0]["kid"]);
    assert!(said.contains(" signs from ") && !said.contains(&kid), "{said}");
    let half = [&[][..], &["tenant"], &["keys", "steal"], &["tenant", "plan", "acme"], &["tenant", "delete", &tenant.slug]];
    for arguments in half {
        assert!(matches!(command(stack.app(), arguments).await, Err(Error::Malformed(_))), "{arguments:?}");
    }
    for (arguments, path) in [
        (&["tenant", "plan", &tenant.slug, "gold"][..], "plan"),
        (&["tenant", "create", "A", "Acme", "Maria", "maria@example.com"], "slug"),
        (&["tenant", "create", "acme", "Acme", "Maria", "maria"], "email"),
    ] {
        let Err(Error::Invalid(violations)) = command(stack.app(), arguments).await else { panic!("{arguments:?}") };
        assert_eq!(violations.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), [path]);
    }
    assert!(matches!(command(stack.app(), &["tenant", "plan", "nobody", "free"]).await, Err(Error::NotFound(_))));
    stack.shutdown().await;
}
