//! What receivers of webhooks get, and when they get it again.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tests::{Client, Received, Receiver, Reply, Settings, Stack, shared};

use crate::scene::{Scene, epoch, ids, list, text};

/// What lies between attempts, in seconds, give or take a fifth (contract §12).
const PAUSES: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

fn path(webhook: &Value) -> String {
    format!("/api/v1/webhooks/{}", text(&webhook["id"]))
}

/// The one delivery of a webhook.
async fn only(manager: &Client, webhook: &Value) -> Value {
    let mut deliveries = list(manager, &format!("{}/deliveries", path(webhook))).await;
    assert_eq!(deliveries.len(), 1);
    deliveries.remove(0)
}

fn attempts(delivery: &Value) -> &Vec<Value> {
    delivery["attempts"].as_array().unwrap()
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes().to_vec()
}

/// Verifies a delivery as a receiver does that knows nothing but the secret and the two published schemes.
fn verify(received: &Received, secret: &str) {
    let hex = mac(secret.as_bytes(), &received.body).iter().fold("sha256=".to_owned(), |hex, byte| format!("{hex}{byte:02x}"));
    assert_eq!(received.header("x-voki-signature"), hex);
    let key = secret.strip_prefix("whsec_").map_or(secret.as_bytes().to_vec(), |key| STANDARD.decode(key).unwrap());
    let head = format!("{}.{}.", received.header("webhook-id"), received.header("webhook-timestamp"));
    let signed = [head.as_bytes(), &received.body].concat();
    assert_eq!(received.header("webhook-signature"), format!("v1,{}", STANDARD.encode(mac(&key, &signed))));
}

#[tokio::test]
async fn a_delivery_is_the_object_as_the_manager_sees_it_signed_twice() {
    let scene = Scene::new(shared()).await;
    let receiver = Receiver::start().await;
    let fields = json!({ "url": receiver.url, "events": ["call.completed"], "headers": { "Authorization": "Bearer theirs" } });
    let mut hooks = Vec::new();
    for secret in [json!(null), json!("a-secret-of-our-own")] {
        let mut fields = fields.clone();
        fields["secret"] = secret;
        let made = scene.tenant.manager.post("/api/v1/webhooks", json!({ "webhook": fields })).await;
        hooks.push(made.expect(201).data());
    }
    let call = scene.completed("Carlos").await;
    let _ = scene.tenant.drain().await;
    let all = receiver.received();
    assert_eq!(all.len(), 2);
    let shown = scene.call(&call).await;
    for hook in &hooks {
        let delivery = only(&scene.tenant.manager, hook).await;
        let got = all.iter().find(|got| got.header("x-voki-delivery") == text(&delivery["id"])).unwrap();
        verify(got, &text(&hook["secret"]));
        let body = got.json();
        assert_eq!(body, json!({ "id": body["id"], "event": "call.completed", "timestamp": body["timestamp"], "data": shown }));
        assert_eq!(epoch(&body["timestamp"]), epoch(&shown["completed_at"]));
        assert_eq!(got.header("webhook-id"), text(&body["id"]));
        assert_eq!((got.header("x-voki-event"), got.header("content-type")), ("call.completed", "application/json"));
        assert_eq!(got.header("authorization"), "Bearer theirs");
        assert!((got.header("webhook-timestamp").parse::<i64>().unwrap() - epoch(&body["timestamp"])).abs() <= 30);
        let expected = json!({
            "id": got.header("x-voki-delivery"), "event": "call.completed", "event_id": body["id"], "status": "success",
            "response_code": 200, "response_body": "", "error": null, "attempts": delivery["attempts"],
            "next_attempt_at": null, "duration_ms": delivery["duration_ms"], "inserted_at": delivery["inserted_at"],
        });
        assert_eq!(delivery, expected);
        assert_eq!(attempts(&delivery).len(), 1);
    }
    assert_eq!(all[0].header("webhook-id"), all[1].header("webhook-id"), "one event");
}

#[tokio::test]
async fn ten_attempts_at_the_published_pauses_then_it_has_failed() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let receiver = Receiver::start().await;
    receiver.reply(Reply::Body(500, "out of order".into()));
    let hook = scene.webhook(&receiver, &["call.created"]).await;
    let _ = scene.join("Carlos").await;
    let mut seen = Vec::new();
    let last = loop {
        let _ = scene.tenant.drain().await;
        let delivery = only(&scene.manager().await, &hook).await;
        let made = attempts(&delivery).len();
        assert_eq!((&delivery["response_code"], &delivery["response_body"]), (&json!(500), &json!("out of order")));
        if delivery["next_attempt_at"].is_null() {
            break delivery;
        }
        assert_eq!(delivery["status"], "pending");
        let (at, next) = (epoch(&attempts(&delivery)[made - 1]["at"]), epoch(&delivery["next_attempt_at"]));
        let pause = PAUSES[made - 1];
        assert!((pause * 4 / 5..=pause * 6 / 5 + 1).contains(&(next - at)), "after {made}: {} s", next - at);
        seen.push(made);
        // A second before its time nothing happens.
        let now = epoch(&scene.tenant.anonymous.get("/local/clock").await.expect(200).data()["now"]);
        if next - now > 10 {
            scene.tenant.advance(u32::try_from(next - now - 5).unwrap()).await;
            let _ = scene.tenant.drain().await;
            assert_eq!(receiver.received().len(), made);
            scene.tenant.advance(5).await;
        } else {
            scene.tenant.advance(10).await;
        }
    };
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!((&last["status"], attempts(&last).len()), (&json!("failed"), 10));
    scene.tenant.advance(200_000).await;
    let _ = scene.tenant.drain().await;
    let all = receiver.received();
    assert_eq!(all.len(), 10);
    let mut stamps = Vec::new();
    for got in &all {
        verify(got, &text(&hook["secret"]));
        assert_eq!((got.header("webhook-id"), &got.body), (all[0].header("webhook-id"), &all[0].body));
        stamps.push(got.header("webhook-timestamp").parse::<i64>().unwrap());
    }
    let at: Vec<i64> = attempts(&last).iter().map(|attempt| epoch(&attempt["at"])).collect();
    assert_eq!(stamps, at, "signed afresh on each attempt");
    // Three days of failing are not yet five.
    assert_eq!(scene.manager().await.get(&path(&hook)).await.expect(200).data()["active"], true);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_retry_that_succeeds_ends_it() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let receiver = Receiver::start().await;
    receiver.reply(Reply::RetryAfter(503, "3600".into()));
    let hook = scene.webhook(&receiver, &["call.created"]).await;
    let _ = scene.join("Carlos").await;
    let _ = scene.tenant.drain().await;
    let delivery = only(&scene.tenant.manager, &hook).await;
    let wait = epoch(&delivery["next_attempt_at"]) - epoch(&attempts(&delivery)[0]["at"]);
    assert!((3600..=3602).contains(&wait), "Retry-After: 3600, but {wait} s");
    receiver.reply(Reply::Status(204));
    scene.tenant.advance(3500).await;
    let _ = scene.tenant.drain().await;
    assert_eq!(receiver.received().len(), 1, "not before its time");
    scene.tenant.advance(110).await;
    let _ = scene.tenant.drain().await;
    let delivery = only(&scene.manager().await, &hook).await;
    assert_eq!((&delivery["status"], &delivery["response_code"]), (&json!("success"), &json!(204)));
    assert_eq!((&delivery["next_attempt_at"], attempts(&delivery).len()), (&json!(null), 2));
    let codes: Vec<&Value> = attempts(&delivery).iter().map(|attempt| &attempt["response_code"]).collect();
    assert_eq!(codes, [503, 204]);
    stack.shutdown().await;
}

#[tokio::test]
async fn gone_disables_it_at_once() {
    let scene = Scene::new(shared()).await;
    let (receiver, other) = (Receiver::start().await, Receiver::start().await);
    receiver.reply(Reply::Status(410));
    let hook = scene.webhook(&receiver, &["call.created"]).await;
    let _ = scene.webhook(&other, &["webhook.disabled"]).await;
    let _ = scene.join("Carlos").await;
    let _ = scene.tenant.drain().await;
    let shown = scene.tenant.manager.get(&path(&hook)).await.expect(200).data();
    assert_eq!(shown["active"], false);
    assert!(text(&shown["disabled_reason"]).contains("410"));
    let delivery = only(&scene.tenant.manager, &hook).await;
    assert_eq!((&delivery["next_attempt_at"], &delivery["response_code"]), (&json!(null), &json!(410)));
    let _ = scene.join("Beatriz").await;
    let _ = scene.tenant.drain().await;
    assert_eq!(receiver.received().len(), 1);
    assert_eq!(other.events(), ["webhook.disabled"]);
    let told = other.received()[0].json()["data"].clone();
    assert_eq!((&told["id"], &told["active"]), (&hook["id"], &json!(false)));
    assert!(!told.to_string().contains(&text(&hook["secret"])));

    // Whoever makes it active again starts afresh.
    receiver.reply(Reply::Status(200));
    let body = json!({ "webhook": { "active": true } });
    let shown = scene.tenant.manager.put(&path(&hook), body).await.expect(200).data();
    assert_eq!((&shown["active"], &shown["disabled_reason"]), (&json!(true), &json!(null)));
    let call = scene.join("Davi").await;
    let _ = scene.tenant.drain().await;
    assert_eq!(receiver.received().pop().unwrap().json()["data"]["id"], json!(call));
}

#[tokio::test]
async fn five_days_of_failing_disable_it() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let receiver = Receiver::start().await;
    receiver.reply(Reply::Status(500));
    let hook = scene.webhook(&receiver, &["access_link.created"]).await;
    let made = async |days: u32| {
        scene.tenant.advance(days * 86_400).await;
        let link = json!({ "access_link": { "department_id": scene.department } });
        let _ = scene.manager().await.post("/api/v1/access-links", link).await.expect(201);
        let _ = scene.tenant.drain().await;
        scene.manager().await.get(&path(&hook)).await.expect(200).data()
    };
    assert_eq!(made(0).await["active"], true);
    assert_eq!(made(4).await["active"], true);
    // One success begins it anew.
    receiver.reply(Reply::Status(200));
    assert_eq!(made(0).await["active"], true);
    receiver.reply(Reply::Status(500));
    assert_eq!(made(2).await["active"], true);
    assert_eq!(made(4).await["active"], true);
    let disabled = made(1).await;
    assert_eq!(disabled["active"], false);
    assert!(disabled["disabled_reason"].is_string());
    let count = receiver.received().len();
    assert_eq!(made(1).await["active"], false);
    assert_eq!(receiver.received().len(), count);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_not_followed() {
    let scene = Scene::new(shared()).await;
    let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
    receiver.reply(Reply::Redirect(elsewhere.url.clone()));
    let hook = scene.webhook(&receiver, &["call.created"]).await;
    let _ = scene.join("Carlos").await;
    let _ = scene.tenant.drain().await;
    let delivery = only(&scene.tenant.manager, &hook).await;
    assert_eq!((&delivery["status"], &delivery["response_code"]), (&json!("pending"), &json!(307)));
    let tried = scene.tenant.manager.post(&format!("{}/test", path(&hook)), json!({})).await.expect(200).data();
    assert_eq!((&tried["delivered"], &tried["response_code"]), (&json!(false), &json!(307)));
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn its_deliveries_are_listed_by_status_event_and_day() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let (receiver, other) = (Receiver::start().await, Receiver::start().await);
    let hook = scene.webhook(&receiver, &["call.created", "call.started"]).await;
    let noise = scene.webhook(&other, &["call.created"]).await;
    let list_of = format!("{}/deliveries", path(&hook));
    let _ = scene.active("Ana").await;
    let _ = scene.tenant.drain().await;
    scene.tenant.advance(2 * 86_400).await;
    receiver.reply(Reply::Status(500));
    let _ = scene.join("Bia").await;
    let _ = scene.tenant.drain().await;
    let manager = scene.manager().await;
    let rows = list(&manager, &list_of).await;
    let told: Vec<_> = rows.iter().map(|row| (text(&row["event"]), text(&row["status"]))).collect();
    let pair = |event: &str, status: &str| (event.to_owned(), status.to_owned());
    assert_eq!(told, [pair("call.created", "pending"), pair("call.started", "success"), pair("call.created", "success")]);
    assert_eq!(list(&manager, &format!("{}/deliveries", path(&noise))).await.len(), 2);
    let (days, now) = (epoch(&rows[0]["inserted_at"]) - epoch(&rows[1]["inserted_at"]), text(&rows[0]["inserted_at"]));
    assert!(days >= 2 * 86_400);
    let (today, back, first) = (&now[..10], text(&rows[1]["inserted_at"]), text(&rows[2]["inserted_at"]));
    for (query, expected) in [
        ("status=success".to_owned(), vec![1, 2]),
        ("status=pending".to_owned(), vec![0]),
        ("status=failed".to_owned(), vec![]),
        ("event=call.created".to_owned(), vec![0, 2]),
        ("event=call.created&status=success".to_owned(), vec![2]),
        ("event=call.missed".to_owned(), vec![]),
        (format!("date_from={today}"), vec![0]),
        (format!("date_to={today}"), vec![0, 1, 2]),
        (format!("date_to={}", &back[..10]), vec![1, 2]),
        (format!("date_from={first}&date_to={}", &back[..10]), vec![1, 2]),
        (format!("date_to={back}&event=call.started"), vec![1]),
        ("date_from=2001-01-01&date_to=2001-01-02".to_owned(), vec![]),
        ("sort_order=asc".to_owned(), vec![2, 1, 0]),
    ] {
        let mut found = ids(&manager, &format!("{list_of}?{query}")).await;
        let mut expected: Vec<String> = expected.into_iter().map(|n: usize| text(&rows[n]["id"])).collect();
        if query != "sort_order=asc" {
            // Both of the first day may be of the same second.
            found.sort_unstable();
            expected.sort_unstable();
        }
        assert_eq!(found, expected, "{query}");
    }
    let page = manager.get(&format!("{list_of}?page_size=2&page=2")).await.expect(200).json();
    assert_eq!(
        (&page["meta"]["total_count"], &page["meta"]["total_pages"], &page["data"][0]["id"]),
        (&json!(3), &json!(2), &rows[2]["id"])
    );
    for (query, field) in [("status=open", "status"), ("event=call.exploded", "event"), ("date_from=today", "date_from")] {
        let errors = manager.get(&format!("{list_of}?{query}")).await.expect(422).errors();
        assert!(errors[field].is_array(), "{errors}");
    }
    // Kept for 30 days.
    scene.tenant.advance(29 * 86_400).await;
    assert_eq!(list(&scene.manager().await, &format!("{list_of}?status=success")).await.len(), 0);
    stack.shutdown().await;
}
