//! The embedded services, as the AWS SDK sees them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod aws {
    pub mod dynamodb;
    pub mod s3;
    pub mod sqs;
    pub mod start;
}

use aws_sdk_sqs::config::{Credentials, retry::RetryConfig};
use local::aws::{ACCESS_KEY, Aws, Data, External, REGION, SECRET_KEY, start};
use shared::{
    app::{SdkConfig, cloud::sdk_as, settings::Variables},
    clock::Clock,
};

/// What all clients share: the endpoint and nothing from the environment.
fn sdk(endpoint: &str, secret: &str) -> SdkConfig {
    let credentials = Credentials::new(ACCESS_KEY, secret, None, None, "local");
    let sdk = sdk_as(credentials, REGION.into(), &mut Variables::new([])).into_builder();
    sdk.endpoint_url(endpoint).retry_config(RetryConfig::disabled()).build()
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
