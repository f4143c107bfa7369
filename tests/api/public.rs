//! `/call`: what customers see and do, without a token.

use serde_json::{Value, json};
use tests::{Answer, Receiver, Settings, Stack, Tenant, shared};

use crate::scene::{Scene, act, ids, list, text};

const NO_LINK: &str = "Invalid or expired access link";

async fn validate(tenant: &Tenant, token: &str) -> Answer {
    tenant.anonymous.elsewhere().get(&format!("/api/v1/call/{token}/validate")).await
}

async fn join(tenant: &Tenant, token: &str, body: Value) -> Answer {
    tenant.anonymous.elsewhere().post(&format!("/api/v1/call/{token}/join"), body).await
}

async fn status(tenant: &Tenant, call: &str) -> Value {
    tenant.anonymous.elsewhere().get(&format!("/api/v1/call/status/{call}")).await.expect(200).data()
}

/// A new link with these fields besides its department: as the API shows it.
async fn link(scene: &Scene, fields: Value) -> Value {
    let mut fields = fields;
    fields["department_id"] = json!(scene.department);
    scene.tenant.manager.post("/api/v1/access-links", json!({ "access_link": fields })).await.expect(201).data()
}

async fn shown(scene: &Scene, link: &Value) -> Value {
    scene.tenant.manager.get(&format!("/api/v1/access-links/{}", text(&link["id"]))).await.expect(200).data()
}

#[tokio::test]
async fn looking_at_a_link_never_uses_it() {
    let scene = Scene::new(shared()).await;
    let single = link(&scene, json!({})).await;
    let token = text(&single["token"]);
    for _ in 0..5 {
        let seen = validate(&scene.tenant, &token).await.expect(200).data();
        let expected = json!({
            "valid": true, "department_name": "Support", "company_name": "Test Company", "company_logo_url": null,
            "primary_color": null, "queue_size": 0, "estimated_wait_time": seen["estimated_wait_time"], "online_agents": 0,
        });
        assert_eq!(seen, expected);
        assert!(seen["estimated_wait_time"].is_u64());
    }
    assert_eq!(shown(&scene, &single).await, single);
    let _ = scene.tenant.join(&token, "Carlos").await;
    assert_eq!(validate(&scene.tenant, &token).await.expect(404).errors()["detail"], NO_LINK);
    assert_eq!(validate(&scene.tenant, &scene.token).await.expect(200).data()["queue_size"], 1);
}

#[tokio::test]
async fn what_is_no_link_any_more_is_not_there() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let cancelled = link(&scene, json!({})).await;
    let path = format!("/api/v1/access-links/{}/cancel", text(&cancelled["id"]));
    let _ = scene.tenant.manager.post(&path, json!({})).await.expect(200);
    let expired = link(&scene, json!({ "max_uses": 5 })).await;
    let _ = scene.tenant.join(&text(&expired["token"]), "In time").await;
    scene.tenant.advance(7 * 86_400).await;
    for token in [text(&cancelled["token"]), text(&expired["token"]), "a".repeat(22), "~".into(), "%00".into(), "x".repeat(300)] {
        assert_eq!(validate(&scene.tenant, &token).await.expect(404).errors()["detail"], NO_LINK, "{token}");
        let answer = join(&scene.tenant, &token, json!({ "name": "Late" })).await.expect(404);
        assert_eq!(answer.errors()["detail"], NO_LINK, "{token}");
    }
    assert_eq!(list(&scene.manager().await, "/api/v1/calls").await.len(), 1);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_refused_join_uses_nothing_up() {
    let scene = Scene::with(shared(), json!({ "name": "Support", "max_queue_size": 1 })).await;
    let (tenant, single) = (&scene.tenant, link(&scene, json!({})).await);
    let token = text(&single["token"]);
    for (body, fields) in [
        (json!({}), vec!["name"]),
        (json!({ "name": " " }), vec!["name"]),
        (json!({ "name": "x".repeat(201) }), vec!["name"]),
        (json!({ "name": "two\nlines" }), vec!["name"]),
        (json!({ "name": "Ana", "email": "nobody" }), vec!["email"]),
        (json!({ "name": "Ana", "phone": "12" }), vec!["phone"]),
        (json!({ "name": 7, "email": 7, "phone": 7, "reason": 7 }), vec!["email", "name", "phone", "reason"]),
    ] {
        let errors = join(tenant, &token, body.clone()).await.expect(422).errors();
        assert_eq!(errors.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>(), fields, "{body}");
    }
    // Inactive.
    let path = format!("/api/v1/departments/{}", scene.department);
    let active = |active: bool| json!({ "department": { "active": active } });
    let _ = tenant.manager.put(&path, active(false)).await.expect(200);
    let _ = join(tenant, &token, json!({ "name": "Ana" })).await.expect(422);
    let _ = tenant.manager.put(&path, active(true)).await.expect(200);
    // Full.
    let first = scene.join("First").await;
    let full = join(tenant, &token, json!({ "name": "Ana", "email": "ana@example.com" })).await.expect(422);
    assert!(full.errors()["detail"].is_string(), "{}", full.text());
    assert_eq!(shown(&scene, &single).await, single);
    assert_eq!(ids(&tenant.manager, "/api/v1/calls").await, std::slice::from_ref(&first));
    // An assigned call still waits; a started one has left the queue.
    let _ = scene.act(&first, "assign").await.expect(200);
    let _ = join(tenant, &token, json!({ "name": "Ana" })).await.expect(422);
    let _ = scene.act(&first, "start").await.expect(200);
    let joined = join(tenant, &token, json!({ "name": "Ana", "email": "ana@example.com" })).await.expect(200).data();
    assert_eq!((&joined["status"], &joined["position"]), (&json!("queued"), &json!(1)));
    assert!(joined["estimated_wait_time"].is_u64() && joined.as_object().unwrap().len() == 4);
    assert_eq!(shown(&scene, &single).await["status"], "used");
}

#[tokio::test]
async fn a_link_for_many_is_active_until_its_last_use() {
    let scene = Scene::new(shared()).await;
    let many = link(&scene, json!({ "max_uses": 3 })).await;
    for (use_count, status) in [(1, "active"), (2, "active"), (3, "used")] {
        let _ = scene.tenant.join(&text(&many["token"]), "Somebody").await;
        let link = shown(&scene, &many).await;
        assert_eq!((&link["use_count"], &link["status"], &link["max_uses"]), (&json!(use_count), &json!(status), &json!(3)));
        assert!(link["used_at"].is_string());
    }
    let _ = join(&scene.tenant, &text(&many["token"]), json!({ "name": "Fourth" })).await.expect(404);
    // The same request again is the same call.
    let single = link(&scene, json!({})).await;
    let again = async || {
        let client = scene.tenant.anonymous.elsewhere().with("idempotency-key", "once");
        client.post(&format!("/api/v1/call/{}/join", text(&single["token"])), json!({ "name": "Ana" })).await.expect(200)
    };
    let (first, second) = (again().await, again().await);
    assert_eq!((first.data(), second.header("idempotent-replayed")), (second.data(), Some("true")));
    assert_eq!(shown(&scene, &single).await["use_count"], 1);
}

/// Sixty-four at one link and one department: nobody gets in anybody's way, and the sixty-fifth is late.
#[tokio::test]
async fn a_crowd_at_one_link_gets_in() {
    const CROWD: usize = 64;
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::with(&stack, json!({ "name": "Crowd", "max_queue_size": 100 })).await;
    let link = link(&scene, json!({ "max_uses": CROWD })).await;
    let path = format!("/api/v1/call/{}/join", link["token"].as_str().unwrap());
    let joins = (0..CROWD).map(|n| {
        let (client, path) = (scene.tenant.anonymous.elsewhere(), path.clone());
        tokio::spawn(async move { client.post(&path, json!({ "name": format!("Customer {n}") })).await.status.as_u16() })
    });
    let mut statuses = Vec::new();
    for join in joins.collect::<Vec<_>>() {
        statuses.push(join.await.unwrap());
    }
    assert_eq!(statuses, [200; CROWD]);
    let link = shown(&scene, &link).await;
    assert_eq!((&link["status"], &link["use_count"]), (&json!("used"), &json!(CROWD)));
    let calls = scene.tenant.manager.get("/api/v1/calls?status=queued").await.expect(200).json();
    assert_eq!(calls["meta"]["total_count"], json!(CROWD));
    let _ = scene.tenant.anonymous.elsewhere().post(&path, json!({ "name": "Late" })).await.expect(404);
    stack.shutdown().await;
}

#[tokio::test]
async fn customers_are_known_by_e_mail_then_by_phone() {
    let scene = Scene::new(shared()).await;
    let _ = scene.tenant.drain().await;
    let receiver = Receiver::start().await;
    let _ = scene.webhook(&receiver, &["customer.created"]).await;
    let call = async |body: Value| scene.call(&text(&scene.join_as(body).await.expect(200).data()["call_id"])).await;
    let customer = |call: &Value| text(&call["customer_id"]);

    let ana = call(json!({ "name": "Ana", "email": "ana@example.com", "phone": "(11) 99999-8888" })).await;
    assert_eq!((&ana["customer_email"], &ana["customer_phone"]), (&json!("ana@example.com"), &json!("+5511999998888")));
    let bia = call(json!({ "name": "Bia", "email": "bia@example.com" })).await;
    let nobody = call(json!({ "name": "Nobody" })).await;
    let other = call(json!({ "name": "Nobody" })).await;
    let all: std::collections::BTreeSet<String> = [&ana, &bia, &nobody, &other].map(customer).into();
    assert_eq!(all.len(), 4, "a name alone is nobody known");

    for (body, known) in [
        (json!({ "name": "A.", "email": "ANA@Example.com" }), &ana),
        (json!({ "name": "A.", "phone": "+55 11 99999-8888" }), &ana),
        (json!({ "name": "A.", "phone": "11999998888", "email": "new@example.com" }), &ana),
        // The e-mail comes first.
        (json!({ "name": "B.", "email": "bia@example.com", "phone": "11999998888" }), &bia),
        // What was empty is filled from then on, and nothing overwritten.
        (json!({ "name": "B.", "email": "bia@example.com", "phone": "+351 912 345 678" }), &bia),
    ] {
        assert_eq!(customer(&call(body.clone()).await), customer(known), "{body}");
    }
    let shown = call(json!({ "name": "X", "email": "ana@example.com", "phone": "+351912345679" })).await;
    assert_eq!((customer(&shown), &shown["customer_name"]), (customer(&ana), &json!("Ana")));
    assert_eq!((&shown["customer_email"], &shown["customer_phone"]), (&json!("ana@example.com"), &json!("+5511999998888")));
    let mine = format!("/api/v1/calls?customer_id={}", customer(&ana));
    assert_eq!(list(&scene.tenant.manager, &mine).await.len(), 5);

    // A link made for a customer is that customer's, whoever says what.
    let theirs = link(&scene, json!({ "customer_id": customer(&bia) })).await;
    assert_eq!((&theirs["customer_name"], &theirs["customer_email"]), (&json!("Bia"), &json!("bia@example.com")));
    let answer = join(&scene.tenant, &text(&theirs["token"]), json!({ "name": "B.", "email": "ana@example.com" })).await;
    let joined = scene.call(&text(&answer.expect(200).data()["call_id"])).await;
    assert_eq!(customer(&joined), customer(&bia));

    let _ = scene.tenant.drain().await;
    let mut made: Vec<String> = receiver.received().iter().map(|got| text(&got.json()["data"]["id"])).collect();
    made.sort_unstable();
    assert_eq!(made, all.into_iter().collect::<Vec<_>>(), "each was made once");
}

#[tokio::test]
async fn places_and_waits_follow_the_queue() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let mut calls = Vec::new();
    for (name, place) in [("Ana", 1), ("Bia", 2), ("Carlos", 3)] {
        let joined = scene.join_as(json!({ "name": name })).await.expect(200).data();
        assert_eq!(joined["position"], place);
        calls.push(text(&joined["call_id"]));
        scene.tenant.advance(1).await;
    }
    let seen = status(&scene.tenant, &calls[2]).await;
    let expected = json!({
        "call_id": calls[2], "status": "queued", "position": 3, "estimated_wait_time": seen["estimated_wait_time"],
        "department_name": "Support", "agent_name": null, "started_at": null, "completed_at": null,
    });
    assert_eq!(seen, expected);
    let mut waits = Vec::new();
    for call in &calls {
        waits.push(status(&scene.tenant, call).await["estimated_wait_time"].as_u64().unwrap());
    }
    assert!(waits.is_sorted() && waits[2] > waits[0], "{waits:?}");
    // Assigned calls keep their place; a started one gives it up.
    let _ = scene.act(&calls[1], "assign").await.expect(200);
    let assigned = status(&scene.tenant, &calls[1]).await;
    assert_eq!((&assigned["position"], &assigned["agent_name"]), (&json!(2), &json!("agent")));
    let started = scene.act(&calls[0], "start").await.expect(200).data();
    let seen = status(&scene.tenant, &calls[0]).await;
    assert_eq!(
        (&seen["status"], &seen["position"], &seen["estimated_wait_time"]),
        (&json!("active"), &json!(null), &json!(null))
    );
    assert_eq!((&seen["agent_name"], &seen["started_at"]), (&json!("agent"), &started["started_at"]));
    for (call, place) in [(&calls[1], 1), (&calls[2], 2)] {
        assert_eq!(status(&scene.tenant, call).await["position"], place);
        assert_eq!(scene.call(call).await["position"], place, "agents see the same place");
    }
    assert_eq!(validate(&scene.tenant, &scene.token).await.expect(200).data()["queue_size"], 2);
    let done = scene.act(&calls[0], "complete").await.expect(200).data();
    let seen = status(&scene.tenant, &calls[0]).await;
    assert_eq!((&seen["status"], &seen["completed_at"]), (&json!("completed"), &done["completed_at"]));
    stack.shutdown().await;
}

#[tokio::test]
async fn who_leaves_is_missed() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let (tenant, receiver) = (&scene.tenant, Receiver::start().await);
    let _ = scene.webhook(&receiver, &["call.missed"]).await;
    let (first, second) = (scene.join("Ana").await, scene.join("Bia").await);
    tenant.advance(40).await;
    let leave = async |call: &str| tenant.anonymous.elsewhere().post(&format!("/api/v1/call/leave/{call}"), json!({})).await;
    let left = leave(&first).await.expect(200).data();
    assert_eq!((&left["status"], &left["position"]), (&json!("missed"), &json!(null)));
    let shown = scene.call(&first).await;
    assert_eq!((&shown["status"], &shown["duration"], &shown["started_at"]), (&json!("missed"), &json!(null), &json!(null)));
    let waited = shown["wait_time"].as_u64().unwrap();
    assert!((40..50).contains(&waited), "{waited}");
    assert_eq!(status(tenant, &second).await["position"], 1);
    let _ = leave(&first).await.expect(422);
    for action in ["assign", "start", "complete"] {
        let _ = act(&scene.agent, &first, action, json!({})).await.expect(422);
    }
    let _ = scene.act(&second, "start").await.expect(200);
    let _ = leave(&second).await.expect(422);
    for unknown in ["00000000-0000-7000-8000-000000000000", "nonsense"] {
        let _ = leave(unknown).await.expect(404);
        let _ = tenant.anonymous.get(&format!("/api/v1/call/status/{unknown}")).await.expect(404);
    }
    let _ = tenant.drain().await;
    let told: Vec<String> = receiver.received().iter().map(|got| text(&got.json()["data"]["id"])).collect();
    assert_eq!(told, [first]);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_completed_call_is_rated_once() {
    let scene = Scene::new(shared()).await;
    let rate = async |call: &str, body: Value| {
        scene.tenant.anonymous.elsewhere().post(&format!("/api/v1/call/evaluate/{call}"), body).await
    };
    let call = scene.active("Ana").await;
    let _ = rate(&call, json!({ "rating": 5 })).await.expect(422);
    let _ = scene.act(&call, "complete").await.expect(200);
    for rating in [json!(0), json!(6), json!(-1), json!(4.5), json!("5"), json!(null), json!(true)] {
        let errors = rate(&call, json!({ "rating": rating })).await.expect(422).errors();
        assert!(errors["rating"].is_array(), "{rating}: {errors}");
    }
    let errors = rate(&call, json!({ "comment": "x".repeat(2001) })).await.expect(422).errors();
    assert!(errors["rating"].is_array() && errors["comment"].is_array(), "{errors}");
    assert_eq!(scene.call(&call).await["rating"], json!(null));
    let comment = "Très\nbien ✓".to_owned() + &"x".repeat(1989);
    let _ = rate(&call, json!({ "rating": 4, "comment": comment })).await.expect(201);
    let _ = rate(&call, json!({ "rating": 1 })).await.expect(422);
    let shown = scene.call(&call).await;
    assert_eq!((&shown["rating"], &shown["comment"], &shown["status"]), (&json!(4), &json!(comment), &json!("completed")));
    let missed = scene.join("Bia").await;
    let _ = scene.tenant.anonymous.post(&format!("/api/v1/call/leave/{missed}"), json!({})).await.expect(200);
    let _ = rate(&missed, json!({ "rating": 3 })).await.expect(422);
    let _ = rate("00000000-0000-7000-8000-000000000000", json!({ "rating": 3 })).await.expect(404);
}
