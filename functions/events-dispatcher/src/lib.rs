//! The worker on the table's stream: domain events become deliveries.

use aws_lambda_events::{
    dynamodb::{Event, EventRecord as StreamRecord},
    streams::DynamoDbEventResponse,
};
use shared::{
    Error, Result,
    app::App,
    dispatch::dispatch,
    events::EventRecord,
    storage::{Entity, Stored},
    worker,
};

/// Works through a batch of the stream in order.
///
/// # Errors
/// None: what failed is named in the response and comes again.
pub async fn handle(app: App, event: Event) -> Result<DynamoDbEventResponse> {
    Ok(worker::records(event.records, |record| one(app.clone(), record)).await)
}

/// Dispatches a new event; every other change of the table is nothing to do here.
async fn one(app: App, record: StreamRecord) -> Result<()> {
    let image = record.change.new_image;
    let text = |name: &str| match image.inner().get(name) {
        Some(serde_dynamo::AttributeValue::S(text)) => Some(text.clone()),
        _ => None,
    };
    if record.event_name != "INSERT" || text("k").as_deref() != Some(EventRecord::KIND) {
        return Ok(());
    }
    let tenant = text("PK").and_then(|pk| pk.split('#').next().map(ToOwned::to_owned)).unwrap_or_default();
    let data = image.inner().get("d").cloned().ok_or_else(|| Error::Internal("event without data".into()))?;
    let value: EventRecord = serde_dynamo::from_attribute_value(data).map_err(|e| Error::internal("event", e))?;
    dispatch(&app, &tenant, &Stored { value, version: 1 }).await.map(drop)
}
