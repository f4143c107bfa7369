//! SQS, by the queues of `winterbaume-sqs`, which live in memory.
//!
//! The protocol around them is written here, because the queues must refuse what AWS refuses, report the failures of a
//! batch by entry, wake who waits without polling, and follow the clock of the local stack. There are no FIFO queues.

mod request;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;
use winterbaume_sqs::SqsState;
use winterbaume_sqs::types::{Message, MessageAttribute};

use self::request::{Attribute, Refusal, Request, asked, within};
use super::{REGION, Server, StartError, Stop, listen};

const ACCOUNT: &str = "000000000000";
/// Where a message keeps its group, as the queues have no place for it; no attribute can be named so.
const GROUP: &str = "\0group";
/// How many receipts of deleted messages a queue remembers, so that a second deletion succeeds as the first did.
const RECEIPTS: usize = 10_000;

/// Serves empty queues.
pub(super) async fn start(stop: Stop) -> Result<(Server, Arc<Queues>), StartError> {
    let (url, listener) = listen("SQS").await?;
    let queues = Arc::new(Queues { url: url.clone(), stop: stop.clone(), state: Mutex::default(), changed: Notify::new() });
    let router = Router::new().fallback(serve).layer(DefaultBodyLimit::disable()).with_state(Arc::clone(&queues));
    Ok((Server::spawn((url, listener), router, stop), queues))
}

async fn serve(State(queues): State<Arc<Queues>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let action = target.and_then(|target| target.strip_prefix("AmazonSQS.")).unwrap_or_default();
    let answer = match serde_json::from_slice(&body) {
        Ok(request) => queues.answer(action, request).await,
        Err(error) => Err(Refusal::invalid(format!("the request cannot be read: {error}"))),
    };
    match answer {
        Ok(answer) => ([(header::CONTENT_TYPE, "application/x-amz-json-1.0")], answer.to_string()).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// The queues, and who waits for their messages.
#[derive(Debug)]
pub struct Queues {
    url: String,
    stop: Stop,
    state: Mutex<SqsState>,
    changed: Notify,
}

impl Queues {
    /// Brings delays and visibility timeouts forward, as if that much time had passed.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        for message in self.lock().queues.values_mut().flat_map(|queue| &mut queue.messages) {
            message.visible_at = message.visible_at.saturating_sub(by);
        }
        self.changed.notify_waiters();
    }

    async fn answer(&self, action: &str, request: Request) -> Result<Value, Refusal> {
        if action == "ReceiveMessage" {
            return self.receive(&request).await;
        }
        let answer = self.apply(action, request)?;
        self.changed.notify_waiters();
        Ok(answer)
    }

    fn apply(&self, action: &str, mut request: Request) -> Result<Value, Refusal> {
        let state = &mut *self.lock();
        if action == "CreateQueue" {
            if !state.queues.contains_key(&request.queue_name) {
                // The default of AWS; that of the queues is a quarter of it.
                request.attributes.entry("MaximumMessageSize".to_owned()).or_insert_with(|| request::MAX_SIZE.to_string());
            }
            request.check_attributes(state)?;
            state.create_queue(&request.queue_name, REGION, ACCOUNT, &request.attributes, Some(&request.tags))?;
            return Ok(json!({ "QueueUrl": self.queue_url(&request.queue_name) }));
        }
        let queue = request.queue();
        match action {
            "GetQueueUrl" => {
                state.get_queue_url(&request.queue_name)?;
                return Ok(json!({ "QueueUrl": self.queue_url(&request.queue_name) }));
            }
            "ListQueues" => {
                let names = state.list_queues(Some(&request.queue_name_prefix)).into_iter().map(|queue| &queue.name);
                return Ok(json!({ "QueueUrls": names.map(|name| self.queue_url(name)).collect::<Vec<_>>() }));
            }
            "GetQueueAttributes" => {
                let mut attributes = state.get_queue_attributes(queue)?;
                let visible = state.queues.get(queue).map_or(0, |queue| queue.messages.iter().filter(|m| m.is_visible()).count());
                attributes.insert("ApproximateNumberOfMessages".to_owned(), visible.to_string());
                attributes.retain(|name, _| asked(&request.attribute_names, name));
                return Ok(json!({ "Attributes": attributes }));
            }
            "SetQueueAttributes" => {
                request.check_attributes(state)?;
                state.set_queue_attributes(queue, &request.attributes)?;
            }
            "DeleteQueue" => state.delete_queue(queue)?,
            "PurgeQueue" => state.purge_queue(queue)?,
            _ => match action.strip_suffix("Batch") {
                Some(action) => return batch(state, action, &request),
                None => return single(state, action, queue, &request),
            },
        }
        Ok(json!({}))
    }

    /// Takes messages, or waits for some until the time asked for is over or the stack stops.
    async fn receive(&self, request: &Request) -> Result<Value, Refusal> {
        let attributes = self.lock().get_queue_attributes(request.queue())?;
        let queue_wait = attributes.get("ReceiveMessageWaitTimeSeconds").and_then(|wait| wait.parse().ok());
        let wait = within("WaitTimeSeconds", request.wait_time_seconds.or(queue_wait).unwrap_or(0), 0..=20)?;
        let deadline = Instant::now() + Duration::from_secs(wait.into());
        loop {
            let changed = self.changed.notified();
            let (messages, next) = self.take(request)?;
            if !messages.is_empty() {
                return Ok(json!({ "Messages": messages }));
            }
            if Instant::now() >= deadline {
                return Ok(json!({}));
            }
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(next.map_or(deadline, |next| deadline.min(Instant::now() + next))) => {}
                () = self.stop.clone().requested() => return Ok(json!({})),
            }
        }
    }

    /// The messages that can be had now; where there are none, also how long until the next one.
    fn take(&self, request: &Request) -> Result<(Vec<Value>, Option<Duration>), Refusal> {
        let queue = request.queue();
        let most = within("MaxNumberOfMessages", request.max_number_of_messages.unwrap_or(1), 1..=10)?;
        let hidden = request.visibility_timeout.map(request::visibility).transpose()?;
        let mut state = self.lock();
        let held = |state: &SqsState| state.queues.get(queue).map_or(0, |queue| queue.messages.len());

        let before = held(&state);
        let messages = state.receive_message(queue, most as usize, hidden)?;
        if held(&state) < before {
            self.changed.notify_waiters(); // Some went to the dead letters.
        }
        let waiting = state.queues.get(queue).into_iter().flat_map(|queue| &queue.messages);
        let next = waiting.map(|message| message.visible_at).min().map(|due| {
            let due = Duration::from_millis(due.try_into().unwrap_or(0));
            // A millisecond more, as the queue's own clock drops the fraction.
            due.saturating_sub(UNIX_EPOCH.elapsed().unwrap_or_default()) + Duration::from_millis(1)
        });
        Ok((messages.into_iter().map(|message| show(message, request)).collect(), next))
    }

    fn queue_url(&self, name: &str) -> String {
        format!("{}/{ACCOUNT}/{name}", self.url)
    }

    fn lock(&self) -> MutexGuard<'_, SqsState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does `action` for every entry, and says of each how it went.
fn batch(state: &mut SqsState, action: &str, request: &Request) -> Result<Value, Refusal> {
    let queue = request.queue();
    state.get_queue_url(queue)?;
    request.check_batch()?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in &request.entries {
        match single(state, action, queue, entry) {
            Ok(mut done) => {
                done["Id"] = json!(entry.id);
                successful.push(done);
            }
            Err(Refusal { code, message }) => {
                failed.push(json!({ "Id": entry.id, "Code": code, "Message": message, "SenderFault": true }));
            }
        }
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}

/// Does `action` for one message.
fn single(state: &mut SqsState, action: &str, queue: &str, request: &Request) -> Result<Value, Refusal> {
    match action {
        "SendMessage" => {
            let limit = state.queues.get(queue).map_or(0, |queue| queue.queue.maximum_message_size);
            state.get_queue_url(queue)?;
            request.check_message(limit as usize)?;
            let delay = request.delay_seconds.map(|delay| within("DelaySeconds", delay, 0..=900)).transpose()?;
            let sent = state.send_message(queue, &request.message_body, delay, stored(request), None, None)?;
            Ok(json!({ "MessageId": sent.message_id, "MD5OfMessageBody": sent.body_md5 }))
        }
        "DeleteMessage" => {
            state.delete_message(queue, &request.receipt_handle)?;
            if let Some(queue) = state.queues.get_mut(queue).filter(|queue| queue.deleted_handles.len() > RECEIPTS) {
                queue.deleted_handles.clear();
            }
            Ok(json!({}))
        }
        "ChangeMessageVisibility" => {
            let hidden = request::visibility(request.visibility_timeout.unwrap_or(-1))?;
            state.change_message_visibility(queue, &request.receipt_handle, hidden)?;
            Ok(json!({}))
        }
        _ => Err(Refusal::new("InvalidAction", format!("the local SQS does not know the action {action}"))),
    }
}

/// The attributes and the group of a message, as the queues keep them.
fn stored(request: &Request) -> HashMap<String, MessageAttribute> {
    let group = request.message_group_id.iter().map(|group| (GROUP.to_owned(), Attribute::text(group)));
    let attributes = request.message_attributes.clone().into_iter().chain(group);
    attributes.map(|(name, attribute)| (name, attribute.into())).collect()
}

/// A message as its receiver asked to see it.
fn show(mut message: Message, request: &Request) -> Value {
    let group = message.message_attributes.remove(GROUP).and_then(|group| group.string_value);
    let mut system = HashMap::from([
        ("ApproximateReceiveCount", message.approximate_receive_count.to_string()),
        ("SentTimestamp", message.sent_timestamp.to_string()),
        ("SenderId", message.sender_id),
    ]);
    system.extend(message.approximate_first_receive_timestamp.map(|at| ("ApproximateFirstReceiveTimestamp", at.to_string())));
    system.extend(group.map(|group| ("MessageGroupId", group)));
    system.retain(|name, _| asked(&request.message_system_attribute_names, name) || asked(&request.attribute_names, name));

    let mut attributes = message.message_attributes;
    attributes.retain(|name, _| asked(&request.message_attribute_names, name));
    let attributes: HashMap<_, _> = attributes.into_iter().map(|(name, it)| (name, Attribute::from(it))).collect();
    json!({
        "MessageId": message.message_id,
        "ReceiptHandle": message.receipt_handle,
        "Body": message.body,
        "MD5OfBody": message.body_md5,
        "Attributes": system,
        "MessageAttributes": attributes,
    })
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let kind = self.code.rsplit('.').next().unwrap_or(self.code);
        let body = json!({ "__type": format!("com.amazonaws.sqs#{kind}"), "message": self.message });
        let headers =
            [("x-amzn-query-error", format!("{};Sender", self.code)), ("content-type", "application/x-amz-json-1.0".to_owned())];
        (StatusCode::BAD_REQUEST, headers, body.to_string()).into_response()
    }
}
