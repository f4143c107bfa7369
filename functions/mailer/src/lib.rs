//! The worker on the table's stream: mails that were written with a change are sent.

use aws_lambda_events::{
    dynamodb::{Event, EventRecord as StreamRecord},
    streams::DynamoDbEventResponse,
};
use shared::{
    Result,
    app::{App, Need},
    mail,
    models::Mail,
    worker,
};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[Need::Mail, Need::PublicUrl];

/// Works through a batch of the stream in order.
///
/// # Errors
/// None: what failed is named in the response and comes again.
pub async fn handle(app: App, event: Event) -> Result<DynamoDbEventResponse> {
    Ok(worker::records(event.records, |record| one(app.clone(), record)).await)
}

/// Sends a new mail; every other change of the table is nothing to do here.
async fn one(app: App, record: StreamRecord) -> Result<()> {
    match worker::inserted::<Mail>(&record)? {
        // On the heap: it is a large future.
        Some((tenant, mail)) => Box::pin(mail::send(&app, &tenant, &mail)).await.map(drop),
        None => Ok(()),
    }
}
