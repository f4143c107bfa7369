//! What event source mappings and the minute schedule do in the cloud: they hand the table's stream, the queue and the
//! clock to the very same worker functions, as the events that Lambda would give them.

use std::{sync::Arc, time::Duration};

use aws_lambda_events::{
    dynamodb::{Event as StreamEvent, EventRecord as StreamRecord},
    sqs::{SqsEvent, SqsMessage},
};
use aws_sdk_dynamodbstreams::types::{Record, ShardIteratorType};
use aws_sdk_sqs::types::DeleteMessageBatchRequestEntry;
use scheduler::Swept;
use serde::Serialize;
use shared::{Error, Result, app::App, clock::Time, models::delivery::SLACK, queue, storage};
use tokio::sync::{Mutex, Notify, Semaphore, watch};

use crate::{aws::sqs::Queues, state::State};

/// Batches of messages that are worked on at the same time.
const BATCHES: u32 = 256;
/// How often the schedule looks; the cloud does every minute.
const SCHEDULE: Duration = Duration::from_secs(1);
/// How often stream and queue are looked at while something happens, and while nothing does.
const BUSY: Duration = Duration::from_millis(20);
const IDLE: Duration = Duration::from_millis(500);
/// How long after the last change things count as happening.
const LINGER: Duration = Duration::from_secs(3);

/// Moves work along.
#[derive(Debug)]
pub struct Pump {
    app: App,
    streams: aws_sdk_dynamodbstreams::Client,
    sqs: aws_sdk_sqs::Client,
    queues: Option<Arc<Queues>>,
    /// Where the stream is read on; who has it is the one who moves work.
    position: Mutex<Option<String>>,
    batches: Arc<Semaphore>,
    changed: Notify,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Done {
    /// Records of the stream that were read.
    pub records: u64,
    /// Messages of the queue that were worked on.
    pub messages: u64,
    /// What the schedule did.
    #[serde(flatten)]
    pub swept: Swept,
}

impl Done {
    fn nothing(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.messages += other.messages;
        self.swept.events += other.swept.events;
        self.swept.deliveries += other.swept.deliveries;
        self.swept.lapsed += other.swept.lapsed;
        self.swept.mails += other.swept.mails;
        self.swept.released += other.swept.released;
        self.swept.erased += other.swept.erased;
        self.swept.untagged += other.swept.untagged;
    }
}

impl Pump {
    /// Begins at the stream's end, then takes over what an earlier process left behind: its queue is gone with it.
    pub async fn start(app: App, queues: Option<Arc<Queues>>) -> Result<Self> {
        let cloud = app.cloud();
        let mut config = aws_sdk_dynamodbstreams::config::Builder::from(&cloud.sdk);
        config.set_endpoint_url(cloud.dynamodb.clone());
        let streams = aws_sdk_dynamodbstreams::Client::from_conf(config.build());
        let position = Some(latest(&app, &streams).await?);
        let sqs = cloud.sqs();
        let pump = Self {
            app,
            streams,
            sqs,
            queues,
            position: Mutex::new(position),
            batches: Arc::new(Semaphore::new(BATCHES as usize)),
            changed: Notify::new(),
        };
        scheduler::sweep(&pump.app, pump.horizon()).await?;
        Ok(pump)
    }

    /// Moves work until it is stopped, and lets what is in flight end.
    pub async fn run(&self, mut stopped: watch::Receiver<bool>) {
        let mut active = tokio::time::Instant::now();
        let mut swept = tokio::time::Instant::now();
        while !*stopped.borrow() {
            let schedule = swept.elapsed() >= SCHEDULE;
            let until = schedule.then(|| self.app.clock().now());
            if schedule {
                swept = tokio::time::Instant::now();
            }
            match self.pass(&mut *self.position.lock().await, until).await {
                Ok(done) if done.nothing() => {}
                Ok(_) => {
                    active = tokio::time::Instant::now();
                    continue;
                }
                Err(error) => tracing::error!(%error, "moving work"),
            }
            let pause = if active.elapsed() < LINGER { BUSY } else { IDLE };
            tokio::select! {
                () = self.changed.notified() => active = tokio::time::Instant::now(),
                () = tokio::time::sleep(pause) => {}
                _ = stopped.changed() => {}
            }
        }
        self.settled().await;
    }

    /// Something was written: look now.
    pub fn wake(&self) {
        self.changed.notify_one();
    }

    /// Moves work until nothing is left that is due.
    pub async fn drain(&self) -> Result<Done> {
        let mut position = self.position.lock().await;
        let mut total = Done::default();
        loop {
            let mut done = self.pass(&mut position, Some(self.horizon())).await?;
            self.settled().await;
            done.add(self.pass(&mut position, None).await?);
            self.settled().await;
            if done.nothing() {
                return Ok(total);
            }
            total.add(done);
        }
    }

    /// Moves the clock of the API, of the workers and of the queue's delays, while no worker works: what is under way would
    /// be taken for abandoned, and done once more.
    pub async fn advance(&self, seconds: u32) -> Result<()> {
        let _position = self.position.lock().await;
        self.settled().await;
        let offset = State::advance(self.app.db(), seconds).await?;
        self.app.clock().set_offset(offset);
        if let Some(queues) = &self.queues {
            queues.advance(Duration::from_secs(u64::from(seconds)));
        }
        self.wake();
        Ok(())
    }

    /// One look at the stream, the schedule and the queue.
    async fn pass(&self, position: &mut Option<String>, until: Option<Time>) -> Result<Done> {
        let records = self.stream(position).await?;
        let swept = match until {
            Some(until) => scheduler::sweep(&self.app, until).await?,
            None => Swept::default(),
        };
        let messages = self.queue().await?;
        Ok(Done { records, messages, swept })
    }

    /// Hands new records of the stream to the dispatcher and the mailer. What fails there stays due, and the schedule finds it.
    async fn stream(&self, position: &mut Option<String>) -> Result<u64> {
        let Some(iterator) = position.clone() else {
            *position = Some(latest(&self.app, &self.streams).await?);
            return Ok(0);
        };
        let answer = match self.streams.get_records().shard_iterator(iterator).send().await {
            Ok(answer) => answer,
            Err(error) => {
                *position = None;
                return Err(failed("GetRecords")(error));
            }
        };
        *position = answer.next_shard_iterator;
        let records = answer.records.unwrap_or_default();
        let count = u64::try_from(records.len()).unwrap_or(0);
        if count > 0 {
            let mut event = StreamEvent::default();
            event.records = records.into_iter().map(record).collect::<Result<_>>()?;
            let (app, copy) = (self.app.clone(), event.clone());
            // On the heap: they are large futures.
            let (events, mails) = (Box::pin(events_dispatcher::handle(app.clone(), event)), Box::pin(mailer::handle(app, copy)));
            tokio::try_join!(events, mails)?;
        }
        Ok(count)
    }

    /// Hands messages of the queue to the worker, batch by batch, each on its own.
    async fn queue(&self) -> Result<u64> {
        let mut count = 0;
        loop {
            let url = &self.app.cloud().queue_url;
            let received = self.sqs.receive_message().queue_url(url).max_number_of_messages(10).wait_time_seconds(0).send().await;
            let messages = received.map_err(queue::failed("ReceiveMessage"))?.messages;
            let messages = messages.unwrap_or_default();
            if messages.is_empty() {
                return Ok(count);
            }
            count += u64::try_from(messages.len()).unwrap_or(0);
            let permit = self.batches.clone().acquire_owned().await.map_err(|e| Error::internal("batches", e))?;
            let (app, sqs) = (self.app.clone(), self.sqs.clone());
            tokio::spawn(async move {
                if let Err(error) = batch(app, &sqs, messages).await {
                    tracing::error!(%error, "batch of messages");
                }
                drop(permit);
            });
        }
    }

    /// Nothing is in flight.
    async fn settled(&self) {
        let _ = self.batches.acquire_many(BATCHES).await;
    }

    /// Ahead of now by what carries work gets before the schedule takes over: here stream and queue are at hand.
    fn horizon(&self) -> Time {
        self.app.clock().now() + SLACK
    }
}

/// Works on messages; what was done leaves the queue.
async fn batch(app: App, sqs: &aws_sdk_sqs::Client, messages: Vec<aws_sdk_sqs::types::Message>) -> Result<()> {
    let mut event = SqsEvent::default();
    let mut receipts = Vec::new();
    for message in messages {
        let mut record = SqsMessage::default();
        record.message_id.clone_from(&message.message_id);
        record.body = message.body;
        event.records.push(record);
        receipts.push((message.message_id, message.receipt_handle));
    }
    let url = app.cloud().queue_url.clone();
    let response = webhook_worker::handle(app, event).await?;
    let failed: Vec<String> = response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
    let done = receipts.into_iter().filter(|(id, _)| !failed.iter().any(|failure| Some(failure) == id.as_ref())).enumerate();
    let entries: Vec<_> = done
        .filter_map(|(n, (_, receipt))| {
            DeleteMessageBatchRequestEntry::builder().id(n.to_string()).receipt_handle(receipt?).build().ok()
        })
        .collect();
    if entries.is_empty() {
        return Ok(());
    }
    sqs.delete_message_batch()
        .queue_url(url)
        .set_entries(Some(entries))
        .send()
        .await
        .map(drop)
        .map_err(queue::failed("DeleteMessageBatch"))
}

/// A record as Lambda gives it.
fn record(record: Record) -> Result<StreamRecord> {
    let mut given = StreamRecord::default();
    given.event_name = record.event_name.map(|name| name.as_str().to_owned()).unwrap_or_default();
    if let Some(change) = record.dynamodb {
        let item = |map: Option<_>| -> Result<serde_dynamo::Item> { Ok(serde_dynamo::Item::from(map.unwrap_or_default())) };
        given.change.keys = item(change.keys)?;
        given.change.new_image = item(change.new_image)?;
        given.change.sequence_number = change.sequence_number;
    }
    Ok(given)
}

/// The end of the table's stream.
async fn latest(app: &App, streams: &aws_sdk_dynamodbstreams::Client) -> Result<String> {
    let missing = |what: &str| Error::Internal(format!("the table has no {what}"));
    let table =
        app.db().client().describe_table().table_name(app.db().table()).send().await.map_err(storage::failed("DescribeTable"))?;
    let arn = table.table.and_then(|table| table.latest_stream_arn).ok_or_else(|| missing("stream"))?;
    let stream = streams.describe_stream().stream_arn(&arn).send().await.map_err(failed("DescribeStream"))?;
    let shards = stream.stream_description.and_then(|stream| stream.shards).unwrap_or_default();
    let shard = shards.into_iter().next_back().and_then(|shard| shard.shard_id).ok_or_else(|| missing("shard"))?;
    let iterator =
        streams.get_shard_iterator().stream_arn(arn).shard_id(shard).shard_iterator_type(ShardIteratorType::Latest).send().await;
    iterator.map_err(failed("GetShardIterator"))?.shard_iterator.ok_or_else(|| missing("iterator"))
}

/// A failed call of the stream's service, for the log.
fn failed<E>(operation: &'static str) -> impl FnOnce(E) -> Error
where
    E: std::error::Error + aws_sdk_dynamodbstreams::error::ProvideErrorMetadata,
{
    move |error| Error::of_service(operation, error.code(), error.message(), &error)
}
