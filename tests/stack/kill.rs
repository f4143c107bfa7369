//! Killed at any moment: nothing that was answered is lost, and every event is delivered.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use http::Method;
use serde_json::{Value, json};
use tests::{Receiver, Reply, Settings, Tenant};
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    process::{Engine, Process},
    proxy::Fault,
};

/// Settings of a process whose data is kept in a folder.
pub fn kept(folder: &Path) -> Settings {
    Settings::default().with("VOKI_DATA", folder.to_str().unwrap())
}

/// A webhook for these events.
async fn listen(tenant: &Tenant, receiver: &Receiver, events: &[&str]) -> String {
    let webhook = json!({ "webhook": { "url": receiver.url, "events": events } });
    tenant.manager.post("/api/v1/webhooks", webhook).await.expect(201).data()["id"].as_str().unwrap().to_owned()
}

/// The events that a receiver counts: those of one identifier are one. Each with its object's identifier.
fn counted(receiver: &Receiver) -> Vec<(String, String)> {
    let mut seen = BTreeMap::new();
    for received in receiver.received() {
        let body = received.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        assert_eq!(received.header("webhook-id"), text(&body["id"]));
        let repeated = seen.insert(text(&body["id"]), received.body.clone());
        assert!(repeated.is_none_or(|first| first == received.body), "one event, two bodies");
    }
    let mut counted: Vec<_> = seen
        .into_values()
        .map(|body| serde_json::from_slice::<Value>(&body).unwrap())
        .map(|body| (body["event"].as_str().unwrap().to_owned(), body["data"]["id"].as_str().unwrap().to_owned()))
        .collect();
    counted.sort_unstable();
    counted
}

/// What an answered change says, without what goes on by itself.
fn lasting(mut call: Value) -> Value {
    if call["status"] == "queued" {
        let _ = call.as_object_mut().unwrap().remove("wait_time");
    }
    call
}

#[tokio::test(flavor = "multi_thread")]
async fn right_after_an_answer_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let settings = kept(folder.path());
    let receiver = Receiver::start().await;
    let mut process = Process::start(&settings).await;
    let mut tenant = Tenant::on(process.client()).await;
    let (mut agent, agent_id) = tenant.user("agent", "attendant").await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    tenant.member(&department, &agent_id).await;
    let _ = listen(&tenant, &receiver, &["*"]).await;
    let token = tenant.link(&department, 1).await;

    let call = tenant.join(&token, "Carlos").await;
    let mut answered = None;
    for step in ["join", "assign", "start", "complete"] {
        if step != "join" {
            let done = agent.post(&format!("/api/v1/calls/{call}/{step}"), json!({ "notes": "Sorted out" })).await.expect(200);
            answered = Some((lasting(done.data()), done.header("etag").unwrap().to_owned()));
        }
        process.kill().await;
        process = Process::start(&settings).await;
        (tenant, agent) = (tenant.at(&process.site), agent.at(&process.site));
        let found = agent.get(&format!("/api/v1/calls/{call}")).await.expect(200);
        let etag = found.header("etag").unwrap().to_owned();
        match &answered {
            None => assert_eq!((&found.data()["status"], &found.data()["position"]), (&json!("queued"), &json!(1))),
            Some(answered) => assert_eq!((lasting(found.data()), etag), *answered, "after {step}"),
        }
    }
    let _ = tenant.anonymous.post(&format!("/api/v1/call/{token}/join"), json!({ "name": "Again" })).await.expect(404);
    let link = &tenant.manager.get("/api/v1/access-links?status=used").await.expect(200).json()["data"][0];
    assert_eq!(link["use_count"], 1);

    // What a killed process held comes free.
    tenant.advance(60).await;
    let _ = tenant.drain().await;
    let customer = answered.unwrap().0["customer_id"].as_str().unwrap().to_owned();
    let mut expected: Vec<_> =
        ["call.assigned", "call.completed", "call.created", "call.started"].map(|event| (event.to_owned(), call.clone())).into();
    expected.push(("customer.created".into(), customer));
    let link = link["id"].as_str().unwrap();
    expected.extend(["access_link.created", "access_link.used"].map(|event| (event.to_owned(), link.to_owned())));
    expected.sort_unstable();
    assert_eq!(counted(&receiver), expected);
    assert_eq!(process.end().await.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_burst_what_was_answered_is_there_and_what_is_there_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let settings = kept(folder.path());
    let receiver = Receiver::start().await;
    let process = Process::start(&settings).await;
    let tenant = Tenant::on(process.client()).await;
    let department = tenant.department(json!({ "name": "Support", "max_queue_size": 150 })).await;
    let _ = listen(&tenant, &receiver, &["call.created"]).await;
    let mut tokens = Vec::new();
    for _ in 0..10 {
        tokens.push(tenant.link(&department, 15).await);
    }

    let (sender, mut answers) = mpsc::unbounded_channel();
    let mut racers = JoinSet::new();
    for n in 0..150 {
        let (client, sender, path) =
            (tenant.anonymous.elsewhere(), sender.clone(), format!("/api/v1/call/{}/join", tokens[n % 10]));
        let body = json!({ "name": format!("Customer {n}"), "email": format!("c{n}@example.com") }).to_string();
        let client = client.with("content-type", "application/json");
        racers.spawn(async move {
            if let Some(answer) = client.attempt(Method::POST, &path, body).await {
                sender.send(answer.expect(200).data()["call_id"].as_str().unwrap().to_owned()).unwrap();
            }
        });
    }
    drop(sender);
    let mut answered = BTreeSet::new();
    for _ in 0..12 {
        assert!(answered.insert(answers.recv().await.unwrap()));
    }
    process.kill().await;
    while let Some(call) = answers.recv().await {
        answered.insert(call);
    }
    while let Some(ended) = racers.join_next().await {
        ended.unwrap();
    }
    assert!(answered.len() < 150, "it was killed too late");

    let process = Process::start(&settings).await;
    let tenant = tenant.at(&process.site);
    let mut calls = BTreeSet::new();
    for page in [1, 2] {
        let list = tenant.manager.get(&format!("/api/v1/calls?page_size=100&page={page}")).await.expect(200).json();
        calls.extend(list["data"].as_array().unwrap().iter().map(|call| call["id"].as_str().unwrap().to_owned()));
    }
    assert!(answered.is_subset(&calls), "{} answered, {} there", answered.len(), calls.len());
    // A join is whole or not at all: call, queue, link and counters tell one story.
    let there = json!(calls.len());
    for path in ["/api/v1/calls", "/api/v1/calls?status=queued"] {
        assert_eq!(tenant.manager.get(path).await.expect(200).json()["meta"]["total_count"], there, "{path}");
    }
    let links = tenant.manager.get("/api/v1/access-links").await.expect(200).json();
    let uses = links["data"].as_array().unwrap().iter().map(|link| link["use_count"].as_u64().unwrap());
    assert_eq!(json!(uses.sum::<u64>()), there);
    let path = format!("/api/v1/call/{}/validate", tenant.link(&department, 1).await);
    let seen = tenant.anonymous.elsewhere().get(&path).await.expect(200).data();
    assert_eq!(seen["queue_size"], there);

    tenant.advance(60).await;
    let _ = tenant.drain().await;
    let expected: Vec<_> = calls.into_iter().map(|call| ("call.created".to_owned(), call)).collect();
    assert_eq!(counted(&receiver), expected);
    assert_eq!(process.end().await.status.code(), Some(0));
}

/// A process on an engine that outlives it, with a tenant, a receiver of `call.created` and a link.
struct Scene {
    engine: Engine,
    process: Process,
    tenant: Tenant,
    receiver: Receiver,
    webhook: String,
    token: String,
}

impl Scene {
    async fn new() -> Self {
        let engine = Engine::start().await;
        let process = Process::start(&engine.settings()).await;
        let tenant = Tenant::on(process.client()).await;
        let receiver = Receiver::start().await;
        let webhook = listen(&tenant, &receiver, &["call.created"]).await;
        let department = tenant.department(json!({ "name": "Support" })).await;
        let token = tenant.link(&department, 1).await;
        // What came before is out of the way.
        let _ = tenant.drain().await;
        Self { engine, process, tenant, receiver, webhook, token }
    }

    /// Kills the process, and starts another on the same engine, which has no fault any more.
    async fn again(self) -> Self {
        self.process.kill().await;
        self.engine.proxy.fault(Fault::None);
        let process = Process::start(&self.engine.settings()).await;
        let tenant = self.tenant.at(&process.site);
        Self { process, tenant, ..self }
    }

    /// The call's event was received so many times, and its delivery is recorded as a success.
    async fn told(self, call: &str, times: usize) {
        assert_eq!(counted(&self.receiver), [("call.created".to_owned(), call.to_owned())]);
        assert_eq!(self.receiver.received().len(), times);
        let list = self.tenant.manager.get(&format!("/api/v1/webhooks/{}/deliveries", self.webhook)).await.expect(200).json();
        assert_eq!((&list["meta"]["total_count"], &list["data"][0]["status"]), (&json!(1), &json!("success")));
        assert_eq!(self.process.end().await.status.code(), Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn between_the_transaction_and_the_stream() {
    let scene = Scene::new().await;
    scene.engine.proxy.fault(Fault::Deaf);
    let call = scene.tenant.join(&scene.token, "Carlos").await;
    let scene = scene.again().await;
    let _ = scene.tenant.drain().await;
    scene.told(&call, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn between_the_stream_and_the_queue() {
    let scene = Scene::new().await;
    scene.engine.proxy.fault(Fault::Stuck("SendMessageBatch", 0));
    let call = scene.tenant.join(&scene.token, "Carlos").await;
    scene.engine.proxy.stuck().await;
    let scene = scene.again().await;
    let _ = scene.tenant.drain().await;
    scene.told(&call, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn between_dispatch_and_receipt() {
    let scene = Scene::new().await;
    scene.receiver.reply(Reply::Hang);
    let call = scene.tenant.join(&scene.token, "Carlos").await;
    scene.receiver.wait(1).await;
    let scene = scene.again().await;
    scene.receiver.reply(Reply::Status(200));
    // The attempt that was under way is given up after a while, and made again.
    scene.tenant.advance(60).await;
    let _ = scene.tenant.drain().await;
    scene.told(&call, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn between_receipt_and_its_record() {
    let scene = Scene::new().await;
    scene.receiver.reply(Reply::Hang);
    let call = scene.tenant.join(&scene.token, "Carlos").await;
    scene.receiver.wait(1).await;
    scene.engine.proxy.fault(Fault::Stuck("TransactWriteItems", 0));
    scene.receiver.reply(Reply::Status(200));
    scene.engine.proxy.stuck().await;
    let scene = scene.again().await;
    scene.tenant.advance(60).await;
    let _ = scene.tenant.drain().await;
    scene.told(&call, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_stream_lost_is_found_by_the_schedule() {
    let scene = Scene::new().await;
    scene.engine.proxy.fault(Fault::Deaf);
    let call = scene.tenant.join(&scene.token, "Carlos").await;
    // Nobody drains: the schedule looks by itself, a minute after the event.
    scene.tenant.advance(90).await;
    scene.receiver.wait(1).await;
    let _ = scene.tenant.drain().await;
    scene.told(&call, 1).await;
}
