//! The sample events under `events/`, replayed to the workers that they are for.

use aws_lambda_events::{dynamodb, sqs::SqsEvent};
use serde_json::{Value, json};
use shared::models::{Call, call::CallStatus};
use tests::{Receiver, Settings, Stack, Tenant};

fn sample(name: &str) -> Value {
    let path = format!("{}/../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The sample stream event of a tenant that has a webhook becomes a delivery of it.
#[tokio::test]
async fn a_record_of_the_stream_becomes_a_delivery() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let receiver = Receiver::start().await;
    let webhook = json!({ "webhook": { "url": receiver.url, "events": ["call.created"] } });
    let webhook = tenant.manager.post("/api/v1/webhooks", webhook).await.expect(201).data()["id"].as_str().unwrap().to_owned();
    let event = sample("events-dispatcher").to_string().replace("acme#", &format!("{}#", tenant.slug));
    let event: dynamodb::Event = serde_json::from_str(&event).unwrap();
    let response = events_dispatcher::handle(stack.app().clone(), event).await.unwrap();
    assert!(response.batch_item_failures.is_empty());
    let deliveries = tenant.manager.get(&format!("/api/v1/webhooks/{webhook}/deliveries")).await.expect(200).json();
    assert_eq!(deliveries["meta"]["total_count"], json!(1));
    assert_eq!(deliveries["data"][0]["event_id"], json!("019c61c5-2340-7a5e-8b1c-0242ac120002"));
    stack.shutdown().await;
}

/// What is not an event is passed over; what cannot be read fails, and only that comes again.
#[tokio::test]
async fn a_poison_record_fails_alone() {
    let stack = Stack::start(Settings::default()).await;
    let mut event = sample("events-dispatcher");
    let mut other = event["Records"][0].clone();
    other["dynamodb"]["NewImage"]["k"]["S"] = json!("call");
    let mut poison = event["Records"][0].clone();
    poison["dynamodb"]["NewImage"]["d"] = json!({ "M": {} });
    poison["dynamodb"]["SequenceNumber"] = json!("112");
    event["Records"] = json!([other, poison]);
    let response = events_dispatcher::handle(stack.app().clone(), serde_json::from_value(event).unwrap()).await.unwrap();
    let failed: Vec<_> = response.batch_item_failures.into_iter().filter_map(|failure| failure.item_identifier).collect();
    assert_eq!(failed, ["112"]);
    stack.shutdown().await;
}

/// A message whose delivery is gone is done; one that cannot be read fails, and only that comes again.
#[tokio::test]
async fn a_poison_message_fails_alone() {
    let stack = Stack::start(Settings::default()).await;
    let mut event = sample("webhook-worker");
    let mut poison = event["Records"][0].clone();
    poison["body"] = json!("{");
    poison["messageId"] = json!("poison");
    event["Records"].as_array_mut().unwrap().push(poison);
    let event: SqsEvent = serde_json::from_value(event).unwrap();
    let response = webhook_worker::handle(stack.app().clone(), event).await.unwrap();
    let failed: Vec<_> = response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
    assert_eq!(failed, ["poison"]);
    stack.shutdown().await;
}

/// The schedule misses a call whose time has passed.
#[tokio::test]
async fn the_minute_does_what_is_due() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let department = tenant.department(json!({ "name": "Support", "max_wait_time": 60 })).await;
    let call = tenant.join(&tenant.link(&department, 1).await, "Ana").await;
    let clock = stack.app().clock();
    clock.set_offset(clock.offset() + 61);
    scheduler::handle(stack.app().clone(), sample("scheduler")).await.unwrap();
    // As it lies in the table: whoever asks the API would see it missed anyway.
    let stored = stack.app().store(&tenant.slug).get::<Call>(call.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(stored.status, CallStatus::Missed);
    stack.shutdown().await;
}
