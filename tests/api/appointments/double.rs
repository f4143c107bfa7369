//! Where nobody is booked twice.

use serde_json::{Value, json};
use tests::{Answer, shared};
use tokio::task::JoinSet;

use super::{APPOINTMENTS, Office, path, wrong};

/// What is said of a double booking.
#[track_caller]
fn refused(answer: Answer, by: &[&Value], free: &[String; 3]) {
    let body = answer.expect(422).json();
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["conflicts", "errors", "next_free"]);
    assert_eq!(body["errors"], json!({ "scheduled_at": ["overlaps with another appointment of the agent"] }));
    let ids: Vec<_> = body["conflicts"].as_array().unwrap().iter().map(|entry| entry["id"].clone()).collect();
    assert_eq!(ids, by.iter().map(|appointment| appointment["id"].clone()).collect::<Vec<_>>());
    let first = &body["conflicts"][0];
    let keys = ["customer_name", "duration_minutes", "id", "scheduled_at", "status", "title"];
    assert_eq!(first.as_object().unwrap().keys().collect::<Vec<_>>(), keys);
    assert_eq!(body["next_free"], json!(free));
}

#[tokio::test]
async fn it_is_allowed_unless_somebody_says_otherwise() {
    let office = Office::new().await;
    let (first, second) = (office.booked(600, 30).await, office.booked(610, 30).await);
    let over = |minute: i64| json!({ "scheduled_at": office.at(minute), "reject_conflicts": true });
    let free = [640, 670, 700].map(|minute| office.at(minute));
    refused(office.book(over(605)).await, &[&first, &second], &free);
    // Somebody else is free, and so is the agent before and after.
    let _ = office.book(json!({ "user_id": office.other_id, "reject_conflicts": true })).await.expect(201);
    let _ = office.book(over(570)).await.expect(201);
    let third = office.book(over(640)).await.expect(201).data();
    refused(
        office.act(&first, "reschedule", over(615)).await,
        &[&second, &third],
        &[670, 700, 730].map(|minute| office.at(minute)),
    );
    let _ = office.act(&first, "reschedule", json!({ "scheduled_at": office.at(615) })).await.expect(200);
    refused(office.put(&first, over(625)).await, &[&second, &third], &[670, 700, 730].map(|minute| office.at(minute)));
    // It is in nobody's way but its own.
    let _ = office.act(&second, "cancel", json!({})).await.expect(200);
    let _ = office.act(&first, "reschedule", over(605)).await.expect(200);
}

#[tokio::test]
async fn a_company_says_so_for_everybody() {
    let office = Office::new().await;
    let (first, second) = (office.booked(600, 30).await, office.booked(610, 30).await);
    office.strict(true).await;
    let free = [640, 670, 700].map(|minute| office.at(minute));
    refused(office.book(json!({ "scheduled_at": office.at(620) })).await, &[&first, &second], &free);
    // What overlaps since before can be changed, and moved away, and is not confirmed.
    let _ = office.put(&first, json!({ "title": "Other", "scheduled_at": office.at(600) })).await.expect(200);
    refused(office.act(&first, "confirm", json!({})).await, &[&second], &free);
    refused(office.act(&second, "confirm", json!({})).await, &[&first], &[630, 660, 690].map(|minute| office.at(minute)));
    refused(
        office.put(&first, json!({ "duration_minutes": 20 })).await,
        &[&second],
        &[640, 660, 680].map(|minute| office.at(minute)),
    );
    let _ = office.put(&first, json!({ "duration_minutes": 10 })).await.expect(200);
    for appointment in [&first, &second] {
        let _ = office.act(appointment, "confirm", json!({})).await.expect(200);
    }
    let theirs = office.book(json!({ "user_id": office.other_id, "scheduled_at": office.at(600) })).await.expect(201).data();
    let own = json!({ "user_id": office.agent_id });
    refused(office.put(&theirs, own).await, &[&first, &second], &free);
    let own = json!({ "user_id": office.agent_id, "scheduled_at": office.at(601) });
    refused(office.act(&theirs, "reschedule", own).await, &[&first, &second], &free);
    office.strict(false).await;
    let _ = office.put(&theirs, json!({ "user_id": office.agent_id })).await.expect(200);
}

#[tokio::test]
async fn free_times_are_found_behind_full_days() {
    let office = Office::new().await;
    let mut days = Vec::new();
    for day in 0..23 {
        days.push(office.booked(day * 1440, 1440).await);
    }
    let over = json!({ "scheduled_at": office.at(30), "duration_minutes": 60, "reject_conflicts": true });
    let ahead = [0, 60, 120].map(|minute| office.at(23 * 1440 + minute));
    refused(office.book(over.clone()).await, &[&days[0]], &ahead);
    let _ = office.act(&days[12], "cancel", json!({})).await.expect(200);
    let _ = office.booked(12 * 1440 + 90, 1230).await;
    let gaps = [12 * 1440, 12 * 1440 + 1320, 12 * 1440 + 1380].map(|minute| office.at(minute));
    refused(office.book(over).await, &[&days[0]], &gaps);
}

/// Thirty-two at once, in these ways; how they fared.
async fn race(ways: impl Fn(usize) -> (tests::Client, bool, String, Value)) -> Vec<u16> {
    let mut racers = JoinSet::new();
    for n in 0..32 {
        let (client, put, path, body) = ways(n);
        racers.spawn(async move {
            let answer = if put { client.put(&path, body).await } else { client.post(&path, body).await };
            answer.status.as_u16()
        });
    }
    racers.join_all().await
}

#[tokio::test]
async fn of_many_at_one_time_exactly_one_wins() {
    let office = Office::new().await;
    for round in 0..4 {
        office.strict(round % 2 == 1).await;
        // Around a midnight, half an hour each, ten minutes apart: all overlap with the one in the middle.
        let statuses = race(|n| {
            let minute = 1440 * round + 1420 + 10 * i64::try_from(n % 3).unwrap();
            let fields = json!({ "scheduled_at": office.at(minute), "reject_conflicts": round % 2 == 0, "customer_name": format!("Racer {n}") });
            (office.agent.clone(), false, APPOINTMENTS.into(), office.body(fields))
        })
        .await;
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [201, 422].contains(status)), "{statuses:?}");
    }
}

#[tokio::test]
async fn no_way_leads_to_a_double_booking() {
    let office = Office::new().await;
    office.strict(true).await;
    let mut own = Vec::new();
    for n in 0..8 {
        own.push(office.booked(n * 100, 30).await);
    }
    let mut theirs = Vec::new();
    for n in 0..8 {
        let fields = json!({ "user_id": office.other_id, "scheduled_at": office.at(5000 + n * 50) });
        theirs.push(office.book(fields).await.expect(201).data());
    }
    let there = office.at(3000);
    let statuses = race(|n| {
        let (mine, other) = (&own[n / 4], &theirs[n / 4]);
        let (put, path, body) = match n % 4 {
            0 => (false, APPOINTMENTS.into(), office.body(json!({ "scheduled_at": there }))),
            1 => (true, path(mine), json!({ "appointment": { "scheduled_at": there } })),
            2 => (false, format!("{}/reschedule", path(mine)), json!({ "scheduled_at": there, "duration_minutes": 60 })),
            _ => (true, path(other), json!({ "appointment": { "user_id": office.agent_id, "scheduled_at": there } })),
        };
        (office.agent.clone(), put, path, body)
    })
    .await;
    assert!(statuses.iter().all(|status| [200, 201, 422].contains(status)), "{statuses:?}");
    // A PUT and a rescheduling of one appointment may both succeed; never two appointments.
    let rows = office.agent.get(&format!("{APPOINTMENTS}?user_id={}&page_size=100", office.agent_id)).await.expect(200).data();
    let mut spans: Vec<(i64, i64)> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (office.minutes(&row["scheduled_at"]), row["duration_minutes"].as_i64().unwrap()))
        .collect();
    spans.sort_unstable();
    assert!(spans.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0), "{spans:?}");
    assert_eq!(spans.iter().filter(|(start, _)| *start == 3000).count(), 1, "{spans:?}");
}

#[tokio::test]
async fn a_day_has_an_end() {
    let office = Office::new().await;
    let first = office.booked(600, 30).await;
    // What it takes to fill a day, told to its item.
    let (app, user) = (shared().app(), office.agent_id.parse().unwrap());
    let key = ::shared::storage::Key::agenda(&office.tenant.slug, user, &office.at(600)[..10]);
    let text = |value: &str| aws_sdk_dynamodb::types::AttributeValue::S(value.into());
    let fill = app
        .db()
        .client()
        .update_item()
        .table_name(app.db().table())
        .key("PK", text(&key.pk))
        .key("SK", text(&key.sk))
        .update_expression("ADD entries :n")
        .expression_attribute_values(":n", aws_sdk_dynamodb::types::AttributeValue::N("499".into()));
    let _ = fill.send().await.unwrap();
    assert_eq!(wrong(office.book(json!({})).await), ["scheduled_at"]);
    // Within the day there is room for what has a place there.
    let _ = office.act(&first, "reschedule", json!({ "scheduled_at": office.at(0) })).await.expect(200);
    let other = office.booked(2000, 30).await;
    let here = json!({ "scheduled_at": office.at(700) });
    assert_eq!(wrong(office.act(&other, "reschedule", here.clone()).await), ["scheduled_at"]);
    let _ = office.act(&first, "cancel", json!({})).await.expect(200);
    let _ = office.act(&other, "reschedule", here).await.expect(200);
    assert_eq!(office.shown(&other).await["scheduled_at"], json!(office.at(700)));
}

/// What is offered instead lies within the hours, as what is offered at first does.
#[tokio::test]
async fn the_next_free_times_are_while_the_department_is_open() {
    let office = Office::new().await;
    let hours = async |weekly: Vec<Value>| {
        let path = format!("/api/v1/departments/{}/hours", office.department);
        office.tenant.manager.put(&path, json!({ "hours": { "time_zone": "UTC", "weekly": weekly } })).await
    };
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let _ = hours(days.map(|day| json!({ "day": day, "from": "10:00", "to": "12:00" })).to_vec()).await.expect(200);
    let first = office.booked(645, 30).await;
    let over = json!({ "scheduled_at": office.at(630), "reject_conflicts": true });
    refused(office.book(over.clone()).await, &[&first], &[675, 1440 + 600, 1440 + 630].map(|minute| office.at(minute)));
    // Nobody is held to the hours; but where there are none, none are offered.
    let _ = hours(Vec::new()).await.expect(200);
    let body = office.book(over).await.expect(422).json();
    assert_eq!((&body["next_free"], &body["conflicts"][0]["id"]), (&json!([]), &first["id"]));
}
