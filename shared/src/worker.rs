//! Workers: one message at a time, lifted to the batches that Lambda hands out.

use std::{future::Future, panic::AssertUnwindSafe, pin::Pin};

use aws_lambda_events::{
    dynamodb::EventRecord as StreamRecord,
    sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use futures_util::{FutureExt, StreamExt, stream};
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    app::{App, Need},
    error::{Error, Result},
    storage::{Entity, Stored},
};

/// Messages of one batch that are worked on at the same time.
const AT_ONCE: usize = 10;

/// Works through a batch of a queue; what failed comes again, the rest does not.
pub async fn batch<F: Future<Output = Result<()>>>(event: SqsEvent, mut work: impl FnMut(String) -> F) -> SqsBatchResponse {
    let jobs = event.records.into_iter().map(|record| {
        let job = work(record.body.unwrap_or_default());
        async move { (record.message_id.unwrap_or_default(), caught(job).await) }
    });
    let done: Vec<_> = stream::iter(jobs.collect::<Vec<_>>()).buffer_unordered(AT_ONCE).collect().await;
    let mut response = SqsBatchResponse::default();
    for (message_id, outcome) in done {
        if let Err(error) = outcome {
            tracing::error!(message_id, %error, "message failed");
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = message_id;
            response.batch_item_failures.push(failure);
        }
    }
    response
}

/// Works through records of a stream in their order; from the first that failed on they come again.
pub async fn records<F: Future<Output = Result<()>>>(
    records: Vec<StreamRecord>,
    mut work: impl FnMut(StreamRecord) -> F,
) -> DynamoDbEventResponse {
    let mut response = DynamoDbEventResponse::default();
    for record in records {
        let number = record.change.sequence_number.clone();
        if let Err(error) = caught(work(record)).await {
            tracing::error!(sequence_number = number, %error, "record failed");
            let mut failure = DynamoDbBatchItemFailure::default();
            failure.item_identifier = number;
            response.batch_item_failures.push(failure);
            break;
        }
    }
    response
}

/// The object of this kind that a record says is new, and its tenant; every other change of the table is none.
///
/// # Errors
/// [`Error::Internal`] when the record has it without its data.
pub fn inserted<T: Entity>(record: &StreamRecord) -> Result<Option<(String, Stored<T>)>> {
    let image = record.change.new_image.inner();
    let text = |name: &str| match image.get(name) {
        Some(serde_dynamo::AttributeValue::S(text)) => Some(text.as_str()),
        _ => None,
    };
    if record.event_name != "INSERT" || text("k") != Some(T::KIND) {
        return Ok(None);
    }
    let tenant = text("PK").and_then(|pk| pk.split('#').next()).unwrap_or_default().to_owned();
    let data = image.get("d").cloned().ok_or_else(|| Error::Internal(format!("{} without data", T::KIND)))?;
    let value = serde_dynamo::from_attribute_value(data).map_err(|e| Error::internal(T::KIND, e))?;
    Ok(Some((tenant, Stored { value, version: 1 })))
}

/// A panic is an error of what it happened in, not of its whole batch.
async fn caught<F: Future<Output = Result<()>>>(work: F) -> Result<()> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| Err(Error::Internal("panic".into())))
}

/// Runs a worker as a Lambda function.
///
/// # Errors
/// When the environment is wrong, with the variable's name, or the runtime ends.
pub async fn run<E, A, F, Fut>(work: F, needs: &[Need]) -> Result<(), lambda_runtime::Error>
where
    E: DeserializeOwned,
    A: Serialize,
    F: Fn(App, E) -> Fut,
    Fut: Future<Output = Result<A>> + Send + 'static,
{
    let app = App::from_env(needs)?;
    crate::api::start_log(app.settings());
    lambda_runtime::run(service_fn(|event: LambdaEvent<E>| {
        // On the heap: what the runtime wraps around it stays shallow.
        let work: Pin<Box<dyn Future<Output = Result<A>> + Send>> = Box::pin(work(app.clone(), event.payload));
        async move { work.await.map_err(lambda_runtime::Error::from) }
    }))
    .await
}
