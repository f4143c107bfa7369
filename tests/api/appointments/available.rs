//! Times at which agents are free, and departments open.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{APPOINTMENTS, Office, wrong};
use crate::scene::{list, text};

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

fn hours(department: &str) -> String {
    format!("/api/v1/departments/{department}/hours")
}

async fn set(office: &Office, fields: Value) -> tests::Answer {
    office.tenant.manager.put(&hours(&office.department), json!({ "hours": fields })).await
}

/// Free times: minutes after the office's midnight, and for whom.
async fn free(office: &Office, query: &str) -> Vec<(i64, i64, Vec<String>)> {
    let found = office.agent.get(&format!("{APPOINTMENTS}/availability?{query}")).await.expect(200).data();
    let ids = |slot: &Value| slot["user_ids"].as_array().unwrap().iter().map(text).collect();
    let slots = found.as_array().unwrap().iter();
    slots.map(|slot| (office.minutes(&slot["start"]), office.minutes(&slot["end"]), ids(slot))).collect()
}

/// The beginnings alone.
async fn starts(office: &Office, query: &str) -> Vec<i64> {
    free(office, query).await.into_iter().map(|(start, ..)| start).collect()
}

#[tokio::test]
async fn hours_are_set_and_changed_in_part() {
    let office = Office::new().await;
    let path = hours(&office.department);
    let _ = office.agent.get(&path).await.expect(404);
    let zone = json!({ "company": { "time_zone": "America/Sao_Paulo" } });
    let _ = office.tenant.manager.put("/api/v1/company", zone).await.expect(200);
    // Nobody has said when it is open, and so it is open at all times: half a word does not close it.
    assert_eq!(wrong(set(&office, json!({ "time_zone": "Europe/Lisbon" })).await), ["weekly"]);
    for body in [json!({}), json!({ "nope": 1 }), json!({ "department": { "weekly": [] } })] {
        let _ = office.tenant.manager.put(&path, body).await.expect(400);
    }
    let weekly = json!([{ "day": "monday", "from": "09:00", "to": "18:00" }]);
    let first = set(&office, json!({ "weekly": weekly })).await.expect(200);
    let expected = json!({
        "department_id": office.department, "time_zone": "America/Sao_Paulo", "weekly": weekly, "exceptions": [],
        "updated_at": first.data()["updated_at"],
    });
    assert_eq!(first.data(), expected);
    let read = office.agent.get(&path).await.expect(200);
    assert_eq!((read.data(), read.header("etag")), (expected, first.header("etag")));
    let exceptions = json!([{ "date": "2026-12-24", "from": "08:00", "to": "12:00" }, { "date": "2026-12-25", "closed": true }]);
    let second = set(&office, json!({ "exceptions": exceptions, "time_zone": "Europe/Lisbon" })).await.expect(200).data();
    let exceptions = json!([
        { "date": "2026-12-24", "closed": false, "from": "08:00", "to": "12:00" },
        { "date": "2026-12-25", "closed": true, "from": null, "to": null },
    ]);
    assert_eq!((&second["weekly"], &second["exceptions"], &second["time_zone"]), (&weekly, &exceptions, &json!("Europe/Lisbon")));
    // What was answered can be sent back, in a wrapper or without.
    let bare = office.tenant.manager.put(&path, json!({ "exceptions": exceptions })).await.expect(200).data();
    assert_eq!((&bare["weekly"], &bare["exceptions"]), (&weekly, &exceptions));
    let cleared = set(&office, json!({ "weekly": null, "time_zone": null })).await.expect(200).data();
    assert_eq!((&cleared["weekly"], &cleared["time_zone"]), (&json!([]), &json!("UTC")));
    let stale = office.tenant.manager.with("if-match", first.header("etag").unwrap());
    let _ = stale.put(&path, json!({ "hours": {} })).await.expect(412);
    let _ = office.agent.put(&path, json!({ "hours": {} })).await.expect(403);
    let _ = office.tenant.manager.put(&hours(&Uuid::new_v4().to_string()), json!({ "hours": {} })).await.expect(404);
    let trail = list(&office.tenant.manager, "/api/v1/audit-log?object_type=hours").await;
    assert_eq!(trail.len(), 3, "what is the same again is not told");
    let removed = office.tenant.manager.delete(&format!("/api/v1/departments/{}", office.department)).await;
    let _ = removed.expect(204);
    let _ = office.agent.get(&path).await.expect(404);
    let key = ::shared::storage::Key::hours(&office.tenant.slug, office.department.parse().unwrap());
    assert!(tests::shared().app().db().item(&key).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_wrong_with_hours_is_named_with_its_row() {
    let office = Office::new().await;
    let row = |day: &str, from: &str, to: &str| json!({ "day": day, "from": from, "to": to });
    for (fields, paths) in [
        (json!({ "time_zone": "Mars/Olympus" }), vec!["time_zone"]),
        (json!({ "weekly": "always" }), vec!["weekly"]),
        (json!({ "weekly": [1] }), vec!["weekly[0]", "weekly[0].day", "weekly[0].from", "weekly[0].to"]),
        (
            json!({ "weekly": [{ "day": 1, "from": 9, "to": null }], "exceptions": [{ "date": 1, "closed": "yes" }] }),
            vec![
                "exceptions[0].closed",
                "exceptions[0].date",
                "exceptions[0].from",
                "exceptions[0].to",
                "weekly[0].day",
                "weekly[0].from",
                "weekly[0].to",
            ],
        ),
        (json!({ "weekly": vec![row("monday", "09:00", "10:00"); 401] }), vec!["weekly"]),
        (json!({ "weekly": [{}] }), vec!["weekly[0].day", "weekly[0].from", "weekly[0].to"]),
        (json!({ "weekly": [row("Monday", "9:00", "25:00")] }), vec!["weekly[0].day", "weekly[0].from", "weekly[0].to"]),
        (json!({ "weekly": [row("monday", "09:00", "09:00")] }), vec!["weekly[0].to"]),
        (json!({ "weekly": [row("monday", "09:00", "12:00"), row("monday", "11:59", "24:00")] }), vec!["weekly[1]"]),
        (json!({ "exceptions": [{ "date": "2026-02-30", "closed": true }] }), vec!["exceptions[0].date"]),
        (json!({ "exceptions": [{ "date": "2026-02-20", "closed": true, "from": "09:00" }] }), vec!["exceptions[0].closed"]),
        (json!({ "exceptions": [{ "date": "2026-02-20" }] }), vec!["exceptions[0].from", "exceptions[0].to"]),
    ] {
        assert_eq!(wrong(set(&office, fields.clone()).await), paths, "{fields}");
    }
    let _ = office.agent.get(&hours(&office.department)).await.expect(404);
}

#[tokio::test]
async fn an_agent_is_free_between_appointments() {
    let office = Office::new().await;
    for (start, minutes) in [(600, 60), (690, 30), (1430, 20)] {
        let _ = office.booked(start, minutes).await;
    }
    let range = |from: i64, to: i64| format!("user_id={}&from={}&to={}", office.agent_id, office.at(from), office.at(to));
    assert_eq!(starts(&office, &range(570, 735)).await, [570, 660]);
    assert_eq!(starts(&office, &format!("{}&duration_minutes=45", range(540, 780))).await, [540, 555, 720, 735]);
    assert_eq!(starts(&office, &range(1380, 1485)).await, [1380, 1395, 1455]);
    // The grid is that of the day, whenever it is asked for.
    assert_eq!(starts(&office, &range(571, 645)).await, Vec::<i64>::new());
    assert_eq!(starts(&office, &range(181, 240)).await, [195, 210]);
    // What is past is not offered.
    let past = format!("user_id={}&from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z", office.agent_id);
    assert!(starts(&office, &past).await.is_empty());
    let day = &office.at(0)[..10];
    let whole = format!("user_id={}&from={day}&to={day}&duration_minutes=1440", office.other_id);
    assert_eq!(free(&office, &whole).await, [(0, 1440, vec![office.other_id.clone()])]);
    // Thirty-one days apart is as far as it goes, of days as of moments.
    let days =
        |from: &str, to: &str| format!("/api/v1/appointments/availability?user_id={}&from={from}&to={to}", office.agent_id);
    let _ = office.agent.get(&days("2040-03-01", "2040-04-01")).await.expect(200);
    let _ = office.agent.get(&days("2040-03-01", "2040-04-02")).await.expect(422);
    // The day of another zone.
    assert_eq!(starts(&office, &format!("{whole}&tz=America/Sao_Paulo")).await, [180]);
}

#[tokio::test]
async fn a_department_offers_who_serves_there_while_it_is_open() {
    let office = Office::new().await;
    let day = &office.at(0)[..10];
    let query = format!("department_id={}&from={day}&to={day}", office.department);
    assert!(starts(&office, &query).await.is_empty(), "nobody serves there");
    for user in [&office.agent_id, &office.other_id] {
        office.tenant.member(&office.department, user).await;
    }
    assert_eq!(starts(&office, &query).await.len(), 95);
    let weekly: Vec<_> = DAYS.iter().map(|day| json!({ "day": day, "from": "09:00", "to": "10:00" })).collect();
    let _ = set(&office, json!({ "weekly": weekly })).await.expect(200);
    let _ = office.booked(540, 30).await;
    let mut both = vec![office.agent_id.clone(), office.other_id.clone()];
    both.sort_unstable();
    let found: Vec<_> = free(&office, &query)
        .await
        .into_iter()
        .map(|(start, end, mut ids)| {
            ids.sort_unstable();
            (start, end, ids)
        })
        .collect();
    let other = || vec![office.other_id.clone()];
    assert_eq!(found, [(540, 570, other()), (555, 585, other()), (570, 600, both)]);
    // One agent, while it is open.
    let own = format!("{query}&user_id={}", office.agent_id);
    assert_eq!(free(&office, &own).await, [(570, 600, vec![office.agent_id.clone()])]);
    let off = json!({ "user": { "active": false } });
    let _ = office.tenant.manager.put(&format!("/api/v1/users/{}", office.other_id), off).await.expect(200);
    assert_eq!(starts(&office, &query).await, [570]);
    let closed = json!({ "exceptions": [{ "date": day, "closed": true }] });
    let _ = set(&office, closed).await.expect(200);
    assert!(starts(&office, &query).await.is_empty());
    // Its hours are those of its own zone.
    let _ = set(&office, json!({ "exceptions": null, "time_zone": "America/Sao_Paulo" })).await.expect(200);
    assert_eq!(starts(&office, &query).await, [720, 735, 750]);
    let later = format!("department_id={}&from={}&to={}", office.department, office.at(721), office.at(1440));
    assert_eq!(starts(&office, &later).await, [735, 750]);
}

#[tokio::test]
async fn what_is_asked_wrongly_is_named() {
    let office = Office::new().await;
    let get = async |query: &str| office.agent.get(&format!("{APPOINTMENTS}/availability?{query}")).await;
    assert_eq!(wrong(get("").await), ["from", "to", "user_id"]);
    assert_eq!(wrong(get("user_id=x&duration_minutes=4").await), ["duration_minutes", "from", "to", "user_id"]);
    assert_eq!(wrong(get("from=2026-02-20&to=2026-02-19").await), ["user_id"]);
    let good = format!("user_id={}&from={}&to={}", office.agent_id, office.at(0), office.at(31 * 1440));
    let _ = get(&good).await.expect(200);
    for (field, value) in [
        ("user_id", Uuid::new_v4().to_string()),
        ("department_id", Uuid::new_v4().to_string()),
        ("from", "soon".into()),
        ("to", office.at(0)),
        ("to", office.at(32 * 1440)),
        ("duration_minutes", "4".into()),
        ("tz", "Mars/Olympus".into()),
    ] {
        assert_eq!(wrong(get(&format!("{good}&{field}={value}")).await), [field], "{value}");
    }
    let off = json!({ "user": { "active": false } });
    let _ = office.tenant.manager.put(&format!("/api/v1/users/{}", office.other_id), off).await.expect(200);
    assert_eq!(wrong(get(&format!("{good}&user_id={}", office.other_id)).await), ["user_id"]);
}
