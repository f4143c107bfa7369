//! What stays of a customer who is removed.

use serde_json::json;
use tests::{Client, shared};

use super::{CUSTOMERS, joins, names};
use crate::scene::{Scene, text};

#[tokio::test]
async fn who_is_removed_leaves_calls_without_a_name() {
    let scene = Scene::new(shared()).await;
    let manager = &scene.tenant.manager;
    let person = json!({ "name": "Carla Matos", "email": "carla@example.com", "phone": "+5511977776666" });
    let id = joins(&scene, person.clone()).await;
    let link = json!({ "access_link": { "department_id": scene.department, "customer_id": id } });
    let link = manager.post("/api/v1/access-links", link).await.expect(201).data();
    assert_eq!(link["customer_name"], json!("Carla Matos"));
    let calls = manager.get(&format!("/api/v1/calls?customer_id={id}")).await.expect(200).data();
    let call = text(&calls[0]["id"]);
    let _ = scene.agent.delete(&format!("{CUSTOMERS}/{id}")).await.expect(204);
    let path = format!("{CUSTOMERS}/{id}");
    for _ in 0..2 {
        let _ = manager.get(&path).await.expect(404);
        let _ = manager.delete(&path).await.expect(404);
        let _ = manager.put(&path, json!({ "customer": {} })).await.expect(404);
    }
    assert_eq!(names(manager, "").await.1, 0);
    assert_eq!(names(manager, "search=carla").await.1, 0);
    let _ = manager.get(&format!("/api/v1/calls?customer_id={id}")).await.expect(422);
    let call = scene.call(&call).await;
    for field in ["customer_id", "customer_name", "customer_email", "customer_phone"] {
        assert_eq!(call[field], json!(null), "{field}");
    }
    assert_eq!(manager.get("/api/v1/calls?search=carla").await.expect(200).json()["meta"]["total_count"], json!(0));
    assert_eq!(manager.get("/api/v1/calls").await.expect(200).json()["meta"]["total_count"], json!(1));
    let link = manager.get(&format!("/api/v1/access-links/{}", text(&link["id"]))).await.expect(200).data();
    assert_eq!((&link["status"], &link["customer_name"], &link["customer_id"]), (&json!("active"), &json!(null), &json!(null)));
    // Who comes again is somebody new.
    assert_ne!(joins(&scene, person).await, id);
}

/// More than goes with the request goes with the schedule.
#[tokio::test]
async fn the_schedule_takes_the_name_off_the_rest() {
    let stack = tests::Stack::start(tests::Settings::default()).await;
    let scene = Scene::with(&stack, json!({ "name": "Support", "max_queue_size": 100 })).await;
    let person = json!({ "name": "Carla Matos", "email": "carla@example.com" });
    let id = joins(&scene, person.clone()).await;
    for _ in 0..29 {
        let _ = scene.join_as(person.clone()).await.expect(200);
    }
    let _ = scene.tenant.manager.delete(&format!("{CUSTOMERS}/{id}")).await.expect(204);
    let named = async |manager: &Client| {
        let calls = manager.get("/api/v1/calls?page_size=100").await.expect(200).data();
        calls.as_array().unwrap().iter().filter(|call| call["customer_name"].is_string()).count()
    };
    assert_eq!(named(&scene.tenant.manager).await, 5);
    scene.tenant.advance(60).await;
    let _ = scene.tenant.drain().await;
    assert_eq!(named(&scene.tenant.manager).await, 0);
    // It looks once more, and is done.
    scene.tenant.advance(60).await;
    let _ = scene.tenant.drain().await;
    let left =
        stack.app().store(&scene.tenant.slug).get::<shared::models::customer::Forgotten>(id.parse().unwrap()).await.unwrap();
    assert!(left.is_none());
    stack.shutdown().await;
}
