//! A small fixed world on the embedded services: the same to the last byte each time it is built.
//!
//! The time stands at [`NOW`], what is drawn follows from seeds, the keys are written down here. So every answer can be
//! written down as well.

mod build;

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{
    config::SharedHttpClient,
    types::{PutRequest, WriteRequest},
};
use aws_smithy_runtime_api::client::http::HttpClient;
use axum::Router;
use futures_util::{FutureExt, future::BoxFuture};
use local::aws::{self, ACCESS_KEY, Aws, Data, External, REGION, SECRET_KEY};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared::{
    api::service,
    app::{
        App, Cloud, Settings,
        cloud::{Credentials, sdk_as},
        settings::{Place, Secrets, Variables},
    },
    chance::Chance,
    clock::{Clock, Time},
    crypto::{
        keys::{Jwks, Keys},
        secret::Secret,
    },
    models::Webhook,
    storage::{Item, Key, key_of, table},
};
use tokio::sync::OnceCell;

use crate::{
    Receiver,
    gateway::{Ask, invoke},
    operations::{FUNCTIONS, Operation, Operations},
    samples::Sample,
};

/// The moment at which it stands: 2026-02-20T10:00:00Z, a Friday.
pub const NOW: Time = Time::from_epoch(1_771_581_600);

/// A small fixed world: the tenant `acme` with something of everything, `globex` with one of each kind, whose objects
/// are foreign to it, and `initech`, whose webhook leads to a receiver that runs.
#[derive(Debug)]
pub struct World {
    /// The operations of the API.
    pub operations: Operations,
    stage: Stage,
    plain: Stage,
    history: &'static History,
    built: BTreeMap<Key, Item>,
    receiver: Receiver,
    _aws: Aws,
}

/// What has happened before the world stands still.
#[derive(Debug)]
struct History {
    /// What lies in the table since.
    items: Vec<Item>,
    /// Identifiers by the names of what they are of.
    ids: BTreeMap<String, String>,
    /// The access tokens of people by their names.
    tokens: BTreeMap<String, String>,
}

/// It happens once in a process; other worlds are copies.
static HISTORY: OnceCell<History> = OnceCell::const_new();

/// What its functions are given, all but chance.
#[derive(Debug, Clone)]
struct Stage {
    settings: Settings,
    clock: Clock,
    keys: Keys,
    cloud: Cloud,
}

impl Stage {
    fn app(&self, seed: &str) -> App {
        let Self { settings, clock, keys, cloud } = self.clone();
        let app = App::new(settings, clock, Chance::seeded(seed), Secrets::of(&Secret::new([9; 32])), cloud);
        app.keys().assume(keys);
        app
    }
}

impl World {
    /// Builds it.
    pub async fn start() -> Self {
        Box::pin(Self::on(&Data::Memory, None)).await
    }

    /// Builds it; from then on its functions reach the services through a client of their own.
    pub async fn through(http: impl HttpClient + 'static, data: &Data) -> Self {
        Box::pin(Self::on(data, Some(SharedHttpClient::new(http)))).await
    }

    async fn on(data: &Data, http: Option<SharedHttpClient>) -> Self {
        let clock = Clock::stopped(NOW);
        let aws = aws::start(data, External::default(), clock.clone()).await.unwrap();
        let plain = Stage {
            settings: settings(),
            keys: Keys::new(Some(&[7; 32]), Jwks::default(), &[9; 32]).unwrap(),
            cloud: cloud(&aws).await,
            clock,
        };
        let mut stage = plain.clone();
        if let Some(http) = http {
            stage.cloud.sdk = stage.cloud.sdk.into_builder().http_client(http).build();
        }
        let (operations, receiver) = (Operations::read(), Receiver::start().await);
        let mut here = false;
        let history = HISTORY.get_or_init(|| {
            here = true;
            Box::pin(build::history(&plain, &operations))
        });
        let history = Box::pin(history).await;
        if !here {
            load(&plain, &history.items).await;
        }
        connect(&plain, history, &receiver).await;
        let built = scan(&plain).await;
        Self { operations, stage, plain, history, built, receiver, _aws: aws }
    }

    /// What its functions are given.
    #[must_use]
    pub fn app(&self) -> App {
        self.stage.app("world")
    }

    /// The keys that sign and verify its tokens.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.stage.keys
    }

    /// The identifier of something in it, by its name.
    #[must_use]
    #[track_caller]
    pub fn id(&self, name: &str) -> &str {
        self.find(name).unwrap_or_else(|| panic!("the world has no {name}: add it to tests/support/world/build.rs"))
    }

    /// The identifier of something, if it is there.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&str> {
        self.history.ids.get(name).map(String::as_str)
    }

    /// The access token of somebody in it.
    #[must_use]
    #[track_caller]
    pub fn token(&self, name: &str) -> &str {
        self.history.tokens.get(name).unwrap_or_else(|| panic!("nobody is {name}: add them to tests/support/world/build.rs"))
    }

    /// Where the webhook of `initech` leads.
    #[must_use]
    pub fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    /// The event of a call.
    #[must_use]
    pub fn event(&self, operation: &Operation, ask: &Ask) -> Value {
        let mut event = ask.event(operation, NOW);
        if let Some(caller) = ask.caller {
            event["headers"]["authorization"] = format!("Bearer {}", self.token(caller)).into();
        }
        event
    }

    /// The service of a function, with all that lies around its routes.
    pub fn function(&self, name: &str) -> Router {
        function(&self.app(), name)
    }

    /// What a function answers to a sample, as Lambda hands it back. The time is the event's own; what is drawn follows
    /// from the sample's name.
    pub async fn replay(&self, sample: &Sample) -> Value {
        let event = &sample.event;
        let at = event["requestContext"]["timeEpoch"].as_i64().map(|millis| Time::from_epoch(millis / 1000));
        let at = at.or_else(|| event["time"].as_str()?.parse().ok()).unwrap_or(NOW);
        self.stage.clock.set_offset(at.epoch() - NOW.epoch());
        let app = self.stage.app(&sample.name);
        match sample.function.as_str() {
            "events-dispatcher" => told(Box::pin(events_dispatcher::handle(app, parsed(event))).await),
            "mailer" => told(Box::pin(mailer::handle(app, parsed(event))).await),
            "webhook-worker" => told(Box::pin(webhook_worker::handle(app, parsed(event))).await),
            "scheduler" => told(Box::pin(scheduler::handle(app, parsed(event))).await),
            name => invoke(function(&app, name), &event.to_string()).await.unwrap(),
        }
    }

    /// The same, done by somebody else on the way of their own: what it answers, each time that it is done.
    pub fn aside(&self, sample: &Sample) -> impl Fn() -> BoxFuture<'static, Value> + Send + Sync + 'static {
        let (stage, sample) = (self.plain.clone(), sample.clone());
        move || {
            let service = function(&stage.app(&sample.name), &sample.function);
            let event = sample.event.to_string();
            async move { invoke(service, &event).await.unwrap() }.boxed()
        }
    }

    /// What differs from the world as it was built: items that came, changed or went.
    pub async fn differences(&self) -> Vec<Key> {
        let now = scan(&self.plain).await;
        let changed = self.built.iter().filter(|(key, item)| now.get(key) != Some(item)).map(|(key, _)| key);
        changed.chain(now.keys().filter(|key| !self.built.contains_key(key))).cloned().collect()
    }

    /// Brings table, queue and clock back to where they were when it was built.
    pub async fn reset(&self) {
        let app = self.plain.app("reset");
        let (db, queue) = (app.db(), app.cloud().sqs().purge_queue().queue_url(&app.cloud().queue_url));
        for key in self.differences().await {
            let Some(item) = self.built.get(&key) else {
                db.forget([key]).await.unwrap();
                continue;
            };
            db.client().put_item().table_name(db.table()).set_item(Some(item.clone())).send().await.unwrap();
        }
        queue.send().await.unwrap();
        self.stage.clock.set_offset(0);
    }
}

/// The service of a function.
fn function(app: &App, name: &str) -> Router {
    let routes = FUNCTIONS.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("there is no function {name}")).1;
    // The gateway gives it what no other function takes.
    if name == "docs" { docs::service(app) } else { service(app, routes()) }
}

fn parsed<T: DeserializeOwned>(event: &Value) -> T {
    serde_json::from_value(event.clone()).unwrap()
}

/// What Lambda tells of an invocation.
fn told(outcome: shared::Result<impl serde::Serialize>) -> Value {
    match outcome {
        Ok(answer) => serde_json::to_value(answer).unwrap(),
        Err(error) => json!({ "errorMessage": error.to_string() }),
    }
}

/// The settings of one machine, behind a name of its own.
fn settings() -> Settings {
    let given = [("VOKI_PUBLIC_URL", "https://support.example.com")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    Settings::read(&mut Variables::new(given), Place::Local, &[])
}

/// The embedded services with an empty table and an empty queue.
async fn cloud(aws: &Aws) -> Cloud {
    let embedded = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "local");
    let sdk = sdk_as(embedded, REGION.into(), &mut Variables::new([]));
    let mut cloud = Cloud {
        sdk,
        dynamodb: Some(aws.dynamodb.clone()),
        sqs: Some(aws.sqs.clone()),
        ses: Some(aws.ses.clone()),
        table: "voki".into(),
        queue_url: String::new(),
    };
    table::create(&cloud.dynamodb(), &cloud.table).await.unwrap();
    let queue = cloud.sqs().create_queue().queue_name("voki-deliveries").send().await.unwrap();
    cloud.queue_url = queue.queue_url.unwrap();
    cloud
}

/// Leads the webhook of `initech` to its receiver.
async fn connect(stage: &Stage, history: &History, receiver: &Receiver) {
    let store = stage.app("connect").store("initech");
    let seen = store.find::<Webhook>(history.ids["initech.webhook"].parse().unwrap()).await.unwrap();
    let mut changed = seen.value.clone();
    changed.url.clone_from(&receiver.url);
    store.write().update(&seen, &changed).commit(()).await.unwrap();
}

/// Puts items into the table.
async fn load(stage: &Stage, items: &[Item]) {
    let (client, table) = (stage.cloud.dynamodb(), &stage.cloud.table);
    for items in items.chunks(25) {
        let put = |item: &Item| PutRequest::builder().set_item(Some(item.clone())).build().unwrap();
        let puts: Vec<_> = items.iter().map(|item| WriteRequest::builder().put_request(put(item)).build()).collect();
        client.batch_write_item().request_items(table, puts).send().await.unwrap();
    }
}

/// Everything that lies in the table.
async fn scan(stage: &Stage) -> BTreeMap<Key, Item> {
    let cloud = &stage.cloud;
    let pages = cloud.dynamodb().scan().table_name(&cloud.table).consistent_read(true).into_paginator().items().send();
    let items: Vec<Item> = pages.collect::<Result<_, _>>().await.unwrap();
    items.into_iter().map(|item| (key_of(&item).unwrap(), item)).collect()
}
