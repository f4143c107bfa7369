//! What agents do with calls: `/calls/:id/assign`, `start`, `complete`.

use serde_json::json;
use tests::{Receiver, Settings, Stack, shared};

use crate::scene::{Scene, act, epoch, text};

#[tokio::test]
async fn an_attendant_takes_a_call_for_itself_and_only_a_supervisor_gives_it_to_another() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let tenant = &scene.tenant;
    let (second, second_id) = tenant.user("second", "attendant").await;
    tenant.member(&scene.department, &second_id).await;
    let (supervisor, supervisor_id) = tenant.user("supervisor", "supervisor").await;
    let call = scene.join("Carlos").await;

    let refused = act(&scene.agent, &call, "assign", json!({ "user_id": second_id })).await.expect(403);
    assert!(refused.errors()["detail"].is_string());
    assert_eq!(scene.call(&call).await["user_id"], json!(null));
    let taken = scene.act(&call, "assign").await.expect(200).data();
    assert_eq!(
        (&taken["status"], &taken["user_id"], &taken["user_name"]),
        (&json!("queued"), &json!(scene.agent_id), &json!("agent"))
    );
    assert_eq!(taken["position"], 1);
    tenant.advance(20).await;
    let again = act(&scene.agent, &call, "assign", json!({ "user_id": scene.agent_id })).await.expect(200).data();
    assert_eq!((&again["user_id"], &again["assigned_at"]), (&taken["user_id"], &taken["assigned_at"]));
    assert!(act(&second, &call, "assign", json!({})).await.expect(422).errors().is_object());
    assert_eq!(scene.call(&call).await["user_name"], "agent");

    let given = act(&supervisor, &call, "assign", json!({ "user_id": second_id })).await.expect(200).data();
    assert_eq!((&given["user_id"], &given["user_name"]), (&json!(second_id), &json!("second")));
    assert!(epoch(&given["assigned_at"]) > epoch(&taken["assigned_at"]));
    // Nobody becomes an agent of a department where they do not serve, not even a supervisor.
    let own = json!({ "user_id": supervisor_id });
    let errors = act(&supervisor, &call, "assign", own.clone()).await.expect(422).errors();
    assert!(errors["user_id"].is_array(), "{errors}");
    assert_eq!(scene.call(&call).await["user_name"], "second");
    tenant.member(&scene.department, &supervisor_id).await;
    let own = act(&supervisor, &call, "assign", own).await.expect(200).data();
    assert_eq!(own["user_name"], "supervisor");
    stack.shutdown().await;
}

#[tokio::test]
async fn an_agent_is_active_and_serves_in_the_department() {
    let (scene, foreign) = (Scene::new(shared()).await, Scene::new(shared()).await);
    let tenant = &scene.tenant;
    let (outsider, outsider_id) = tenant.user("outsider", "attendant").await;
    let resting =
        json!({ "user": { "name": "Resting", "email": "resting@example.com", "password": tests::PASSWORD, "active": false } });
    let resting = text(&tenant.manager.post("/api/v1/users", resting).await.expect(201).data()["id"]);
    let call = scene.join("Carlos").await;
    for action in ["assign", "start"] {
        let errors = act(&outsider, &call, action, json!({})).await.expect(422).errors();
        assert!(errors["user_id"].is_array(), "{action}: {errors}");
    }
    let nobody = "00000000-0000-7000-8000-000000000000";
    for user in [outsider_id.as_str(), &resting, &foreign.agent_id, nobody, "nonsense"] {
        let errors = act(&tenant.manager, &call, "assign", json!({ "user_id": user })).await.expect(422).errors();
        assert!(errors["user_id"].is_array(), "{user}: {errors}");
    }
    assert!(act(&tenant.manager, &call, "assign", json!({ "user_id": 7 })).await.expect(422).errors()["user_id"].is_array());
    let shown = scene.call(&call).await;
    assert_eq!((&shown["status"], &shown["user_id"]), (&json!("queued"), &json!(null)));
    // Who no longer serves there takes nothing more.
    let path = format!("/api/v1/departments/{}/users/{}", scene.department, scene.agent_id);
    let _ = tenant.manager.delete(&path).await.expect(204);
    let _ = scene.act(&call, "start").await.expect(422);
}

#[tokio::test]
async fn a_call_is_started_by_its_agent_or_a_supervisor() {
    let scene = Scene::new(shared()).await;
    let tenant = &scene.tenant;
    let (second, second_id) = tenant.user("second", "attendant").await;
    tenant.member(&scene.department, &second_id).await;
    let (supervisor, _) = tenant.user("supervisor", "supervisor").await;

    let call = scene.join("Carlos").await;
    let _ = scene.act(&call, "assign").await.expect(200);
    let _ = act(&second, &call, "start", json!({})).await.expect(403);
    assert_eq!(scene.call(&call).await["status"], "queued");
    let started = act(&supervisor, &call, "start", json!({})).await.expect(200).data();
    assert_eq!(
        (&started["status"], &started["user_name"], &started["position"]),
        (&json!("active"), &json!("agent"), &json!(null))
    );
    assert!(started["started_at"].is_string());

    let taken = scene.join("Beatriz").await;
    let started = act(&second, &taken, "start", json!({})).await.expect(200).data();
    assert_eq!((&started["user_id"], &started["assigned_at"]), (&json!(second_id), &started["started_at"]));
    for client in [&scene.agent, &second, &supervisor] {
        let errors = act(client, &taken, "start", json!({})).await;
        let expected = if std::ptr::eq(client, &raw const scene.agent) { 403 } else { 422 };
        let _ = errors.expect(expected);
    }
    let _ = act(&supervisor, &taken, "assign", json!({ "user_id": scene.agent_id })).await.expect(422);
}

#[tokio::test]
async fn a_call_is_completed_by_its_agent_or_a_supervisor_once() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let tenant = &scene.tenant;
    let (second, second_id) = tenant.user("second", "attendant").await;
    tenant.member(&scene.department, &second_id).await;
    let call = scene.join("Carlos").await;
    let _ = scene.act(&call, "complete").await.expect(422);
    tenant.advance(12).await;
    let _ = scene.act(&call, "start").await.expect(200);
    tenant.advance(345).await;
    let _ = act(&second, &call, "complete", json!({})).await.expect(403);
    let errors = act(&scene.agent, &call, "complete", json!({ "notes": "x".repeat(10_001) })).await.expect(422).errors();
    assert!(errors["notes"].is_array());
    assert_eq!(scene.call(&call).await["duration"], json!(null));
    let done = act(&scene.agent, &call, "complete", json!({ "notes": "  Sorted\nout " })).await.expect(200).data();
    assert_eq!((&done["status"], &done["notes"]), (&json!("completed"), &json!("Sorted\nout")));
    let (queued, started, completed) = (epoch(&done["queued_at"]), epoch(&done["started_at"]), epoch(&done["completed_at"]));
    assert_eq!((&done["wait_time"], &done["duration"]), (&json!(started - queued), &json!(completed - started)));
    assert!((12..30).contains(&(started - queued)) && (345..360).contains(&(completed - started)), "{done}");
    tenant.advance(60).await;
    for action in ["complete", "start", "assign"] {
        let _ = act(&tenant.manager, &call, action, json!({ "user_id": scene.agent_id })).await.expect(422);
    }
    assert_eq!(scene.call(&call).await, with_notes(done), "nothing changed any more");

    // Nothing is required, and a supervisor may.
    let other = scene.active("Beatriz").await;
    let done = tenant.manager.send(http::Method::POST, &format!("/api/v1/calls/{other}/complete"), "").await.expect(200).data();
    assert_eq!((&done["status"], &done["notes"], &done["user_name"]), (&json!("completed"), &json!(null), &json!("agent")));
    stack.shutdown().await;
}

/// What an attendant sees, as a manager sees it.
fn with_notes(mut call: serde_json::Value) -> serde_json::Value {
    call["manager_notes"] = json!(null);
    call
}

#[tokio::test]
async fn the_plan_free_has_one_call_at_a_time() {
    let stack = Stack::start(Settings::default().with("VOKI_DEFAULT_PLAN", "free")).await;
    let scene = Scene::new(&stack).await;
    let (first, second) = (scene.active("Carlos").await, scene.join("Beatriz").await);
    let refused = scene.act(&second, "start").await.expect(403);
    assert_eq!(refused.errors(), json!({ "detail": "Plan limit reached: calls (1 of 1)" }));
    let shown = scene.call(&second).await;
    assert_eq!((&shown["status"], &shown["user_id"], &shown["started_at"]), (&json!("queued"), &json!(null), &json!(null)));
    // What is wrong with the call itself comes before the plan.
    let _ = scene.act(&first, "start").await.expect(422);
    // Waiting calls count for nothing.
    let _ = scene.act(&second, "assign").await.expect(200);
    let _ = scene.act(&first, "complete").await.expect(200);
    let _ = scene.act(&second, "start").await.expect(200);
    stack.shutdown().await;
}

#[tokio::test]
async fn each_change_is_one_event_and_a_refusal_none() {
    let scene = Scene::new(shared()).await;
    let receiver = Receiver::start().await;
    let events = ["call.created", "call.assigned", "call.started", "call.completed", "call.missed", "call.rated"];
    let _ = scene.webhook(&receiver, &events).await;
    let call = scene.completed("Carlos").await;
    for action in ["assign", "start", "complete"] {
        let _ = scene.act(&call, action).await.expect(422);
    }
    let other = scene.join("Beatriz").await;
    for _ in 0..2 {
        let _ = scene.act(&other, "assign").await.expect(200);
    }
    let _ = scene.tenant.anonymous.post(&format!("/api/v1/call/leave/{other}"), json!({})).await.expect(200);
    let _ = scene.tenant.drain().await;
    let told = |id: &str| -> Vec<String> {
        let of = receiver.received().into_iter().filter(|got| got.json()["data"]["id"] == id);
        let mut names: Vec<String> = of.map(|got| got.header("x-voki-event").to_owned()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(told(&call), ["call.completed", "call.created", "call.started"]);
    assert_eq!(told(&other), ["call.assigned", "call.created", "call.missed"]);
}
