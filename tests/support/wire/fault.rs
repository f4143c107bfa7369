//! How a call fails.

use aws_smithy_runtime_api::client::result::ConnectorError;
use serde_json::{Map, Value, json};

use super::{
    Call,
    message::{Asked, Told},
};

/// One call that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Which: its number among the calls of the work, from 0, in the order in which they come.
    pub site: usize,
    /// How.
    pub kind: Kind,
    /// Which others fail with it.
    pub extent: Extent,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It does not arrive.
    Reset,
    /// It is done, and nobody hears of it.
    Unanswered,
    /// The service breaks before it is done.
    Broken,
    /// The service has too much to do.
    Throttled,
    /// Another write is in the way.
    Conflict,
    /// It is done and nobody hears of it; the first repetition hears that it is still being done.
    InProgress,
    /// A part of the batch is left over.
    Partial,
}

/// Which calls fail with the one that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// None: the SDK's repetition goes through.
    Once,
    /// Its repetitions.
    Call,
    /// All that come after it, as when the process or the network dies.
    Rest,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Reset, Self::Unanswered, Self::Broken, Self::Throttled, Self::Conflict, Self::InProgress, Self::Partial];

    /// A call can fail so.
    #[must_use]
    pub fn befalls(self, call: &Call) -> bool {
        match self {
            Self::Reset | Self::Broken | Self::Throttled => true,
            Self::Unanswered => call.writes(),
            Self::Conflict => matches!(call.action.as_str(), "TransactWriteItems" | "PutItem" | "UpdateItem" | "DeleteItem"),
            Self::InProgress => call.action == "TransactWriteItems",
            Self::Partial => matches!(call.action.as_str(), "BatchGetItem" | "SendMessageBatch"),
        }
    }

    /// How far it can reach: what the service does to one call it does to no other.
    #[must_use]
    pub fn extents(self) -> &'static [Extent] {
        match self {
            Self::Reset | Self::Unanswered => &[Extent::Once, Extent::Call, Extent::Rest],
            Self::Broken | Self::Throttled | Self::Conflict => &[Extent::Once, Extent::Call],
            Self::InProgress => &[Extent::Call],
            Self::Partial => &[Extent::Once],
        }
    }
}

/// A fault as it strikes a call, the n-th time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strike {
    pub(super) kind: Kind,
    pub(super) repetition: usize,
}

type Outcome = Result<Told, ConnectorError>;

impl Strike {
    /// What the caller hears of a call that never reached the service.
    pub(super) fn instead(self, asked: &Asked) -> Option<Outcome> {
        match (self.kind, self.repetition) {
            (Kind::Reset, _) => Some(Err(ConnectorError::io("connection reset".into()))),
            (Kind::Broken, _) => Some(Ok(refusal(500, asked, "InternalServerError"))),
            (Kind::Throttled, _) => Some(Ok(refusal(400, asked, throttling(asked)))),
            (Kind::Conflict, _) => Some(Ok(conflict(asked))),
            (Kind::InProgress, 1) => Some(Ok(refusal(400, asked, "TransactionInProgressException"))),
            _ => None,
        }
    }

    /// Takes the second half of a batch out of a request.
    pub(super) fn narrow(self, asked: &mut Asked) -> Option<Value> {
        let second_half = |list: &mut Value| list.as_array_mut().map(|list| list.split_off(list.len() / 2)).unwrap_or_default();
        match (self.kind, asked.action()) {
            (Kind::Partial, "SendMessageBatch") => {
                let failed = |entry: &Value| json!({ "Id": entry["Id"], "SenderFault": false, "Code": "InternalError" });
                Some(second_half(&mut asked.body["Entries"]).iter().map(failed).collect())
            }
            (Kind::Partial, _) => {
                let mut left = Map::new();
                for (table, wanted) in asked.body["RequestItems"].as_object_mut()? {
                    let mut rest = wanted.clone();
                    rest["Keys"] = second_half(&mut wanted["Keys"]).into();
                    left.insert(table.clone(), rest);
                }
                Some(left.into())
            }
            _ => None,
        }
    }

    /// What the caller hears of a call that reached the service.
    pub(super) fn spoil(self, left: Option<Value>, outcome: Outcome) -> Outcome {
        let lost = self.kind == Kind::Unanswered || (self.kind == Kind::InProgress && self.repetition == 0);
        let mut told = outcome?;
        if lost {
            return Err(ConnectorError::timeout("no answer".into()));
        }
        if let Some(left) = left {
            let name = if left.is_array() { "Failed" } else { "UnprocessedKeys" };
            told.body[name] = left;
        }
        Ok(told)
    }
}

fn refusal(status: u16, asked: &Asked, code: &str) -> Told {
    let service = asked.target.split('.').next().unwrap_or_default();
    Told::new(status, json!({ "__type": format!("com.amazonaws.{service}#{code}"), "message": code }))
}

fn throttling(asked: &Asked) -> &'static str {
    if asked.is_of_table() { "ProvisionedThroughputExceededException" } else { "RequestThrottled" }
}

/// Of a transaction the first item is in another's hands, of a single write the only one.
fn conflict(asked: &Asked) -> Told {
    let Some(items) = asked.body["TransactItems"].as_array() else {
        return refusal(400, asked, "TransactionConflictException");
    };
    let reason = |n| json!({ "Code": if n == 0 { "TransactionConflict" } else { "None" } });
    let mut told = refusal(400, asked, "TransactionCanceledException");
    told.body["CancellationReasons"] = (0..items.len()).map(reason).collect();
    told
}
