//! What a manager sets of a webhook, and its rules.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{
    input::{
        Fields, Input, Message, Raw,
        rules::{self, Words},
    },
    models::event_name::EventName,
};

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
