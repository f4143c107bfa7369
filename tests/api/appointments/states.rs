//! What becomes of an appointment, and who hears of it.

use serde_json::{Value, json};
use tests::{PASSWORD, Receiver, Settings, Stack};

use super::{APPOINTMENTS, Office, path, wrong};
use crate::scene::{list, manager, text};

const ACTIONS: [&str; 5] = ["confirm", "cancel", "complete", "no-show", "reschedule"];

#[tokio::test]
async fn every_status_meets_every_action() {
    let office = Office::new().await;
    for (way, status, outcomes) in [
        (vec![], "scheduled", ["confirmed", "cancelled", "completed", "no_show", "scheduled"]),
        (vec!["confirm"], "confirmed", ["", "cancelled", "completed", "no_show", "confirmed"]),
        (vec!["cancel"], "cancelled", [""; 5]),
        (vec!["confirm", "complete"], "completed", [""; 5]),
        (vec!["no-show"], "no_show", [""; 5]),
    ] {
        for (action, outcome) in ACTIONS.into_iter().zip(outcomes) {
            let appointment = office.booked(600, 30).await;
            for step in &way {
                let _ = office.act(&appointment, step, json!({})).await.expect(200);
            }
            let before = office.shown(&appointment).await;
            assert_eq!(before["status"], json!(status));
            let answer = office.act(&appointment, action, json!({ "scheduled_at": office.at(700) })).await;
            if outcome.is_empty() {
                assert_eq!(wrong(answer), ["status"], "{action} what is {status}");
                assert_eq!(office.shown(&appointment).await, before);
            } else {
                let after = answer.expect(200).data();
                assert_eq!(after["status"], json!(outcome), "{action} what is {status}");
                assert_eq!(office.shown(&appointment).await, after);
            }
        }
    }
}

#[tokio::test]
async fn why_it_was_called_off_is_kept() {
    let office = Office::new().await;
    let (first, second) = (office.booked(600, 30).await, office.booked(600, 30).await);
    for reason in [json!("x".repeat(2001)), json!("\u{7}"), json!(1)] {
        assert_eq!(wrong(office.act(&first, "cancel", json!({ "reason": reason })).await), ["reason"]);
    }
    let cancelled = office.act(&first, "cancel", json!({ "reason": " Customer is ill\n" })).await.expect(200).data();
    assert_eq!(cancelled["cancellation_reason"], json!("Customer is ill"));
    let renamed = office.put(&first, json!({ "title": "Other" })).await.expect(200).data();
    assert_eq!(
        (&renamed["cancellation_reason"], &renamed["status"], &renamed["title"]),
        (&json!("Customer is ill"), &json!("cancelled"), &json!("Other"))
    );
    // An empty body is fine.
    let bare = office.agent.send(http::Method::POST, &format!("{}/cancel", path(&second)), "").await.expect(200).data();
    assert_eq!(bare["cancellation_reason"], json!(null));
}

#[tokio::test]
async fn rescheduling_says_when_and_whose() {
    let office = Office::new().await;
    let made = office.booked(600, 45).await;
    for (field, value) in [
        ("scheduled_at", json!(null)),
        ("scheduled_at", json!("2020-01-01T00:00:00Z")),
        ("duration_minutes", json!(4)),
        ("user_id", json!(uuid::Uuid::new_v4())),
        ("reject_conflicts", json!("x")),
    ] {
        let mut body = json!({ "scheduled_at": office.at(700) });
        body[field] = value;
        assert_eq!(wrong(office.act(&made, "reschedule", body).await), [field]);
    }
    let later = office.act(&made, "reschedule", json!({ "scheduled_at": office.at(700) })).await.expect(200).data();
    assert_eq!((&later["scheduled_at"], &later["duration_minutes"]), (&json!(office.at(700)), &json!(45)));
    assert_eq!(later["user_id"], json!(office.agent_id));
    let body = json!({ "scheduled_at": office.at(800), "duration_minutes": 15, "user_id": office.other_id });
    let theirs = office.act(&made, "reschedule", body).await.expect(200).data();
    assert_eq!(
        (&theirs["scheduled_at"], &theirs["duration_minutes"], &theirs["user_id"], &theirs["user_name"]),
        (&json!(office.at(800)), &json!(15), &json!(office.other_id), &json!("other"))
    );
}

#[tokio::test]
async fn each_change_is_one_event_and_a_refusal_none() {
    let office = Office::new().await;
    let receiver = Receiver::start().await;
    let hook = json!({ "webhook": { "url": receiver.url, "events": ["*"] } });
    let _ = office.tenant.manager.post("/api/v1/webhooks", hook).await.expect(201);
    let mut expected: Vec<(String, Value)> = Vec::new();
    let mut told = |name: &str, data: Value| expected.push((format!("appointment.{name}"), data));
    let first = office.booked(600, 30).await;
    told("created", first.clone());
    let confirmed = office.act(&first, "confirm", json!({})).await.expect(200).data();
    told("confirmed", confirmed);
    let _ = office.act(&first, "confirm", json!({})).await.expect(422);
    // A new title is no news; a new time is.
    let _ = office.put(&first, json!({ "title": "Other" })).await.expect(200);
    told("rescheduled", office.put(&first, json!({ "scheduled_at": office.at(0) })).await.expect(200).data());
    let moved = office.act(&first, "reschedule", json!({ "scheduled_at": office.at(90) })).await.expect(200).data();
    told("rescheduled", moved);
    told("completed", office.act(&first, "complete", json!({})).await.expect(200).data());
    let _ = office.put(&first, json!({ "scheduled_at": office.at(30) })).await.expect(200);
    for (action, event) in [("cancel", "cancelled"), ("no-show", "no_show")] {
        let appointment = office.booked(600, 30).await;
        told("created", appointment.clone());
        told(event, office.act(&appointment, action, json!({})).await.expect(200).data());
    }
    let refused = office.book(json!({ "scheduled_at": office.at(600), "title": null })).await;
    let _ = refused.expect(422);
    let _ = office.tenant.drain().await;
    let mut heard: Vec<(String, Value)> = receiver
        .received()
        .iter()
        .map(|got| (got.header("x-voki-event").to_owned(), got.json()["data"].clone()))
        .filter(|(name, _)| name.starts_with("appointment."))
        .collect();
    let sort = |events: &mut Vec<(String, Value)>| events.sort_by_key(|(name, data)| (name.clone(), data.to_string()));
    sort(&mut heard);
    sort(&mut expected);
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn a_department_with_open_appointments_stays() {
    let office = Office::new().await;
    let sales = office.tenant.department(json!({ "name": "Sales" })).await;
    let remove = async |department: &str| office.tenant.manager.delete(&format!("/api/v1/departments/{department}")).await;
    let (first, second) = (office.booked(600, 30).await, office.booked(600, 30).await);
    let _ = office.act(&first, "confirm", json!({})).await.expect(200);
    let _ = office.put(&second, json!({ "department_id": sales })).await.expect(200);
    for department in [&office.department, &sales] {
        let refused = remove(department).await.expect(422).errors();
        assert!(refused["detail"].as_str().unwrap().contains("appointments"), "{refused}");
    }
    let _ = office.act(&first, "no-show", json!({})).await.expect(200);
    let _ = office.act(&second, "cancel", json!({})).await.expect(200);
    for department in [&office.department, &sales] {
        let _ = remove(department).await.expect(204);
    }
    let shown = office.shown(&second).await;
    assert_eq!((&shown["department_id"], &shown["department_name"]), (&json!(sales), &json!("Sales")));
    // It can still be corrected, where it is.
    let _ = office.put(&second, json!({ "notes": "Was a mistake" })).await.expect(200);
    assert_eq!(wrong(office.book(json!({})).await), ["department_id"]);
}

#[tokio::test]
async fn what_is_over_keeps_no_department() {
    let stack = Stack::start(Settings::default()).await;
    let office = Office::on(&stack).await;
    let sales = office.tenant.department(json!({ "name": "Sales" })).await;
    let here = format!("/api/v1/departments/{}", office.department);
    let mut made = Vec::new();
    for n in 0..4 {
        made.push(office.booked(n * 60, 30).await);
    }
    let _ = office.act(&made[0], "confirm", json!({})).await.expect(200);
    let _ = office.act(&made[3], "cancel", json!({})).await.expect(200);
    office.tenant.advance(4 * 86_400).await;
    let login = office.tenant.login("agent@example.com", PASSWORD).await;
    let (agent, manager) = (office.tenant.anonymous.bearer(&text(&login["access_token"])), manager(&office.tenant).await);
    let office = Office { agent, ..office };
    // One that is still to come keeps it, beside those that are over.
    let coming = office.book(json!({ "scheduled_at": office.at(20_000) })).await.expect(201).data();
    let _ = manager.delete(&here).await.expect(422);
    let _ = office.act(&coming, "reschedule", json!({ "scheduled_at": office.at(21_000) })).await.expect(200);
    let _ = manager.delete(&here).await.expect(422);
    // So does one that is over and has another time.
    let _ = office.act(&coming, "cancel", json!({})).await.expect(200);
    let _ = office.act(&made[2], "reschedule", json!({ "scheduled_at": office.at(21_000) })).await.expect(200);
    let _ = manager.delete(&here).await.expect(422);
    let _ = office.put(&made[2], json!({ "department_id": sales })).await.expect(200);
    let _ = manager.delete(&here).await.expect(204);
    // They can be closed, and moved elsewhere; there is nothing here any more to which they could come back.
    let _ = office.act(&made[0], "complete", json!({})).await.expect(200);
    let _ = office.put(&made[1], json!({ "title": "Other" })).await.expect(200);
    for times in
        [json!({ "scheduled_at": office.at(22_000) }), json!({ "scheduled_at": office.at(22_000), "duration_minutes": 5 })]
    {
        assert_eq!(wrong(office.act(&made[1], "reschedule", times.clone()).await), ["department_id"]);
        assert_eq!(wrong(office.put(&made[1], times).await), ["department_id"]);
    }
    assert_eq!(wrong(office.book(json!({ "scheduled_at": office.at(22_000) })).await), ["department_id"]);
    let elsewhere = json!({ "department_id": sales, "scheduled_at": office.at(22_000) });
    let _ = office.put(&made[1], elsewhere).await.expect(200);
    let _ = manager.delete(&format!("/api/v1/departments/{sales}")).await.expect(422);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_department_goes_or_what_was_over_comes_back() {
    let stack = Stack::start(Settings::default()).await;
    for round in 0..4 {
        let office = Office::on(&stack).await;
        let mut made = Vec::new();
        for n in 0..4 {
            made.push(office.booked(n * 60, 30).await);
        }
        office.tenant.advance(4 * 86_400).await;
        let login = office.tenant.login("agent@example.com", PASSWORD).await;
        let agent = office.tenant.anonymous.bearer(&text(&login["access_token"]));
        let (manager, here) = (manager(&office.tenant).await, format!("/api/v1/departments/{}", office.department));
        let mut racers = tokio::task::JoinSet::new();
        for n in 0..16 {
            let (agent, manager, here) = (agent.clone(), manager.clone(), here.clone());
            let (appointment, there) = (made[n % 4].clone(), office.at(20_000 + 60 * i64::try_from(n).unwrap()));
            racers.spawn(async move {
                match (n + round) % 4 {
                    0 => ("delete", manager.delete(&here).await.status.as_u16()),
                    1 => {
                        let times = json!({ "scheduled_at": there });
                        ("move", agent.post(&format!("{}/reschedule", path(&appointment)), times).await.status.as_u16())
                    }
                    _ => ("close", agent.post(&format!("{}/complete", path(&appointment)), json!({})).await.status.as_u16()),
                }
            });
        }
        let done = racers.join_all().await;
        let gone = done.contains(&("delete", 204));
        assert!(done.iter().all(|(_, status)| [200, 204, 404, 422].contains(status)), "{done:?}");
        let coming = agent.get(&format!("{APPOINTMENTS}?status=scheduled&date_from={}", &office.at(15_000)[..10])).await;
        let coming = coming.expect(200).json()["meta"]["total_count"].as_u64().unwrap();
        assert!(!gone || coming == 0, "{coming} are to come in a department that is gone: {done:?}");
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn the_trail_tells_of_it_and_not_of_the_customer() {
    let office = Office::new().await;
    let fields = json!({ "title": "About Zuleica", "customer_name": "Zuleica", "customer_email": "zuleica@example.com", "notes": "Zuleica" });
    let made = office.book(fields).await.expect(201).data();
    let _ = office.act(&made, "cancel", json!({ "reason": "Zuleica is ill" })).await.expect(200);
    let trail = list(&office.tenant.manager, &format!("/api/v1/audit-log?object_id={}", text(&made["id"]))).await;
    let actions: Vec<String> = trail.iter().map(|entry| text(&entry["action"])).collect();
    assert_eq!(actions, ["appointment.updated", "appointment.created"]);
    assert_eq!(trail[0]["changes"], json!({ "status": ["scheduled", "cancelled"] }));
    assert!(!json!(trail).to_string().to_lowercase().contains("zuleica"));
}

#[tokio::test]
async fn of_many_at_once_one_succeeds() {
    let office = Office::new().await;
    for _ in 0..3 {
        let appointment = office.booked(600, 30).await;
        let mut racers = tokio::task::JoinSet::new();
        for n in 0..8 {
            let (agent, path) = (office.agent.clone(), format!("{}/{}", path(&appointment), ["cancel", "complete"][n % 2]));
            racers.spawn(async move { agent.post(&path, json!({})).await.status.as_u16() });
        }
        let mut statuses = racers.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [&[200][..], &[422; 7]].concat());
    }
    let total =
        office.agent.get(&format!("{APPOINTMENTS}?status=scheduled")).await.expect(200).json()["meta"]["total_count"].clone();
    assert_eq!(total, json!(0));
}
