//! Customers: what is known of them, how they are found, whom an e-mail stands for, and what stays of one who is removed.

mod lists;
mod matching;
mod removal;

use serde_json::{Value, json};
use tests::{Answer, Client, Tenant, shared};
use tokio::task::JoinSet;

use crate::scene::{Scene, text};

const CUSTOMERS: &str = "/api/v1/customers";

async fn create(client: &Client, fields: Value) -> Answer {
    client.post(CUSTOMERS, json!({ "customer": fields })).await
}

async fn made(client: &Client, fields: Value) -> String {
    text(&create(client, fields).await.expect(201).data()["id"])
}

async fn change(client: &Client, id: &str, fields: Value) -> Answer {
    client.put(&format!("{CUSTOMERS}/{id}"), json!({ "customer": fields })).await
}

/// The names of a list, and how many there are in all.
async fn names(client: &Client, query: &str) -> (Vec<String>, u64) {
    let list = client.get(&format!("{CUSTOMERS}?{query}")).await.expect(200).json();
    let names = list["data"].as_array().unwrap().iter().map(|customer| text(&customer["name"])).collect();
    (names, list["meta"]["total_count"].as_u64().unwrap())
}

/// Whom somebody who joins is taken for.
async fn joins(scene: &Scene, body: Value) -> String {
    let call = text(&scene.join_as(body).await.expect(200).data()["call_id"]);
    text(&scene.call(&call).await["customer_id"])
}

#[tokio::test]
async fn a_customer_is_made_with_what_is_known() {
    let tenant = Tenant::new(shared()).await;
    let (agent, _) = tenant.user("agent", "attendant").await;
    let made = create(&agent, json!({ "name": " Nair  Prado " })).await.expect(201).data();
    let expected = json!({
        "id": made["id"], "name": "Nair  Prado", "email": null, "phone": null, "document": null, "document_type": null,
        "notes": null, "call_count": 0, "last_call_at": null, "inserted_at": made["inserted_at"], "updated_at": made["inserted_at"],
    });
    assert_eq!(made, expected);
    let fields = json!({
        "name": "João", "email": "Joao@Example.com", "phone": "(11) 99999-8888", "document": "529.982.247-25", "notes": "a\nb",
    });
    let made = create(&agent, fields).await.expect(201).data();
    assert_eq!(
        [&made["email"], &made["phone"], &made["document"], &made["document_type"], &made["notes"]],
        [&json!("Joao@Example.com"), &json!("+5511999998888"), &json!("529.982.247-25"), &json!("cpf"), &json!("a\nb")]
    );
    let company = create(&agent, json!({ "name": "Acme", "document": "12.ABC.345/01DE-35" })).await.expect(201).data();
    assert_eq!(company["document_type"], json!("cnpj"));
    let read = agent.get(&format!("{CUSTOMERS}/{}", text(&made["id"]))).await.expect(200);
    assert_eq!((read.data(), read.header("etag")), (made, Some("\"1\"")));
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let tenant = Tenant::new(shared()).await;
    let long = "x".repeat(201);
    for (field, values) in [
        ("name", vec![json!(null), json!(""), json!(" "), json!(7), json!(long), json!("a\u{0}b"), json!(["x"])]),
        ("email", vec![json!("x"), json!("a b@c.de"), json!(7), json!({})]),
        ("phone", vec![json!("12"), json!("call me"), json!("+0123456789"), json!(119), json!("(11) 9999")]),
        ("document", vec![json!("x".repeat(33)), json!("a\nb"), json!(7)]),
        ("notes", vec![json!("x".repeat(10_001)), json!("a\u{1}"), json!([])]),
    ] {
        for value in values {
            let mut fields = json!({ "name": "Ana" });
            fields[field] = value.clone();
            let errors = create(&tenant.manager, fields).await.expect(422).errors();
            assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), [field], "{value}");
        }
    }
    let errors = create(&tenant.manager, json!({ "email": "x", "document": 7, "phone": "(11) 9999" })).await.expect(422).errors();
    assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), ["document", "email", "name", "phone"]);
    let bare = tenant.manager.post(CUSTOMERS, json!({ "name": "Ana" })).await.expect(400).errors();
    assert!(text(&bare["detail"]).contains("customer"), "{bare}");
}

#[tokio::test]
async fn a_change_is_partial_and_fields_are_cleared() {
    let tenant = Tenant::new(shared()).await;
    let id = made(&tenant.manager, json!({ "name": "Ana", "email": "ana@example.com", "notes": "x" })).await;
    let path = format!("{CUSTOMERS}/{id}");
    let changed =
        change(&tenant.manager, &id, json!({ "notes": null, "call_count": 9, "phone": "11 4000-1000" })).await.expect(200);
    let data = changed.data();
    assert_eq!(
        [&data["name"], &data["email"], &data["notes"], &data["call_count"], &data["phone"]],
        [&json!("Ana"), &json!("ana@example.com"), &json!(null), &json!(0), &json!("+551140001000")]
    );
    assert_eq!(changed.header("etag"), Some("\"2\""));
    let _ = tenant.manager.with("if-match", "\"1\"").put(&path, json!({ "customer": {} })).await.expect(412);
    let _ = tenant.manager.with("if-match", "\"1\"").delete(&path).await.expect(412);
    let _ = change(&tenant.manager, &id, json!({ "name": null })).await.expect(422);
    let trail = tenant.manager.get(&format!("/api/v1/audit-log?object_id={id}")).await.expect(200).json();
    let text = trail.to_string();
    assert!(text.contains("customer.created") && text.contains("customer.updated") && text.contains("phone"), "{text}");
    assert!(!text.contains("ana@example.com") && !text.contains("Ana"), "{text}");
}

#[tokio::test]
async fn of_two_writers_with_one_etag_one_wins() {
    let tenant = Tenant::new(shared()).await;
    let id = made(&tenant.manager, json!({ "name": "Ana" })).await;
    let mut racers = JoinSet::new();
    for n in 0..8 {
        let (client, path) = (tenant.manager.with("if-match", "\"1\""), format!("{CUSTOMERS}/{id}"));
        let body = json!({ "customer": { "notes": n.to_string() } });
        racers.spawn(async move { client.put(&path, body).await.status.as_u16() });
    }
    let mut statuses = racers.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
}

#[tokio::test]
async fn everybody_who_serves_may_and_nobody_else() {
    let (tenant, other) = (Tenant::new(shared()).await, Tenant::new(shared()).await);
    let id = made(&tenant.manager, json!({ "name": "Ana" })).await;
    let path = format!("{CUSTOMERS}/{id}");
    let _ = tenant.anonymous.get(&path).await.expect(401);
    let _ = other.manager.get(&path).await.expect(404);
    let _ = other.manager.put(&path, json!({ "customer": { "name": "X" } })).await.expect(404);
    let _ = other.manager.delete(&path).await.expect(404);
    let keyed = tenant.manager.with("idempotency-key", "one");
    let body = json!({ "customer": { "name": "Once", "email": "once@example.com" } });
    let first = keyed.post(CUSTOMERS, body.clone()).await.expect(201).data();
    assert_eq!(keyed.post(CUSTOMERS, body).await.expect(201).data(), first);
    assert_eq!(names(&tenant.manager, "search=once").await.1, 1);
}

/// Making and changing are told to the company's own systems.
#[tokio::test]
async fn customers_are_events() {
    let stack = tests::Stack::start(tests::Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let receiver = tests::Receiver::start().await;
    let _ = scene.webhook(&receiver, &["customer.created", "customer.updated"]).await;
    let id = made(&scene.tenant.manager, json!({ "name": "Ana", "document": "529.982.247-25" })).await;
    let _ = change(&scene.tenant.manager, &id, json!({ "notes": "x" })).await.expect(200);
    let _ = scene.tenant.drain().await;
    let mut events = receiver.events();
    events.sort();
    assert_eq!(events, ["customer.created", "customer.updated"]);
    let shown = scene.tenant.manager.get(&format!("{CUSTOMERS}/{id}")).await.expect(200).data();
    let updated = receiver.received().into_iter().find(|got| got.json()["event"] == json!("customer.updated")).unwrap();
    assert_eq!(updated.json()["data"], shown);
    stack.shutdown().await;
}
