//! `/customers/merge`: customers who turn out to be one, what follows them, and where their old identifiers lead.

mod behind;
mod duplicates;
mod model;
mod races;

use serde_json::{Value, json};
use tests::{Answer, Client, Tenant, shared};
use uuid::Uuid;

use crate::scene::{Scene, epoch, text};

const CUSTOMERS: &str = "/api/v1/customers";

async fn made(client: &Client, fields: Value) -> String {
    text(&client.post(CUSTOMERS, json!({ "customer": fields })).await.expect(201).data()["id"])
}

async fn shown(client: &Client, id: &str) -> Value {
    client.get(&format!("{CUSTOMERS}/{id}")).await.expect(200).data()
}

async fn merge(client: &Client, primary: &str, duplicates: &[&str]) -> Answer {
    client.post(&format!("{CUSTOMERS}/merge"), json!({ "primary_id": primary, "duplicate_ids": duplicates })).await
}

async fn total(client: &Client, path: &str) -> u64 {
    client.get(path).await.expect(200).json()["meta"]["total_count"].as_u64().unwrap()
}

/// A link to a scene's department for a customer; answers it whole.
async fn link(scene: &Scene, customer: &str) -> Value {
    let link = json!({ "access_link": { "department_id": scene.department, "customer_id": customer, "max_uses": 100 } });
    scene.tenant.manager.post("/api/v1/access-links", link).await.expect(201).data()
}

/// A customer joins through a link of theirs; answers the call as it is then.
async fn join_by(scene: &Scene, link: &Value) -> Value {
    let path = format!("/api/v1/call/{}/join", text(&link["token"]));
    let joined = scene.tenant.anonymous.elsewhere().post(&path, json!({ "name": "Whoever" })).await.expect(200).data();
    scene.call(&text(&joined["call_id"])).await
}

async fn book(scene: &Scene, customer: &str) -> Answer {
    let booking = json!({ "appointment": {
        "title": "A talk", "scheduled_at": "2040-02-20T10:00:00Z", "department_id": scene.department, "customer_id": customer,
    } });
    scene.agent.post("/api/v1/appointments", booking).await
}

#[tokio::test]
async fn who_is_merged_goes_up_in_the_other() {
    let scene = Scene::new(shared()).await;
    let manager = &scene.tenant.manager;
    let (supervisor, _) = scene.tenant.user("supervisor", "supervisor").await;
    let stays = made(manager, json!({ "name": "Ana Souza", "email": "ana@example.com" })).await;
    let first = made(manager, json!({ "name": "A. Souza", "email": "souza@example.com", "phone": "(11) 99999-0001" })).await;
    let second = json!({ "name": "Ana S.", "phone": "(11) 99999-0002", "document": "529.982.247-25", "notes": "Calls late" });
    let second = made(manager, second).await;
    let _ = join_by(&scene, &link(&scene, &stays).await).await;
    let (old, theirs) = (link(&scene, &first).await, link(&scene, &second).await);
    let call = join_by(&scene, &old).await;
    for _ in 0..2 {
        let _ = join_by(&scene, &theirs).await;
    }
    let booked = book(&scene, &first).await.expect(201).data();
    let last = shown(manager, &second).await["last_call_at"].clone();
    let wanted = json!({
        "id": stays, "name": "Ana Souza", "email": "ana@example.com", "phone": "+5511999990001", "document": "529.982.247-25",
        "document_type": "cpf", "notes": "Calls late", "call_count": 4, "last_call_at": last,
    });
    let dry = json!({ "primary_id": stays, "duplicate_ids": [first, second], "dry_run": true });
    let dry = supervisor.post(&format!("{CUSTOMERS}/merge"), dry).await.expect(200).data();
    assert_eq!(
        (shown(manager, &first).await["id"].clone(), shown(manager, &stays).await["phone"].clone()),
        (json!(first), json!(null))
    );
    let answer = merge(&supervisor, &stays, &[&first, &second]).await.expect(200);
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!([&dry[name], &answer.data()[name]], [value, value], "{name}");
    }
    // Whoever asks by whichever identifier is told of the one.
    for id in [&stays, &first, &second] {
        let read = manager.get(&format!("{CUSTOMERS}/{id}")).await.expect(200);
        assert_eq!((read.data(), read.header("etag")), (answer.data(), answer.header("etag")));
        assert_eq!(total(manager, &format!("/api/v1/calls?customer_id={id}")).await, 4, "{id}");
        let appointments = manager.get(&format!("/api/v1/appointments?customer_id={id}")).await.expect(200).data();
        assert_eq!((&appointments[0]["id"], &appointments[0]["customer_id"]), (&booked["id"], &json!(stays)));
    }
    assert_eq!(scene.call(&text(&call["id"])).await["customer_id"], json!(stays));
    let link = manager.get(&format!("/api/v1/access-links/{}", text(&old["id"]))).await.expect(200).data();
    assert_eq!(link["customer_id"], json!(stays));
    for (query, count) in [("", 1), ("?search=souza", 1), ("?search=souza@example.com", 0), ("?search=999990001", 1)] {
        assert_eq!(total(manager, &format!("{CUSTOMERS}{query}")).await, count, "{query}");
    }
    // What names an old identifier means the one who stays.
    assert_eq!(join_by(&scene, &old).await["customer_id"], json!(stays));
    assert_eq!(book(&scene, &second).await.expect(201).data()["customer_id"], json!(stays));
    let named = json!({ "access_link": { "department_id": scene.department, "customer_id": first } });
    let named = manager.post("/api/v1/access-links", named).await.expect(201).data();
    assert_eq!((&named["customer_id"], &named["customer_name"]), (&json!(stays), &json!("Ana Souza")));
    let changed = manager.put(&format!("{CUSTOMERS}/{first}"), json!({ "customer": { "notes": "x" } })).await.expect(200).data();
    assert_eq!((&changed["id"], &changed["notes"], &changed["call_count"]), (&json!(stays), &json!("x"), &json!(5)));
}

/// Once is as good as twice, under a key or not.
#[tokio::test]
async fn merging_again_changes_nothing() {
    let scene = Scene::new(shared()).await;
    let manager = &scene.tenant.manager;
    let ids = [made(manager, json!({ "name": "Ana" })).await, made(manager, json!({ "name": "Anna" })).await];
    let _ = join_by(&scene, &link(&scene, &ids[1]).await).await;
    let keyed = manager.with("idempotency-key", "one");
    let first = merge(&keyed, &ids[0], &[&ids[1]]).await.expect(200);
    let replayed = merge(&keyed, &ids[0], &[&ids[1]]).await.expect(200);
    assert_eq!((replayed.data(), replayed.header("idempotent-replayed")), (first.data(), Some("true")));
    let again = merge(manager, &ids[0], &[&ids[1]]).await.expect(200);
    // The other way around they are one as well.
    let around = merge(manager, &ids[1], &[&ids[0]]).await.expect(200);
    for answer in [again, around] {
        assert_eq!((answer.data(), answer.header("etag")), (first.data(), first.header("etag")));
    }
    let trail = manager.get(&format!("/api/v1/audit-log?object_id={}", ids[0])).await.expect(200).data();
    let actions: Vec<_> = trail.as_array().unwrap().iter().map(|entry| text(&entry["action"])).collect();
    assert_eq!(actions.iter().filter(|action| *action == "customer.merged").count(), 1, "{actions:?}");
    assert!(trail.to_string().contains(&ids[1]));
}

#[tokio::test]
async fn every_identifier_that_is_wrong_is_named() {
    let (tenant, other) = (Tenant::new(shared()).await, Tenant::new(shared()).await);
    let (ana, bia) =
        (made(&tenant.manager, json!({ "name": "Ana" })).await, made(&tenant.manager, json!({ "name": "Bia" })).await);
    let foreign = made(&other.manager, json!({ "name": "Eva" })).await;
    let (nobody, many) = (Uuid::new_v4(), vec![Uuid::new_v4(); 51]);
    for (body, expected) in [
        (json!({}), vec!["duplicate_ids", "primary_id"]),
        (json!({ "primary_id": ana, "duplicate_ids": [] }), vec!["duplicate_ids"]),
        (json!({ "primary_id": ana, "duplicate_ids": many }), vec!["duplicate_ids"]),
        (json!({ "primary_id": ana, "duplicate_ids": bia }), vec!["duplicate_ids"]),
        (
            json!({ "primary_id": 7, "duplicate_ids": [bia, "x", 7], "dry_run": "no" }),
            vec!["dry_run", "duplicate_ids[1]", "duplicate_ids[2]", "primary_id"],
        ),
        (json!({ "primary_id": ana, "duplicate_ids": [bia, ana, bia] }), vec!["duplicate_ids[1]", "duplicate_ids[2]"]),
        (json!({ "primary_id": ana, "duplicate_ids": [bia, nobody, foreign] }), vec!["duplicate_ids[1]", "duplicate_ids[2]"]),
        (json!({ "primary_id": foreign, "duplicate_ids": [nobody] }), vec!["duplicate_ids[0]", "primary_id"]),
    ] {
        for dry_run in [false, true] {
            let mut body = body.clone();
            body.as_object_mut().unwrap().entry("dry_run").or_insert(json!(dry_run));
            let errors = tenant.manager.post(&format!("{CUSTOMERS}/merge"), body.clone()).await.expect(422).errors();
            assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), expected, "{body}: {errors}");
        }
    }
    let (agent, _) = tenant.user("agent", "attendant").await;
    let _ = merge(&agent, &ana, &[&bia]).await.expect(403);
    assert_eq!(total(&tenant.manager, CUSTOMERS).await, 2);
}

/// Who was merged into one who is merged: every identifier leads to the last.
#[tokio::test]
async fn old_identifiers_lead_through_any_number_of_merges() {
    let scene = Scene::new(shared()).await;
    let manager = &scene.tenant.manager;
    let mut ids = Vec::new();
    for n in 0..6 {
        let fields = json!({ "name": format!("Ana {n}"), "email": format!("ana{n}@example.com") });
        ids.push(made(manager, fields).await);
        let _ = join_by(&scene, &link(&scene, &ids[n]).await).await;
    }
    for pair in ids.windows(2) {
        let _ = merge(manager, &pair[1], &[&pair[0]]).await.expect(200);
    }
    let last = shown(manager, &ids[5]).await;
    assert_eq!((&last["email"], &last["call_count"]), (&json!("ana5@example.com"), &json!(6)));
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(shown(manager, id).await["id"], last["id"]);
        assert_eq!(total(manager, &format!("/api/v1/calls?customer_id={id}")).await, 6 + n as u64);
        // So does every e-mail: who comes with an old one is who stays.
        let call = scene.join_as(json!({ "name": "A.", "email": format!("Ana{n}@example.com") })).await.expect(200).data();
        assert_eq!(scene.call(&text(&call["call_id"])).await["customer_id"], json!(ids[5]));
    }
    let now = shown(manager, &ids[0]).await;
    assert_eq!((&now["email"], &now["call_count"]), (&json!("ana5@example.com"), &json!(12)));
    assert_eq!(total(manager, CUSTOMERS).await, 1);
    // Until somebody else is made with it.
    let other = made(manager, json!({ "name": "Another Ana", "email": "ana0@example.com" })).await;
    let call = scene.join_as(json!({ "name": "A.", "email": "ana0@example.com" })).await.expect(200).data();
    assert_eq!(scene.call(&text(&call["call_id"])).await["customer_id"], json!(other));
}

/// Fifty with everything that is known, and twelve words each: one transaction still holds it.
#[tokio::test]
async fn fifty_are_merged_at_once() {
    let tenant = Tenant::new(shared()).await;
    let client = &tenant.manager;
    let stays = made(client, json!({ "name": "Maria da Conceição dos Santos de Oliveira e Silva" })).await;
    let mut ids = Vec::new();
    for n in 0..50 {
        let fields = json!({
            "name": format!("Maria{n} da Conceição dos Santos Oliveira Silva Pereira Costa Ramos"), "email": format!("maria{n}@example.com"),
            "phone": format!("(11) 98888-{n:04}"), "document": format!("MG-{n:08}"), "notes": "n".repeat(10_000),
        });
        ids.push(made(client, fields).await);
    }
    let keyed = client.with("idempotency-key", "fifty");
    let answer = merge(&keyed, &stays, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await.expect(200).data();
    assert_eq!((&answer["email"], &answer["document"]), (&json!("maria0@example.com"), &json!("MG-00000000")));
    for query in ["", "?search=maria", "?search=conceicao", "?search=maria0@example.com", "?search=988880000"] {
        assert_eq!(total(client, &format!("{CUSTOMERS}{query}")).await, 1, "{query}");
    }
    for query in ["?search=maria49", "?search=988880049"] {
        assert_eq!(total(client, &format!("{CUSTOMERS}{query}")).await, 0, "{query}");
    }
    assert_eq!(shown(client, &ids[49]).await, answer);
}

/// Who is removed is removed under every identifier.
#[tokio::test]
async fn who_stays_takes_the_old_identifiers_along() {
    let scene = Scene::new(shared()).await;
    let manager = &scene.tenant.manager;
    let stays = made(manager, json!({ "name": "Ana", "email": "ana@example.com" })).await;
    let old = made(manager, json!({ "name": "Anna", "email": "anna@example.com" })).await;
    let call = join_by(&scene, &link(&scene, &old).await).await;
    let _ = merge(manager, &stays, &[&old]).await.expect(200);
    let _ = manager.delete(&format!("{CUSTOMERS}/{old}")).await.expect(204);
    for id in [&stays, &old] {
        let _ = manager.get(&format!("{CUSTOMERS}/{id}")).await.expect(404);
        let _ = manager.get(&format!("/api/v1/calls?customer_id={id}")).await.expect(422);
    }
    let call = scene.call(&text(&call["id"])).await;
    assert_eq!((&call["customer_id"], &call["customer_name"]), (&json!(null), &json!(null)));
    let errors = merge(manager, &stays, &[&old]).await.expect(422).errors();
    assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), ["duplicate_ids[0]", "primary_id"]);
    let call = scene.join_as(json!({ "name": "Anna", "email": "anna@example.com" })).await.expect(200).data();
    let anew = text(&scene.call(&text(&call["call_id"])).await["customer_id"]);
    assert!(anew != stays && anew != old);
}

/// It is told once, with who was merged; not that anybody was removed or changed.
#[tokio::test]
async fn a_merge_is_an_event() {
    let stack = tests::Stack::start(tests::Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let manager = &scene.tenant.manager;
    let receiver = tests::Receiver::start().await;
    let ids = [made(manager, json!({ "name": "Ana" })).await, made(manager, json!({ "name": "Anna", "email": "a@b.co" })).await];
    let _ = scene.tenant.drain().await;
    let _ = scene.webhook(&receiver, &["*"]).await;
    for _ in 0..2 {
        let _ = merge(manager, &ids[0], &[&ids[1]]).await.expect(200);
    }
    let _ = scene.tenant.drain().await;
    assert_eq!(receiver.events(), ["customer.merged"]);
    let mut wanted = shown(manager, &ids[0]).await;
    wanted["merged_ids"] = json!([ids[1]]);
    assert!(epoch(&wanted["updated_at"]) > 0);
    assert_eq!(receiver.received()[0].json()["data"], wanted);
    stack.shutdown().await;
}
