//! `/departments`: where calls queue, and who serves there.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Answer, Client, Settings, Stack, Tenant, shared};
use tokio::task::JoinSet;
use uuid::Uuid;

const DEPARTMENTS: &str = "/api/v1/departments";

async fn create(client: &Client, fields: Value) -> Answer {
    client.post(DEPARTMENTS, json!({ "department": fields })).await
}

/// The identifier of a new department of these fields.
async fn identifier(tenant: &Tenant, fields: Value) -> Value {
    create(&tenant.manager, fields).await.expect(201).data()["identifier"].clone()
}

async fn read(tenant: &Tenant, id: &str) -> Value {
    tenant.manager.get(&format!("{DEPARTMENTS}/{id}")).await.expect(200).data()
}

async fn total(tenant: &Tenant, path: &str) -> Value {
    tenant.manager.get(path).await.expect(200).json()["meta"]["total_count"].clone()
}

#[tokio::test]
async fn a_department_is_made_with_defaults() {
    let tenant = Tenant::new(shared()).await;
    let made = create(&tenant.manager, json!({ "name": " Suporte Técnico " })).await.expect(201).data();
    let expected = json!({
        "id": made["id"], "name": "Suporte Técnico", "identifier": "suporte-tecnico", "description": null, "active": true,
        "sector_id": null, "max_queue_size": 20, "max_wait_time": 300, "user_count": 0, "inserted_at": made["inserted_at"],
        "updated_at": made["inserted_at"],
    });
    assert_eq!(made, expected);
    assert_eq!(read(&tenant, made["id"].as_str().unwrap()).await, expected);
    assert_eq!(tenant.manager.get(DEPARTMENTS).await.expect(200).data(), json!([expected]));
    let all = json!({
        "name": "Vendas", "identifier": "sales", "description": "Orders\nand offers", "active": false, "max_queue_size": 10_000,
        "max_wait_time": 86_400,
    });
    let sales = create(&tenant.manager, all.clone()).await.expect(201).data();
    for (key, value) in all.as_object().unwrap() {
        assert_eq!(&sales[key], value);
    }
    let _ = create(&tenant.manager, json!({ "name": "Least", "max_queue_size": 1, "max_wait_time": 10 })).await.expect(201);
}

#[tokio::test]
async fn what_is_out_of_bounds_is_422() {
    let tenant = Tenant::new(shared()).await;
    for (field, values) in [
        ("name", vec![json!(""), json!("x".repeat(201)), json!(null)]),
        (
            "identifier",
            vec![json!("No Good"), json!("técnico"), json!("a_b"), json!("SALES"), json!(7), json!("a/b"), json!("a#b")],
        ),
        ("max_queue_size", vec![json!(0), json!(10_001), json!(-1)]),
        ("max_wait_time", vec![json!(9), json!(86_401)]),
        ("sector_id", vec![json!("x"), json!(Uuid::new_v4())]),
    ] {
        for value in values {
            let mut fields = json!({ "name": "Support" });
            fields[field] = value.clone();
            let errors = create(&tenant.manager, fields).await.expect(422).errors();
            assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), [field], "{value}");
        }
    }
    // All of it at once, also what only the table knows.
    let errors = create(&tenant.manager, json!({ "max_wait_time": 9, "sector_id": Uuid::new_v4() })).await.expect(422).errors();
    assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), ["max_wait_time", "name", "sector_id"]);
    assert_eq!(total(&tenant, DEPARTMENTS).await, json!(0));
}

#[tokio::test]
async fn the_identifier_is_made_from_the_name() {
    let (tenant, other) = (Tenant::new(shared()).await, Tenant::new(shared()).await);
    for (name, made) in [
        ("Suporte Técnico", "suporte-tecnico"),
        ("suporte  técnico!", "suporte-tecnico-2"),
        ("Suporte-Tecnico", "suporte-tecnico-3"),
        ("Vendas & Pós-Venda", "vendas-pos-venda"),
        ("AÇÃO 24h", "acao-24h"),
    ] {
        assert_eq!(identifier(&tenant, json!({ "name": name })).await, json!(made));
    }
    assert_eq!(identifier(&other, json!({ "name": "Suporte Técnico" })).await, json!("suporte-tecnico"));
    let strange = identifier(&tenant, json!({ "name": "東京" })).await;
    let strange = strange.as_str().unwrap();
    assert!(!strange.is_empty() && strange.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-')), "{strange}");
    assert_eq!(identifier(&tenant, json!({ "name": "Sales", "identifier": "acao-24h-2" })).await, json!("acao-24h-2"));
    assert_eq!(identifier(&tenant, json!({ "name": "Ação 24h" })).await, json!("acao-24h-3"));
}

#[tokio::test]
async fn an_identifier_is_unique_and_free_again_after_its_department() {
    let tenant = Tenant::new(shared()).await;
    let first = tenant.department(json!({ "name": "Support", "identifier": "support" })).await;
    let second = tenant.department(json!({ "name": "Sales" })).await;
    let taken = json!({ "identifier": ["has already been taken"] });
    let again = json!({ "name": "Another", "identifier": "support" });
    assert_eq!(create(&tenant.manager, again.clone()).await.expect(422).errors(), taken);
    let astray = json!({ "name": "Another", "identifier": "support", "sector_id": Uuid::new_v4() });
    let both = json!({ "identifier": ["has already been taken"], "sector_id": ["does not exist"] });
    assert_eq!(create(&tenant.manager, astray).await.expect(422).errors(), both);
    let path = format!("{DEPARTMENTS}/{second}");
    let put = async |fields: Value| tenant.manager.put(&path, json!({ "department": fields })).await;
    assert_eq!(put(json!({ "identifier": "support" })).await.expect(422).errors(), taken);
    assert_eq!(put(json!({ "identifier": "sales" })).await.expect(200).data()["identifier"], json!("sales"));
    assert_eq!(put(json!({ "name": "Renamed" })).await.expect(200).data()["identifier"], json!("sales"));
    assert_eq!(put(json!({ "identifier": "vendas" })).await.expect(200).data()["identifier"], json!("vendas"));
    assert_eq!(identifier(&tenant, json!({ "name": "Sales" })).await, json!("sales"));
    assert_eq!(put(json!({ "identifier": null })).await.expect(200).data()["identifier"], json!("renamed"));
    assert_eq!(put(json!({ "identifier": null })).await.expect(200).data()["identifier"], json!("renamed"));
    let _ = tenant.manager.delete(&format!("{DEPARTMENTS}/{first}")).await.expect(204);
    let _ = create(&tenant.manager, again).await.expect(201);
}

#[tokio::test]
async fn many_of_one_name_at_once_have_identifiers_of_their_own() {
    let tenant = Tenant::new(shared()).await;
    let mut racers = JoinSet::new();
    for _ in 0..6 {
        let client = tenant.manager.clone();
        racers.spawn(async move { create(&client, json!({ "name": "Support" })).await.expect(201).data()["identifier"].clone() });
    }
    let made: BTreeSet<String> = racers.join_all().await.iter().map(|made| made.as_str().unwrap().to_owned()).collect();
    assert_eq!(made, ["support", "support-2", "support-3", "support-4", "support-5", "support-6"].map(Into::into).into());
    assert_eq!(total(&tenant, DEPARTMENTS).await, json!(6));
}

#[tokio::test]
async fn attendants_read_and_supervisors_change() {
    let tenant = Tenant::new(shared()).await;
    let (attendant, user) = tenant.user("attendant", "attendant").await;
    let (supervisor, _) = tenant.user("supervisor", "supervisor").await;
    let made = create(&supervisor, json!({ "name": "Support" })).await.expect(201).data();
    let path = format!("{DEPARTMENTS}/{}", made["id"].as_str().unwrap());
    let members = format!("{path}/users");
    for read in [DEPARTMENTS, &path, &members] {
        let _ = attendant.get(read).await.expect(200);
        let _ = tenant.anonymous.get(read).await.expect(401);
    }
    let change = json!({ "department": { "name": "Sales" } });
    let _ = attendant.post(DEPARTMENTS, change.clone()).await.expect(403);
    let _ = attendant.put(&path, change.clone()).await.expect(403);
    let _ = attendant.delete(&path).await.expect(403);
    let _ = attendant.post(&members, json!({ "user_id": user })).await.expect(403);
    let _ = attendant.delete(&format!("{members}/{user}")).await.expect(403);
    assert_eq!(supervisor.put(&path, change).await.expect(200).data()["name"], json!("Sales"));
    let _ = supervisor.post(&members, json!({ "user_id": user })).await.expect(201);
    let _ = supervisor.delete(&format!("{members}/{user}")).await.expect(204);
    let _ = supervisor.delete(&path).await.expect(204);
}

#[tokio::test]
async fn the_list_filters_by_activity_and_sector() {
    let tenant = Tenant::new(shared()).await;
    for (name, active) in [("Alfa", true), ("Bravo", false), ("Charlie", true)] {
        let _ = tenant.department(json!({ "name": name, "active": active })).await;
    }
    for (query, expected) in [
        ("active=true", vec!["Alfa", "Charlie"]),
        ("active=false", vec!["Bravo"]),
        ("active=true&sort_order=desc", vec!["Charlie", "Alfa"]),
        ("active=true&sort_by=inserted_at&page_size=1&page=2", vec!["Charlie"]),
        ("search=bra", vec!["Bravo"]),
        ("search=bra&active=true", vec![]),
    ] {
        let rows = tenant.manager.get(&format!("{DEPARTMENTS}?{query}")).await.expect(200).data();
        let names: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{query}");
    }
    for sector in ["x".to_owned(), Uuid::new_v4().to_string()] {
        let errors = tenant.manager.get(&format!("{DEPARTMENTS}?sector_id={sector}")).await.expect(422).errors();
        assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), ["sector_id"]);
    }
}

#[tokio::test]
async fn a_user_serves_once() {
    let tenant = Tenant::new(shared()).await;
    let id = tenant.department(json!({ "name": "Support" })).await;
    let members = format!("{DEPARTMENTS}/{id}/users");
    let (_, ana) = tenant.user("ana", "attendant").await;
    let (_, bob) = tenant.user("bob", "attendant").await;
    let first = tenant.manager.post(&members, json!({ "user_id": ana })).await.expect(201).data();
    assert_eq!((&first["id"], &first["email"]), (&json!(ana), &json!("ana@example.com")));
    assert_eq!(tenant.manager.post(&members, json!({ "user_id": ana })).await.expect(200).data(), first);
    let _ = tenant.manager.post(&members, json!({ "user_id": bob })).await.expect(201);
    assert_eq!(read(&tenant, &id).await["user_count"], json!(2));
    let list = tenant.manager.get(&format!("{members}?page_size=1&sort_order=desc")).await.expect(200).json();
    assert_eq!((&list["meta"]["total_count"], &list["data"][0]["id"]), (&json!(2), &json!(bob)));
    let next = format!("{members}?page_size=1&sort_order=desc&cursor={}", list["meta"]["next_cursor"].as_str().unwrap());
    assert_eq!(tenant.manager.get(&next).await.expect(200).data(), json!([first]));
    for (search, found) in
        [("b", vec![&bob]), ("ANA@example", vec![&ana]), ("example", vec![&ana, &bob]), ("zed", vec![]), ("%2D", vec![])]
    {
        let list = tenant.manager.get(&format!("{members}?search={search}")).await.expect(200).json();
        let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap()).collect();
        assert_eq!(
            (ids, &list["meta"]["total_count"]),
            (found.iter().map(|id| id.as_str()).collect(), &json!(found.len())),
            "{search}"
        );
    }
    let other = tenant.department(json!({ "name": "Sales" })).await;
    let _ = tenant.manager.get(&next.replace(&id, &other)).await.expect(422);

    let _ = tenant.manager.delete(&format!("{members}/{ana}")).await.expect(204);
    let _ = tenant.manager.delete(&format!("{members}/{ana}")).await.expect(404);
    let _ = tenant.manager.delete(&format!("{members}/not-an-id")).await.expect(404);
    assert_eq!(read(&tenant, &id).await["user_count"], json!(1));
    assert_eq!(total(&tenant, &members).await, json!(1));
    let errors = tenant.manager.post(&members, json!({})).await.expect(422).errors();
    assert_eq!(errors, json!({ "user_id": ["can't be blank"] }));
    let nowhere = format!("{DEPARTMENTS}/{}/users", Uuid::new_v4());
    let _ = tenant.manager.get(&nowhere).await.expect(404);
    let _ = tenant.manager.post(&nowhere, json!({ "user_id": ana })).await.expect(404);
}

#[tokio::test]
async fn memberships_at_once_are_counted_once_each() {
    let tenant = Tenant::new(shared()).await;
    let id = tenant.department(json!({ "name": "Support" })).await;
    let members = format!("{DEPARTMENTS}/{id}/users");
    let mut users = Vec::new();
    for n in 0..3 {
        users.push(tenant.user(&format!("agent{n}"), "attendant").await.1);
    }
    let mut racers = JoinSet::new();
    for user in users.iter().cycle().take(9) {
        let (client, members, body) = (tenant.manager.clone(), members.clone(), json!({ "user_id": user }));
        racers.spawn(async move { client.post(&members, body).await.status.as_u16() });
    }
    let mut statuses = racers.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 201, 201, 201]);
    assert_eq!(read(&tenant, &id).await["user_count"], json!(3));
    assert_eq!(total(&tenant, &members).await, json!(3));
}

#[tokio::test]
async fn a_department_with_work_in_hand_is_not_deleted() {
    let tenant = Tenant::new(shared()).await;
    let (agent, agent_id) = tenant.user("agent", "attendant").await;
    let id = tenant.department(json!({ "name": "Support" })).await;
    tenant.member(&id, &agent_id).await;
    let path = format!("{DEPARTMENTS}/{id}");
    let refused = async |why: &str| {
        let answer = tenant.manager.delete(&path).await;
        assert_eq!(answer.status, 422, "{why}");
        assert!(answer.errors()["detail"].is_string());
        assert_eq!(read(&tenant, &id).await["user_count"], json!(1));
    };
    let token = tenant.link(&id, 2).await;
    refused("an active link").await;
    let (first, second) = (tenant.join(&token, "Carlos").await, tenant.join(&token, "Carla").await);
    refused("queued calls").await;
    let _ = tenant.anonymous.post(&format!("/api/v1/call/leave/{first}"), json!({})).await.expect(200);
    refused("a queued call").await;
    let _ = agent.post(&format!("/api/v1/calls/{second}/start"), json!({})).await.expect(200);
    refused("an active call").await;
    let _ = tenant.manager.put(&path, json!({ "department": { "active": false } })).await.expect(200);
    refused("an active call of an inactive department").await;
    let _ = agent.post(&format!("/api/v1/calls/{second}/complete"), json!({})).await.expect(200);
    let gone = tenant.manager.delete(&path).await.expect(204);
    assert!(gone.bytes.is_empty());
    let _ = tenant.manager.get(&path).await.expect(404);
    let _ = tenant.manager.get(&format!("{path}/users")).await.expect(404);
    let _ = tenant.manager.delete(&path).await.expect(404);
    assert_eq!(total(&tenant, DEPARTMENTS).await, json!(0));
    let call = tenant.manager.get(&format!("/api/v1/calls/{second}")).await.expect(200).data();
    assert_eq!(call["department_name"], json!("Support"));
}

#[tokio::test]
async fn what_has_lapsed_keeps_no_department() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let id = tenant.department(json!({ "name": "Support", "max_wait_time": 60 })).await;
    let expires_at = stack.app().clock().now() + std::time::Duration::from_secs(300);
    let link = json!({ "access_link": { "department_id": id, "max_uses": 5, "expires_at": expires_at } });
    let link = tenant.manager.post("/api/v1/access-links", link).await.expect(201).data();
    let _ = tenant.join(link["token"].as_str().unwrap(), "Carlos").await;
    let path = format!("{DEPARTMENTS}/{id}");
    let _ = tenant.manager.delete(&path).await.expect(422);
    tenant.advance(300).await;
    let _ = tenant.manager.delete(&path).await.expect(204);
    stack.shutdown().await;
}

#[tokio::test]
async fn active_departments_end_at_the_plans_limit() {
    let stack = Stack::start(Settings::default().with("VOKI_DEFAULT_PLAN", "free")).await;
    let tenant = Tenant::new(&stack).await;
    let limit = json!({ "errors": { "detail": "Plan limit reached: departments (1 of 1)" } });
    let mut racers = JoinSet::new();
    for n in 0..6 {
        let client = tenant.manager.clone();
        racers.spawn(async move { create(&client, json!({ "name": format!("Racer {n}") })).await });
    }
    let (made, refused): (Vec<_>, Vec<_>) = racers.join_all().await.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((made.len(), refused.len()), (1, 5));
    for answer in refused {
        assert_eq!(answer.expect(403).json(), limit);
    }
    let first = format!("{DEPARTMENTS}/{}", made[0].data()["id"].as_str().unwrap());
    let second = tenant.department(json!({ "name": "Second", "active": false })).await;
    let second = format!("{DEPARTMENTS}/{second}");
    let activate = json!({ "department": { "active": true } });
    assert_eq!(tenant.manager.put(&second, activate.clone()).await.expect(403).json(), limit);
    let _ = tenant.manager.put(&first, json!({ "department": { "name": "Renamed" } })).await.expect(200);
    let _ = tenant.manager.put(&first, json!({ "department": { "active": false } })).await.expect(200);
    let _ = tenant.manager.put(&second, activate).await.expect(200);
    assert_eq!(create(&tenant.manager, json!({ "name": "Third" })).await.expect(403).json(), limit);
    // What is wrong with the department comes before the plan.
    let taken = create(&tenant.manager, json!({ "name": "Third", "identifier": "second" })).await.expect(422);
    assert_eq!(taken.errors(), json!({ "identifier": ["has already been taken"] }));
    let _ = tenant.manager.delete(&second).await.expect(204);
    let _ = create(&tenant.manager, json!({ "name": "Third" })).await.expect(201);
    stack.shutdown().await;
}
