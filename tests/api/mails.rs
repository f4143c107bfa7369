//! Mails that the product sends end in a mailbox, as the cloud's SES would take them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use std::{fs::OpenOptions, io::Write, path::Path};

use http::Method;
use serde_json::{Value, json};
use shared::clock::Time;
use tests::{Client, Settings, Stack, shared};

const SEND: &str = "/v2/email/outbound-emails";

fn to(recipients: &[&str], subject: &str) -> Value {
    json!({
        "FromEmailAddress": "\"Voki, local\" <no-reply@voki.test>",
        "Destination": { "ToAddresses": recipients },
        "Content": { "Simple": {
            "Subject": { "Data": subject, "Charset": "UTF-8" },
            "Body": { "Text": { "Data": "Olá", "Charset": "UTF-8" } },
        } },
        "ReplyToAddresses": ["help@voki.test"],
        "EmailTags": [{ "Name": "kind", "Value": "invite" }],
    })
}

/// A mail with another value at a place, or none.
fn but(pointer: &str, value: Value) -> Value {
    let mut mail = to(&["ana@customer.test"], "but");
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = mail.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    parent.insert(name.to_owned(), value);
    parent.retain(|_, value| !value.is_null());
    mail
}

async fn send(ses: &Client, mail: Value) {
    let answer = ses.post(SEND, mail).await.expect(200);
    assert!(!answer.json()["MessageId"].as_str().unwrap().is_empty());
}

async fn refused(ses: &Client, mail: Value) -> String {
    let answer = ses.post(SEND, mail).await.expect(400);
    assert_eq!(answer.header("x-amzn-errortype"), Some("BadRequestException"));
    answer.json()["message"].as_str().unwrap().to_owned()
}

/// Recipients and subjects in the mailbox.
async fn kept(client: &Client) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mails = client.get("/local/mails").await.expect(200).data();
    mails.as_array().unwrap().iter().map(|mail| (text(&mail["to"]), text(&mail["subject"]))).collect()
}

fn pairs(mails: &[(&str, &str)]) -> Vec<(String, String)> {
    mails.iter().map(|(to, subject)| ((*to).to_owned(), (*subject).to_owned())).collect()
}

fn in_folder(folder: &Path) -> Settings {
    Settings::default().with("VOKI_DATA", folder.to_str().unwrap())
}

#[tokio::test]
async fn a_mail_is_in_the_mailbox_once_per_recipient_newest_first() {
    let stack = Stack::start(Settings::default()).await;
    let (client, ses) = (stack.client(), stack.ses());
    assert_eq!(client.get("/local/mails").await.expect(200).json(), json!({ "data": [] }));

    send(&ses, to(&["ana@customer.test"], "Olá, Ana")).await;
    let mut second = to(&["Bia <bia@customer.test>"], "Second");
    second["Destination"]["CcAddresses"] = json!(["cid@customer.test"]);
    second["Destination"]["BccAddresses"] = json!(["=?UTF-8?Q?J=C3=B4?= <jo@customer.test>"]);
    second["Content"]["Simple"]["Body"] = json!({ "Html": { "Data": "<p>Hi</p>" } });
    send(&ses, second).await;

    let recipients = [
        ("jo@customer.test", "Second"),
        ("cid@customer.test", "Second"),
        ("bia@customer.test", "Second"),
        ("ana@customer.test", "Olá, Ana"),
    ];
    assert_eq!(kept(&client).await, pairs(&recipients));
    let mails = client.get("/local/mails").await.data();
    assert_eq!((&mails[0]["text"], &mails[0]["html"]), (&Value::Null, &json!("<p>Hi</p>")));
    assert_eq!((&mails[3]["text"], &mails[3]["html"]), (&json!("Olá"), &Value::Null));
    assert_eq!(mails[0].as_object().unwrap().len(), 5);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_mail_bears_the_time_of_the_moved_clock() {
    let stack = Stack::start(Settings::default()).await;
    let client = stack.client();
    let moved = client.post("/local/clock", json!({ "advance_seconds": 86_400 })).await.expect(200).data();
    send(&stack.ses(), to(&["ana@customer.test"], "Tomorrow")).await;
    let at = |value: &Value| value.as_str().unwrap().parse::<Time>().unwrap();
    let sent = at(&client.get("/local/mails").await.data()[0]["inserted_at"]);
    assert!((at(&moved["now"])..=stack.app().clock().now()).contains(&sent), "{sent}");
    stack.shutdown().await;
}

#[tokio::test]
async fn mails_outlive_the_stack_and_a_line_that_a_kill_left_torn_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mails.jsonl");
    let stack = Stack::start(in_folder(folder.path())).await;
    send(&stack.ses(), to(&["ana@customer.test", "bia@customer.test"], "First")).await;
    // What was answered is in the file before anything ends.
    let lines = std::fs::read_to_string(&file).unwrap();
    assert_eq!(lines.lines().count(), 2);
    stack.shutdown().await;
    OpenOptions::new().append(true).open(&file).unwrap().write_all(br#"{"to":"cid@customer.test","subj"#).unwrap();

    let stack = Stack::start(in_folder(folder.path())).await;
    assert_eq!(kept(&stack.client()).await, pairs(&[("bia@customer.test", "First"), ("ana@customer.test", "First")]));
    send(&stack.ses(), to(&["dora@customer.test"], "Second")).await;
    stack.shutdown().await;

    let stack = Stack::start(in_folder(folder.path())).await;
    assert_eq!(kept(&stack.client()).await[0], ("dora@customer.test".to_owned(), "Second".to_owned()));
    assert!(std::fs::read_to_string(&file).unwrap().starts_with(&lines));
    stack.shutdown().await;
}

#[tokio::test]
async fn a_damaged_mailbox_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mails.jsonl"), "no mail\n").unwrap();
    let data = local::aws::Data::Folder(folder.path().to_owned());
    let start = local::aws::start(&data, local::aws::External::default(), shared::clock::Clock::default()).await;
    let refusal = start.unwrap_err().to_string();
    assert!(refusal.contains("mails.jsonl") && !refusal.contains('\n'), "{refusal}");
}

#[tokio::test]
async fn mails_sent_at_the_same_time_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(in_folder(folder.path())).await;
    let sending: Vec<_> = (0..20)
        .map(|n| {
            let ses = stack.ses();
            tokio::spawn(async move { send(&ses, to(&["ana@customer.test"], &format!("Mail {n}"))).await })
        })
        .collect();
    for one in sending {
        one.await.unwrap();
    }
    let before = kept(&stack.client()).await;
    assert_eq!(before.len(), 20);
    stack.shutdown().await;
    let stack = Stack::start(in_folder(folder.path())).await;
    assert_eq!(kept(&stack.client()).await, before);
    stack.shutdown().await;
}

#[tokio::test]
async fn what_ses_refuses_is_refused_and_not_kept() {
    let stack = Stack::start(Settings::default()).await;
    let ses = stack.ses();
    let many: Vec<_> = (0..51).map(|n| format!("a{n}@customer.test")).collect();
    let refusals = [
        (but("/FromEmailAddress", Value::Null), "Missing required parameter FromEmailAddress."),
        (but("/FromEmailAddress", json!("Voki, local <no-reply@voki.test>")), "Illegal address"),
        (but("/FromEmailAddress", json!("\"a\" <a@voki.test>, \"b\" <b@voki.test>")), "Illegal address"),
        (but("/Destination", Value::Null), "Missing required parameter Destination."),
        (but("/Destination/ToAddresses", json!([])), "Missing required parameter Destination."),
        (but("/Destination/ToAddresses", json!(many)), "Recipient count exceeds 50."),
        (but("/Destination/BccAddresses", json!(["ana"])), "Illegal address"),
        (but("/Destination/BccAddresses", json!(["á@customer.test"])), "Illegal address"),
        (but("/Destination/BccAddresses", json!(["ana@ação.test"])), "Illegal address"),
        (but("/Destination/BccAddresses", json!(["José <jose@customer.test>"])), "Illegal address"),
        (but("/Destination/BccAddresses", json!(["A\r\nBcc: b <ana@customer.test>"])), "Illegal address"),
        (but("/ReplyToAddresses", json!([""])), "Illegal address"),
        (but("/Content", Value::Null), "The local SES takes Content.Simple alone."),
        (but("/Content", json!({ "Raw": { "Data": "" } })), "The local SES takes Content.Simple alone."),
        (but("/Content", json!({ "Template": { "TemplateName": "a" } })), "The local SES takes Content.Simple alone."),
        (but("/Content/Simple/Subject", Value::Null), "Missing required parameter Subject."),
        (but("/Content/Simple/Subject/Data", Value::Null), "Missing required parameter Data."),
        (but("/Content/Simple/Subject/Data", json!("a\r\nBcc: b@c.test")), "The subject contains control characters."),
        (but("/Content/Simple/Body", Value::Null), "Missing required parameter Body."),
        (but("/Content/Simple/Body/Text", Value::Null), "Missing required parameter Body."),
        (but("/Content/Simple/Body/Text/Charset", Value::Null), "Text that is not 7-bit ASCII needs a Charset."),
    ];
    for (mail, message) in refusals {
        assert_eq!(refused(&ses, mail.clone()).await, message, "{mail}");
    }
    let unreadable = ses.send(Method::POST, SEND, "{").await.expect(400);
    assert_eq!(unreadable.header("x-amzn-errortype"), Some("SerializationException"));
    let _ = ses.get(SEND).await.expect(405);
    assert!(kept(&stack.client()).await.is_empty());
    stack.shutdown().await;
}

#[tokio::test]
async fn fifty_recipients_are_not_too_many() {
    let many: Vec<_> = (0..50).map(|n| format!("fifty{n}@customer.test")).collect();
    send(&shared().ses(), but("/Destination/ToAddresses", json!(many))).await;
    let mails = kept(&shared().client()).await;
    assert_eq!(mails.iter().filter(|(to, _)| to.starts_with("fifty")).count(), 50);
}
