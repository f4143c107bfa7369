//! What every function is given: settings, the clock, the table, the keys. Built once, before the first request.

use std::sync::{Arc, OnceLock};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::{
    chance::Chance,
    clock::Clock,
    crypto::{keys::Keys, password::Passwords},
    error::{Error, Result},
    outbound::{Outbound, Policy},
    queue::Queue,
    storage::Db,
};

pub mod settings;

pub use settings::Settings;

/// What every function is given; cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    settings: Settings,
    clock: Clock,
    chance: Chance,
    keys: Keys,
    db: Db,
    cloud: Cloud,
    passwords: Passwords,
    queue: OnceLock<Queue>,
    outbound: OnceLock<Outbound>,
}

/// Where the services are.
#[derive(Debug, Clone)]
pub struct Cloud {
    /// Credentials, region, HTTP client.
    pub sdk: SdkConfig,
    /// The endpoint of DynamoDB, unless it is the region's.
    pub dynamodb: Option<String>,
    /// The endpoint of SQS, unless it is the region's.
    pub sqs: Option<String>,
    /// The table's name.
    pub table: String,
    /// The URL of the queue of deliveries.
    pub queue_url: String,
}

impl Cloud {
    /// The client of the table's service.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let mut config = aws_sdk_dynamodb::config::Builder::from(&self.sdk);
        config.set_endpoint_url(self.dynamodb.clone().or_else(|| self.sdk.endpoint_url().map(Into::into)));
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// The client of the queue's service.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let mut config = aws_sdk_sqs::config::Builder::from(&self.sdk);
        config.set_endpoint_url(self.sqs.clone().or_else(|| self.sdk.endpoint_url().map(Into::into)));
        aws_sdk_sqs::Client::from_conf(config.build())
    }
}

/// The SDK's configuration, as the environment gives it.
pub async fn sdk() -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await
}

impl App {
    /// Everything from the parts that differ between the cloud, the laptop and the tests.
    #[must_use]
    pub fn new(settings: Settings, clock: Clock, chance: Chance, keys: Keys, cloud: Cloud) -> Self {
        let db = Db::new(cloud.dynamodb(), cloud.table.clone());
        let passwords = Passwords::new(chance.clone());
        Self(Arc::new(Parts {
            settings,
            clock,
            chance,
            keys,
            db,
            cloud,
            passwords,
            queue: OnceLock::new(),
            outbound: OnceLock::new(),
        }))
    }

    /// Everything from the environment of a function.
    ///
    /// # Errors
    /// [`Error::Internal`] that names the variable which is missing or malformed.
    pub async fn from_env() -> Result<Self> {
        let mut variables = settings::Variables::from_env();
        let settings = Settings::read(&mut variables, settings::Place::Cloud);
        let keys = Keys::read(&mut variables);
        let table = variables.required("VOKI_TABLE", |text| Ok(text.to_owned()));
        let queue_url = variables.optional("VOKI_QUEUE_URL", |text| Ok(text.to_owned()));
        variables.finish().map_err(|error| Error::Internal(error.to_string()))?;
        let sdk = sdk().await;
        let cloud = Cloud { sdk, dynamodb: None, sqs: None, table, queue_url: queue_url.unwrap_or_default() };
        Ok(Self::new(settings, Clock::default(), Chance::default(), keys, cloud))
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Randomness.
    #[must_use]
    pub fn chance(&self) -> &Chance {
        &self.0.chance
    }

    /// The keys that sign and verify.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// The table.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// Where the services are.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.0.cloud
    }

    /// One tenant's objects.
    #[must_use]
    pub fn store(&self, tenant: &str) -> crate::storage::Store {
        self.0.db.tenant(tenant, &self.0.clock, &self.0.chance)
    }

    /// Password hashing, bounded.
    #[must_use]
    pub fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// The queue of deliveries.
    #[must_use]
    pub fn queue(&self) -> &Queue {
        self.0.queue.get_or_init(|| Queue::new(self.0.cloud.sqs(), self.0.cloud.queue_url.clone()))
    }

    /// The client for foreign addresses.
    ///
    /// # Errors
    /// [`Error::Internal`] when TLS cannot be set up.
    pub fn outbound(&self) -> Result<&Outbound> {
        if let Some(outbound) = self.0.outbound.get() {
            return Ok(outbound);
        }
        let policy = Policy { allow_private: self.0.settings.webhook_allow_private };
        let made = Outbound::new(policy).map_err(|e| Error::internal("outbound", e))?;
        Ok(self.0.outbound.get_or_init(|| made))
    }
}
