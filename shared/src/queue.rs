//! The queue of deliveries: SQS, a fair queue with one message group per webhook.

use std::time::Duration;

use aws_sdk_sqs::{Client, error::ProvideErrorMetadata, types::SendMessageBatchRequestEntry};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    ids::{DeliveryId, EventId, WebhookId},
};

/// A message: this delivery is to be attempted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The tenant's slug.
    pub tenant: String,
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// Its webhook; the message group, so that one slow receiver does not hold up the others.
    pub webhook_id: WebhookId,
    /// Its event.
    pub event_id: EventId,
}

/// The queue.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

/// A failed call of the queue's service, for the log.
pub fn failed<E>(operation: &'static str) -> impl FnOnce(E) -> Error
where
    E: std::error::Error + ProvideErrorMetadata,
{
    move |error| Error::of_service(operation, error.code(), error.message(), &error)
}

/// Messages of one `SendMessageBatch`.
const BATCH: usize = 10;

impl Queue {
    /// The queue at this URL.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Sends messages, ten a request, to be seen after a delay of at most 15 minutes.
    ///
    /// # Errors
    /// [`Error::Internal`] when one was not taken; those before it may have been.
    pub async fn send(&self, messages: &[Message], delay: Duration) -> Result<()> {
        for chunk in messages.chunks(BATCH) {
            let entries = chunk.iter().enumerate().map(|(n, message)| entry(n, message, delay)).collect::<Result<Vec<_>>>()?;
            let sent = self
                .client
                .send_message_batch()
                .queue_url(&self.url)
                .set_entries(Some(entries))
                .send()
                .await
                .map_err(failed("SendMessageBatch"))?;
            if let Some(failed) = sent.failed.first() {
                return Err(Error::internal("SendMessageBatch", failed.code()));
            }
        }
        Ok(())
    }
}

fn entry(n: usize, message: &Message, delay: Duration) -> Result<SendMessageBatchRequestEntry> {
    let body = serde_json::to_string(message).map_err(|e| Error::internal("message", e))?;
    SendMessageBatchRequestEntry::builder()
        .id(n.to_string())
        .message_body(body)
        .message_group_id(message.webhook_id.to_string())
        .delay_seconds(i32::try_from(delay.as_secs()).unwrap_or(i32::MAX))
        .build()
        .map_err(|e| Error::internal("message", e))
}
