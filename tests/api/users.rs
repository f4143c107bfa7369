//! `/users`: who works for the tenant.

use serde_json::{Value, json};
use tests::{Answer, Client, PASSWORD, Settings, Stack, Tenant, shared};
use tokio::task::JoinSet;

const USERS: &str = "/api/v1/users";
const KEYS: [&str; 10] =
    ["active", "avatar_url", "email", "id", "inserted_at", "locale", "mfa_enabled", "name", "role", "updated_at"];

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

/// Makes a user with these fields over the usual ones.
async fn create(client: &Client, fields: Value) -> Answer {
    let mut user = json!({ "name": "Bob", "email": "bob@example.com", "password": PASSWORD });
    if let (Some(user), Value::Object(fields)) = (user.as_object_mut(), fields) {
        user.extend(fields);
    }
    client.post(USERS, json!({ "user": user })).await
}

async fn emails(client: &Client, query: &str) -> (Vec<String>, u64) {
    let list = client.get(&format!("{USERS}?{query}")).await.expect(200).json();
    let rows = list["data"].as_array().cloned().unwrap_or_default();
    let name = |row: &Value| row["email"].as_str().unwrap_or_default().trim_end_matches("@example.com").to_owned();
    (rows.iter().map(name).collect(), list["meta"]["total_count"].as_u64().unwrap_or(u64::MAX))
}

#[tokio::test]
async fn everybody_sees_themselves() {
    let tenant = Tenant::new(shared()).await;
    for role in ["attendant", "supervisor", "manager"] {
        let name = format!("the-{role}");
        let (client, id) = tenant.user(&name, role).await;
        let me = client.get("/api/v1/users/me").await.expect(200).data();
        assert_eq!(keys(&me), KEYS);
        assert_eq!((&me["id"], &me["name"], &me["role"]), (&json!(id), &json!(name), &json!(role)));
    }
    let _ = tenant.anonymous.get("/api/v1/users/me").await.expect(401);
}

#[tokio::test]
async fn a_user_is_made_with_defaults() {
    let tenant = Tenant::new(shared()).await;
    let made = create(&tenant.manager, json!({ "name": " Bob Brown ", "email": " Bob@Example.com " })).await.expect(201);
    let user = made.data();
    let expected = json!({
        "id": user["id"], "name": "Bob Brown", "email": "Bob@Example.com", "role": "attendant", "active": true,
        "avatar_url": null, "mfa_enabled": false, "locale": "pt-BR", "inserted_at": user["inserted_at"],
        "updated_at": user["inserted_at"],
    });
    assert_eq!(user, expected);
    assert!(!made.text().contains("password"));
    let all = json!({
        "email": "eve@example.com", "role": "supervisor", "locale": "en", "avatar_url": "https://example.com/eve.png",
        "active": false,
    });
    let eve = create(&tenant.manager, all.clone()).await.expect(201).data();
    for (key, value) in all.as_object().unwrap() {
        assert_eq!(&eve[key], value);
    }
    let nulls = json!({ "email": "nil@example.com", "role": null, "locale": null, "avatar_url": null, "active": null });
    let nil = create(&tenant.manager, nulls).await.expect(201).data();
    assert_eq!((&nil["role"], &nil["locale"], &nil["active"]), (&json!("attendant"), &json!("pt-BR"), &json!(true)));
    let signed_in = tenant.login("bob@example.com", PASSWORD).await;
    assert_eq!(signed_in["user"]["id"], user["id"]);
}

#[tokio::test]
async fn an_email_is_unique_in_the_tenant() {
    let (tenant, other) = (Tenant::new(shared()).await, Tenant::new(shared()).await);
    let _ = create(&tenant.manager, json!({})).await.expect(201);
    for email in ["bob@example.com", "BOB@Example.COM", " bob@example.com ", "Manager@example.com"] {
        let errors = create(&tenant.manager, json!({ "email": email })).await.expect(422).errors();
        assert_eq!(errors, json!({ "email": ["has already been taken"] }));
    }
    let _ = create(&other.manager, json!({})).await.expect(201);
    assert_eq!(emails(&tenant.manager, "").await.1, 2);
}

#[tokio::test]
async fn of_many_with_one_email_one_is_made() {
    let tenant = Tenant::new(shared()).await;
    let mut racers = JoinSet::new();
    for n in 0..8 {
        let client = tenant.manager.clone();
        let email = if n % 2 == 0 { "race@example.com" } else { "RACE@example.com" };
        racers.spawn(async move { create(&client, json!({ "email": email })).await });
    }
    let (made, refused): (Vec<_>, Vec<_>) = racers.join_all().await.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((made.len(), refused.len()), (1, 7));
    for answer in refused {
        assert_eq!(answer.expect(422).errors(), json!({ "email": ["has already been taken"] }));
    }
    assert_eq!(emails(&tenant.manager, "").await.1, 2);
    assert_eq!(emails(&tenant.manager, "role=attendant").await.1, 1);
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let tenant = Tenant::new(shared()).await;
    for (field, values) in [
        ("name", vec![json!(""), json!(null), json!("x".repeat(201)), json!(1)]),
        ("email", vec![json!(null), json!("bob"), json!("bob@"), json!("a b@example.com"), json!("Bob <bob@example.com>")]),
        ("role", vec![json!("king"), json!("Manager"), json!(1), json!("")]),
        ("locale", vec![json!("xx"), json!(1)]),
        ("avatar_url", vec![json!("bob.png"), json!("javascript:alert(1)"), json!(1)]),
        ("active", vec![json!("yes"), json!(1)]),
        ("password", vec![json!("nine char"), json!("x".repeat(129)), json!("password123"), json!("Bob@example.com"), json!(1)]),
    ] {
        for value in values {
            let errors = create(&tenant.manager, json!({ field: value })).await.expect(422).errors();
            assert_eq!(keys(&errors), [field], "{errors}");
        }
    }
    assert_eq!(emails(&tenant.manager, "").await.1, 1);
}

#[tokio::test]
async fn only_managers_list_and_make_users() {
    let tenant = Tenant::new(shared()).await;
    for role in ["attendant", "supervisor"] {
        let (client, _) = tenant.user(role, role).await;
        let _ = client.get(USERS).await.expect(403);
        let refused = create(&client, json!({})).await.expect(403);
        assert!(refused.errors()["detail"].is_string());
        let _ = client.post(USERS, json!({})).await.expect(403);
    }
    let (manager, _) = tenant.user("second", "manager").await;
    let _ = create(&manager, json!({})).await.expect(201);
    assert_eq!(emails(&manager, "").await.1, 5);
}

#[tokio::test]
async fn the_list_sorts_filters_and_searches() {
    let tenant = Tenant::new(shared()).await;
    for (name, email, role, active) in [
        ("Álvaro Dias", "d", "supervisor", true),
        ("bruno Costa", "c", "attendant", true),
        ("Carla Dias", "b", "attendant", false),
        ("Zé Ávila", "a", "manager", true),
    ] {
        let fields = json!({ "name": name, "email": format!("{email}@example.com"), "role": role, "active": active });
        let _ = create(&tenant.manager, fields).await.expect(201);
    }
    let list = tenant.manager.get(USERS).await.expect(200).json();
    assert!(list["data"].as_array().unwrap().iter().all(|row| keys(row) == KEYS));
    for (query, expected) in [
        ("", vec!["d", "c", "b", "manager", "a"]),
        ("sort_order=desc", vec!["a", "manager", "b", "c", "d"]),
        ("sort_by=email", vec!["a", "b", "c", "d", "manager"]),
        ("sort_by=email&sort_order=desc", vec!["manager", "d", "c", "b", "a"]),
        ("role=attendant", vec!["c", "b"]),
        ("role=attendant&sort_by=email", vec!["b", "c"]),
        ("role=manager&active=true", vec!["manager", "a"]),
        ("active=false", vec!["b"]),
        ("active=true&sort_by=email", vec!["a", "c", "d", "manager"]),
        ("role=attendant&active=true", vec!["c"]),
        ("role=supervisor&active=false", vec![]),
        ("search=dia", vec!["d", "b"]),
        ("search=alvaro", vec!["d"]),
        ("search=avila+ze", vec!["a"]),
        ("search=dias&active=false", vec!["b"]),
        ("search=dias&role=supervisor&sort_by=email", vec!["d"]),
        ("search=manager%40exam", vec!["manager"]),
        ("search=ias", vec![]),
    ] {
        let (found, total) = emails(&tenant.manager, query).await;
        assert_eq!((found, total), (expected.iter().map(ToString::to_string).collect(), expected.len() as u64), "{query}");
    }
    for order in ["asc", "desc"] {
        let by_role = tenant.manager.get(&format!("{USERS}?sort_by=role&sort_order={order}")).await.expect(200).data();
        let roles: Vec<&str> = by_role.as_array().unwrap().iter().map(|row| row["role"].as_str().unwrap()).collect();
        let mut grouped = roles.clone();
        grouped.dedup();
        assert_eq!((roles.len(), grouped.len()), (5, 3), "{roles:?}");
        let made = tenant.manager.get(&format!("{USERS}?sort_by=inserted_at&sort_order={order}")).await.expect(200).data();
        let times: Vec<&str> = made.as_array().unwrap().iter().map(|row| row["inserted_at"].as_str().unwrap()).collect();
        assert!(if order == "asc" { times.is_sorted() } else { times.is_sorted_by(|a, b| a >= b) }, "{times:?}");
    }
}

#[tokio::test]
async fn active_users_end_at_the_plans_limit() {
    let stack = Stack::start(Settings::default().with("VOKI_DEFAULT_PLAN", "free")).await;
    let tenant = Tenant::new(&stack).await;
    let mut racers = JoinSet::new();
    for n in 0..6 {
        let (client, email) = (tenant.manager.clone(), format!("racer{n}@example.com"));
        racers.spawn(async move { create(&client, json!({ "email": email })).await });
    }
    let (made, refused): (Vec<_>, Vec<_>) = racers.join_all().await.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((made.len(), refused.len()), (1, 5));
    let limit = json!({ "errors": { "detail": "Plan limit reached: users (2 of 2)" } });
    for answer in refused {
        assert_eq!(answer.expect(403).json(), limit);
    }
    // What is wrong with the user comes before the plan; who may not log in is not counted.
    let _ = create(&tenant.manager, json!({ "email": "x" })).await.expect(422);
    let taken = create(&tenant.manager, json!({ "email": "manager@example.com" })).await.expect(422);
    assert_eq!(taken.errors(), json!({ "email": ["has already been taken"] }));
    let _ = create(&tenant.manager, json!({ "email": "later@example.com", "active": false })).await.expect(201);
    assert_eq!(create(&tenant.manager, json!({})).await.expect(403).json(), limit);
    assert_eq!(emails(&tenant.manager, "active=true").await.1, 2);
    assert_eq!(emails(&tenant.manager, "").await.1, 3);
    stack.shutdown().await;
}
