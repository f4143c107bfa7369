//! The embedded services, as the AWS SDK sees them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod aws {
    pub mod dynamodb;
    pub mod s3;
    pub mod sqs;
    pub mod start;
}

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use local::aws::{ACCESS_KEY, Aws, Data, External, REGION, SECRET_KEY, start};
use shared::clock::Clock;

/// What all clients share: the endpoint and nothing from the environment.
fn sdk(endpoint: &str, secret: &str) -> SdkConfig {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(ACCESS_KEY, secret, None, None, "local")))
        .retry_config(RetryConfig::disabled())
        .http_client(http)
        .build()
}

async fn in_memory() -> Aws {
    start(&Data::Memory, External::default(), Clock::default()).await.unwrap()
}

async fn in_folder(folder: &std::path::Path) -> Aws {
    start(&Data::Folder(folder.to_owned()), External::default(), Clock::default()).await.unwrap()
}

fn dynamodb(aws: &Aws) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(&sdk(&aws.dynamodb, SECRET_KEY))
}

fn streams(aws: &Aws) -> aws_sdk_dynamodbstreams::Client {
    aws_sdk_dynamodbstreams::Client::new(&sdk(&aws.dynamodb, SECRET_KEY))
}

fn s3(aws: &Aws, secret: &str) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(&sdk(&aws.s3, secret)).force_path_style(true).build();
    aws_sdk_s3::Client::from_conf(config)
}

fn sqs(aws: &Aws) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&sdk(&aws.sqs, SECRET_KEY))
}
