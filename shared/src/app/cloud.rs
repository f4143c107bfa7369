//! Where the services are, and as whom they are called.

use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedCredentialsProvider};

use super::{
    https,
    settings::{Need, Variables},
};

pub use aws_sdk_dynamodb::config::Credentials;
pub use aws_types::SdkConfig;

/// Where the services are.
#[derive(Debug, Clone)]
pub struct Cloud {
    /// Credentials, region, HTTP client.
    pub sdk: SdkConfig,
    /// The endpoint of DynamoDB, unless it is the region's.
    pub dynamodb: Option<String>,
    /// The endpoint of SQS, unless it is the region's.
    pub sqs: Option<String>,
    /// The endpoint of SES, unless it is the region's.
    pub ses: Option<String>,
    /// The table's name.
    pub table: String,
    /// The URL of the queue of deliveries.
    pub queue_url: String,
}

impl Cloud {
    /// Reads what a function is told: `VOKI_TABLE`, `VOKI_QUEUE_URL`, and what [`sdk`] reads. `AWS_ENDPOINT_URL_DYNAMODB`,
    /// `AWS_ENDPOINT_URL_SQS` and `AWS_ENDPOINT_URL_SESV2`, or `AWS_ENDPOINT_URL` for all, name other servers.
    pub fn read(variables: &mut Variables, needs: &[Need]) -> Self {
        let everywhere = variables.optional("AWS_ENDPOINT_URL", endpoint);
        let mut server = |name| variables.optional(name, endpoint).or_else(|| everywhere.clone());
        Self {
            dynamodb: server("AWS_ENDPOINT_URL_DYNAMODB"),
            sqs: server("AWS_ENDPOINT_URL_SQS"),
            ses: server("AWS_ENDPOINT_URL_SESV2"),
            table: variables.required("VOKI_TABLE", text),
            queue_url: if needs.contains(&Need::Queue) {
                variables.required(Need::Queue.variable(), text)
            } else {
                String::new()
            },
            sdk: sdk(variables),
        }
    }

    /// The client of the table's service.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let mut config = aws_sdk_dynamodb::config::Builder::from(&self.sdk);
        config.set_endpoint_url(self.dynamodb.clone());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// The client of the queue's service.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let mut config = aws_sdk_sqs::config::Builder::from(&self.sdk);
        config.set_endpoint_url(self.sqs.clone());
        aws_sdk_sqs::Client::from_conf(config.build())
    }
}

impl Cloud {
    /// The client of the mails' service.
    #[must_use]
    pub fn ses(&self) -> aws_sdk_sesv2::Client {
        let mut config = aws_sdk_sesv2::config::Builder::from(&self.sdk);
        config.set_endpoint_url(self.ses.clone());
        aws_sdk_sesv2::Client::from_conf(config.build())
    }
}

/// The SDK's configuration from the variables that Lambda sets: `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
/// `AWS_SESSION_TOKEN`, and from what [`sdk_as`] reads.
pub fn sdk(variables: &mut Variables) -> SdkConfig {
    let region = variables.required("AWS_REGION", text);
    let id = variables.required("AWS_ACCESS_KEY_ID", text);
    let secret = variables.required("AWS_SECRET_ACCESS_KEY", text);
    let session = variables.optional("AWS_SESSION_TOKEN", text);
    sdk_as(Credentials::new(id, secret, session, None, "environment"), region, variables)
}

/// The SDK's configuration for somebody in a region; `AWS_CA_BUNDLE` names a file of certificates (PEM) to trust beside
/// Amazon's. What the SDK looks for elsewhere (profiles, roles, machines' own services) a function does not have.
pub fn sdk_as(credentials: Credentials, region: String, variables: &mut Variables) -> SdkConfig {
    let bundle = variables.optional("AWS_CA_BUNDLE", |path| std::fs::read(path).map_err(|error| error.to_string()));
    let http = https::client(bundle.as_deref()).map_err(|reason| variables.flaw("AWS_CA_BUNDLE", &reason));
    let mut sdk = SdkConfig::builder();
    sdk.set_http_client(http.ok());
    sdk.behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a reader")]
fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

/// An http or https URL.
///
/// # Errors
/// When it is none.
pub fn endpoint(text: &str) -> Result<String, String> {
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(text.to_owned()),
        _ => Err("must be an http or https URL".into()),
    }
}
