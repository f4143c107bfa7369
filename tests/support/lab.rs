//! The world behind a wire, on a clock that stands still: what a request does to the table, call by call.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, Mutex, mpsc},
};

use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use local::aws::Data;
use serde_json::{Value, json};
use shared::{
    Result,
    app::https,
    storage::{Key, table},
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    Receiver, Reply,
    gateway::readable,
    samples::Sample,
    wire::{Call, Meanwhile, Weather, Wire, timeless},
    world::World,
};

/// The name of the world's table.
const TABLE: &str = "voki";

/// Items by their keys, as the service writes them.
pub type Items = BTreeMap<Key, Value>;

/// Items that are not as they were: as they are now, or gone.
pub type Changes = BTreeMap<Key, Option<Value>>;

/// The world behind a wire.
#[derive(Debug)]
pub struct Lab {
    /// The world.
    pub world: World,
    /// The table as it was built.
    pub built: Items,
    /// What was laid beside it, as texts: as values it would take ten times the room.
    laid: BTreeMap<Key, Box<str>>,
    /// Where the table's service is.
    service: String,
    wire: Wire,
    http: Client<HttpConnector, Full<Bytes>>,
    /// What else receives webhooks.
    receivers: Mutex<Vec<Receiver>>,
    /// Where the services run, in true time.
    home: Runtime,
}

/// A sample that was replayed.
#[derive(Debug)]
pub struct Run {
    /// The answer, its body as JSON.
    pub answer: Value,
    /// The calls.
    pub calls: Vec<Call>,
}

impl Lab {
    /// Builds the world, in memory.
    #[must_use]
    pub fn start() -> Self {
        Self::on(&Data::Memory)
    }

    /// Builds it on a folder: what lies in memory may not exceed a gigabyte.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self::on(&Data::Folder(folder.to_owned()))
    }

    fn on(data: &Data) -> Self {
        let home = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let wire = Wire::over(https::client(None).unwrap());
        let world = home.block_on(World::through(wire.clone(), data));
        let http = Client::builder(TokioExecutor::new()).build_http();
        let service = world.app().cloud().dynamodb.clone().unwrap();
        let mut lab =
            Self { world, built: Items::new(), laid: BTreeMap::new(), service, wire, http, receivers: Mutex::default(), home };
        lab.built = lab.items();
        lab
    }

    /// Its samples.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        self.at_home(Sample::all(&self.world))
    }

    /// Has a function work on a sample.
    #[must_use]
    pub fn replay(&self, sample: &Sample, weather: Weather) -> Run {
        // An attempt is made once it is claimed; a test, once the webhook is read.
        let outward = match sample.function.as_str() {
            "webhook-worker" => Some("TransactWriteItems"),
            "webhooks" if sample.name.starts_with("testWebhook") => Some("GetItem"),
            _ => None,
        };
        let (answer, calls) = timeless(self.wire.watch(Weather { outward, ..weather }, self.world.replay(sample)));
        Run { answer: readable(answer), calls }
    }

    /// Has a function work on a sample, while another does on its own before the call of this number. Answers what the
    /// other answers, too.
    #[must_use]
    pub fn interleave(&self, sample: &Sample, site: usize, other: &Sample) -> (Run, Value) {
        let (told, said) = mpsc::channel();
        let (home, aside) = (self.home.handle().clone(), self.world.aside(other));
        let work = Arc::new(move || told.send(home.block_on(aside())).unwrap());
        let run = self.replay(sample, Weather { meanwhile: Some(Meanwhile { site, work }), ..Weather::default() });
        (run, readable(said.try_recv().unwrap_or_default()))
    }

    /// Does something with the world in true time.
    pub fn at_home<F: Future>(&self, work: F) -> F::Output {
        self.home.block_on(work)
    }

    /// The address of a receiver that answers so.
    #[must_use]
    pub fn receiver(&self, reply: Reply) -> String {
        let receiver = self.at_home(Receiver::start());
        receiver.reply(reply);
        let url = receiver.url.clone();
        self.receivers.lock().unwrap().push(receiver);
        url
    }

    /// Everything that lies in the table.
    #[must_use]
    pub fn items(&self) -> Items {
        let mut items = Items::new();
        let mut start = Value::Null;
        loop {
            let mut query = json!({ "TableName": TABLE, "ConsistentRead": true });
            if start.is_object() {
                query["ExclusiveStartKey"] = start;
            }
            let mut page = self.ask("Scan", &query);
            items.extend(page["Items"].as_array_mut().unwrap().drain(..).map(|item| (key(&item), item)));
            start = page["LastEvaluatedKey"].take();
            if start.is_null() {
                return items;
            }
        }
    }

    /// Everything that was built and laid.
    pub fn known(&self) -> impl Iterator<Item = (&Key, Cow<'_, Value>)> {
        let built = self.built.iter().map(|(key, item)| (key, Cow::Borrowed(item)));
        built.chain(self.laid.iter().map(|(key, item)| (key, Cow::Owned(serde_json::from_str(item).unwrap()))))
    }

    /// An item as it was built or laid.
    fn before(&self, key: &Key) -> Option<Cow<'_, Value>> {
        let laid = || Some(Cow::Owned(serde_json::from_str(self.laid.get(key)?).unwrap()));
        self.built.get(key).map(Cow::Borrowed).or_else(laid)
    }

    /// What this changes of what was built.
    #[must_use]
    pub fn written(&self, work: impl Future<Output = Result<()>>) -> Changes {
        let (done, calls) = timeless(self.wire.watch(Weather::default(), work));
        done.unwrap();
        self.changes(&calls)
    }

    /// What calls have changed since the world was built.
    #[must_use]
    pub fn changes(&self, calls: &[Call]) -> Changes {
        let keys: BTreeSet<&Key> = calls.iter().flat_map(|call| &call.changes).collect();
        let keys: Vec<&Key> = keys.into_iter().collect();
        let mut now = Items::new();
        for chunk in keys.chunks(100) {
            let wanted: Vec<Value> = chunk.iter().map(|key| json!({ "PK": { "S": key.pk }, "SK": { "S": key.sk } })).collect();
            let wanted = json!({ "RequestItems": { TABLE: { "Keys": wanted, "ConsistentRead": true } } });
            let mut answer = self.ask("BatchGetItem", &wanted);
            let items = answer["Responses"][TABLE].as_array_mut().unwrap();
            now.extend(items.drain(..).map(|item| (key(&item), item)));
        }
        let changed = keys.into_iter().filter(|key| now.get(key) != self.before(key).as_deref());
        changed.map(|key| (key.clone(), now.get(key).cloned())).collect()
    }

    /// Makes changes a part of what was built. Answers what was there before.
    pub fn adopt(&mut self, changes: Changes) -> Changes {
        let adopted = changes.into_iter().map(|(key, item)| {
            let before = self.before(&key).map(Cow::into_owned);
            let _ = self.laid.remove(&key);
            let _ = match item {
                Some(item) => self.built.insert(key.clone(), item),
                None => self.built.remove(&key),
            };
            (key, before)
        });
        adopted.collect()
    }

    /// Takes changes back.
    pub fn restore(&self, changes: &Changes) {
        let request = |key: &Key| match self.before(key) {
            Some(item) => json!({ "PutRequest": { "Item": item } }),
            None => json!({ "DeleteRequest": { "Key": { "PK": { "S": key.pk }, "SK": { "S": key.sk } } } }),
        };
        self.write(TABLE, changes.keys().map(request));
    }

    /// A second table, with everything that was built in the first.
    #[must_use]
    pub fn copy(&self) -> String {
        let name = format!("{TABLE}-copy");
        let db = self.world.app().db().clone();
        self.at_home(table::create(db.client(), &name)).unwrap();
        self.write(&name, self.known().map(|(_, item)| json!({ "PutRequest": { "Item": item } })));
        name
    }

    /// Puts items where others are, or none, and makes them a part of what was built.
    pub fn put(&mut self, items: Items) {
        self.write(TABLE, items.values().map(|item| json!({ "PutRequest": { "Item": item } })));
        self.built.extend(items);
    }

    /// Puts items, as texts, where none are, and makes them a part of what was built.
    pub fn lay(&mut self, items: impl Iterator<Item = String>) {
        let mut laid = std::mem::take(&mut self.laid);
        self.lay_for_good(items.inspect(|item| {
            let _ = laid.insert(key(&serde_json::from_str(item).unwrap()), item.as_str().into());
        }));
        self.laid = laid;
    }

    /// Puts items, as texts, that nothing will change: they are not kept in mind.
    pub fn lay_for_good(&self, items: impl Iterator<Item = String>) {
        let mut requests = items.map(|item| format!(r#"{{"PutRequest":{{"Item":{item}}}}}"#));
        loop {
            let batch: Vec<String> = requests.by_ref().take(25).collect();
            if batch.is_empty() {
                return;
            }
            let body = format!(r#"{{"RequestItems":{{"{TABLE}":[{}]}}}}"#, batch.join(","));
            assert_eq!(self.send("BatchWriteItem", body)["UnprocessedItems"], json!({}));
        }
    }

    fn write(&self, table: &str, mut requests: impl Iterator<Item = Value>) {
        loop {
            let batch: Vec<Value> = requests.by_ref().take(25).collect();
            if batch.is_empty() {
                return;
            }
            let answer = self.ask("BatchWriteItem", &json!({ "RequestItems": { table: batch } }));
            assert_eq!(answer["UnprocessedItems"], json!({}));
        }
    }

    /// Asks the table's service without a wire.
    fn ask(&self, action: &str, body: &Value) -> Value {
        self.send(action, body.to_string())
    }

    fn send(&self, action: &str, body: String) -> Value {
        let request = Request::post(&self.service)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{action}"))
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=local/20260220/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
            )
            .header("x-amz-date", "20260220T100000Z")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        self.at_home(async {
            let answer = self.http.request(request).await.unwrap();
            let status = answer.status();
            let bytes = answer.into_body().collect().await.unwrap().to_bytes();
            assert!(status.is_success(), "{action}: {}", String::from_utf8_lossy(&bytes));
            serde_json::from_slice(&bytes).unwrap()
        })
    }
}

fn key(item: &Value) -> Key {
    let text = |name: &str| item[name]["S"].as_str().unwrap().to_owned();
    Key { pk: text("PK"), sk: text("SK") }
}
