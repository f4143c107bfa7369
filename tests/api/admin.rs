//! What an operator does.

use admin::command;
use serde_json::json;
use shared::Error;
use tests::{Settings, Stack, Tenant};

use crate::scene::text;

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

#[tokio::test]
async fn what_is_no_command_is_said() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let before = tenant.anonymous.get("/api/auth/.well-known/jwks.json").await.expect(200).json();
    let said = command(stack.app(), &["keys", "rotate"]).await.unwrap();
    let kid = text(&before["keys"][0]["kid"]);
    assert!(said.contains(" signs from ") && !said.contains(&kid), "{said}");
    for arguments in [&[][..], &["tenant"], &["keys", "steal"], &["tenant", "plan", "acme"]] {
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
