//! API keys: how a company's own systems call the API.

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    clock::Time,
    ids::{ApiKeyId, Id},
    input::{Fields, Input, Message, Raw, rules},
    storage::{
        Audited, Entity, Facets, Key, Listing, Sort,
        entity::{G1, G2},
    },
    text,
};

/// What begins every key.
pub const PREFIX: &str = "vk_";
/// What scopes are about: the first part of a path below `/api/v1`, where keys may go at all.
pub const RESOURCES: [&str; 13] = [
    "access-links",
    "appointments",
    "audit-log",
    "billing",
    "calls",
    "company",
    "customers",
    "departments",
    "export",
    "sectors",
    "tags",
    "users",
    "webhooks",
];

/// What a manager sets of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApiKeyInput {
    /// What it is for.
    #[schemars(length(max = 200))]
    pub name: String,
    /// What it may do: `<resource>:read` or `<resource>:write`, which is of what both `GET` and others are.
    #[schemars(schema_with = "every_scope")]
    pub scopes: Vec<String>,
    /// When it ends; null never.
    pub expires_at: Option<Time>,
    /// From where it may be used, as networks (`192.0.2.0/24`); empty from anywhere.
    #[serde(default)]
    #[schemars(schema_with = "networks")]
    pub address_ranges: Vec<String>,
}

impl Input for ApiKeyInput {
    const WRAPPER: Option<&'static str> = Some("api_key");

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: fields.required("name", rules::name),
            scopes: fields.required("scopes", scopes),
            expires_at: fields.optional("expires_at", rules::time),
            address_ranges: fields.default("address_ranges", Vec::new(), ranges),
        }
    }
}

fn every_scope(_: &mut SchemaGenerator) -> Schema {
    let all: Vec<_> =
        RESOURCES.iter().flat_map(|resource| ["read", "write"].map(|right| format!("{resource}:{right}"))).collect();
    json_schema!({ "type": "array", "minItems": 1, "items": { "type": "string", "enum": all } })
}

fn networks(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "default": [], "items": { "type": "string", "format": "network" } })
}

fn scopes(raw: &Raw<'_>) -> Result<Vec<String>, Message> {
    let list = raw.json().as_array().filter(|list| !list.is_empty()).ok_or("must be a list of scopes such as calls:read")?;
    let known = |scope: &str| {
        let (resource, right) = scope.split_once(':')?;
        (RESOURCES.contains(&resource) && ["read", "write"].contains(&right)).then(|| scope.to_owned())
    };
    let mut found = list
        .iter()
        .map(|scope| {
            let text = scope.as_str().unwrap_or_default();
            let all = RESOURCES.join(", ");
            known(text).ok_or_else(|| Message::Owned(format!("has no scope {text:?}; known are read and write of {all}")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn ranges(raw: &Raw<'_>) -> Result<Vec<String>, Message> {
    let list = raw.json().as_array().filter(|list| list.len() <= 50).ok_or("must be a list of at most 50 networks")?;
    list.iter()
        .map(|range| {
            let text = range.as_str().unwrap_or_default();
            let network = text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from)).ok();
            network.map(|network| network.trunc().to_string()).ok_or_else(|| Message::Owned(format!("{text:?} is no network")))
        })
        .collect()
}

/// An API key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its identifier.
    pub id: ApiKeyId,
    /// What a manager set.
    #[serde(flatten)]
    pub input: ApiKeyInput,
    /// The digest of its token.
    pub digest: [u8; 32],
    /// The token, masked but for its end.
    pub masked: String,
    /// The digest of the token before, and how long that is good still.
    pub before: Option<([u8; 32], Time)>,
    /// When it was last used, give or take an hour.
    pub last_used_at: Option<Time>,
    /// Rises with each change that a manager makes; the `ETag`. Its use is none.
    pub revision: u64,
    /// When it was made.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// An API key as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "ApiKey")]
pub struct ApiKeyView {
    /// Its identifier.
    pub id: ApiKeyId,
    /// What a manager set.
    #[serde(flatten)]
    pub input: ApiKeyInput,
    /// Whole when it was made or rotated, else its last four characters.
    pub token: String,
    /// When it was last used, give or take an hour.
    pub last_used_at: Option<Time>,
    /// When it was made.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// A token, read and not yet believed.
#[derive(Debug)]
pub struct Presented {
    /// The tenant's slug.
    pub tenant: String,
    /// The key.
    pub id: ApiKeyId,
    digest: [u8; 32],
}

impl Presented {
    /// Reads a token: `vk_<slug>_<id>_<secret>`.
    #[must_use]
    pub fn parse(token: &str) -> Option<Self> {
        let mut parts = token.strip_prefix(PREFIX)?.split('_');
        let (tenant, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
        let id = uuid::Uuid::try_parse(id).ok().filter(|_| id.len() == 32)?.into();
        let known = text::is_slug(tenant) && !secret.is_empty() && parts.next().is_none();
        known.then(|| Self { tenant: tenant.into(), id, digest: digest(token) })
    }
}

/// A new token of a key.
#[must_use]
pub fn token(tenant: &str, id: ApiKeyId, secret: &str) -> String {
    format!("{PREFIX}{tenant}_{}_{secret}", id.uuid().simple())
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

impl ApiKey {
    /// A new key.
    #[must_use]
    pub fn new(id: ApiKeyId, input: ApiKeyInput, token: &str, now: Time) -> Self {
        let (digest, masked) = (digest(token), masked(token));
        Self { id, input, digest, masked, before: None, last_used_at: None, revision: 1, inserted_at: now, updated_at: now }
    }

    /// The key with another token; the one before is good for a while.
    #[must_use]
    pub fn rotated(&self, token: &str, until: Time, now: Time) -> Self {
        let before = Some((self.digest, until));
        Self { digest: digest(token), masked: masked(token), before, ..self.with(self.input.clone(), now) }
    }

    /// The key after a manager's change.
    #[must_use]
    pub fn with(&self, input: ApiKeyInput, now: Time) -> Self {
        Self { input, revision: self.revision + 1, updated_at: now, ..self.clone() }
    }

    /// A token is its own, and good now. What is compared are digests: their time tells nothing of the token.
    #[must_use]
    pub fn admits(&self, presented: &Presented, address: Option<std::net::IpAddr>, now: Time) -> bool {
        let own = self.digest == presented.digest
            || self.before.is_some_and(|(digest, until)| digest == presented.digest && now < until);
        let networks: Vec<IpNet> = self.input.address_ranges.iter().filter_map(|range| range.parse().ok()).collect();
        let near =
            networks.is_empty() || address.is_some_and(|address| networks.iter().any(|network| network.contains(&address)));
        own && near && self.input.expires_at.is_none_or(|end| now < end)
    }

    /// The key as the API shows it.
    #[must_use]
    pub fn view(&self) -> ApiKeyView {
        ApiKeyView {
            id: self.id,
            input: self.input.clone(),
            token: self.masked.clone(),
            last_used_at: self.last_used_at,
            inserted_at: self.inserted_at,
            updated_at: self.updated_at,
        }
    }
}

fn masked(token: &str) -> String {
    super::webhook::mask(token)
}

/// What a key may do by its scopes; absent, as for users, everything that the role may.
#[must_use]
pub fn scope_of(route: &str, reads: bool) -> Option<String> {
    let resource = route.strip_prefix("/api/v1/")?.split('/').next()?;
    let known = RESOURCES.contains(&resource);
    // What people do to themselves no key does.
    let own = route.starts_with("/api/v1/users/me");
    (known && !own).then(|| format!("{resource}:{}", if reads { "read" } else { "write" }))
}

impl Entity for ApiKey {
    const KIND: &'static str = "apikey";
    const LISTING: Listing = Listing {
        sorts: &[Sort { name: "name", all: G1, by: &[] }, Sort { name: "inserted_at", all: G2, by: &[] }],
        filters: &[],
        counted: true,
    };
    type Id = ApiKeyId;

    fn id(&self) -> ApiKeyId {
        self.id
    }

    fn key(tenant: &str, id: ApiKeyId) -> Key {
        Key::object(tenant, Self::KIND, id)
    }

    fn audited(&self) -> Option<Audited> {
        let mut fields = serde_json::to_value(&self.input).ok()?;
        fields["token"] = Audited::secret(&self.digest);
        Some(Audited::of("api_key", self.id, fields))
    }

    fn facets(&self, tenant: &str) -> Facets {
        Facets::of::<Self>(tenant, self.id)
            .sort("name", text::sort_key(&self.input.name))
            .sort("inserted_at", self.inserted_at.key())
            .words(&text::words(&[&self.input.name]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_epoch(1_700_000_000);

    #[test]
    fn a_token_is_good_for_its_key_its_time_and_its_networks() {
        let id = ApiKeyId::of(1, [7; 10]);
        let (first, second) = (token("acme-1", id, "aaaa"), token("acme-1", id, "bbbb"));
        let input = ApiKeyInput {
            name: "ERP".into(),
            scopes: vec!["calls:read".into()],
            expires_at: Some(NOW + std::time::Duration::from_secs(100)),
            address_ranges: vec!["192.0.2.0/24".into()],
        };
        let key = ApiKey::new(id, input, &first, NOW);
        let home = "192.0.2.7".parse().ok();
        let good = |key: &ApiKey, token: &str, address, after| {
            let presented = Presented::parse(token).unwrap();
            assert_eq!((presented.tenant.as_str(), presented.id), ("acme-1", id));
            key.admits(&presented, address, NOW + std::time::Duration::from_secs(after))
        };
        assert!(good(&key, &first, home, 99) && !good(&key, &first, home, 100));
        assert!(
            !good(&key, &second, home, 0) && !good(&key, &first, "198.51.100.1".parse().ok(), 0) && !good(&key, &first, None, 0)
        );
        let rotated = key.rotated(&second, NOW + std::time::Duration::from_secs(10), NOW);
        assert!(good(&rotated, &second, home, 0) && good(&rotated, &first, home, 9) && !good(&rotated, &first, home, 10));
        for bad in ["", "vk_", "vk_acme", "vk_acme_x_y", &format!("{first}_x"), &first[1..], &first[..first.len() - 4]] {
            assert!(Presented::parse(bad).is_none(), "{bad}");
        }
        assert!(!serde_json::to_string(&key).unwrap().contains("aaaa_") && key.view().token == "••••aaaa");
    }

    #[test]
    fn paths_have_scopes_but_for_what_no_key_may() {
        assert_eq!(scope_of("/api/v1/calls/{id}/start", false).as_deref(), Some("calls:write"));
        assert_eq!(scope_of("/api/v1/export/calls.csv", true).as_deref(), Some("export:read"));
        for none in ["/api/v1/users/me", "/api/v1/users/me/sessions", "/api/v1/api-keys", "/api/auth/logout", "/docs"] {
            assert_eq!(scope_of(none, true), None, "{none}");
        }
    }
}
