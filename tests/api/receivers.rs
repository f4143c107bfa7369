//! One receiver and the others: a dead one slows nobody else, one that is gone gets nothing more.

use serde_json::{Value, json};
use tests::{Receiver, Reply, Settings, Stack, shared};

use crate::scene::{Scene, text};

async fn deliveries(scene: &Scene, hook: &Value, query: &str) -> Vec<Value> {
    let path = format!("/api/v1/webhooks/{}/deliveries?page_size=100{query}", text(&hook["id"]));
    scene.manager().await.get(&path).await.expect(200).json()["data"].as_array().unwrap().clone()
}

/// How many attempts at a dead receiver are over: each takes fifteen seconds, so one that waits for them sees many end.
async fn over(scene: &Scene, hook: &Value) -> usize {
    let attempts = deliveries(scene, hook, "").await;
    attempts.iter().filter(|delivery| delivery["attempts"] != json!([])).count()
}

#[tokio::test]
async fn a_hanging_receiver_does_not_hold_up_a_healthy_one() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::with(&stack, json!({ "name": "Support", "max_queue_size": 1000 })).await;
    let (hanging, healthy) = (Receiver::start().await, Receiver::start().await);
    hanging.reply(Reply::Hang);
    let dead = scene.webhook(&hanging, &["call.created"]).await;
    let alive = scene.webhook(&healthy, &["call.created"]).await;
    for n in 0..20 {
        let _ = scene.join(&format!("Customer {n}")).await;
    }
    healthy.wait(20).await;
    assert!(over(&scene, &dead).await < 10);
    hanging.reply(Reply::Status(200));
    // On a busy machine some attempts are over by now, and made again.
    let _ = scene.tenant.drain().await;
    scene.tenant.advance(400).await;
    let _ = scene.tenant.drain().await;
    for hook in [&dead, &alive] {
        assert_eq!(deliveries(&scene, hook, "&status=success").await.len(), 20);
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn a_hundred_attempts_at_a_dead_receiver_leave_room_for_others() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let (hanging, healthy) = (Receiver::start().await, Receiver::start().await);
    hanging.reply(Reply::Hang);
    let dead = scene.webhook(&hanging, &["access_link.created"]).await;
    let _ = scene.webhook(&healthy, &["call.created"]).await;
    for _ in 0..100 {
        let _ = scene.tenant.link(&scene.department, 1).await;
    }
    let before = over(&scene, &dead).await;
    let _ = scene.join("Carlos").await;
    healthy.wait(1).await;
    assert!(over(&scene, &dead).await - before < 50);
    assert!(hanging.received().len() > 1);
    hanging.reply(Reply::Status(200));
    stack.shutdown().await;
}

#[tokio::test]
async fn what_is_under_way_to_one_that_is_gone_or_resting_is_not_delivered() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let (gone, resting, awake) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    let mut hooks = Vec::new();
    for receiver in [&gone, &resting, &awake] {
        receiver.reply(Reply::Status(500));
        hooks.push(scene.webhook(receiver, &["call.created"]).await);
    }
    let _ = scene.join("Carlos").await;
    let _ = scene.tenant.drain().await;
    let path = |n: usize| format!("/api/v1/webhooks/{}", text(&hooks[n]["id"]));
    let _ = scene.tenant.manager.delete(&path(0)).await.expect(204);
    let body = json!({ "webhook": { "active": false } });
    let _ = scene.tenant.manager.put(&path(1), body).await.expect(200);
    let counts = || [&gone, &resting, &awake].map(|receiver| receiver.received().len());
    let before = counts();
    for receiver in [&gone, &resting, &awake] {
        receiver.reply(Reply::Status(200));
    }
    scene.tenant.advance(600).await;
    let _ = scene.tenant.drain().await;
    assert_eq!(counts(), [before[0], before[1], before[2] + 1]);
    let _ = scene.manager().await.get(&format!("{}/deliveries", path(0))).await.expect(404);
    let [held] = &deliveries(&scene, &hooks[1], "").await[..] else { panic!("one delivery") };
    assert_ne!(held["status"], "success");
    let [done] = &deliveries(&scene, &hooks[2], "").await[..] else { panic!("one delivery") };
    assert_eq!(done["status"], "success");
    // New events are not held for it either.
    let _ = scene.join("Beatriz").await;
    let _ = scene.tenant.drain().await;
    assert_eq!(counts(), [before[0], before[1], before[2] + 2]);
    assert_eq!(deliveries(&scene, &hooks[1], "").await.len(), 1);
    stack.shutdown().await;
}

#[tokio::test]
async fn each_gets_what_it_wants_in_the_order_of_the_object() {
    let scene = Scene::new(shared()).await;
    let _ = scene.tenant.drain().await;
    let (all, some) = (Receiver::start().await, Receiver::start().await);
    let _ = scene.webhook(&all, &["*"]).await;
    let _ = scene.webhook(&some, &["call.completed", "call.created"]).await;
    let call = scene.join("Carlos").await;
    let _ = scene.tenant.drain().await;
    let _ = scene.act(&call, "assign").await.expect(200);
    let _ = scene.tenant.drain().await;
    let _ = scene.act(&call, "start").await.expect(200);
    let _ = scene.tenant.drain().await;
    let _ = scene.act(&call, "complete").await.expect(200);
    let _ = scene.tenant.drain().await;
    assert_eq!(some.events(), ["call.created", "call.completed"]);
    let mut first = all.events();
    let rest = first.split_off(2);
    first.sort_unstable();
    assert_eq!(first, ["call.created", "customer.created"]);
    assert_eq!(rest, ["call.assigned", "call.started", "call.completed"]);
    let statuses: Vec<String> = some.received().iter().map(|got| text(&got.json()["data"]["status"])).collect();
    assert_eq!(statuses, ["queued", "completed"], "the object as of the event");
    let started = all.received().into_iter().find(|got| got.header("x-voki-event") == "call.started").unwrap().json();
    assert_eq!((&started["data"]["status"], &started["data"]["user_name"]), (&json!("active"), &json!("agent")));
    assert!(started["data"].as_object().unwrap().contains_key("manager_notes"), "as a manager sees it");
}
