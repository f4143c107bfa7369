//! Queues, which are no kinder than the cloud's.

use crate::*;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchError;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry};

async fn create(client: &Client, name: &str, attributes: &[(&str, &str)]) -> String {
    let attributes = attributes.iter().map(|(name, value)| (QueueAttributeName::from(*name), (*value).to_owned())).collect();
    let queue = client.create_queue().queue_name(name).set_attributes(Some(attributes)).send().await.unwrap();
    queue.queue_url.unwrap()
}

async fn receive(client: &Client, queue: &str) -> Vec<Message> {
    let received = client.receive_message().queue_url(queue).max_number_of_messages(10);
    let received = received.message_system_attribute_names(MessageSystemAttributeName::All).message_attribute_names("All");
    received.send().await.unwrap().messages.unwrap_or_default()
}

async fn bodies(client: &Client, queue: &str) -> Vec<String> {
    receive(client, queue).await.into_iter().map(|message| message.body.unwrap()).collect()
}

fn entry(id: usize, delay: i32) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder().id(format!("e{id}")).message_body("m").delay_seconds(delay).build().unwrap()
}

#[tokio::test]
async fn a_message_is_hidden_while_it_is_worked_on_and_gone_when_deleted() {
    let aws = in_memory().await;
    let client = sqs(&aws);
    let queue = create(&client, "jobs", &[("VisibilityTimeout", "60")]).await;
    assert!(queue.starts_with(&aws.sqs));
    client.send_message().queue_url(&queue).message_body("a").send().await.unwrap();

    let message = receive(&client, &queue).await.remove(0);
    assert_eq!(message.body(), Some("a"));
    assert!(bodies(&client, &queue).await.is_empty());
    let again = client.change_message_visibility().queue_url(&queue).visibility_timeout(0);
    again.receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();

    let message = receive(&client, &queue).await.remove(0);
    assert_eq!(message.attributes().unwrap()[&MessageSystemAttributeName::ApproximateReceiveCount], "2");
    let receipt = message.receipt_handle().unwrap();
    for _ in 0..2 {
        client.delete_message().queue_url(&queue).receipt_handle(receipt).send().await.unwrap();
    }
    aws.queues.as_ref().unwrap().advance(Duration::from_hours(1));
    assert!(bodies(&client, &queue).await.is_empty());
    aws.shutdown().await;
}

#[tokio::test]
async fn a_delay_passes_with_the_clock() {
    let aws = in_memory().await;
    let client = sqs(&aws);
    let queue = create(&client, "jobs", &[]).await;
    client.send_message().queue_url(&queue).message_body("later").delay_seconds(900).send().await.unwrap();
    let clock = aws.queues.clone().unwrap();
    clock.advance(Duration::from_secs(890));
    assert!(bodies(&client, &queue).await.is_empty());
    clock.advance(Duration::from_secs(10));
    assert_eq!(bodies(&client, &queue).await, ["later"]);
    aws.shutdown().await;
}

#[tokio::test]
async fn a_message_that_fails_too_often_goes_to_the_dead_letters() {
    let aws = in_memory().await;
    let client = sqs(&aws);
    let dead = create(&client, "dead", &[]).await;
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":"2"}"#;
    let queue = create(&client, "jobs", &[("VisibilityTimeout", "0"), ("RedrivePolicy", policy)]).await;
    client.send_message().queue_url(&queue).message_body("a").send().await.unwrap();
    assert_eq!(bodies(&client, &queue).await, ["a"]);
    assert_eq!(bodies(&client, &queue).await, ["a"]);
    assert!(bodies(&client, &queue).await.is_empty());
    assert_eq!(bodies(&client, &dead).await, ["a"]);
    aws.shutdown().await;
}

#[tokio::test]
async fn a_standard_queue_knows_groups_but_no_deduplication() {
    let aws = in_memory().await;
    let client = sqs(&aws);
    let queue = create(&client, "jobs", &[]).await;
    let send = client.send_message().queue_url(&queue).message_body("a").message_group_id("tenant-1");
    let refusal = send.clone().message_deduplication_id("x").send().await.unwrap_err();
    assert_eq!(refusal.code(), Some("InvalidParameterValue"));
    send.send().await.unwrap();
    let message = receive(&client, &queue).await.remove(0);
    assert_eq!(message.attributes().unwrap()[&MessageSystemAttributeName::MessageGroupId], "tenant-1");
    assert!(message.message_attributes().is_none_or(std::collections::HashMap::is_empty));
    aws.shutdown().await;
}

#[tokio::test]
async fn who_waits_is_woken_and_holds_nobody_up() {
    let aws = in_memory().await;
    let client = sqs(&aws);
    let queue = create(&client, "jobs", &[]).await;
    let waiting = client.receive_message().queue_url(&queue).wait_time_seconds(20).send();
    let sending = client.send_message().queue_url(&queue).message_body("a").send();
    let (received, sent) = tokio::join!(waiting, sending);
    sent.unwrap();
    assert_eq!(received.unwrap().messages()[0].body(), Some("a"));
    aws.shutdown().await;
}

#[tokio::test]
async fn who_waits_is_answered_when_the_stack_stops() {
    let aws = in_memory().await;
    let client = sqs(&aws);
    let queue = create(&client, "jobs", &[]).await;
    let waiting = client.receive_message().queue_url(&queue).wait_time_seconds(20).send();
    let (received, ()) = tokio::join!(waiting, async {
        client.list_queues().send().await.unwrap();
        aws.shutdown().await;
    });
    assert!(received.unwrap().messages().is_empty());
}

#[tokio::test]
async fn what_the_cloud_refuses_is_refused() {
    let aws = in_memory().await;
    let client = sqs(&aws);
    let queue = create(&client, "jobs", &[]).await;
    let send = client.send_message().queue_url(&queue);
    let receive = client.receive_message().queue_url(&queue);

    let refused = [
        send.clone().message_body("a").delay_seconds(901).send().await.unwrap_err().code().map(str::to_owned),
        send.clone().message_body("a").delay_seconds(-1).send().await.unwrap_err().code().map(str::to_owned),
        send.clone().message_body("a".repeat(1_048_577)).send().await.unwrap_err().code().map(str::to_owned),
        receive.clone().max_number_of_messages(11).send().await.unwrap_err().code().map(str::to_owned),
        receive.clone().wait_time_seconds(21).send().await.unwrap_err().code().map(str::to_owned),
        receive.clone().visibility_timeout(43_201).send().await.unwrap_err().code().map(str::to_owned),
    ];
    assert_eq!(refused, [const { "InvalidParameterValue" }; 6].map(|code| Some(code.to_owned())));
    assert!(send.clone().message_body("a\u{1}").send().await.unwrap_err().into_service_error().is_invalid_message_contents());
    let nowhere = client.send_message().queue_url(format!("{queue}s")).message_body("a").send().await;
    assert!(nowhere.unwrap_err().into_service_error().is_queue_does_not_exist());
    assert_eq!(bodies(&client, &queue).await.len(), 0);
    aws.shutdown().await;
}

#[tokio::test]
async fn a_batch_has_ten_entries_and_each_its_own_end() {
    let aws = in_memory().await;
    let client = sqs(&aws);
    let queue = create(&client, "jobs", &[]).await;
    let send = async |entries: Vec<_>| {
        let sent = client.send_message_batch().queue_url(&queue).set_entries(Some(entries)).send().await;
        sent.map_err(SdkError::into_service_error)
    };
    let many = send((0..11).map(|id| entry(id, 0)).collect()).await;
    assert!(matches!(many, Err(SendMessageBatchError::TooManyEntriesInBatchRequest(_))));
    let none = send(Vec::new()).await;
    assert!(matches!(none, Err(SendMessageBatchError::EmptyBatchRequest(_))));
    let twins = send(vec![entry(1, 0), entry(1, 0)]).await;
    assert!(matches!(twins, Err(SendMessageBatchError::BatchEntryIdsNotDistinct(_))));

    let mixed = send(vec![entry(1, 0), entry(2, 901)]).await.unwrap();
    assert_eq!(mixed.successful()[0].id(), "e1");
    assert_eq!((mixed.failed()[0].id(), mixed.failed()[0].code()), ("e2", "InvalidParameterValue"));
    assert_eq!(bodies(&client, &queue).await, ["m"]);
    aws.shutdown().await;
}
