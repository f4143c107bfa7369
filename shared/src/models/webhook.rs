//! Webhooks: where a company's own server hears of events.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::event_name::EventName;
use crate::{
    clock::{Time, days},
    ids::{EventId, Id, WebhookId},
    input::{
        Fields, Input, Message, Raw,
        rules::{self, Words},
    },
    storage::{
        Entity, Facets, Key, Listing, Sort,
        entity::{G1, G2},
    },
    text,
};

/// How long a webhook may fail before it is disabled.
pub const PATIENCE: std::time::Duration = days(5);
/// What a secret of ours begins with (Standard Webhooks).
const PREFIX: &str = "whsec_";

/// What a manager sets of a webhook.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct WebhookInput {
    /// Where deliveries go: https, a public address (by setting also http and any).
    #[schemars(url, length(max = 2048))]
    pub url: String,
    /// Names of events, or `*`.
    #[schemars(schema_with = "event_names")]
    pub events: Vec<String>,
    /// Signs deliveries; made when absent.
    #[schemars(length(min = 16, max = 128))]
    pub secret: Option<String>,
    /// What it is for.
    #[schemars(length(max = 10_000))]
    pub description: Option<String>,
    /// Headers sent with each delivery.
    #[schemars(extend("maxProperties" = 20))]
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Whether deliveries are made.
    #[schemars(extend("default" = true))]
    pub active: bool,
}

fn event_names(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<_> = std::iter::once("*").chain(EventName::ALL.iter().map(|name| name.as_str())).collect();
    json_schema!({ "type": "array", "minItems": 1, "items": { "type": "string", "enum": names } })
}

impl Input for WebhookInput {
    const WRAPPER: Option<&'static str> = Some("webhook");

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            url: fields.required("url", url),
            events: fields.required("events", events),
            secret: fields.optional("secret", secret),
            description: fields.optional("description", rules::notes),
            headers: fields.default("headers", BTreeMap::new(), headers),
            active: fields.default("active", true, rules::boolean),
        }
    }
}

fn events(raw: &Raw<'_>) -> Result<Vec<String>, Message> {
    let list = raw.json().as_array().ok_or("must be a list of event names")?;
    if list.is_empty() {
        return Err("can't be blank".into());
    }
    let mut names: Vec<String> = Vec::new();
    for name in list {
        let name = name.as_str().ok_or("must be a list of event names")?;
        if name != "*" && EventName::parse(name).is_none() {
            return Err(Message::Owned(format!("has no event {name:?}; known are *, {}", EventName::list())));
        }
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// What every receiver's URL must be; whether its address may be called is the outbound client's to say.
fn url(raw: &Raw<'_>) -> Result<String, Message> {
    let text = rules::line(2048)(raw)?;
    match url::Url::parse(&text) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => Err("must use http or https".into()),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Err("must not contain a user name or a password".into())
        }
        Ok(_) => Ok(text),
        Err(_) => Err("is not a valid URL".into()),
    }
}

fn secret(raw: &Raw<'_>) -> Result<String, Message> {
    let text = raw.text()?;
    if (16..=128).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("should be 16 to 128 characters".into())
    }
}

/// Headers that belong to the delivery itself.
const OURS: [&str; 12] = [
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "user-agent",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "keep-alive",
    "proxy-connection",
];

fn headers(raw: &Raw<'_>) -> Result<BTreeMap<String, String>, Message> {
    let map = raw.json().as_object().ok_or("must be an object of names and values")?;
    if map.len() > 20 {
        return Err("should have at most 20 header(s)".into());
    }
    let mut headers = BTreeMap::new();
    for (name, value) in map {
        let name = name.to_ascii_lowercase();
        let value = value.as_str().ok_or("must be an object of names and values")?;
        if name.len() > 128
            || http::HeaderName::from_bytes(name.as_bytes()).is_err()
            || http::HeaderValue::from_str(value).is_err()
            || value.len() > 1024
        {
            return Err(Message::Owned(format!("{name:?} is not a valid header")));
        }
        if OURS.contains(&name.as_str()) || name.starts_with("x-voki-") || name.starts_with("webhook-") {
            return Err(Message::Owned(format!("{name:?} is set by the delivery itself")));
        }
        headers.insert(name, value.to_owned());
    }
    Ok(headers)
}

/// A webhook.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Webhook {
    /// Its identifier.
    pub id: WebhookId,
    /// What a manager set; the secret is always there.
    #[serde(flatten)]
    pub input: WebhookInput,
    /// Why deliveries stopped by themselves.
    pub disabled_reason: Option<String>,
    /// Since when every attempt has failed.
    pub failing_since: Option<Time>,
    /// Rises with each change that its manager can see; the `ETag`. The health of its receiver is none.
    pub revision: u64,
    /// When it was made.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// A webhook as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Webhook")]
pub struct WebhookView {
    /// Its identifier.
    pub id: WebhookId,
    /// Where deliveries go.
    #[schemars(url)]
    pub url: String,
    /// Names of events, or `*`.
    pub events: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether deliveries are made.
    pub active: bool,
    /// Whole in the answer to its creation, else its last four characters.
    pub secret: String,
    /// Names of the headers sent with each delivery; the values are masked.
    pub headers: BTreeMap<String, String>,
    /// Deliveries a second; null without a limit.
    pub rate_limit: Option<u32>,
    /// Why deliveries stopped by themselves.
    pub disabled_reason: Option<String>,
    /// When it was made.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl Webhook {
    /// A new webhook; `random` becomes its secret unless one was given.
    #[must_use]
    pub fn new(id: WebhookId, mut input: WebhookInput, random: [u8; 32], now: Time) -> Self {
        input.secret.get_or_insert_with(|| format!("{PREFIX}{}", STANDARD.encode(random)));
        Self { id, input, disabled_reason: None, failing_since: None, revision: 1, inserted_at: now, updated_at: now }
    }

    /// The secret.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.input.secret.as_deref().unwrap_or_default()
    }

    /// It wants this event.
    #[must_use]
    pub fn wants(&self, event: &str) -> bool {
        self.input.active && self.input.events.iter().any(|name| name == "*" || name == event)
    }

    /// The webhook as the API shows it, secrets masked.
    #[must_use]
    pub fn view(&self) -> WebhookView {
        let hidden = |_: &String| "••••".to_owned();
        WebhookView {
            id: self.id,
            url: self.input.url.clone(),
            events: self.input.events.clone(),
            description: self.input.description.clone(),
            active: self.input.active,
            secret: mask(self.secret()),
            headers: self.input.headers.iter().map(|(name, value)| (name.clone(), hidden(value))).collect(),
            rate_limit: None,
            disabled_reason: self.disabled_reason.clone(),
            inserted_at: self.inserted_at,
            updated_at: self.updated_at,
        }
    }

    /// The headers that prove a delivery's origin: ours, and Standard Webhooks' (<https://www.standardwebhooks.com>).
    #[must_use]
    pub fn signatures(&self, event: EventId, at: Time, body: &str) -> [(&'static str, String); 4] {
        let secret = self.secret();
        let key = secret.strip_prefix(PREFIX).and_then(|text| STANDARD.decode(text).ok());
        let standard = sign(key.as_deref().unwrap_or(secret.as_bytes()), &format!("{event}.{}.{body}", at.epoch()));
        [
            ("x-voki-signature", format!("sha256={}", text::hex(&sign(secret.as_bytes(), body)))),
            ("webhook-id", event.to_string()),
            ("webhook-timestamp", at.epoch().to_string()),
            ("webhook-signature", format!("v1,{}", STANDARD.encode(standard))),
        ]
    }
}

/// The last four characters of a secret.
#[must_use]
pub fn mask(secret: &str) -> String {
    let count = secret.chars().count();
    format!("••••{}", secret.chars().skip(count.saturating_sub(4)).collect::<String>())
}

/// HMAC-SHA256 (RFC 2104); any key length is valid.
fn sign(key: &[u8], text: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec()).unwrap_or_default()
}

impl Entity for Webhook {
    const KIND: &'static str = "webhook";
    const LISTING: Listing = Listing {
        sorts: &[Sort { name: "inserted_at", all: G1, by: &[] }, Sort { name: "url", all: G2, by: &[] }],
        filters: &[],
        counted: true,
    };
    type Id = WebhookId;

    fn id(&self) -> WebhookId {
        self.id
    }

    fn key(tenant: &str, id: WebhookId) -> Key {
        Key::webhook(tenant, &id.key())
    }

    fn key_at(tenant: &str, id_key: &str) -> Key {
        Key::webhook(tenant, id_key)
    }

    fn facets(&self, tenant: &str) -> Facets {
        Facets::of::<Self>(tenant, self.id)
            .sort("inserted_at", self.inserted_at.key())
            .sort("url", self.input.url.chars().take(200).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(secret: Option<&str>) -> Webhook {
        let input = WebhookInput {
            url: "https://example.com/hook".into(),
            events: vec!["call.created".into()],
            secret: secret.map(Into::into),
            description: None,
            headers: BTreeMap::from([("authorization".into(), "Bearer x".into())]),
            active: true,
        };
        Webhook::new(WebhookId::default(), input, [7; 32], Time::from_epoch(0))
    }

    /// Computed with Python: `hmac.new(secret, body, "sha256")`.
    #[test]
    fn signatures_are_what_a_receiver_computes() {
        let hook = webhook(Some("0123456789abcdef"));
        let signed = hook.signatures(EventId::default(), Time::from_epoch(1_700_000_000), r#"{"a":1}"#);
        let found = |name| signed.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str()).unwrap();
        assert_eq!(found("x-voki-signature"), "sha256=1c76fbb930d3aa8b1633728fae212c68ca68a6752bb319b98be6fe17e86cf5b8");
        assert_eq!(found("webhook-signature"), "v1,c0OJs1nyz5IkL+5zz4kb7mche70K4pO62puXXcBPTPk=");
        assert_eq!(found("webhook-id"), "00000000-0000-0000-0000-000000000000");
        let made = webhook(None);
        assert_eq!(made.secret(), "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
        let signed = made.signatures(EventId::default(), Time::from_epoch(1_700_000_000), r#"{"a":1}"#);
        assert_eq!(signed[3].1, "v1,6BxHRXxl/k8GtciC8ZWztW5YqCD24o+HXLtpxUV5+/M=");
    }

    #[test]
    fn secrets_are_masked() {
        let view = serde_json::to_string(&webhook(Some("0123456789abcdef")).view()).unwrap();
        assert!(view.contains("••••cdef") && !view.contains("0123456789"), "{view}");
        assert!(!view.contains("Bearer"), "{view}");
    }

    #[test]
    fn it_wants_what_it_named_while_it_is_active() {
        let mut hook = webhook(None);
        assert!(hook.wants("call.created") && !hook.wants("call.missed"));
        hook.input.events = vec!["*".into()];
        assert!(hook.wants("call.missed"));
        hook.input.active = false;
        assert!(!hook.wants("call.missed"));
    }
}
