//! The table's definition: what the template of the cloud says, for the local stack and the tests.

use aws_sdk_dynamodb::{
    Client,
    operation::create_table::CreateTableError,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
        ScalarAttributeType, StreamSpecification, StreamViewType, TimeToLiveSpecification, TimeToLiveStatus,
    },
};

use super::{
    entity::{DUE, FILTERS, Slot, TTL},
    failed,
};
use crate::error::{Error, Result};

/// The index of due work.
pub const DUE_INDEX: &str = "Due";

/// Creates the table unless it exists.
///
/// # Errors
/// [`Error::Internal`] when the engine refuses.
pub async fn create(client: &Client, table: &str) -> Result<()> {
    let mut request = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key_schema("PK", "SK")?))
        .stream_specification(stream()?);
    let mut names = vec!["PK".to_owned(), "SK".to_owned(), DUE.0.to_owned(), DUE.1.to_owned()];
    for slot in Slot::ALL {
        let (partition, order) = slot.attributes();
        let projection = Projection::builder().projection_type(ProjectionType::Include).non_key_attributes(FILTERS).build();
        request = request.global_secondary_indexes(index(&slot.index(), &partition, &order, projection)?);
        names.extend([partition, order]);
    }
    let keys_only = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
    request = request.global_secondary_indexes(index(DUE_INDEX, DUE.0, DUE.1, keys_only)?);
    for name in names {
        let definition = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
        request = request.attribute_definitions(definition.map_err(flaw)?);
    }
    match request.send().await {
        Err(error) if !error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception) => {
            return Err(failed("CreateTable")(error));
        }
        _ => {}
    }
    let state = client.describe_time_to_live().table_name(table).send().await.map_err(failed("DescribeTimeToLive"))?;
    let status = state.time_to_live_description.and_then(|ttl| ttl.time_to_live_status);
    if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
        return Ok(());
    }
    let ttl = TimeToLiveSpecification::builder().attribute_name(TTL).enabled(true).build().map_err(flaw)?;
    client
        .update_time_to_live()
        .table_name(table)
        .time_to_live_specification(ttl)
        .send()
        .await
        .map_err(failed("UpdateTimeToLive"))?;
    Ok(())
}

fn stream() -> Result<StreamSpecification> {
    StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewImage).build().map_err(flaw)
}

fn index(name: &str, partition: &str, order: &str, projection: Projection) -> Result<GlobalSecondaryIndex> {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(key_schema(partition, order)?))
        .projection(projection)
        .build()
        .map_err(flaw)
}

fn key_schema(partition: &str, order: &str) -> Result<Vec<KeySchemaElement>> {
    [(partition, KeyType::Hash), (order, KeyType::Range)]
        .into_iter()
        .map(|(name, kind)| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(flaw))
        .collect()
}

fn flaw(error: impl std::fmt::Display) -> Error {
    Error::internal("table definition", error)
}
