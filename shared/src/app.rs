//! What every function is given: settings, the clock, the table, the keys. Built once, before the first request.

use std::sync::{Arc, OnceLock};

use crate::{
    chance::Chance,
    clock::Clock,
    crypto::{
        password::Passwords,
        ring::KeyRing,
        secret::{Secret, Vault},
    },
    error::{Error, Result},
    mailer::Mailer,
    outbound::{Outbound, Policy},
    queue::Queue,
    storage::Db,
};

pub mod cloud;
pub mod https;
pub mod settings;

pub use cloud::{Cloud, SdkConfig};
pub use settings::{Need, Secrets, Settings};

/// What every function is given; cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    settings: Settings,
    clock: Clock,
    chance: Chance,
    secrets: Secrets,
    keys: KeyRing,
    db: Db,
    cloud: Cloud,
    passwords: Passwords,
    queue: OnceLock<Queue>,
    mailer: OnceLock<Mailer>,
    outbound: OnceLock<Outbound>,
}

impl App {
    /// Everything from the parts that differ between the cloud, the laptop and the tests.
    #[must_use]
    pub fn new(settings: Settings, clock: Clock, chance: Chance, secrets: Secrets, cloud: Cloud) -> Self {
        let db = Db::new(cloud.dynamodb(), cloud.table.clone());
        let keys = KeyRing::new(db.clone(), clock.clone(), chance.clone(), secrets.auth.as_ref());
        let passwords = Passwords::new(chance.clone());
        Self(Arc::new(Parts {
            settings,
            clock,
            chance,
            secrets,
            keys,
            db,
            cloud,
            passwords,
            queue: OnceLock::new(),
            mailer: OnceLock::new(),
            outbound: OnceLock::new(),
        }))
    }

    /// Everything from the environment of a function, which says what it needs beside what all do.
    ///
    /// # Errors
    /// [`Error::Internal`] that names every variable which is missing, malformed or unknown.
    pub fn from_env(needs: &[Need]) -> Result<Self> {
        let mut variables = settings::Variables::from_env();
        let settings = Settings::read(&mut variables, settings::Place::Cloud, needs);
        let secrets = Secrets::read(&mut variables, needs);
        let cloud = Cloud::read(&mut variables, needs);
        variables.finish().map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Self::new(settings, Clock::default(), Chance::default(), secrets, cloud))
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
    pub fn keys(&self) -> &KeyRing {
        &self.0.keys
    }

    /// The secret of `auth`: it proves refresh tokens.
    ///
    /// # Errors
    /// [`Error::Internal`] in a function that was not given it.
    pub fn auth_secret(&self) -> Result<&Secret> {
        self.0.secrets.auth.as_ref().ok_or_else(|| Error::Internal("VOKI_AUTH_SECRET is not given to this function".into()))
    }

    /// What seals secrets that lie in the table.
    ///
    /// # Errors
    /// [`Error::Internal`] in a function that was not given `VOKI_DATA_SECRET`.
    pub fn vault(&self) -> Result<Vault> {
        let secret = self.0.secrets.data.as_ref();
        let secret = secret.ok_or_else(|| Error::Internal("VOKI_DATA_SECRET is not given to this function".into()))?;
        Ok(Vault::new(secret, self.0.chance.clone()))
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

    /// What mails are sent through.
    #[must_use]
    pub fn mailer(&self) -> &Mailer {
        self.0.mailer.get_or_init(|| Mailer::new(self.0.cloud.ses(), self.0.settings.mail_from.clone()))
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
