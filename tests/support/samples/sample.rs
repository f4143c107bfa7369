//! The events that Lambda is given, and where they lie with their answers.

use std::{
    fmt::Debug,
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde_json::{Value, json};
use shared::{events::EventRecord, models::Mail, storage::Entity};

use super::asks;
use crate::{
    gateway::readable,
    world::{NOW, World},
};

/// A sample event.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The function that it is for.
    pub function: String,
    /// The operation's identifier, or what a worker does.
    pub name: String,
    /// The event.
    pub event: Value,
}

impl Sample {
    /// Every sample that there should be: one for each operation whose call is known, and one for each worker.
    pub async fn all(world: &World) -> Vec<Self> {
        let asks = asks(world);
        let known = world.operations.iter().filter_map(|operation| Some((operation, asks.get(operation.id)?)));
        let of = |function: &str, name: &str, event| Self { function: function.into(), name: name.into(), event };
        let mut all: Vec<_> =
            known.map(|(operation, ask)| of(operation.function, operation.id, world.event(operation, ask))).collect();
        all.push(of("events-dispatcher", "dispatch", inserted::<EventRecord>(world, "initech", "initech.fresh", 1).await));
        all.push(of("mailer", "send", inserted::<Mail>(world, "acme", "acme.invitation", 2).await));
        all.push(of("webhook-worker", "attempt", message(world)));
        all.push(of("scheduler", "minute", minute()));
        all
    }

    /// The sample as it was committed, if it was.
    #[must_use]
    pub fn committed(function: &str, name: &str) -> Option<Self> {
        let event = read(&file(function, &format!("{name}.json")))?;
        Some(Self { function: function.into(), name: name.into(), event })
    }

    /// The answer that was committed, if one was.
    #[must_use]
    pub fn answer(&self) -> Option<Value> {
        read(&file(&self.function, &format!("{}.answer.json", self.name)))
    }

    /// An answer as it is written down: readable, and of the API's document, which is a file of its own, the beginning.
    #[must_use]
    pub fn written(&self, answer: Value) -> Value {
        let mut answer = readable(answer);
        if self.name == "getOpenapi" {
            assert!(
                answer["body"] == serde_json::from_str::<Value>(docs::OPENAPI).unwrap(),
                "it is not functions/docs/openapi.json"
            );
            answer["body"].as_object_mut().unwrap().retain(|name, _| ["openapi", "info"].contains(&name.as_str()));
            answer["headers"].as_object_mut().unwrap().retain(|name, _| !["content-length", "etag"].contains(&name.as_str()));
        }
        answer
    }

    /// Writes the event and its answer.
    pub fn write(&self, answer: &Value) {
        for (name, value) in [(format!("{}.json", self.name), &self.event), (format!("{}.answer.json", self.name), answer)] {
            let file = file(&self.function, &name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, format!("{value:#}\n")).unwrap();
        }
    }
}

/// A record of the table's stream: something of a tenant that was just written.
async fn inserted<T: Entity<Id: FromStr<Err: Debug>>>(world: &World, tenant: &str, name: &str, n: u32) -> Value {
    let key = T::key(tenant, world.id(name).parse().unwrap());
    let item = world.app().db().item(&key).await.unwrap().unwrap();
    json!({ "Records": [{
        "eventID": format!("7de3041dd709b024af6f29e4fa13d34{n}"),
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/voki/stream/2026-02-15T00:00:00.000",
        "dynamodb": {
            "ApproximateCreationDateTime": NOW.epoch() - 60,
            "Keys": { "PK": { "S": key.pk }, "SK": { "S": key.sk } },
            "NewImage": serde_dynamo::Item::from(item),
            "SequenceNumber": format!("11{n}"),
            "SizeBytes": 1024,
            "StreamViewType": "NEW_IMAGE",
        },
    }] })
}

/// A message of the queue: a delivery that is to be attempted.
fn message(world: &World) -> Value {
    let id = |name| world.id(name);
    let message = json!({
        "tenant": "initech",
        "delivery_id": id("initech.delivery"),
        "webhook_id": id("initech.webhook"),
        "event_id": id("initech.event"),
    });
    let body = message.to_string();
    json!({ "Records": [{
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": (NOW.epoch() * 1000).to_string(),
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "MessageGroupId": id("initech.webhook"),
            "ApproximateFirstReceiveTimestamp": (NOW.epoch() * 1000 + 1).to_string(),
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:voki-deliveries",
        "awsRegion": "eu-west-1",
    }] })
}

/// The schedule, half an hour later: by then two calls are overdue, a delivery is, and events lie undispatched.
fn minute() -> Value {
    json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-02-20T10:30:00Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:events:eu-west-1:123456789012:rule/voki-minute"],
        "detail": {},
    })
}

fn file(function: &str, name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "events", function, name].iter().collect()
}

/// A file of JSON, if it is there.
fn read(file: &Path) -> Option<Value> {
    Some(serde_json::from_str(&fs::read_to_string(file).ok()?).unwrap())
}
