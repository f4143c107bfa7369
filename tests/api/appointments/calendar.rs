//! Appointments in other calendars (RFC 5545).

use serde_json::{Value, json};
use tests::Answer;

use super::{Office, path};
use crate::scene::text;

/// The properties of a calendar's file, after a look at its form: names, values, in order.
#[track_caller]
fn read(answer: &Answer) -> Vec<(String, String)> {
    let file = answer.text();
    let lines: Vec<&str> = file.strip_suffix("\r\n").unwrap().split("\r\n").collect();
    assert!(lines.iter().all(|line| (1..=75).contains(&line.len()) && !line.contains(['\r', '\n'])), "{file}");
    let whole = lines.join("\r\n").replace("\r\n ", "");
    let properties: Vec<(String, String)> = whole
        .split("\r\n")
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let frame = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(properties[0], frame("BEGIN", "VCALENDAR"));
    assert_eq!(properties[4], frame("BEGIN", "VEVENT"));
    assert_eq!(properties[properties.len() - 2..], [frame("END", "VEVENT"), frame("END", "VCALENDAR")]);
    properties
}

/// The one value of a property.
#[track_caller]
fn value(properties: &[(String, String)], wanted: &str) -> String {
    let mut found = properties.iter().filter(|(name, _)| name.split(';').next() == Some(wanted)).map(|(_, value)| value);
    let first = found.next().unwrap_or_else(|| panic!("no {wanted} in {properties:?}")).clone();
    assert!(found.next().is_none(), "{wanted} twice");
    first
}

async fn ics(office: &Office, appointment: &Value) -> Answer {
    office.agent.get(&format!("{}/ics", path(appointment))).await.expect(200)
}

/// `2026-02-20T10:00:00Z` as calendars write it.
fn compact(time: &str) -> String {
    time.replace(['-', ':'], "")
}

#[tokio::test]
async fn a_calendar_is_given_what_is_booked() {
    let office = Office::new().await;
    let nasty = "Review; of, \\n João's 100% plan — 日本語".repeat(4);
    let fields = json!({
        "title": nasty, "description": "One\r\nBEGIN:VALARM\ntwo; three, \\ four", "scheduled_at": office.at(1430), "duration_minutes": 20,
        "notes": "between us",
    });
    let made = office.book(fields).await.expect(201).data();
    let answer = ics(&office, &made).await;
    assert_eq!(answer.header("content-type"), Some("text/calendar; charset=utf-8; method=PUBLISH"));
    let id = text(&made["id"]);
    assert_eq!(answer.header("content-disposition"), Some(&*format!("attachment; filename=\"appointment-{id}.ics\"")));
    let file = read(&answer);
    let title = nasty.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
    for (name, expected) in [
        ("VERSION", "2.0".to_owned()),
        ("METHOD", "PUBLISH".into()),
        ("UID", format!("{id}@voki")),
        ("SEQUENCE", "0".into()),
        ("DTSTART", compact(&office.at(1430))),
        ("DTEND", compact(&office.at(1450))),
        ("LAST-MODIFIED", compact(&text(&made["updated_at"]))),
        ("STATUS", "TENTATIVE".into()),
        ("SUMMARY", title),
        ("DESCRIPTION", "One\\nBEGIN:VALARM\\ntwo\\; three\\, \\\\ four".into()),
        ("ORGANIZER", "mailto:agent@example.com".into()),
    ] {
        assert_eq!(value(&file, name), expected, "{name}");
    }
    assert!(value(&file, "DTSTAMP").ends_with('Z') && !answer.text().contains("between us"));
    assert!(file.iter().all(|(name, _)| name != "ATTENDEE"), "nobody is asked for an answer");
}

#[tokio::test]
async fn each_change_replaces_what_a_calendar_has() {
    let office = Office::new().await;
    let made = office.booked(600, 30).await;
    let (mut uids, mut sequences, mut told) = (Vec::new(), Vec::new(), Vec::new());
    for step in 0..5 {
        match step {
            1 => drop(office.act(&made, "confirm", json!({})).await.expect(200)),
            2 => drop(office.put(&made, json!({ "title": "Other" })).await.expect(200)),
            3 => drop(office.act(&made, "reschedule", json!({ "scheduled_at": office.at(60) })).await.expect(200)),
            4 => drop(office.act(&made, "cancel", json!({})).await.expect(200)),
            _ => {}
        }
        let answer = ics(&office, &made).await;
        let file = read(&answer);
        uids.push(value(&file, "UID"));
        sequences.push(value(&file, "SEQUENCE").parse::<u32>().unwrap());
        let media = answer.header("content-type").unwrap().rsplit('=').next().unwrap().to_owned();
        assert_eq!(media, value(&file, "METHOD"));
        told.push((value(&file, "METHOD"), value(&file, "STATUS"), value(&file, "DTSTART")));
    }
    uids.dedup();
    assert_eq!(uids.len(), 1);
    assert!(sequences.is_sorted_by(|a, b| a < b), "{sequences:?}");
    let expected = [
        ("PUBLISH", "TENTATIVE", 600),
        ("PUBLISH", "CONFIRMED", 600),
        ("PUBLISH", "CONFIRMED", 600),
        ("PUBLISH", "CONFIRMED", 60),
        ("CANCEL", "CANCELLED", 60),
    ];
    let expected = expected.map(|(method, status, minute)| (method.to_owned(), status.to_owned(), compact(&office.at(minute))));
    assert_eq!(told, expected);
    for action in ["complete", "no-show"] {
        let over = office.booked(600, 30).await;
        let _ = office.act(&over, action, json!({})).await.expect(200);
        assert_eq!(value(&read(&ics(&office, &over).await), "STATUS"), "CONFIRMED");
    }
}
