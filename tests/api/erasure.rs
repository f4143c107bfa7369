//! Erasing a customer: nothing that anybody wrote of them stays, wherever it went; and what is kept is handed out.

mod person;
mod story;

use serde_json::{Value, json};
use shared::{
    dispatch::dispatch,
    events::EventRecord,
    ids::CustomerId,
    models::customer::Erasure,
    storage::{entity, keys},
};
use tests::{Client, Receiver, Settings, Stack, Tenant, shared};
use tokio::task::JoinSet;

use crate::scene::{Scene, list, manager, text};
use person::Person;
use story::Story;

const CUSTOMERS: &str = "/api/v1/customers";

async fn made(client: &Client, fields: Value) -> String {
    text(&client.post(CUSTOMERS, json!({ "customer": fields })).await.expect(201).data()["id"])
}

async fn erase(client: &Client, id: &str) -> tests::Answer {
    client.delete(&format!("{CUSTOMERS}/{id}?erase=true")).await
}

/// The erasure as the schedule has it.
async fn erasure(stack: &Stack, tenant: &Tenant, id: &str) -> Option<Erasure> {
    stack.app().store(&tenant.slug).get::<Erasure>(id.parse().unwrap()).await.unwrap().map(|stored| stored.value)
}

/// Moves the clock to when nothing is under way any more.
async fn settle(tenant: &Tenant) {
    for _ in 0..3 {
        tenant.advance(86_400).await;
        let _ = tenant.drain().await;
    }
}

#[tokio::test]
async fn nothing_of_the_person_stays_anywhere() {
    let stack = Stack::start(Settings::default()).await;
    let person = Person::new("Zéphyrquöx", "+5511987651234");
    let other = Person::new("Wîlhelmquax", "+5521976541234");
    let mut story = Story::begin(&stack, &person).await;
    let theirs = json!({ "name": other.name(), "email": other.email, "phone": other.phone, "reason": other.name() });
    let theirs = story.scene.join_as(theirs).await.expect(200);
    let id = story.told().await;
    let scene = &story.scene;
    let everywhere = ["appointment", "call", "customer", "delivery", "event", "link", "words", "~idempotency"];
    assert_eq!(person.traces(&stack).await, everywhere.map(ToOwned::to_owned).into());
    let before = other.traces(&stack).await;

    let _ = erase(&scene.tenant.manager, &id).await.expect(204);
    let _ = scene.tenant.manager.get(&format!("{CUSTOMERS}/{id}")).await.expect(404);
    story.hush();
    for seconds in [0, 60, 120] {
        scene.tenant.advance(seconds).await;
        let _ = scene.tenant.drain().await;
    }
    assert_eq!(person.traces(&stack).await, [].into());
    story.is_over(&person).await;
    assert_eq!(other.traces(&stack).await, before, "somebody else is still there");
    assert_eq!(story.scene.call(&text(&theirs.data()["call_id"])).await["customer_name"], json!(other.name()));

    // When the schedule is done, not even whose calls they were is known.
    settle(&story.scene.tenant).await;
    assert!(erasure(&stack, &story.scene.tenant, &id).await.is_none());
    let key: CustomerId = id.parse().unwrap();
    let partition = keys::object_partition(&story.scene.tenant.slug, "customer", &shared::ids::Id::key(key));
    assert!(stack.app().db().partition(&partition, "").await.unwrap().is_empty());
    assert_eq!(person.traces(&stack).await, [].into());
    let manager = story.scene.manager().await;
    let _ = erase(&manager, &id).await.expect(404);
    // The trail tells who erased whom, and not who that was.
    let trail = manager.get(&format!("/api/v1/audit-log?object_id={id}&action=customer_erasure.created")).await.expect(200);
    assert_eq!(trail.json()["meta"]["total_count"], json!(1));
    stack.shutdown().await;
}

/// Who was removed is erased as well, as long as anything is left.
#[tokio::test]
async fn a_removal_can_be_followed_by_an_erasure() {
    let stack = Stack::start(Settings::default()).await;
    let person = Person::new("Zéphyrquöx", "+5511987651234");
    let mut story = Story::begin(&stack, &person).await;
    let id = story.told().await;
    let tenant = &story.scene.tenant;
    let _ = tenant.manager.delete(&format!("{CUSTOMERS}/{id}")).await.expect(204);
    tenant.advance(120).await;
    let _ = tenant.drain().await;
    assert!(person.traces(&stack).await.contains("call"), "a removal leaves what was written");
    for _ in 0..2 {
        let _ = erase(&tenant.manager, &id).await.expect(204);
    }
    tenant.advance(60).await;
    let _ = tenant.drain().await;
    assert_eq!(person.traces(&stack).await, [].into());
    settle(tenant).await;
    let _ = erase(&manager(tenant).await, &id).await.expect(404);
    stack.shutdown().await;
}

/// A link that was made for an e-mail before anybody knew whose that is goes with whoever had the e-mail.
#[tokio::test]
async fn links_for_an_email_go_with_whoever_had_it() {
    let stack = Stack::start(Settings::default()).await;
    let person = Person::new("Zéphyrquöx", "+5511987651234");
    let scene = Scene::with(&stack, json!({ "name": "Support" })).await;
    let manager = &scene.tenant.manager;
    for _ in 0..60 {
        let link = json!({ "department_id": scene.department, "customer_name": person.name(), "customer_email": person.email });
        let _ = manager.post("/api/v1/access-links", json!({ "access_link": link })).await.expect(201);
    }
    let stays = made(manager, json!({ "name": "Somebody", "email": "somebody@example.com" })).await;
    let merged = made(manager, json!({ "name": person.name(), "email": person.email })).await;
    let body = json!({ "primary_id": stays, "duplicate_ids": [merged] });
    let _ = manager.post(&format!("{CUSTOMERS}/merge"), body).await.expect(200);
    let _ = erase(manager, &stays).await.expect(204);
    for seconds in [0, 60, 60, 120] {
        scene.tenant.advance(seconds).await;
        let _ = scene.tenant.drain().await;
    }
    assert_eq!(person.traces(&stack).await, [].into());
    stack.shutdown().await;
}

/// An old identifier is another name of who stays, also for an erasure when that one was removed before.
#[tokio::test]
async fn an_old_identifier_leads_an_erasure_on() {
    let stack = Stack::start(Settings::default()).await;
    let person = Person::new("Zéphyrquöx", "+5511987651234");
    let scene = Scene::with(&stack, json!({ "name": "Support" })).await;
    let manager = &scene.tenant.manager;
    let theirs = json!({ "name": person.name(), "email": person.email, "reason": person.name() });
    let call = text(&scene.join_as(theirs).await.expect(200).data()["call_id"]);
    let stays = text(&scene.call(&call).await["customer_id"]);
    let merged = made(manager, json!({ "name": "Somebody" })).await;
    let body = json!({ "primary_id": stays, "duplicate_ids": [merged] });
    let _ = manager.post(&format!("{CUSTOMERS}/merge"), body).await.expect(200);
    let _ = manager.delete(&format!("{CUSTOMERS}/{stays}")).await.expect(204);
    for _ in 0..3 {
        scene.tenant.advance(120).await;
        let _ = scene.tenant.drain().await;
    }
    assert!(person.traces(&stack).await.contains("call"), "a removal leaves what was written");
    let _ = erase(manager, &merged).await.expect(204);
    for _ in 0..2 {
        scene.tenant.advance(60).await;
        let _ = scene.tenant.drain().await;
    }
    assert_eq!(person.traces(&stack).await, [].into());
    settle(&scene.tenant).await;
    for id in [&stays, &merged] {
        assert!(erasure(&stack, &scene.tenant, id).await.is_none());
    }
    stack.shutdown().await;
}

/// More than goes with the request goes with the schedule, and what is written meanwhile goes too.
#[tokio::test]
async fn the_schedule_erases_the_rest() {
    let stack = Stack::start(Settings::default()).await;
    let person = Person::new("Zéphyrquöx", "+5511987651234");
    let scene = Scene::with(&stack, json!({ "name": "Support", "max_queue_size": 100, "max_wait_time": 86_400 })).await;
    let body = json!({ "name": person.name(), "email": person.email, "phone": person.phone, "reason": person.name() });
    let mut calls = Vec::new();
    for _ in 0..60 {
        calls.push(text(&scene.join_as(body.clone()).await.expect(200).data()["call_id"]));
    }
    let id = text(&scene.call(&calls[0]).await["customer_id"]);
    let _ = scene.act(&calls[0], "start").await.expect(200);
    let _ = erase(&scene.tenant.manager, &id).await.expect(204);
    assert!(person.traces(&stack).await.contains("call"), "some are left to the schedule");
    let _ = scene.tenant.drain().await;
    assert_eq!(person.traces(&stack).await, [].into());
    let notes = json!({ "notes": format!("{} will call again", person.name()) });
    let _ = scene.agent.post(&format!("/api/v1/calls/{}/complete", calls[0]), notes).await.expect(200);
    assert!(person.traces(&stack).await.contains("event"));
    scene.tenant.advance(120).await;
    let _ = scene.tenant.drain().await;
    assert_eq!(person.traces(&stack).await, [].into());
    let list = scene.tenant.manager.get("/api/v1/calls").await.expect(200).json();
    assert_eq!(list["meta"]["total_count"], json!(60), "the calls stay for the figures");
    stack.shutdown().await;
}

/// What the dispatcher had in hand when the person was erased comes to nothing.
#[tokio::test]
async fn an_event_under_way_leaves_nothing() {
    let stack = Stack::start(Settings::default()).await;
    let person = Person::new("Zéphyrquöx", "+5511987651234");
    let scene = Scene::new(&stack).await;
    let receiver = Receiver::start().await;
    let _ = scene.webhook(&receiver, &["customer.created"]).await;
    let id = made(&scene.tenant.manager, json!({ "name": person.name() })).await;
    let app = stack.app();
    let store = app.store(&scene.tenant.slug);
    let told = store.told(&id, 100).await.unwrap();
    let event = told.iter().find(|key| key.pk.contains("#event#")).unwrap();
    let mut event = entity::from_item::<EventRecord>(app.db().item(event).await.unwrap().unwrap()).unwrap();
    event.value.dispatched_at = None;
    let _ = scene.tenant.drain().await;
    let heard = receiver.received().len();
    let _ = erase(&scene.tenant.manager, &id).await.expect(204);
    let _ = dispatch(app, &scene.tenant.slug, &event).await;
    let _ = scene.tenant.drain().await;
    assert_eq!((receiver.received().len(), person.traces(&stack).await), (heard, [].into()));
    scene.tenant.advance(300).await;
    let _ = scene.tenant.drain().await;
    assert!(store.told(&id, 100).await.unwrap().is_empty(), "the late delivery has gone");
    assert!(store.get::<EventRecord>(event.id).await.unwrap().is_none());
    stack.shutdown().await;
}

/// Who joins while they are erased is erased, or somebody new.
#[tokio::test]
async fn a_join_at_the_same_moment_is_of_somebody_new_or_erased() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::with(&stack, json!({ "name": "Support", "max_queue_size": 1000 })).await;
    for round in 0..6 {
        let email = format!("r{round}@example.com");
        let body = json!({ "name": format!("Round {round}"), "email": email, "reason": "why" });
        let first = text(&scene.join_as(body.clone()).await.expect(200).data()["call_id"]);
        let id = text(&scene.call(&first).await["customer_id"]);
        let mut racers = JoinSet::new();
        for n in 0..8 {
            let (manager, id, body) = (scene.tenant.manager.clone(), id.clone(), body.clone());
            let (client, path) = (scene.tenant.anonymous.elsewhere(), format!("/api/v1/call/{}/join", scene.token));
            racers.spawn(async move {
                if n == 3 {
                    let _ = erase(&manager, &id).await.expect(204);
                } else {
                    let _ = client.post(&path, body).await.expect(200);
                }
            });
        }
        let _ = racers.join_all().await;
        let _ = scene.tenant.drain().await;
        let calls = list(&scene.tenant.manager, "/api/v1/calls?page_size=100").await;
        for call in calls {
            assert_ne!(call["customer_id"], json!(id));
            let nobody = call["customer_id"].is_null();
            assert_eq!((nobody, nobody), (call["customer_name"].is_null(), call["reason"].is_null()), "{call}");
        }
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn only_a_manager_erases_and_hands_out() {
    let (tenant, other) = (Tenant::new(shared()).await, Tenant::new(shared()).await);
    let id = made(&tenant.manager, json!({ "name": "Ana" })).await;
    let path = format!("{CUSTOMERS}/{id}");
    for role in ["attendant", "supervisor"] {
        let (client, _) = tenant.user(role, role).await;
        let _ = erase(&client, &id).await.expect(403);
        let _ = client.get(&format!("{path}/export")).await.expect(403);
    }
    let _ = tenant.anonymous.delete(&format!("{path}?erase=true")).await.expect(401);
    let _ = erase(&other.manager, &id).await.expect(404);
    let _ = other.manager.get(&format!("{path}/export")).await.expect(404);
    for wrong in ["maybe", "1"] {
        let errors = tenant.manager.delete(&format!("{path}?erase={wrong}")).await.expect(422).errors();
        assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), ["erase"], "{wrong}");
    }
    let _ = tenant.manager.with("if-match", "\"7\"").delete(&format!("{path}?erase=true")).await.expect(412);
    let _ = tenant.manager.get(&path).await.expect(200);
    let _ = erase(&tenant.manager, &uuid::Uuid::new_v4().to_string()).await.expect(404);
    let _ = tenant.manager.delete(&format!("{path}?erase=false")).await.expect(204);
    let _ = erase(&tenant.manager, &id).await.expect(204);
}

#[tokio::test]
async fn what_is_kept_is_handed_out_whole() {
    let scene = Scene::with(shared(), json!({ "name": "Support", "max_queue_size": 100 })).await;
    let manager = &scene.tenant.manager;
    let person = json!({ "name": "Íris Lobo", "email": "iris@example.com", "reason": "An invoice" });
    let mut calls = Vec::new();
    for _ in 0..25 {
        calls.push(text(&scene.join_as(person.clone()).await.expect(200).data()["call_id"]));
    }
    let id = text(&scene.call(&calls[0]).await["customer_id"]);
    let link = |whom: Value| {
        let (mut link, manager) = (whom, manager.clone());
        link["department_id"] = json!(scene.department);
        async move { text(&manager.post("/api/v1/access-links", json!({ "access_link": link })).await.expect(201).data()["id"]) }
    };
    let mut links = Vec::new();
    for _ in 0..21 {
        links.push(link(json!({ "customer_id": id })).await);
    }
    // Nobody has said that these are hers, and they bear her e-mail; that one bears another's.
    for _ in 0..21 {
        links.push(link(json!({ "customer_name": "I.", "customer_email": "Iris@example.com" })).await);
    }
    let _ = link(json!({ "customer_name": "Íris Lobo", "customer_email": "iris@example.com.br" })).await;
    let booked = |text: String| {
        let appointment = json!({ "appointment": {
            "title": "A visit", "scheduled_at": "2030-03-04T08:00:00Z", "department_id": scene.department, "customer_id": id,
            "description": text, "notes": text,
        } });
        async { manager.post("/api/v1/appointments", appointment).await.expect(201).data() }
    };
    let appointment = booked("Short".into()).await;
    let path = format!("{CUSTOMERS}/{id}/export");
    let whole = manager.get(&path).await.expect(200);
    assert_eq!(whole.header("content-disposition"), Some(&*format!("attachment; filename=\"customer-{id}.json\"")));
    let data = whole.data();
    assert_eq!(data["customer"], manager.get(&format!("{CUSTOMERS}/{id}")).await.expect(200).data());
    assert_eq!(data["appointments"], json!([appointment]));
    let ids =
        |page: &Value, kind: &str| -> Vec<String> { page[kind].as_array().unwrap().iter().map(|row| text(&row["id"])).collect() };
    assert_eq!((ids(&data, "calls"), ids(&data, "access_links")), (calls, links));
    assert_eq!((&data["calls"][0]["reason"], &whole.json()["meta"]["next_cursor"]), (&json!("An invoice"), &json!(null)));
    // Of long texts an answer has so many as fit.
    let mut appointments = vec![text(&appointment["id"])];
    for _ in 0..45 {
        appointments.push(text(&booked("長".repeat(10_000)).await["id"]));
    }
    appointments.sort();
    let first = manager.get(&path).await.expect(200);
    let cursor = text(&first.json()["meta"]["next_cursor"]);
    let second = manager.get(&format!("{path}?cursor={cursor}")).await.expect(200);
    assert_eq!(second.json()["meta"]["next_cursor"], json!(null));
    let mut found = ids(&first.data(), "appointments");
    assert_eq!((found.len(), second.data()["calls"].clone()), (40, json!([])));
    found.extend(ids(&second.data(), "appointments"));
    found.sort();
    assert_eq!(found, appointments);
    let another = made(manager, json!({ "name": "Ana" })).await;
    for (id, cursor) in [(&another, cursor.as_str()), (&id, "nonsense")] {
        let errors = manager.get(&format!("{CUSTOMERS}/{id}/export?cursor={cursor}")).await.expect(422).errors();
        assert!(errors["cursor"].is_array(), "{errors}");
    }
    let bare = manager.get(&format!("{CUSTOMERS}/{another}/export")).await.expect(200).json();
    assert_eq!(
        (&bare["data"]["calls"], &bare["data"]["access_links"], &bare["meta"]["next_cursor"]),
        (&json!([]), &json!([]), &json!(null))
    );
}
