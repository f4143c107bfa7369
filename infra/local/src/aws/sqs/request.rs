//! What a caller of SQS asks, and what of it AWS would refuse.
//!
//! The limits are those of the SQS API reference; the words are close to what AWS answers, the codes the same.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use winterbaume_sqs::SqsState;
use winterbaume_sqs::state::SqsError;
use winterbaume_sqs::types::MessageAttribute;

/// The largest message, and the largest batch, in bytes.
pub(super) const MAX_SIZE: usize = 1_048_576;

/// A queue's attributes that are numbers, with what they may be.
const NUMBERS: [(&str, RangeInclusive<u32>); 5] = [
    ("DelaySeconds", 0..=900),
    ("MaximumMessageSize", 1_024..=1_048_576),
    ("MessageRetentionPeriod", 60..=1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0..=20),
    ("VisibilityTimeout", 0..=43_200),
];

/// The parameters of all actions; an entry of a batch has the same as the action on its own.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Request {
    pub queue_url: String,
    pub queue_name: String,
    pub queue_name_prefix: String,
    pub attributes: HashMap<String, String>,
    #[serde(rename = "tags")]
    pub tags: HashMap<String, String>,
    pub attribute_names: Vec<String>,
    pub id: String,
    pub entries: Vec<Request>,
    pub message_body: String,
    pub delay_seconds: Option<i64>,
    pub message_attributes: HashMap<String, Attribute>,
    pub message_group_id: Option<String>,
    pub message_deduplication_id: Option<String>,
    pub receipt_handle: String,
    pub visibility_timeout: Option<i64>,
    pub max_number_of_messages: Option<i64>,
    pub wait_time_seconds: Option<i64>,
    pub message_attribute_names: Vec<String>,
    pub message_system_attribute_names: Vec<String>,
}

/// An attribute of a message; a binary value stays in base64.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Attribute {
    data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
}

impl Attribute {
    pub(super) fn text(value: &str) -> Self {
        Self { data_type: "String".to_owned(), string_value: Some(value.to_owned()), binary_value: None }
    }

    fn size(&self) -> usize {
        self.data_type.len() + [&self.string_value, &self.binary_value].into_iter().flatten().map(String::len).sum::<usize>()
    }
}

impl From<Attribute> for MessageAttribute {
    fn from(it: Attribute) -> Self {
        let binary_value = it.binary_value.map(String::into_bytes);
        Self { data_type: it.data_type, string_value: it.string_value, binary_value }
    }
}

impl From<MessageAttribute> for Attribute {
    fn from(it: MessageAttribute) -> Self {
        let binary_value = it.binary_value.and_then(|base64| String::from_utf8(base64).ok());
        Self { data_type: it.data_type, string_value: it.string_value, binary_value }
    }
}

impl Request {
    /// The name of the queue the request is for.
    pub(super) fn queue(&self) -> &str {
        self.queue_url.rsplit('/').next().unwrap_or_default()
    }

    /// Checks the attributes of a queue to be.
    pub(super) fn check_attributes(&self, state: &SqsState) -> Result<(), Refusal> {
        let invalid = |name| Refusal::new("InvalidAttributeValue", format!("Invalid value for the parameter {name}."));
        if self.queue_name.contains('.') || self.attributes.contains_key("FifoQueue") {
            return Err(Refusal::new("AWS.SimpleQueueService.UnsupportedOperation", "There are no FIFO queues here."));
        }
        for (name, range) in NUMBERS {
            let value = self.attributes.get(name).map(|value| value.parse());
            if value.is_some_and(|value| value.map_or(true, |value| !range.contains(&value))) {
                return Err(invalid(name));
            }
        }
        let Some(policy) = self.attributes.get("RedrivePolicy").filter(|policy| !policy.is_empty()) else {
            return Ok(());
        };
        let policy: Value = serde_json::from_str(policy).map_err(|_| invalid("RedrivePolicy"))?;
        let count = &policy["maxReceiveCount"];
        let count = count.as_u64().or_else(|| count.as_str()?.parse().ok()).filter(|count| (1..=1_000).contains(count));
        if count.is_none() || !state.queues.values().any(|it| policy["deadLetterTargetArn"] == it.queue.arn.as_str()) {
            return Err(Refusal::invalid(format!("Value {policy} for parameter RedrivePolicy is invalid.")));
        }
        Ok(())
    }

    /// Checks a message to send, of at most `limit` bytes.
    pub(super) fn check_message(&self, limit: usize) -> Result<(), Refusal> {
        if self.message_body.is_empty() {
            return Err(Refusal::new("MissingParameter", "The request must contain the parameter MessageBody."));
        }
        if self.message_body.chars().any(|it| matches!(it, '\0'..' ' | '\u{fffe}' | '\u{ffff}') && !"\t\n\r".contains(it)) {
            return Err(Refusal::new("InvalidMessageContents", "Invalid characters found in the message body."));
        }
        if self.size() > limit {
            return Err(Refusal::invalid(format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
            )));
        }
        if self.message_attributes.len() > 10 {
            return Err(Refusal::invalid("Number of message attributes exceeds the allowed maximum [10]."));
        }
        for (name, attribute) in &self.message_attributes {
            let known = ["String", "Number", "Binary"].contains(&attribute.data_type.split('.').next().unwrap_or_default());
            if !known || (attribute.string_value.is_none() && attribute.binary_value.is_none()) {
                return Err(Refusal::invalid(format!("The message attribute '{name}' must have a type and a value.")));
            }
        }
        if self
            .message_group_id
            .as_ref()
            .is_some_and(|group| !(1..=128).contains(&group.len()) || !group.bytes().all(|b| b.is_ascii_graphic()))
        {
            return Err(Refusal::invalid(
                "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.",
            ));
        }
        if self.message_deduplication_id.is_some() {
            return Err(Refusal::invalid(
                "The request includes a parameter that is not valid for this queue type: MessageDeduplicationId.",
            ));
        }
        Ok(())
    }

    /// Checks a batch as a whole.
    pub(super) fn check_batch(&self) -> Result<(), Refusal> {
        let refuse = |code, message: String| Err(Refusal::new(code, message));
        let mut ids = HashSet::new();
        match self.entries.len() {
            0 => {
                return refuse(
                    "AWS.SimpleQueueService.EmptyBatchRequest",
                    "There should be at least one entry in the request.".to_owned(),
                );
            }
            1..=10 => {}
            sent => {
                let message = format!("Maximum number of entries per request are 10. You have sent {sent}.");
                return refuse("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", message);
            }
        }
        for Self { id, .. } in &self.entries {
            if !(1..=80).contains(&id.len()) || !id.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it)) {
                let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.";
                return refuse("AWS.SimpleQueueService.InvalidBatchEntryId", message.to_owned());
            }
            if !ids.insert(id) {
                return refuse("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", format!("Id {id} repeated."));
            }
        }
        match self.entries.iter().map(Self::size).sum::<usize>() {
            0..=MAX_SIZE => Ok(()),
            sent => {
                let message = format!("Batch requests cannot be longer than {MAX_SIZE} bytes. You have sent {sent} bytes.");
                refuse("AWS.SimpleQueueService.BatchRequestTooLong", message)
            }
        }
    }

    fn size(&self) -> usize {
        let attributes = self.message_attributes.iter().map(|(name, attribute)| name.len() + attribute.size());
        self.message_body.len() + attributes.sum::<usize>()
    }
}

/// Whether `name` is among the attributes asked for, by name, by a prefix (`a.*`), or as one of `All`.
pub(super) fn asked(names: &[String], name: &str) -> bool {
    let matches = |it: &String| it == "All" || it == name || it.strip_suffix(".*").is_some_and(|prefix| name.starts_with(prefix));
    names.iter().any(matches)
}

/// Seconds for which a message is hidden.
pub(super) fn visibility(value: i64) -> Result<u32, Refusal> {
    within("VisibilityTimeout", value, 0..=43_200)
}

/// A number in its range.
pub(super) fn within(parameter: &str, value: i64, range: RangeInclusive<u32>) -> Result<u32, Refusal> {
    u32::try_from(value).ok().filter(|it| range.contains(it)).ok_or_else(|| {
        let (least, most) = range.into_inner();
        Refusal::invalid(format!(
            "Value {value} for parameter {parameter} is invalid. Reason: Must be between {least} and {most}."
        ))
    })
}

/// An error as AWS words it: a code of the query protocol, and a message.
#[derive(Debug)]
pub(super) struct Refusal {
    pub code: &'static str,
    pub message: String,
}

impl Refusal {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterValue", message)
    }
}

impl From<SqsError> for Refusal {
    fn from(error: SqsError) -> Self {
        let code = match error {
            SqsError::NonExistentQueue => "AWS.SimpleQueueService.NonExistentQueue",
            SqsError::QueueAlreadyExists => "QueueAlreadyExists",
            SqsError::InvalidReceiptHandle { .. } => "ReceiptHandleIsInvalid",
            _ => "InvalidParameterValue",
        };
        Self::new(code, error.to_string())
    }
}
