//! Calendars that subscribe to what an agent has booked.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::{Answer, Settings, Stack, shared};

use super::{Office, path};
use crate::scene::{list, text};

const FEED: &str = "/api/v1/users/me/calendar";

impl Office {
    /// The agent's URL, as a path.
    async fn subscribed(&self) -> String {
        let url = text(&self.agent.post(FEED, json!({})).await.expect(200).data()["url"]);
        let (host, file) = url.split_once("/api/v1/calendar/").unwrap();
        assert!(host.starts_with("http://127.0.0.1:"), "{url}");
        let token = file.strip_suffix(".ics").unwrap();
        assert!(token.len() == 22 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{url}");
        format!("/api/v1/calendar/{file}")
    }

    /// The feed, as somebody without a token sees it.
    async fn feed(&self, path: &str) -> Answer {
        self.tenant.anonymous.elsewhere().get(path).await
    }
}

/// The events of a calendar by their identifiers: properties by their names.
#[track_caller]
pub fn events(answer: &Answer) -> BTreeMap<String, BTreeMap<String, String>> {
    let file = answer.text().replace("\r\n ", "");
    let events = file.split("BEGIN:VEVENT\r\n").skip(1).map(|event| {
        let lines = event.split("\r\n").take_while(|line| *line != "END:VEVENT").map(|line| line.split_once(':').unwrap());
        lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>()
    });
    events.map(|event| (event["UID"].clone(), event)).collect()
}

fn uid(appointment: &Value) -> String {
    format!("{}@voki", text(&appointment["id"]))
}

#[tokio::test]
async fn a_calendar_reads_what_its_agent_has_booked() {
    let office = Office::new().await;
    let path_of = office.subscribed().await;
    let empty = office.feed(&path_of).await.expect(200);
    assert!(empty.text().contains("X-WR-CALNAME:agent\r\n") && events(&empty).is_empty(), "{}", empty.text());
    let (scheduled, confirmed, over) = (office.booked(600, 30).await, office.booked(60, 45).await, office.booked(900, 30).await);
    let theirs = office.book(json!({ "user_id": office.other_id })).await.expect(201).data();
    let _ = office.act(&confirmed, "confirm", json!({})).await.expect(200);
    let answer = office.feed(&path_of).await.expect(200);
    assert_eq!(answer.header("content-type"), Some("text/calendar; charset=utf-8; method=PUBLISH"));
    let found = events(&answer);
    assert_eq!(found.keys().cloned().collect::<Vec<_>>(), sorted([&scheduled, &confirmed, &over]));
    // The very events of the single files, but for the moment at which they were made.
    for appointment in [&scheduled, &confirmed, &over] {
        let single = office.agent.get(&format!("{}/ics", path(appointment))).await.expect(200);
        let mut single = events(&single).remove(&uid(appointment)).unwrap();
        let mut shown = found[&uid(appointment)].clone();
        assert_eq!(shown.remove("DTSTAMP"), shown.get("LAST-MODIFIED").cloned());
        single.remove("DTSTAMP");
        assert_eq!(shown, single);
    }
    // What is moved moves, what is over goes.
    let _ = office.act(&scheduled, "reschedule", json!({ "scheduled_at": office.at(700) })).await.expect(200);
    let _ = office.act(&over, "cancel", json!({})).await.expect(200);
    let _ = office.act(&confirmed, "complete", json!({})).await.expect(200);
    let found = events(&office.feed(&path_of).await.expect(200));
    assert_eq!(found.keys().cloned().collect::<Vec<_>>(), sorted([&scheduled]));
    assert_eq!(found[&uid(&scheduled)]["DTSTART"], office.at(700).replace(['-', ':'], ""));
    assert_ne!(uid(&theirs), uid(&scheduled));
}

fn sorted<const N: usize>(appointments: [&Value; N]) -> Vec<String> {
    let mut uids = appointments.map(uid);
    uids.sort_unstable();
    uids.to_vec()
}

#[tokio::test]
async fn an_unchanged_calendar_is_not_sent_again() {
    let office = Office::new().await;
    let path_of = office.subscribed().await;
    let _ = office.booked(600, 30).await;
    let first = office.feed(&path_of).await.expect(200);
    let known = office.tenant.anonymous.elsewhere().with("if-none-match", first.header("etag").unwrap());
    let again = known.get(&path_of).await.expect(304);
    assert!(again.bytes.is_empty() && again.header("etag") == first.header("etag"));
    let _ = office.booked(700, 30).await;
    assert_eq!(events(&known.get(&path_of).await.expect(200)).len(), 2);
}

#[tokio::test]
async fn a_url_is_good_until_another_takes_its_place() {
    let office = Office::new().await;
    let missing = office.feed("/api/v1/calendar/0000000000000000000000.ics").await.expect(404);
    let same = |answer: Answer| assert_eq!(answer.expect(404).text(), missing.text());
    let _ = office.agent.delete(FEED).await.expect(404);
    let first = office.subscribed().await;
    let second = office.subscribed().await;
    same(office.feed(&first).await);
    let _ = office.feed(&second).await.expect(200);
    for wrong in [&second[..second.len() - 4], &second[..second.len() - 5], &format!("{second}.ics"), "/api/v1/calendar/.ics"] {
        same(office.feed(wrong).await);
    }
    // A repeated request hears that there was one, not what it is.
    let keyed = office.agent.with("idempotency-key", "one");
    let third = text(&keyed.post(FEED, json!({})).await.expect(200).data()["url"]);
    assert_eq!(keyed.post(FEED, json!({})).await.expect(200).data()["url"], json!("••••"));
    let third = third.split_once("/api/").map(|(_, rest)| format!("/api/{rest}")).unwrap();
    let _ = office.feed(&third).await.expect(200);
    // Who serves no longer has no calendar; who serves again has it again.
    for (active, status) in [(false, 404), (true, 200)] {
        let body = json!({ "user": { "active": active } });
        let _ = office.tenant.manager.put(&format!("/api/v1/users/{}", office.agent_id), body).await.expect(200);
        let _ = office.feed(&third).await.expect(status);
    }
    let login = office.tenant.login("agent@example.com", tests::PASSWORD).await;
    let agent = office.tenant.anonymous.bearer(&text(&login["access_token"]));
    let _ = agent.delete(FEED).await.expect(204);
    same(office.feed(&third).await);
    let _ = agent.delete(FEED).await.expect(404);
    let trail = list(&office.tenant.manager, "/api/v1/audit-log?object_type=calendar").await;
    let trail: Vec<_> = trail.iter().map(|entry| text(&entry["action"])).collect();
    assert_eq!(trail, ["calendar.deleted", "calendar.updated", "calendar.updated", "calendar.created"]);
    // Nothing in the table tells the URL.
    let key = ::shared::storage::Key::feed(&office.tenant.slug, office.agent_id.parse().unwrap());
    assert!(shared().app().db().item(&key).await.unwrap().is_none());
}

#[tokio::test]
async fn a_calendar_goes_from_a_month_ago_to_a_year_ahead() {
    let stack = Stack::start(Settings::default()).await;
    let office = Office::on(&stack).await;
    let path_of = office.subscribed().await;
    let day = 1440;
    let (near, year, far) = (office.booked(0, 30).await, office.booked(360 * day, 30).await, office.booked(370 * day, 30).await);
    let uids = async || events(&office.feed(&path_of).await.expect(200)).into_keys().collect::<Vec<_>>();
    assert_eq!(uids().await, sorted([&near, &year]));
    office.tenant.advance(32 * 86_400).await;
    assert_eq!(uids().await, sorted([&near, &year, &far]));
    office.tenant.advance(3 * 86_400).await;
    assert_eq!(uids().await, sorted([&year, &far]));
    stack.shutdown().await;
}

#[tokio::test]
async fn a_full_calendar_is_read_whole() {
    let office = Office::new().await;
    let path_of = office.subscribed().await;
    for n in 0..105 {
        let _ = office.booked(n * 35, 30).await;
    }
    assert_eq!(events(&office.feed(&path_of).await.expect(200)).len(), 105);
}

#[tokio::test]
async fn a_calendar_is_read_as_often_as_pages_are() {
    let office = Office::new().await;
    let path_of = office.subscribed().await;
    for _ in 0..30 {
        let _ = office.feed(&path_of).await.expect(200);
    }
    let refused = office.feed(&path_of).await.expect(429);
    assert!(refused.header("retry-after").is_some() && refused.header("ratelimit").is_some());
    assert_eq!(office.agent.get(FEED).await.status, 405);
}
