//! Whether an agent is taken at a time.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{APPOINTMENTS, Office, wrong};
use crate::scene::text;

async fn conflicts(office: &Office, user: &str, minute: i64, minutes: i64, more: &str) -> Value {
    let query = format!("user_id={user}&scheduled_at={}&duration_minutes={minutes}{more}", office.at(minute));
    office.agent.get(&format!("{APPOINTMENTS}/conflicts?{query}")).await.expect(200).data()
}

#[tokio::test]
async fn what_overlaps_is_told() {
    let office = Office::new().await;
    let user = &office.agent_id;
    assert_eq!(conflicts(&office, user, 600, 30, "").await, json!({ "has_conflicts": false, "conflicts": [] }));
    let later = office.booked(660, 60).await;
    let early = office.booked(600, 30).await;
    let _ = office.act(&later, "confirm", json!({})).await.expect(200);
    let entry = |appointment: &Value, status: &str| {
        json!({
            "id": appointment["id"], "title": "A talk", "scheduled_at": appointment["scheduled_at"],
            "duration_minutes": appointment["duration_minutes"], "status": status, "customer_name": "Carlos",
        })
    };
    let all = json!({ "has_conflicts": true, "conflicts": [entry(&early, "scheduled"), entry(&later, "confirmed")] });
    assert_eq!(conflicts(&office, user, 0, 1440, "").await, all);
    assert_eq!(conflicts(&office, &office.other_id, 0, 1440, "").await["has_conflicts"], json!(false));
    let found =
        async |minute, minutes| conflicts(&office, user, minute, minutes, "").await["conflicts"].as_array().unwrap().len();
    // From the start, inclusive, to the end, exclusive.
    for (minute, minutes, count) in [
        (570, 30, 0),
        (571, 30, 1),
        (629, 5, 1),
        (630, 30, 0),
        (625, 5, 1),
        (625, 40, 2),
        (719, 5, 1),
        (720, 1440, 0),
        (600, 5, 1),
    ] {
        assert_eq!(found(minute, minutes).await, count, "{minute} {minutes}");
    }
    let except = format!("&exclude_id={}", text(&early["id"]));
    assert_eq!(conflicts(&office, user, 0, 1440, &except).await["conflicts"], json!([entry(&later, "confirmed")]));
    for (appointment, action) in [(&early, "complete"), (&later, "cancel")] {
        let _ = office.act(appointment, action, json!({})).await.expect(200);
    }
    assert_eq!(found(0, 1440).await, 0);
}

#[tokio::test]
async fn days_have_no_edges() {
    let office = Office::new().await;
    let whole = office.booked(-60, 1440).await;
    let night = office.booked(1430, 20).await;
    let ids = async |minute, minutes| -> Vec<String> {
        let found = conflicts(&office, &office.agent_id, minute, minutes, "").await;
        found["conflicts"].as_array().unwrap().iter().map(|entry| text(&entry["id"])).collect()
    };
    let (whole_id, night_id) = (text(&whole["id"]), text(&night["id"]));
    for (minute, minutes, expected) in [
        (-65, 5, vec![]),
        (-65, 6, vec![&whole_id]),
        (0, 5, vec![&whole_id]),
        (1375, 5, vec![&whole_id]),
        (1380, 50, vec![]),
        (1435, 5, vec![&night_id]),
        (1440, 5, vec![&night_id]),
        (1449, 5, vec![&night_id]),
        (1450, 1440, vec![]),
        (1379, 52, vec![&whole_id, &night_id]),
        (10, 1440, vec![&whole_id, &night_id]),
        (-1440, 1440, vec![&whole_id]),
    ] {
        assert_eq!(ids(minute, minutes).await.iter().collect::<Vec<_>>(), expected, "{minute} {minutes}");
    }
    // A shorter one leaves the day that it touched no longer.
    let _ = office.put(&whole, json!({ "duration_minutes": 60 })).await.expect(200);
    assert!(ids(0, 600).await.is_empty());
    assert_eq!(ids(-30, 30).await, [whole_id]);
}

#[tokio::test]
async fn what_is_asked_wrongly_is_named() {
    let office = Office::new().await;
    let get = async |query: String| office.agent.get(&format!("{APPOINTMENTS}/conflicts?{query}")).await;
    assert_eq!(wrong(get(String::new()).await), ["scheduled_at", "user_id"]);
    let good = format!("user_id={}&scheduled_at={}", office.agent_id, office.at(0));
    let _ = get(good.clone()).await.expect(200);
    for (field, value) in [
        ("user_id", Uuid::new_v4().to_string()),
        ("user_id", "x".into()),
        ("scheduled_at", "2026-02-20".into()),
        ("duration_minutes", "4".into()),
        ("duration_minutes", "1441".into()),
        ("duration_minutes", "x".into()),
        ("exclude_id", "x".into()),
        ("exclude_id", Uuid::new_v4().to_string()),
    ] {
        assert_eq!(wrong(get(format!("{good}&{field}={value}")).await), [field], "{value}");
    }
}
