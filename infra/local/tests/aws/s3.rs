//! Objects.

use crate::*;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::presigning::PresigningConfig;
use axum::body::Bytes;
use axum::http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioExecutor;

async fn read(client: &Client, key: &str) -> String {
    let object = client.get_object().bucket("files").key(key).send().await.unwrap();
    assert_eq!(object.content_type(), Some("text/plain"));
    String::from_utf8(object.body.collect().await.unwrap().to_vec()).unwrap()
}

async fn write(client: &Client, key: &str, text: &'static str) {
    let body = text.as_bytes().to_vec().into();
    client.put_object().bucket("files").key(key).content_type("text/plain").body(body).send().await.unwrap();
}

/// Sends a plain request, as a browser would; returns the status and the body.
async fn call(method: &str, uri: &str, body: &'static str) -> (u16, String) {
    let request = Request::builder().method(method).uri(uri).header("content-type", "text/plain");
    let request = request.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap();
    let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.unwrap();
    let status = response.status().as_u16();
    (status, String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

#[tokio::test]
async fn an_object_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let aws = in_folder(folder.path()).await;
    let client = s3(&aws, SECRET_KEY);
    client.create_bucket().bucket("files").send().await.unwrap();
    write(&client, "exports/1/a file.csv", "a,b").await;
    aws.shutdown().await;

    let aws = in_folder(folder.path()).await;
    let client = s3(&aws, SECRET_KEY);
    assert_eq!(read(&client, "exports/1/a file.csv").await, "a,b");
    client.delete_object().bucket("files").key("exports/1/a file.csv").send().await.unwrap();
    let gone = client.get_object().bucket("files").key("exports/1/a file.csv").send().await.unwrap_err();
    assert_eq!(gone.code(), Some("NoSuchKey"));
    aws.shutdown().await;
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let aws = in_memory().await;
    let refusal = s3(&aws, "guess").create_bucket().bucket("files").send().await.unwrap_err();
    assert_eq!(refusal.code(), Some("SignatureDoesNotMatch"));
    aws.shutdown().await;
}

#[tokio::test]
async fn a_presigned_address_needs_no_key_and_bears_no_change() {
    let aws = in_memory().await;
    let client = s3(&aws, SECRET_KEY);
    client.create_bucket().bucket("files").send().await.unwrap();
    let hour = PresigningConfig::expires_in(Duration::from_hours(1)).unwrap();

    let put = client.put_object().bucket("files").key("a").content_type("text/plain").presigned(hour.clone()).await.unwrap();
    assert_eq!(call("PUT", put.uri(), "hello").await.0, 200);
    assert_eq!(read(&client, "a").await, "hello");

    let get = client.get_object().bucket("files").key("a").presigned(hour).await.unwrap();
    assert_eq!(call("GET", get.uri(), "").await, (200, "hello".to_owned()));
    let changed = get.uri().replace("/files/a?", "/files/b?");
    assert_eq!(call("GET", &changed, "").await.0, 403);
    aws.shutdown().await;
}
