//! What a call was, and what it cost.

use std::{collections::BTreeSet, fmt};

use serde_json::Value;
use shared::storage::Key;

use super::{
    fault::Kind,
    message::{Asked, Told},
};

/// What a role must allow for a call: an action, and the table, one of its indexes or the queue.
pub type Touch = (String, String);

/// A call that has passed.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// As the service names it.
    pub action: String,
    /// What a role must allow for it.
    pub touches: BTreeSet<Touch>,
    /// Items, keys, queries or messages that it names.
    pub items: usize,
    /// Its place in the chain, from 1.
    pub round: usize,
    /// Read units.
    pub read: f64,
    /// Write units.
    pub write: f64,
    /// Bytes of the request's body.
    pub sent: usize,
    /// Bytes of the answer's body.
    pub received: usize,
    /// The status, unless there was no answer.
    pub status: Option<u16>,
    /// How it was made to fail.
    pub fault: Option<Kind>,
    /// The items that it would change.
    pub changes: Vec<Key>,
    /// Every text that it names, the keys of partitions among them.
    pub names: BTreeSet<String>,
    /// It reached the service.
    pub reached: bool,
    /// The messages that reached the queue.
    pub messages: Vec<String>,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resources: BTreeSet<_> = self.touches.iter().map(|(_, resource)| resource.as_str()).collect();
        let resources: Vec<_> = resources.into_iter().collect();
        write!(f, "{}. {} ({} of {})", self.round, self.action, self.items, resources.join(", "))
    }
}

impl Call {
    pub(super) fn of(asked: &Asked, round: usize) -> Self {
        let (touches, items) = touches(asked);
        let action = asked.action().to_owned();
        Self {
            action,
            touches,
            items,
            round,
            read: 0.0,
            write: 0.0,
            sent: asked.size,
            received: 0,
            status: None,
            fault: None,
            changes: if is_read(asked.action()) { Vec::new() } else { changes(&asked.body) },
            names: names(&asked.body),
            reached: false,
            messages: Vec::new(),
        }
    }

    /// It goes to the service, as it may have become.
    pub(super) fn goes(&mut self, asked: &Asked) {
        self.reached = true;
        self.messages = entries(&asked.body).filter_map(|entry| text(&entry["MessageBody"])).collect();
    }

    pub(super) fn answered(&mut self, told: Option<&Told>, fault: Option<Kind>) {
        self.fault = fault;
        let Some(told) = told else { return };
        self.status = Some(told.status);
        let mut body = told.body.clone();
        let consumed = body.as_object_mut().and_then(|body| body.remove("ConsumedCapacity")).unwrap_or_default();
        self.received = body.to_string().len();
        let units =
            one_or_many(&consumed).filter_map(|table| table["CapacityUnits"].as_f64()).fold(0.0, |sum, units| sum + units);
        if self.writes() {
            self.write = units;
        } else {
            self.read = units;
        }
    }

    /// It was answered, and not with a refusal.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status < 300)
    }

    /// It changes something.
    #[must_use]
    pub fn writes(&self) -> bool {
        !is_read(&self.action)
    }
}

fn is_read(action: &str) -> bool {
    matches!(action, "GetItem" | "BatchGetItem" | "Query" | "Scan" | "TransactGetItems")
}

fn entries(body: &Value) -> impl Iterator<Item = &Value> {
    body["Entries"].as_array().into_iter().flatten()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(ToOwned::to_owned)
}

/// The keys of what a request changes, alone or in a transaction.
fn changes(body: &Value) -> Vec<Key> {
    let in_transaction = body["TransactItems"].as_array().into_iter().flatten();
    let parts = in_transaction.flat_map(|item| ["Put", "Update", "Delete"].map(|kind| &item[kind])).chain([body]);
    let keys = parts.flat_map(|part| [&part["Item"], &part["Key"]]);
    keys.filter_map(|key| Some(Key { pk: text(&key["PK"]["S"])?, sk: text(&key["SK"]["S"])? })).collect()
}

/// Every text of a request.
fn names(value: &Value) -> BTreeSet<String> {
    match value {
        Value::String(text) => BTreeSet::from([text.clone()]),
        Value::Array(values) => values.iter().flat_map(names).collect(),
        Value::Object(members) => members.values().flat_map(names).collect(),
        _ => BTreeSet::new(),
    }
}

fn one_or_many(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice).iter()
}

/// What a role must allow for a request, and how many items it names. A transaction takes what its items take.
fn touches(asked: &Asked) -> (BTreeSet<Touch>, usize) {
    let (action, body) = (asked.action(), &asked.body);
    let count = |value: &Value| value.as_array().map_or(0, Vec::len);
    if action == "SendEmail" {
        return ([("ses:SendEmail".to_owned(), "identity".to_owned())].into(), 1);
    }
    if !asked.is_of_table() {
        let queue = body["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
        // A batch takes what each of its messages takes.
        let touch = (format!("sqs:{}", action.trim_end_matches("Batch")), queue.to_owned());
        return ([touch].into(), count(&body["Entries"]).max(1));
    }
    let on_table = |action: &str| (format!("dynamodb:{action}"), "table".to_owned());
    match action {
        "TransactWriteItems" => {
            let items = body["TransactItems"].as_array().map_or(&[][..], Vec::as_slice);
            let actions = items.iter().filter_map(|item| item.as_object()?.keys().next());
            let touches =
                actions.map(|kind| on_table(if kind == "ConditionCheck" { "ConditionCheckItem" } else { item_action(kind) }));
            (touches.collect(), items.len())
        }
        "BatchGetItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flat_map(|tables| tables.values());
            ([on_table(action)].into(), tables.map(|table| count(&table["Keys"])).sum())
        }
        _ => {
            let resource = body["IndexName"].as_str().map_or_else(|| "table".to_owned(), |index| format!("index/{index}"));
            ([(format!("dynamodb:{action}"), resource)].into(), 1)
        }
    }
}

fn item_action(kind: &str) -> &'static str {
    match kind {
        "Put" => "PutItem",
        "Update" => "UpdateItem",
        "Delete" => "DeleteItem",
        other => panic!("a transaction with {other}"),
    }
}
