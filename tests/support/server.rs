//! Stacks: one that the tests of a binary share, and some of their own.

use std::{
    process,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use local::{
    aws::{REGION, SECRET_KEY},
    settings::LocalSettings,
};
use shared::app::settings::Variables;

use crate::client::Client;

/// Settings of a stack, as the environment would give them.
#[derive(Debug, Clone)]
pub struct Settings(Vec<(String, String)>);

impl Default for Settings {
    /// In memory, on a free port, without the demo tenant; every request may say from which address it comes. Where the
    /// environment names a DynamoDB, that is used, with an account of the stack's own.
    fn default() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let settings = Self(Vec::new())
            .with("VOKI_LISTEN", "127.0.0.1:0")
            .with("VOKI_DATA", "memory")
            .with("VOKI_DEMO", "0")
            .with("VOKI_TRUSTED_PROXIES", "127.0.0.0/8");
        match Variables::from_env().optional("AWS_ENDPOINT_URL_DYNAMODB", |text| Ok(text.to_owned())) {
            Some(url) => settings
                .with("AWS_ENDPOINT_URL_DYNAMODB", &url)
                .with("AWS_REGION", REGION)
                .with("AWS_ACCESS_KEY_ID", &format!("stack{}x{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
                .with("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            None => settings,
        }
    }
}

impl Settings {
    /// With a setting more, or another value of one.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.into(), value.into()));
        self
    }

    /// Names and values.
    #[must_use]
    pub fn variables(&self) -> &[(String, String)] {
        &self.0
    }
}

/// A running stack.
#[derive(Debug)]
pub struct Stack {
    running: local::Stack,
}

impl Stack {
    /// A stack of the test's own.
    pub async fn start(settings: Settings) -> Self {
        let settings = LocalSettings::read(Variables::new(settings.0)).unwrap();
        Self { running: local::Stack::start(settings).await.unwrap() }
    }

    /// A client without credentials, from an address of its own.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(&format!("http://{}", self.running.address))
    }

    /// What the stack's functions are given: for looking at what lies in the table.
    #[must_use]
    pub fn app(&self) -> &shared::app::App {
        &self.running.app
    }

    /// The endpoints of its services: DynamoDB, S3, SQS.
    #[must_use]
    pub fn endpoints(&self) -> [(&'static str, &str); 3] {
        let aws = &self.running.aws;
        [("AWS_ENDPOINT_URL_DYNAMODB", &aws.dynamodb), ("AWS_ENDPOINT_URL_S3", &aws.s3), ("AWS_ENDPOINT_URL_SQS", &aws.sqs)]
    }

    /// A client of its SES, which keeps mails in place of sending them.
    #[must_use]
    pub fn ses(&self) -> Client {
        Client::new(&self.running.aws.ses)
    }

    /// Ends it as Ctrl-C does.
    pub async fn shutdown(self) {
        self.running.shutdown().await;
    }
}

/// The stack that the tests of a binary share. Rate limits are as published; every client has an address of its own.
pub fn shared() -> &'static Stack {
    static SHARED: OnceLock<Stack> = OnceLock::new();
    SHARED.get_or_init(|| {
        let (sender, receiver) = std::sync::mpsc::channel();
        // A runtime of its own: that of the first test ends with it.
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                sender.send(Stack::start(Settings::default()).await).unwrap();
                std::future::pending::<()>().await;
            });
        });
        receiver.recv().unwrap()
    })
}
