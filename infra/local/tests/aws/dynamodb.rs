//! Tables and their streams.

use crate::*;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, Put, ReturnValuesOnConditionCheckFailure,
    ScalarAttributeType, StreamSpecification, StreamViewType, TransactWriteItem,
};
use aws_sdk_dynamodbstreams::types::ShardIteratorType;

async fn create_table(client: &Client) -> String {
    let key = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
    let schema = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash);
    let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewAndOldImages);
    let table = client
        .create_table()
        .table_name("main")
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(key.build().unwrap())
        .key_schema(schema.build().unwrap())
        .stream_specification(stream.build().unwrap())
        .send();
    table.await.unwrap().table_description.unwrap().latest_stream_arn.unwrap()
}

fn put(key: &str, value: &str) -> Put {
    Put::builder()
        .table_name("main")
        .item("pk", AttributeValue::S(key.to_owned()))
        .item("value", AttributeValue::S(value.to_owned()))
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .unwrap()
}

async fn write(client: &Client, puts: &[Put]) -> Result<(), TransactWriteItemsError> {
    let items = puts.iter().map(|put| TransactWriteItem::builder().put(put.clone()).build()).collect();
    let written = client.transact_write_items().set_transact_items(Some(items)).send().await;
    written.map(drop).map_err(SdkError::into_service_error)
}

#[tokio::test]
async fn a_refused_transaction_says_why_and_writes_nothing() {
    let aws = in_memory().await;
    let client = dynamodb(&aws);
    create_table(&client).await;
    write(&client, &[put("a", "1")]).await.unwrap();

    let TransactWriteItemsError::TransactionCanceledException(refusal) =
        write(&client, &[put("b", "2"), put("a", "2")]).await.unwrap_err()
    else {
        panic!("not cancelled")
    };
    let [other, taken] = refusal.cancellation_reasons() else { panic!("two reasons") };
    assert_eq!(other.code(), Some("None"));
    assert_eq!(taken.code(), Some("ConditionalCheckFailed"));
    assert_eq!(taken.item().unwrap()["value"], AttributeValue::S("1".to_owned()));
    assert_eq!(client.scan().table_name("main").send().await.unwrap().count(), 1);
    aws.shutdown().await;
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let aws = in_folder(folder.path()).await;
    let client = dynamodb(&aws);
    create_table(&client).await;
    write(&client, &[put("a", "1")]).await.unwrap();
    aws.shutdown().await;

    let aws = in_folder(folder.path()).await;
    let item = dynamodb(&aws).get_item().table_name("main").key("pk", AttributeValue::S("a".to_owned())).send().await;
    assert_eq!(item.unwrap().item.unwrap()["value"], AttributeValue::S("1".to_owned()));
    aws.shutdown().await;
}

#[tokio::test]
async fn a_stream_tells_the_changes_and_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let aws = in_folder(folder.path()).await;
    let client = dynamodb(&aws);
    let arn = create_table(&client).await;
    write(&client, &[put("a", "1"), put("b", "2")]).await.unwrap();
    let changes = read(&aws, &arn, None).await;
    assert_eq!(changes.iter().map(|(key, _)| &**key).collect::<Vec<_>>(), ["a", "b"]);
    aws.shutdown().await;

    let aws = in_folder(folder.path()).await;
    write(&dynamodb(&aws), &[put("c", "3")]).await.unwrap();
    let changes = read(&aws, &arn, Some(&changes[0].1)).await;
    assert_eq!(changes.iter().map(|(key, _)| &**key).collect::<Vec<_>>(), ["b", "c"]);
    aws.shutdown().await;
}

/// Keys and sequence numbers of the changes, from the first or after one.
async fn read(aws: &Aws, arn: &str, after: Option<&str>) -> Vec<(String, String)> {
    let client = streams(aws);
    let stream = client.describe_stream().stream_arn(arn).send().await.unwrap().stream_description.unwrap();
    let shard = stream.shards()[0].shard_id().unwrap();
    let start = client.get_shard_iterator().stream_arn(arn).shard_id(shard);
    let start = match after {
        None => start.shard_iterator_type(ShardIteratorType::TrimHorizon),
        Some(number) => start.shard_iterator_type(ShardIteratorType::AfterSequenceNumber).sequence_number(number),
    };
    let iterator = start.send().await.unwrap().shard_iterator.unwrap();
    let records = client.get_records().shard_iterator(iterator).send().await.unwrap().records.unwrap();
    let change = |record: aws_sdk_dynamodbstreams::types::Record| {
        let change = record.dynamodb.unwrap();
        (change.keys.unwrap()["pk"].as_s().unwrap().clone(), change.sequence_number.unwrap())
    };
    records.into_iter().map(change).collect()
}
