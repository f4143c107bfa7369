//! The sample events under `events/`, replayed: each answers as it is written beside it.

use aws_lambda_events::{dynamodb, sqs::SqsEvent};
use serde_json::{Value, json};
use shared::{
    events::EventRecord,
    ids::{CallId, DeliveryId, EventId},
    models::{Call, Delivery, call::CallStatus, delivery::DeliveryStatus},
};
use tests::{Sample, World};

const STALE: &str = "run `cargo run -p tests --bin record` and look at the difference";

// What is measured takes no time: the time stands still.
#[tokio::test(start_paused = true)]
async fn every_sample_answers_as_it_is_written() {
    let world = World::start().await;
    let mut stale = Vec::new();
    for sample in Sample::all(&world).await {
        let (committed, answer) = (Sample::committed(&sample.function, &sample.name), sample.answer());
        let said = sample.written(world.replay(committed.as_ref().unwrap_or(&sample)).await);
        let file = format!("events/{}/{}", sample.function, sample.name);
        if committed.as_ref() != Some(&sample) {
            stale.push(format!("{file}.json is not the event that tests/support/samples.rs makes"));
        }
        if answer.as_ref() != Some(&said) {
            stale.push(format!("{file}.answer.json is not what is answered:\n{said:#}"));
        }
        world.reset().await;
    }
    assert!(stale.is_empty(), "{}\n{STALE}", stale.join("\n"));
}

/// A worker's sample.
fn sample(function: &str, name: &str) -> Sample {
    Sample::committed(function, name).unwrap()
}

/// A record of the stream becomes a delivery.
#[tokio::test]
async fn a_record_of_the_stream_becomes_a_delivery() {
    let world = World::start().await;
    let (event, webhook): (EventId, _) =
        (world.id("initech.fresh").parse().unwrap(), world.id("initech.webhook").parse().unwrap());
    let store = world.app().store("initech");
    let delivery = Delivery::new(event, "access_link.created", None, webhook, tests::NOW).id;
    assert!(store.get::<Delivery>(delivery).await.unwrap().is_none());
    world.replay(&sample("events-dispatcher", "dispatch")).await;
    assert_eq!(store.find::<Delivery>(delivery).await.unwrap().status, DeliveryStatus::Pending);
    assert!(store.find::<EventRecord>(event).await.unwrap().dispatched_at.is_some());
}

/// A message becomes an attempt.
#[tokio::test]
async fn a_message_of_the_queue_becomes_an_attempt() {
    let world = World::start().await;
    let id: DeliveryId = world.id("initech.delivery").parse().unwrap();
    world.replay(&sample("webhook-worker", "attempt")).await;
    let delivery = world.app().store("initech").find::<Delivery>(id).await.unwrap();
    assert_eq!((delivery.status, delivery.attempts.len()), (DeliveryStatus::Success, 1));
    let received = world.receiver().received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].header("x-voki-delivery"), id.to_string());
}

/// The schedule misses calls whose time has passed.
#[tokio::test]
async fn the_minute_does_what_is_due() {
    let world = World::start().await;
    world.replay(&sample("scheduler", "minute")).await;
    // As they lie in the table: whoever asks the API would see them missed anyway.
    for name in ["acme.queued", "acme.assigned"] {
        let id: CallId = world.id(name).parse().unwrap();
        assert_eq!(world.app().store("acme").find::<Call>(id).await.unwrap().status, CallStatus::Missed);
    }
}

/// What is not an event is passed over; what cannot be read fails, and only that comes again.
#[tokio::test]
async fn a_poison_record_fails_alone() {
    let world = World::start().await;
    let mut event = sample("events-dispatcher", "dispatch").event;
    let mut other = event["Records"][0].clone();
    other["dynamodb"]["NewImage"]["k"]["S"] = json!("call");
    let mut poison = event["Records"][0].clone();
    poison["dynamodb"]["NewImage"]["d"] = json!({ "M": {} });
    poison["dynamodb"]["SequenceNumber"] = json!("112");
    event["Records"] = json!([other, poison]);
    let event: dynamodb::Event = serde_json::from_value(event).unwrap();
    let response = events_dispatcher::handle(world.app(), event).await.unwrap();
    let failed: Vec<_> = response.batch_item_failures.into_iter().filter_map(|failure| failure.item_identifier).collect();
    assert_eq!(failed, ["112"]);
}

/// A message that cannot be read fails, and only that comes again.
#[tokio::test]
async fn a_poison_message_fails_alone() {
    let world = World::start().await;
    let mut event = sample("webhook-worker", "attempt").event;
    let mut poison = event["Records"][0].clone();
    poison["body"] = json!("{");
    poison["messageId"] = json!("poison");
    // One whose delivery is gone is done.
    let mut gone = event["Records"][0].clone();
    let mut message: Value = serde_json::from_str(gone["body"].as_str().unwrap()).unwrap();
    message["delivery_id"] = json!(world.id("initech.event"));
    gone["body"] = message.to_string().into();
    gone["messageId"] = json!("gone");
    event["Records"].as_array_mut().unwrap().extend([gone, poison]);
    let event: SqsEvent = serde_json::from_value(event).unwrap();
    let response = webhook_worker::handle(world.app(), event).await.unwrap();
    let failed: Vec<_> = response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
    assert_eq!(failed, ["poison"]);
}
