//! What people do to themselves, and what becomes of sessions when managers change people.

use serde_json::{Value, json};
use tests::{Client, PASSWORD, Settings, Stack, Tenant, shared};
use tokio::task::JoinSet;

use crate::scene::{Scene, text};

const ME: &str = "/api/v1/users/me";
const SESSIONS: &str = "/api/v1/users/me/sessions";
const OTHER: &str = "nine green bottles, one wall";

/// The client of a new login.
async fn logged_in(tenant: &Tenant, email: &str, password: &str) -> (Client, Value) {
    let answer = tenant.login(email, password).await;
    (tenant.anonymous.elsewhere().bearer(answer["access_token"].as_str().unwrap()), answer)
}

/// What a session may still do: read, write, refresh.
async fn alive(client: &Client, login: &Value) -> [u16; 3] {
    let refresh = json!({ "refresh_token": login["refresh_token"] });
    [
        client.get(ME).await.status.as_u16(),
        client.put(ME, json!({ "user": {} })).await.status.as_u16(),
        client.elsewhere().post("/api/auth/refresh", refresh).await.status.as_u16(),
    ]
}

async fn change(tenant: &Tenant, id: &str, fields: Value) -> tests::Answer {
    tenant.manager.put(&format!("/api/v1/users/{id}"), json!({ "user": fields })).await
}

#[tokio::test]
async fn everybody_changes_their_own_profile_and_nothing_else() {
    let tenant = Tenant::new(shared()).await;
    let (agent, _) = tenant.user("agent", "attendant").await;
    let fields = json!({
        "name": " Ana Luz ", "locale": "en", "avatar_url": "https://example.com/a.png", "role": "manager", "active": false,
        "email": "other@example.com",
    });
    let me = agent.put(ME, json!({ "user": fields })).await.expect(200).data();
    assert_eq!(
        (&me["name"], &me["locale"], &me["avatar_url"]),
        (&json!("Ana Luz"), &json!("en"), &json!("https://example.com/a.png"))
    );
    assert_eq!((&me["role"], &me["active"], &me["email"]), (&json!("attendant"), &json!(true), &json!("agent@example.com")));
    let reset = agent.put(ME, json!({ "user": { "locale": null, "avatar_url": null } })).await.expect(200).data();
    assert_eq!((&reset["locale"], &reset["avatar_url"], &reset["name"]), (&json!("pt-BR"), &json!(null), &json!("Ana Luz")));
    for (field, value) in [("name", json!("")), ("locale", json!("fr")), ("avatar_url", json!("x"))] {
        let errors = agent.put(ME, json!({ "user": { field: value } })).await.expect(422).errors();
        assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), [field]);
    }
    let found = tenant.manager.get("/api/v1/users?search=luz").await.expect(200).json();
    assert_eq!(found["meta"]["total_count"], json!(1));
}

#[tokio::test]
async fn another_password_ends_the_other_sessions() {
    let tenant = Tenant::new(shared()).await;
    let _ = tenant.user("agent", "attendant").await;
    let (here, login) = logged_in(&tenant, "agent@example.com", PASSWORD).await;
    let (elsewhere, other_login) = logged_in(&tenant, "agent@example.com", PASSWORD).await;
    let path = format!("{ME}/password");
    for (body, fields) in [
        (json!({}), vec!["current_password", "password"]),
        (json!({ "current_password": PASSWORD, "password": "short" }), vec!["password"]),
        (json!({ "current_password": PASSWORD, "password": "Agent@Example.com" }), vec!["password"]),
        (json!({ "current_password": PASSWORD, "password": "password123" }), vec!["password"]),
        (json!({ "current_password": "not the one at all", "password": OTHER }), vec!["current_password"]),
        (json!({ "current_password": "x".repeat(1025), "password": OTHER }), vec!["current_password"]),
    ] {
        let errors = here.put(&path, body).await.expect(422).errors();
        assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), fields);
    }
    assert_eq!(elsewhere.put(ME, json!({ "user": {} })).await.status.as_u16(), 200);
    let _ = here.put(&path, json!({ "current_password": PASSWORD, "password": OTHER })).await.expect(204);
    assert_eq!(alive(&here, &login).await, [200, 200, 200]);
    assert_eq!(alive(&elsewhere, &other_login).await, [200, 401, 401]);
    let old = json!({ "email": "agent@example.com", "password": PASSWORD, "tenant": tenant.slug });
    let _ = tenant.anonymous.elsewhere().post("/api/auth/login", old).await.expect(401);
    let _ = logged_in(&tenant, "agent@example.com", OTHER).await;
}

#[tokio::test]
async fn of_two_who_change_a_password_at_once_one_wins() {
    let tenant = Tenant::new(shared()).await;
    let _ = tenant.user("agent", "attendant").await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(logged_in(&tenant, "agent@example.com", PASSWORD).await.0);
    }
    let mut racers = JoinSet::new();
    for (n, client) in clients.into_iter().enumerate() {
        let body = json!({ "current_password": PASSWORD, "password": format!("{OTHER} {n}") });
        racers.spawn(async move { client.put(&format!("{ME}/password"), body).await.status.as_u16() });
    }
    let statuses = racers.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [204, 401, 422].contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one() {
    let tenant = Tenant::new(shared()).await;
    let (_, id) = tenant.user("agent", "attendant").await;
    let named = tenant.anonymous.elsewhere().with("user-agent", "Tablet/1.0");
    let body = json!({ "email": "agent@example.com", "password": PASSWORD, "tenant": tenant.slug });
    let tablet = named.post("/api/auth/login", body).await.expect(200).json();
    let tablet_client = tenant.anonymous.elsewhere().bearer(tablet["access_token"].as_str().unwrap());
    let (here, _) = logged_in(&tenant, "agent@example.com", PASSWORD).await;
    let list = here.get(SESSIONS).await.expect(200).json();
    let rows = list["data"].as_array().unwrap();
    assert_eq!((rows.len(), &list["meta"]["total_count"]), (3, &json!(3)));
    assert_eq!(rows.iter().filter(|row| row["current"] == json!(true)).count(), 1);
    let other = rows.iter().find(|row| row["user_agent"] == json!("Tablet/1.0")).unwrap();
    let keys: Vec<_> = other.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["current", "id", "inserted_at", "ip", "last_used_at", "user_agent"]);
    assert!(other["ip"].is_string() && other["inserted_at"] == other["last_used_at"]);
    let path = format!("{SESSIONS}/{}", text(&other["id"]));
    // Nobody else's, not even a manager.
    let _ = tenant.manager.delete(&path).await.expect(404);
    let _ = here.delete(&path).await.expect(204);
    let _ = here.delete(&path).await.expect(404);
    assert_eq!(alive(&tablet_client, &tablet).await, [200, 401, 401]);
    assert_eq!(here.get(SESSIONS).await.expect(200).json()["meta"]["total_count"], json!(2));
    let page = here.get(&format!("{SESSIONS}?page_size=1&page=2")).await.expect(200).json();
    assert_eq!((page["data"].as_array().unwrap().len(), &page["meta"]["total_pages"]), (1, &json!(2)));
    let _ = here.get(&format!("{SESSIONS}?sort_by=ip")).await.expect(422);
    // Deactivated and back: the sessions of before stay ended, and cannot be ended again.
    let before = here.get(&format!("{SESSIONS}?page_size=1")).await.expect(200).data();
    let _ = change(&tenant, &id, json!({ "active": false })).await.expect(200);
    let _ = change(&tenant, &id, json!({ "active": true })).await.expect(200);
    let (again, _) = logged_in(&tenant, "agent@example.com", PASSWORD).await;
    assert_eq!(again.get(SESSIONS).await.expect(200).json()["meta"]["total_count"], json!(1));
    let _ = again.delete(&format!("{SESSIONS}/{}", text(&before[0]["id"]))).await.expect(404);
}

#[tokio::test]
async fn a_manager_reads_and_changes_users() {
    let tenant = Tenant::new(shared()).await;
    let (_, id) = tenant.user("agent", "attendant").await;
    let read = tenant.manager.get(&format!("/api/v1/users/{id}")).await.expect(200);
    assert_eq!(read.header("etag"), Some("\"1\""));
    let fields = json!({ "name": "Zoé", "email": "zoe@example.com", "role": "supervisor", "locale": "en" });
    let changed = change(&tenant, &id, fields).await.expect(200);
    assert_eq!(changed.header("etag"), Some("\"2\""));
    let user = changed.data();
    assert_eq!((&user["email"], &user["role"]), (&json!("zoe@example.com"), &json!("supervisor")));
    assert_eq!(tenant.manager.get(&format!("/api/v1/users/{id}")).await.expect(200).data(), user);
    // The e-mail of before is free again; that of another is not.
    let _ = tenant.user("agent", "attendant").await;
    let errors = change(&tenant, &id, json!({ "email": "Agent@example.com" })).await.expect(422).errors();
    assert_eq!(errors, json!({ "email": ["has already been taken"] }));
    for (field, value) in [
        ("role", json!("boss")),
        ("email", json!("x")),
        ("name", json!(null)),
        ("active", json!("x")),
        ("password", json!("short")),
    ] {
        let errors = change(&tenant, &id, json!({ field: value })).await.expect(422).errors();
        assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), [field]);
    }
    let stale = tenant.manager.with("if-match", "\"1\"");
    let _ = stale.put(&format!("/api/v1/users/{id}"), json!({ "user": { "name": "X" } })).await.expect(412);
    let _ = tenant.manager.delete(&format!("/api/v1/users/{id}")).await.expect(405);
}

#[tokio::test]
async fn who_is_deactivated_is_out_at_once() {
    let tenant = Tenant::new(shared()).await;
    let (_, id) = tenant.user("agent", "attendant").await;
    let (client, login) = logged_in(&tenant, "agent@example.com", PASSWORD).await;
    let _ = change(&tenant, &id, json!({ "active": false })).await.expect(200);
    assert_eq!(alive(&client, &login).await, [200, 401, 401]);
    let body = json!({ "email": "agent@example.com", "password": PASSWORD, "tenant": tenant.slug });
    let refused = tenant.anonymous.elsewhere().post("/api/auth/login", body).await.expect(401).json();
    assert_eq!(refused, json!({ "errors": { "detail": "Invalid credentials" } }));
}

#[tokio::test]
async fn another_role_holds_from_the_next_pair_of_tokens() {
    let tenant = Tenant::new(shared()).await;
    let (_, id) = tenant.user("boss", "manager").await;
    let (client, login) = logged_in(&tenant, "boss@example.com", PASSWORD).await;
    let _ = change(&tenant, &id, json!({ "role": "attendant" })).await.expect(200);
    let body = json!({ "department": { "name": "Coup" } });
    let _ = client.post("/api/v1/departments", body.clone()).await.expect(401);
    let refresh = json!({ "refresh_token": login["refresh_token"] });
    let next = client.elsewhere().post("/api/auth/refresh", refresh).await.expect(200).json();
    assert_eq!(next["user"]["role"], json!("attendant"));
    let client = client.bearer(next["access_token"].as_str().unwrap());
    let _ = client.post("/api/v1/departments", body).await.expect(403);
    let _ = client.put(ME, json!({ "user": {} })).await.expect(200);
}

#[tokio::test]
async fn a_password_set_by_a_manager_logs_the_user_out() {
    let tenant = Tenant::new(shared()).await;
    let (_, id) = tenant.user("agent", "attendant").await;
    let (client, login) = logged_in(&tenant, "agent@example.com", PASSWORD).await;
    let _ = change(&tenant, &id, json!({ "password": "agent@example.com" })).await.expect(422);
    let _ = change(&tenant, &id, json!({ "password": OTHER })).await.expect(200);
    assert_eq!(alive(&client, &login).await, [200, 401, 401]);
    let _ = logged_in(&tenant, "agent@example.com", OTHER).await;
}

/// Whoever stole a manager's session does not change the password around the present one.
#[tokio::test]
async fn ones_own_password_takes_the_present_one() {
    let tenant = Tenant::new(shared()).await;
    let me = tenant.manager.get("/api/v1/users/me").await.expect(200).data()["id"].as_str().unwrap().to_owned();
    let errors = change(&tenant, &me, json!({ "password": "nine green bottles" })).await.expect(422).errors();
    assert_eq!(errors, json!({ "password": ["is your own: change it at /api/v1/users/me/password"] }));
}

#[tokio::test]
async fn the_last_active_manager_stays() {
    let tenant = Tenant::new(shared()).await;
    let me = text(&tenant.manager.get(ME).await.expect(200).data()["id"]);
    let refusal = json!({ "errors": { "detail": "The last active manager can be neither demoted nor deactivated" } });
    for fields in [json!({ "active": false }), json!({ "role": "supervisor" })] {
        assert_eq!(change(&tenant, &me, fields).await.expect(422).json(), refusal);
    }
    // One who may not log in is none.
    let idle = json!({ "user": { "name": "Idle", "email": "idle@example.com", "role": "manager", "active": false, "password": PASSWORD } });
    let _ = tenant.manager.post("/api/v1/users", idle).await.expect(201);
    assert_eq!(change(&tenant, &me, json!({ "active": false })).await.expect(422).json(), refusal);
    let _ = change(&tenant, &me, json!({ "name": "Still here" })).await.expect(200);
}

#[tokio::test]
async fn of_managers_who_depose_each_other_at_once_one_stays() {
    for _ in 0..5 {
        let tenant = Tenant::new(shared()).await;
        let mine = text(&tenant.manager.get(ME).await.expect(200).data()["id"]);
        let (other, others) = tenant.user("boss", "manager").await;
        let mut racers = JoinSet::new();
        for (client, victim, field) in
            [(tenant.manager.clone(), others, json!({ "active": false })), (other, mine, json!({ "role": "attendant" }))]
        {
            let path = format!("/api/v1/users/{victim}");
            racers.spawn(async move { client.put(&path, json!({ "user": field })).await.status.as_u16() });
        }
        let mut statuses = racers.join_all().await;
        statuses.sort_unstable();
        assert!([[200, 401], [200, 422]].contains(&[statuses[0], statuses[1]]), "{statuses:?}");
    }
}

#[tokio::test]
async fn calls_that_wait_for_who_is_deactivated_go_back_to_the_queue() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let (second, id) = scene.tenant.user("second", "attendant").await;
    scene.tenant.member(&scene.department, &id).await;
    let (waiting, active) = (scene.join("Carlos").await, scene.active("Beatriz").await);
    let _ = scene.act(&waiting, "assign").await.expect(200);
    let _ = second.post(&format!("/api/v1/calls/{waiting}/assign"), json!({})).await.expect(422);
    let _ = change(&scene.tenant, &scene.agent_id, json!({ "active": false })).await.expect(200);
    let call = scene.call(&waiting).await;
    assert_eq!((&call["status"], &call["user_id"], &call["position"]), (&json!("queued"), &json!(null), &json!(1)));
    assert_eq!(scene.call(&active).await["user_id"], json!(scene.agent_id));
    let _ = second.post(&format!("/api/v1/calls/{waiting}/start"), json!({})).await.expect(200);
    // The schedule has a second look, and then no more.
    scene.tenant.advance(61).await;
    let _ = scene.tenant.drain().await;
    let user = scene.tenant.manager.get(&format!("/api/v1/users/{}", scene.agent_id)).await.expect(200).data();
    assert_eq!(user["active"], json!(false));
    let due = stack.app().store(&scene.tenant.slug).find::<shared::models::User>(scene.agent_id.parse().unwrap()).await.unwrap();
    assert_eq!(due.releases_at, None);
    stack.shutdown().await;
}
