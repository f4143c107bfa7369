//! Reminders, a day and an hour before.

use serde_json::{Value, json};
use tests::{Client, PASSWORD, Receiver, Settings, Stack};

use super::{APPOINTMENTS, Office, path};
use crate::scene::{epoch, text};

/// An office on a stack of its own, whose clock moves; whoever acts has logged in at the present.
struct Clocked {
    stack: Stack,
    office: Office,
    receiver: Receiver,
}

const HOUR: i64 = 3600;

impl Clocked {
    async fn new() -> Self {
        let stack = Stack::start(Settings::default()).await;
        let (office, receiver) = (Office::on(&stack).await, Receiver::start().await);
        let hook = json!({ "webhook": { "url": receiver.url, "events": ["appointment.reminder"] } });
        let _ = office.tenant.manager.post("/api/v1/webhooks", hook).await.expect(201);
        Self { stack, office, receiver }
    }

    fn now(&self) -> i64 {
        self.stack.app().clock().now().epoch()
    }

    /// Seconds from now.
    fn ahead(&self, seconds: i64) -> String {
        ::shared::clock::Time::from_epoch(self.now() + seconds).to_string()
    }

    async fn agent(&self) -> Client {
        let login = self.office.tenant.login("agent@example.com", PASSWORD).await;
        self.office.tenant.anonymous.bearer(&text(&login["access_token"]))
    }

    /// Books so many seconds ahead.
    async fn book(&self, seconds: i64, fields: Value) -> Value {
        let mut body = self.office.body(json!({ "scheduled_at": self.ahead(seconds), "customer_email": "carlos@customer.test" }));
        body["appointment"].as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.agent().await.post(APPOINTMENTS, body).await.expect(201).data()
    }

    async fn act(&self, appointment: &Value, action: &str, body: Value) -> Value {
        self.agent().await.post(&format!("{}/{action}", path(appointment)), body).await.expect(200).data()
    }

    /// Later, when everything due was done: the reminders that came since, in the order of their appointments' titles.
    async fn later(&self, seconds: i64) -> Vec<(String, i64)> {
        let before = self.receiver.received().len();
        self.office.tenant.advance(u32::try_from(seconds).unwrap()).await;
        let _ = self.office.tenant.drain().await;
        let told = self.receiver.received().into_iter().skip(before).map(|got| got.json());
        let mut told: Vec<_> =
            told.map(|event| (text(&event["data"]["title"]), event["data"]["minutes_before"].as_i64().unwrap())).collect();
        told.sort_unstable();
        told
    }

    /// Subjects and texts of the mails to whom, the newest first.
    async fn mails(&self, to: &str) -> Vec<(String, String)> {
        let mails = self.stack.client().get("/local/mails").await.expect(200).data();
        let mails = mails.as_array().unwrap().iter().filter(|mail| mail["to"] == to);
        mails.map(|mail| (text(&mail["subject"]), text(&mail["text"]))).collect()
    }
}

fn titled(title: &str) -> Value {
    json!({ "title": title })
}

#[tokio::test]
async fn an_appointment_is_reminded_of_a_day_and_an_hour_before() {
    let clocked = Clocked::new().await;
    let zone = json!({ "company": { "time_zone": "America/Sao_Paulo" } });
    let _ = clocked.office.tenant.manager.put("/api/v1/company", zone).await.expect(200);
    let made = clocked.book(25 * HOUR, json!({})).await;
    assert_eq!(clocked.later(HOUR - 60).await, []);
    assert_eq!(clocked.later(60).await, [("A talk".into(), 1440)]);
    let confirmed = clocked.act(&made, "confirm", json!({})).await;
    assert_eq!(clocked.later(22 * HOUR).await, []);
    assert_eq!(clocked.later(HOUR).await, [("A talk".into(), 60)]);
    assert_eq!(clocked.later(30 * HOUR).await, []);

    let told = clocked.receiver.received();
    let last = told.last().unwrap().json();
    let mut expected = confirmed.clone();
    expected["minutes_before"] = json!(60);
    assert_eq!(last["data"], expected);
    assert!(epoch(&last["timestamp"]) >= epoch(&made["scheduled_at"]) - HOUR);
    let mails = clocked.mails("carlos@customer.test").await;
    assert_eq!(mails.len(), 2);
    let at = ::shared::clock::Time::from_epoch(epoch(&made["scheduled_at"]) - 3 * HOUR);
    let when = format!("{} (America/Sao_Paulo)", at.utc().format("%d/%m/%Y às %H:%M"));
    for (subject, text) in mails {
        assert_eq!(subject, format!("Seu compromisso com Test Company: {when}"));
        let lines = ["Olá, Carlos,", "Test Company: A talk.", &format!("Quando: {when}"), "Com: agent, Support"];
        assert!(lines.iter().all(|line| text.contains(line)), "{text}");
    }
    clocked.stack.shutdown().await;
}

#[tokio::test]
async fn only_what_is_ahead_is_reminded_of() {
    let clocked = Clocked::new().await;
    let _ = clocked.book(HOUR / 2, titled("in half an hour")).await;
    let _ = clocked.book(HOUR, titled("in an hour")).await;
    let _ = clocked.book(3 * HOUR, titled("in three hours")).await;
    let _ = clocked.book(24 * HOUR, titled("in a day")).await;
    assert_eq!(clocked.later(0).await, []);
    assert_eq!(clocked.later(HOUR * 2).await, [("in three hours".into(), 60)]);
    assert_eq!(clocked.later(HOUR * 21).await, [("in a day".into(), 60)]);
    assert_eq!(clocked.later(HOUR * 48).await, []);
    clocked.stack.shutdown().await;
}

#[tokio::test]
async fn who_comes_late_tells_what_is_nearest_and_nothing_after_the_beginning() {
    let clocked = Clocked::new().await;
    let talks = async |titles: [(&str, i64); 3]| {
        for (title, minutes) in titles {
            let _ = clocked.book(minutes * 60, titled(title)).await;
        }
    };
    talks([("three hours late", 28 * 60), ("begun", 3 * 60), ("within the hour", 7 * 60 + 30)]).await;
    assert_eq!(clocked.later(7 * HOUR).await, [("three hours late".into(), 1440), ("within the hour".into(), 60)]);
    // Where both moments have passed, the nearer one stands for both.
    talks([("eight hours late", 40 * 60), ("begun", 10 * 60), ("both passed", 24 * 60 + 30)]).await;
    assert_eq!(clocked.later(24 * HOUR).await, [("both passed".into(), 60), ("eight hours late".into(), 1440)]);
    clocked.stack.shutdown().await;
}

#[tokio::test]
async fn another_time_has_its_own_reminders_and_another_title_has_none() {
    let clocked = Clocked::new().await;
    let made = clocked.book(25 * HOUR, json!({})).await;
    assert_eq!(clocked.later(HOUR).await, [("A talk".into(), 1440)]);
    let put =
        async |fields: Value| clocked.agent().await.put(&path(&made), json!({ "appointment": fields })).await.expect(200).data();
    // Neither a title nor another agent is another time.
    assert_eq!(put(json!({ "title": "Other", "user_id": clocked.office.other_id })).await["rescheduled_at"], json!(null));
    assert_eq!(clocked.later(60).await, []);
    // Once more for the new time, once by each way in which it is given.
    let later = clocked.act(&made, "reschedule", json!({ "scheduled_at": clocked.ahead(49 * HOUR) })).await;
    assert_eq!(epoch(&later["rescheduled_at"]), epoch(&later["updated_at"]));
    assert_eq!(clocked.later(24 * HOUR).await, []);
    assert_eq!(clocked.later(HOUR).await, [("Other".into(), 1440)]);
    let _ = put(json!({ "scheduled_at": clocked.ahead(2 * HOUR) })).await;
    assert_eq!(clocked.later(HOUR).await, [("Other".into(), 60)]);
    // To what is near, and away from it.
    let _ = clocked.act(&made, "reschedule", json!({ "scheduled_at": clocked.ahead(HOUR / 2) })).await;
    assert_eq!(clocked.later(60).await, []);
    let _ = clocked.act(&made, "reschedule", json!({ "scheduled_at": clocked.ahead(2 * HOUR) })).await;
    assert_eq!(clocked.later(HOUR).await, [("Other".into(), 60)]);
    assert_eq!(clocked.mails("carlos@customer.test").await.len(), 4);
    clocked.stack.shutdown().await;
}

#[tokio::test]
async fn what_is_over_is_not_reminded_of() {
    let clocked = Clocked::new().await;
    for action in ["cancel", "complete", "no-show"] {
        let fresh = clocked.book(26 * HOUR, titled(action)).await;
        let _ = clocked.act(&fresh, action, json!({})).await;
        let near = clocked.book(2 * HOUR, titled(action)).await;
        let _ = clocked.act(&near, "confirm", json!({})).await;
        let _ = clocked.act(&near, action, json!({})).await;
        // What is over is moved by a correction, and stays over.
        let moved = json!({ "appointment": { "scheduled_at": clocked.ahead(50 * HOUR) } });
        let _ = clocked.agent().await.put(&path(&near), moved).await.expect(200);
    }
    assert_eq!(clocked.later(26 * HOUR).await, []);
    let reminded = clocked.book(25 * HOUR, titled("between the two")).await;
    assert_eq!(clocked.later(HOUR).await.len(), 1);
    let _ = clocked.act(&reminded, "cancel", json!({})).await;
    assert_eq!(clocked.later(30 * HOUR).await, []);
    clocked.stack.shutdown().await;
}

#[tokio::test]
async fn a_mail_goes_to_a_customer_who_is_there_and_has_an_e_mail() {
    let clocked = Clocked::new().await;
    let without = clocked.book(2 * HOUR, json!({ "title": "no e-mail", "customer_email": null })).await;
    let removed = clocked.book(2 * HOUR, json!({ "title": "removed", "customer_email": "gone@customer.test" })).await;
    let later = clocked.book(2 * HOUR, json!({ "title": "known later", "customer_email": null, "customer_name": "Dora" })).await;
    let customer = |appointment: &Value| format!("/api/v1/customers/{}", text(&appointment["customer_id"]));
    let agent = clocked.agent().await;
    let _ = agent.delete(&customer(&removed)).await.expect(204);
    let known = json!({ "customer": { "email": "dora@customer.test" } });
    let _ = agent.put(&customer(&later), known).await.expect(200);
    let english = json!({ "company": { "country": "GB" } });
    let _ = clocked.office.tenant.manager.put("/api/v1/company", english).await.expect(200);
    assert_eq!(clocked.later(HOUR).await, ["known later", "no e-mail", "removed"].map(|title| (title.into(), 60)));
    let all = clocked.stack.client().get("/local/mails").await.expect(200).data();
    let to: Vec<_> = all.as_array().unwrap().iter().map(|mail| text(&mail["to"])).collect();
    assert_eq!(to, ["dora@customer.test"]);
    let (subject, text) = clocked.mails("dora@customer.test").await.remove(0);
    assert!(subject.starts_with("Your appointment with Test Company: ") && text.starts_with("Hello Dora,"), "{subject} {text}");
    let told = clocked.receiver.received();
    let gone = told.iter().map(|got| got.json()["data"].clone()).find(|data| data["title"] == "removed").unwrap();
    assert_eq!((&gone["customer_name"], &gone["customer_email"]), (&json!(null), &json!(null)));
    assert_eq!(without["customer_email"], json!(null));
    clocked.stack.shutdown().await;
}

#[tokio::test]
async fn of_many_schedules_at_once_one_reminds() {
    let clocked = Clocked::new().await;
    for n in 0..6 {
        let _ = clocked.book(2 * HOUR, titled(&format!("talk {n}"))).await;
    }
    clocked.office.tenant.advance(3600).await;
    let (app, now) = (clocked.stack.app(), clocked.stack.app().clock().now());
    let sweeps = futures_util::future::join_all((0..8).map(|_| scheduler::sweep(app, now))).await;
    let reminded: u64 = sweeps.into_iter().map(|swept| swept.unwrap().reminded).sum();
    // The stack's own schedule may have been among them.
    assert!(reminded <= 6, "{reminded}");
    let _ = clocked.office.tenant.drain().await;
    let mut ids: Vec<_> = clocked.receiver.received().iter().map(|got| text(&got.json()["id"])).collect();
    assert_eq!(ids.len(), 6);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 6);
    assert_eq!(clocked.mails("carlos@customer.test").await.len(), 6);
    clocked.stack.shutdown().await;
}
