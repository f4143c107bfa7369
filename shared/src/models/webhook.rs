//! Webhooks: where a company's own server hears of events.

mod input;

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

pub use self::input::WebhookInput;
use crate::{
    clock::{Time, days},
    crypto::secret::Vault,
    error::{Error, Result},
    ids::{EventId, Id, WebhookId},
    storage::{
        Audited, Entity, Facets, Key, Listing, Sort,
        entity::{G1, G2},
    },
    text,
};

/// How long a webhook may fail before it is disabled.
pub const PATIENCE: std::time::Duration = days(5);
/// What a secret of ours begins with (Standard Webhooks).
const PREFIX: &str = "whsec_";

/// A webhook. What proves or authorizes deliveries lies sealed in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Webhook {
    /// Its identifier.
    pub id: WebhookId,
    /// Where deliveries go.
    pub url: String,
    /// Names of events, or `*`.
    pub events: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether deliveries are made.
    pub active: bool,
    /// [`Private`], sealed.
    pub sealed: String,
    /// The secret, masked but for its end.
    pub masked: String,
    /// Names of the headers sent with each delivery.
    pub header_names: Vec<String>,
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

/// What a webhook keeps to itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Private {
    /// Signs deliveries.
    pub secret: String,
    /// Headers sent with each delivery.
    pub headers: BTreeMap<String, String>,
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

/// A new secret of ours.
#[must_use]
pub fn new_secret(random: [u8; 32]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(random))
}

impl Webhook {
    /// A new webhook; it has no secret unless the input has one.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] when it cannot be sealed.
    pub fn new(tenant: &str, id: WebhookId, input: WebhookInput, vault: &Vault, now: Time) -> Result<Self> {
        let empty = Self {
            id,
            url: String::new(),
            events: Vec::new(),
            description: None,
            active: false,
            sealed: String::new(),
            masked: String::new(),
            header_names: Vec::new(),
            disabled_reason: None,
            failing_since: None,
            revision: 0,
            inserted_at: now,
            updated_at: now,
        };
        empty.with(tenant, input, vault, now)
    }

    /// The webhook after a manager's change.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] when it cannot be sealed.
    pub fn with(&self, tenant: &str, input: WebhookInput, vault: &Vault, now: Time) -> Result<Self> {
        let WebhookInput { url, events, secret, description, headers, active } = input;
        let private = Private { secret: secret.unwrap_or_default(), headers };
        let kept = !self.sealed.is_empty() && self.private(tenant, vault)? == private;
        let sealed = if kept {
            self.sealed.clone()
        } else {
            let open = serde_json::to_vec(&private).map_err(|e| Error::internal("webhook", e))?;
            vault.seal(&place(tenant, self.id), &open)?
        };
        let revived = active && !self.active;
        Ok(Self {
            id: self.id,
            url,
            events,
            description,
            active,
            sealed,
            masked: mask(&private.secret),
            header_names: private.headers.into_keys().collect(),
            disabled_reason: self.disabled_reason.clone().filter(|_| !revived),
            failing_since: self.failing_since.filter(|_| !revived),
            revision: self.revision + 1,
            inserted_at: self.inserted_at,
            updated_at: now,
        })
    }

    /// What it keeps to itself.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] when it was sealed under another secret.
    pub fn private(&self, tenant: &str, vault: &Vault) -> Result<Private> {
        let open = vault.open(&place(tenant, self.id), &self.sealed)?;
        serde_json::from_slice(&open).map_err(|e| Error::internal("webhook", e))
    }

    /// What a manager set.
    ///
    /// # Errors
    /// As [`Webhook::private`].
    pub fn input(&self, tenant: &str, vault: &Vault) -> Result<WebhookInput> {
        let Private { secret, headers } = self.private(tenant, vault)?;
        Ok(WebhookInput {
            url: self.url.clone(),
            events: self.events.clone(),
            secret: Some(secret),
            description: self.description.clone(),
            headers,
            active: self.active,
        })
    }

    /// It wants this event.
    #[must_use]
    pub fn wants(&self, event: &str) -> bool {
        self.active && self.events.iter().any(|name| name == "*" || name == event)
    }

    /// The webhook as the API shows it, secrets masked.
    #[must_use]
    pub fn view(&self) -> WebhookView {
        WebhookView {
            id: self.id,
            url: self.url.clone(),
            events: self.events.clone(),
            description: self.description.clone(),
            active: self.active,
            secret: self.masked.clone(),
            headers: self.header_names.iter().map(|name| (name.clone(), "••••".to_owned())).collect(),
            rate_limit: None,
            disabled_reason: self.disabled_reason.clone(),
            inserted_at: self.inserted_at,
            updated_at: self.updated_at,
        }
    }
}

/// Where its private part is sealed for.
fn place(tenant: &str, id: WebhookId) -> String {
    format!("{tenant}#webhook#{id}")
}

impl Private {
    /// The headers that prove a delivery's origin: ours, and Standard Webhooks' (<https://www.standardwebhooks.com>).
    #[must_use]
    pub fn signatures(&self, event: EventId, at: Time, body: &str) -> [(&'static str, String); 4] {
        let secret = &self.secret;
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

    fn audited(&self) -> Option<Audited> {
        let Self { url, events, description, active, .. } = self;
        let mut fields = serde_json::json!({ "url": url, "events": events, "description": description, "active": active });
        fields["secret"] = Audited::secret(&self.sealed);
        Some(Audited::of("webhook", self.id, fields))
    }

    fn facets(&self, tenant: &str) -> Facets {
        Facets::of::<Self>(tenant, self.id)
            .sort("inserted_at", self.inserted_at.key())
            .sort("url", self.url.chars().take(200).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chance::Chance, crypto::secret::Secret};

    fn vault() -> Vault {
        Vault::new(&Secret::new([1; 32]), Chance::default())
    }

    fn webhook(secret: &str) -> Webhook {
        let input = WebhookInput {
            url: "https://example.com/hook".into(),
            events: vec!["call.created".into()],
            secret: Some(secret.into()),
            description: None,
            headers: BTreeMap::from([("authorization".into(), "Bearer x".into())]),
            active: true,
        };
        Webhook::new("acme", WebhookId::default(), input, &vault(), Time::from_epoch(0)).unwrap()
    }

    /// Computed with Python: `hmac.new(secret, body, "sha256")`.
    #[test]
    fn signatures_are_what_a_receiver_computes() {
        let hook = webhook("0123456789abcdef").private("acme", &vault()).unwrap();
        let signed = hook.signatures(EventId::default(), Time::from_epoch(1_700_000_000), r#"{"a":1}"#);
        let found = |name| signed.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str()).unwrap();
        assert_eq!(found("x-voki-signature"), "sha256=1c76fbb930d3aa8b1633728fae212c68ca68a6752bb319b98be6fe17e86cf5b8");
        assert_eq!(found("webhook-signature"), "v1,c0OJs1nyz5IkL+5zz4kb7mche70K4pO62puXXcBPTPk=");
        assert_eq!(found("webhook-id"), "00000000-0000-0000-0000-000000000000");
        let made = Private { secret: new_secret([7; 32]), headers: BTreeMap::new() };
        assert_eq!(made.secret, "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
        let signed = made.signatures(EventId::default(), Time::from_epoch(1_700_000_000), r#"{"a":1}"#);
        assert_eq!(signed[3].1, "v1,6BxHRXxl/k8GtciC8ZWztW5YqCD24o+HXLtpxUV5+/M=");
    }

    #[test]
    fn secrets_are_masked() {
        let hook = webhook("0123456789abcdef");
        let (view, stored) = (serde_json::to_string(&hook.view()).unwrap(), serde_json::to_string(&hook).unwrap());
        assert!(view.contains("••••cdef"), "{view}");
        for text in [view, stored] {
            assert!(!text.contains("0123456789") && !text.contains("Bearer"), "{text}");
        }
        assert!(hook.private("globex", &vault()).is_err());
    }

    #[test]
    fn it_wants_what_it_named_while_it_is_active() {
        let mut hook = webhook("0123456789abcdef");
        assert!(hook.wants("call.created") && !hook.wants("call.missed"));
        hook.events = vec!["*".into()];
        assert!(hook.wants("call.missed"));
        hook.active = false;
        assert!(!hook.wants("call.missed"));
    }
}
