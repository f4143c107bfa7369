//! Trying a webhook out.

use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    Result,
    api::{Done, Path, Valid},
    auth::{Admitted, Manager},
    deliver,
    events::{EventName, payload},
    ids::{DeliveryId, WebhookId},
    input::{Fields, Input, rules},
    models::Webhook,
};

/// What to try.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "WebhookTest")]
pub struct Test {
    /// The event's name.
    #[schemars(extend("default" = EventName::CallCreated))]
    event: EventName,
}

impl Input for Test {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { event: fields.default("event", EventName::CallCreated, rules::word) }
    }
}

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WebhookTested")]
pub struct Tested {
    /// The receiver answered 2xx.
    delivered: bool,
    /// What it answered.
    response_code: Option<u16>,
    /// How long it took, in milliseconds.
    duration_ms: u64,
    /// The beginning of its answer, at most 4 KiB.
    response_body: Option<String>,
    /// Why there was no answer.
    error: Option<String>,
}

/// Makes a signed delivery now and says what came of it. The session is looked up first: what is sent is not taken back.
pub async fn test(
    Admitted(caller): Admitted<Manager>,
    Path(id): Path<WebhookId>,
    Valid(input): Valid<Test>,
) -> Result<Done<Tested>> {
    let webhook = caller.store().find::<Webhook>(id).await?;
    let event = caller.store().mint()?;
    let name = input.event.to_string();
    let data = serde_json::json!({ "test": true, "webhook_id": id });
    let body = payload(event, &name, caller.now(), &data);
    let delivery: DeliveryId = caller.store().mint()?;
    let outcome = deliver::attempt(caller.app(), caller.tenant(), &webhook, event, &name, delivery, &body).await?;
    Ok(Done(Tested {
        delivered: outcome.delivered(),
        response_code: outcome.attempt.response_code,
        duration_ms: outcome.attempt.duration_ms,
        response_body: outcome.response_body,
        error: outcome.attempt.error,
    }))
}
