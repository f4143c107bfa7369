//! The audit trail: who did what to which object, written in the transaction that does it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    entity::{Count, Entity, G1, G2, G3, G4, Listing, Sort},
    facets::Facets,
    keys::Key,
};
use crate::{
    clock::{Time, days},
    ids::AuditId,
};

/// How long it is kept.
const KEPT: std::time::Duration = days(365);

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// `user` or `api_key`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which.
    pub id: String,
}

/// Who makes a request, and from where.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Author {
    /// Who.
    pub actor: Actor,
    /// The address.
    pub ip: Option<String>,
    /// The request.
    pub request_id: String,
}

/// What the trail tells of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Audited {
    /// What it is, in the words of the API.
    pub kind: &'static str,
    /// Which.
    pub id: String,
    /// Its fields; a secret one as [`Audited::secret`].
    pub fields: Value,
    /// What was done to it, where that is more than a change.
    pub verb: Option<&'static str>,
}

impl Audited {
    /// What is told of an object.
    #[must_use]
    pub fn of(kind: &'static str, id: impl std::fmt::Display, fields: Value) -> Self {
        Self { kind, id: id.to_string(), fields, verb: None }
    }

    /// What was done to it, where that is more than a change: `merged`.
    #[must_use]
    pub fn done(self, verb: &'static str) -> Self {
        Self { verb: Some(verb), ..self }
    }

    /// A field of which the trail tells that it changed, and not what it is.
    #[must_use]
    pub fn secret(value: &impl Serialize) -> Value {
        json!({ "secret": value })
    }
}

/// An entry of the trail.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Its identifier.
    pub id: AuditId,
    /// What was done: `user.updated`.
    pub action: String,
    /// Who did it.
    pub actor: Actor,
    /// What it was done to.
    pub object: Actor,
    /// From where.
    pub ip: Option<String>,
    /// In which request.
    pub request_id: String,
    /// The fields that changed, each with its value before and after.
    #[serde(default = "unchanged", skip_serializing_if = "is_unchanged")]
    pub changes: Value,
    /// When.
    pub inserted_at: Time,
}

impl Entry {
    /// The entry of a change; none when nothing changed that the trail tells of.
    #[must_use]
    pub(super) fn of(id: AuditId, author: &Author, before: Option<Audited>, after: Option<Audited>, now: Time) -> Option<Self> {
        let verb = match (&before, &after) {
            (_, Some(Audited { verb: Some(verb), .. })) => verb,
            (None, _) => "created",
            (Some(_), Some(_)) => "updated",
            (Some(_), None) => "deleted",
        };
        let changes = if after.is_some() { changes(before.as_ref(), after.as_ref()) } else { Map::new() };
        if changes.is_empty() && verb == "updated" {
            return None;
        }
        let object = after.or(before)?;
        Some(Self {
            id,
            action: format!("{}.{verb}", object.kind),
            actor: author.actor.clone(),
            object: Actor { kind: object.kind.into(), id: object.id },
            ip: author.ip.clone(),
            request_id: author.request_id.clone(),
            changes: changes.into(),
            inserted_at: now,
        })
    }
}

fn unchanged() -> Value {
    Map::new().into()
}

fn is_unchanged(changes: &Value) -> bool {
    changes.as_object().is_some_and(Map::is_empty)
}

/// The fields that differ.
fn changes(before: Option<&Audited>, after: Option<&Audited>) -> Map<String, Value> {
    let fields = |side: Option<&Audited>| side.and_then(|side| side.fields.as_object().cloned()).unwrap_or_default();
    let (before, after) = (fields(before), fields(after));
    let told = |value: &Value| {
        if value.get("secret").is_some_and(|secret| !secret.is_null()) { "••••".into() } else { shown(value) }
    };
    after
        .iter()
        .filter_map(|(name, value)| {
            let old = before.get(name).unwrap_or(&Value::Null);
            (old != value).then(|| (name.clone(), json!([told(old), told(value)])))
        })
        .collect()
}

fn shown(value: &Value) -> Value {
    if value.get("secret").is_some() { Value::Null } else { value.clone() }
}

impl Entity for Entry {
    const KIND: &'static str = "audit";
    const LISTING: Listing = Listing {
        sorts: &[Sort { name: "inserted_at", all: G1, by: &[("object_id", G2), ("actor", G3), ("object_type", G4)] }],
        filters: &[("object_id", Count::Along), ("actor", Count::Along), ("object_type", Count::Along), ("action", Count::Along)],
        counted: false,
    };
    type Id = AuditId;

    fn id(&self) -> AuditId {
        self.id
    }

    fn key(tenant: &str, id: AuditId) -> Key {
        Key::object(tenant, Self::KIND, id)
    }

    fn facets(&self, tenant: &str) -> Facets {
        Facets::of::<Self>(tenant, self.id)
            .sort("inserted_at", self.inserted_at.key())
            .filter("object_id", self.object.id.clone())
            .filter("actor", self.actor.id.clone())
            .filter("object_type", self.object.kind.clone())
            .filter("action", self.action.clone())
            .ttl(self.inserted_at + KEPT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_tells_what_differs_and_no_secret() {
        let author =
            Author { actor: Actor { kind: "user".into(), id: "1".into() }, ip: Some("192.0.2.1".into()), request_id: "r".into() };
        let user =
            |name: &str, hash: Option<&str>| Audited::of("user", 7, json!({ "name": name, "password": Audited::secret(&hash) }));
        let entry = |before, after| Entry::of(AuditId::default(), &author, before, after, Time::from_epoch(0));
        let made = entry(None, Some(user("Ana", None))).unwrap();
        assert_eq!(
            (made.action.as_str(), made.changes),
            ("user.created", json!({ "name": [null, "Ana"], "password": [null, null] }))
        );
        let changed = entry(Some(user("Ana", None)), Some(user("Ana", Some("hash")))).unwrap();
        assert_eq!((changed.action.as_str(), changed.changes), ("user.updated", json!({ "password": [null, "••••"] })));
        assert!(entry(Some(user("Ana", None)), Some(user("Ana", None))).is_none());
        let gone = entry(Some(user("Ana", Some("hash"))), None).unwrap();
        assert_eq!((gone.action.as_str(), gone.changes, gone.object.id.as_str()), ("user.deleted", json!({}), "7"));
    }
}
