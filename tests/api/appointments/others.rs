//! What another reader of calendars makes of our files: whatever the texts hold, it reads what was meant.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tests::{Answer, PASSWORD};

use super::{Office, path};
use crate::scene::text;

/// A file as icalendar reads it; `tests/full.sh calendars` says which Python has it.
fn read(answer: &Answer) -> Value {
    let python = ::shared::app::settings::Variables::from_env().optional("ICALENDAR", |path| Ok(path.to_owned()));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/calendars.py");
    let mut reader = Command::new(python.as_deref().unwrap_or("python3"));
    let mut reader = reader.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    reader.stdin.take().unwrap().write_all(&answer.bytes).unwrap();
    let output = reader.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", answer.text());
    serde_json::from_slice(&output.stdout).unwrap()
}

const NASTY: [(&str, &str); 8] = [
    ("Plain", "One line"),
    ("Commas, semicolons; and \\ backslashes \\n \\, \\;", "a,b;c\\d\\ne\\N"),
    ("\"Quotes\" and ^carets^' and 'apostrophes'", "\"\"^n^^^'"),
    ("João's 100% plan — 日本語 👩‍💻🏳️‍🌈 e\u{301}", "One\nTwo\n\nFour\n👍🏽"),
    ("BEGIN:VEVENT", "One\nEND:VEVENT\nEND:VCALENDAR\nBEGIN:VALARM"),
    ("UID:other:colons:; CN=x", ":;=,"),
    ("x", " \u{a0}spaces around "),
    ("ends in a backslash\\", "\\"),
];

#[tokio::test]
async fn another_reader_reads_what_was_meant() {
    let office = Office::new().await;
    let user = json!({ "user": {
        "name": "Zoë \"Z\" O'Neil; ^the, 1st: 日本", "email": "z.o'neil+c%al@example.com", "password": PASSWORD,
    } });
    let user = office.tenant.manager.post("/api/v1/users", user).await.expect(201).data();
    let login = office.tenant.login(&text(&user["email"]), PASSWORD).await;
    let agent = office.tenant.anonymous.elsewhere().bearer(&text(&login["access_token"]));
    let long = "日本語 and ASCII, 👍 ".repeat(11);
    let (mut made, mut minute) = (Vec::new(), 0);
    for (title, description) in NASTY.into_iter().chain([(long.trim(), &*"line, of; text\\\n".repeat(600))]) {
        let at = office.at(1430 + minute);
        let fields = json!({ "title": title, "description": description, "scheduled_at": at, "user_id": user["id"] });
        made.push(office.book(fields).await.expect(201).data());
        minute += 7 * 1440 + 35;
    }
    let _ = office.act(&made[1], "confirm", json!({})).await.expect(200);
    let url = text(&agent.post("/api/v1/users/me/calendar", json!({})).await.expect(200).data()["url"]);
    let feed = agent.get(&url[url.find("/api/").unwrap()..]).await.expect(200);
    let feed = read(&feed);
    assert_eq!((&feed["METHOD"], &feed["NAME"], &feed["VERSION"]), (&json!("PUBLISH"), &user["name"], &json!("2.0")));
    assert_eq!(feed["events"].as_array().unwrap().len(), made.len());
    for (n, appointment) in made.iter().enumerate() {
        let file = read(&office.agent.get(&format!("{}/ics", path(appointment))).await.expect(200));
        let mut event = file["events"][0].clone();
        let start = crate::scene::epoch(&appointment["scheduled_at"]);
        let expected = json!({
            "UID": format!("{}@voki", text(&appointment["id"])),
            "SEQUENCE": if n == 1 { "1" } else { "0" },
            "STATUS": if n == 1 { "CONFIRMED" } else { "TENTATIVE" },
            "SUMMARY": appointment["title"], "DESCRIPTION": appointment["description"],
            "ORGANIZER": "mailto:z.o'neil+c%25al@example.com", "CN": user["name"],
            "DTSTART": appointment["scheduled_at"], "DTEND": ::shared::clock::Time::from_epoch(start + 1800),
            "DTSTAMP": event["DTSTAMP"], "LAST-MODIFIED": event["LAST-MODIFIED"],
        });
        assert_eq!(event, expected);
        event["DTSTAMP"] = event["LAST-MODIFIED"].clone();
        assert_eq!(feed["events"][n], event);
    }
    let _ = office.act(&made[3], "cancel", json!({ "reason": "ill" })).await.expect(200);
    let file = read(&office.agent.get(&format!("{}/ics", path(&made[3]))).await.expect(200));
    assert_eq!((&file["METHOD"], &file["events"][0]["STATUS"]), (&json!("CANCEL"), &json!("CANCELLED")));
    assert_eq!(file["events"][0]["SUMMARY"], made[3]["title"]);
}
