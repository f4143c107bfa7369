//! The worker on the table's stream: domain events become deliveries.

use aws_lambda_events::{
    dynamodb::{Event, EventRecord as StreamRecord},
    streams::DynamoDbEventResponse,
};
use shared::{
    Result,
    app::{App, Need},
    dispatch::dispatch,
    events::EventRecord,
    worker,
};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[Need::Queue];

/// Works through a batch of the stream in order.
///
/// # Errors
/// None: what failed is named in the response and comes again.
pub async fn handle(app: App, event: Event) -> Result<DynamoDbEventResponse> {
    Ok(worker::records(event.records, |record| one(app.clone(), record)).await)
}

/// Dispatches a new event; every other change of the table is nothing to do here.
async fn one(app: App, record: StreamRecord) -> Result<()> {
    match worker::inserted::<EventRecord>(&record)? {
        Some((tenant, event)) => dispatch(&app, &tenant, &event).await.map(drop),
        None => Ok(()),
    }
}
