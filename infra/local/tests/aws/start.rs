//! Starting and stopping.

use crate::*;
use local::aws::StartError;

#[tokio::test]
async fn external_services_are_not_started() {
    let external =
        External { dynamodb: Some("http://a".to_owned()), s3: Some("http://b".to_owned()), sqs: Some("http://c".to_owned()) };
    let aws = start(&Data::Memory, external, Clock::default()).await.unwrap();
    assert_eq!([&*aws.dynamodb, &*aws.s3, &*aws.sqs], ["http://a", "http://b", "http://c"]);
    assert!(aws.queues.is_none());
    aws.shutdown().await;
}

#[tokio::test]
async fn a_folder_serves_one_stack_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = in_folder(folder.path()).await;
    let second = start(&Data::Folder(folder.path().to_owned()), External::default(), Clock::default()).await;
    let refusal = second.unwrap_err();
    assert!(matches!(refusal, StartError::InUse { .. }));
    assert_eq!(refusal.to_string(), format!("the data folder {} is in use by another stack", folder.path().display()));
    first.shutdown().await;
    in_folder(folder.path()).await.shutdown().await;
}

#[tokio::test]
async fn what_is_no_folder_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let refusal = start(&Data::Folder(file.path().join("data")), External::default(), Clock::default()).await.unwrap_err();
    assert!(matches!(refusal, StartError::Folder { .. }));
    assert!(refusal.to_string().starts_with("cannot use the data folder /"), "{refusal}");
}

#[tokio::test]
async fn a_damaged_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dynamodb.sqlite"), "no database, but some text that is long enough").unwrap();
    let refusal = start(&Data::Folder(folder.path().to_owned()), External::default(), Clock::default()).await.unwrap_err();
    assert!(matches!(refusal, StartError::Database { .. }));
    assert!(!refusal.to_string().contains('\n'), "{refusal}");
}

#[tokio::test]
async fn shutdown_folds_the_write_ahead_log_into_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let aws = in_folder(folder.path()).await;
    dynamodb(&aws).list_tables().send().await.unwrap();
    assert!(folder.path().join("dynamodb.sqlite-wal").exists());
    aws.shutdown().await;
    assert!(!folder.path().join("dynamodb.sqlite-wal").exists());
}
