//! The audit trail.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use shared::{
    Result,
    api::{Dates, Filters, Paging, Query, Rows},
    auth::{Caller, Manager},
    clock::Time,
    ids::{ApiKeyId, AuditId, UserId},
    input::{Fields, Input, rules},
    models::{ApiKey, User},
    storage::{Store, audit::Entry},
};

/// Which entries.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    #[schemars(flatten)]
    paging: Paging<Entry>,
    #[schemars(flatten)]
    dates: Dates,
    /// Of this user or API key, by its identifier, whether it is still there or not.
    #[schemars(with = "Option<String>", extend("format" = "object-id"))]
    actor: Option<UserId>,
    /// Of this action, such as `user.updated`.
    #[schemars(length(max = 100))]
    action: Option<String>,
    /// Of objects of this type, such as `user`.
    #[schemars(length(max = 100))]
    object_type: Option<String>,
    /// Of this object, by its identifier, whether it is still there or not.
    #[schemars(with = "Option<String>", extend("format" = "object-id"))]
    object_id: Option<UserId>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            paging: Paging::read(fields, true),
            dates: Dates::read(fields),
            actor: fields.optional("actor", rules::id),
            action: fields.optional("action", rules::line(100)),
            object_type: fields.optional("object_type", rules::line(100)),
            object_id: fields.optional("object_id", rules::id),
        }
    }
}

/// An entry as the API shows it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditEntry")]
pub struct View {
    /// Its identifier.
    id: AuditId,
    /// What was done.
    action: String,
    /// Who did it.
    actor: Named,
    /// What it was done to.
    object: Thing,
    /// From where.
    ip: Option<String>,
    /// In which request, by its `X-Request-Id`.
    request_id: String,
    /// The fields that changed, each with its value before and after; secret ones masked.
    changes: Value,
    /// When.
    inserted_at: Time,
}

/// Who does something.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Named {
    /// `user` or `api_key`.
    #[serde(rename = "type")]
    kind: String,
    /// Which.
    id: String,
    /// Its present name; null when it is gone.
    name: Option<String>,
}

/// What something is done to.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Thing {
    /// What it is.
    #[serde(rename = "type")]
    kind: String,
    /// Which.
    id: String,
}

/// The trail of the last 365 days, the latest first.
pub async fn list(caller: Caller<Manager>, Query(wanted): Query<Wanted>) -> Result<Rows<View>> {
    let store = caller.store();
    let filters = Filters::none()
        .with("actor", wanted.actor)
        .with("action", wanted.action)
        .with("object_type", wanted.object_type)
        .with("object_id", wanted.object_id)
        .within(wanted.dates.range(store).await?);
    let query = wanted.paging.query(&caller, filters)?;
    let page = store.list::<Entry>(&query).await?;
    let names = names(store, page.rows.iter().map(|row| &row.value)).await?;
    Ok(wanted.paging.rows(&caller, &query, page, |row| {
        let Entry { id, action, actor, object, ip, request_id, changes, inserted_at } = row.value;
        let name = names.get(&actor.id).cloned();
        let actor = Named { kind: actor.kind, id: actor.id, name };
        View { id, action, actor, object: Thing { kind: object.kind, id: object.id }, ip, request_id, changes, inserted_at }
    }))
}

/// The names of those who did something, by their identifiers.
async fn names(store: &Store, entries: impl Iterator<Item = &Entry> + Clone) -> Result<HashMap<String, String>> {
    let of = |kind: &'static str| entries.clone().filter(move |entry| entry.actor.kind == kind).map(|entry| &entry.actor.id);
    let users: Vec<UserId> = of("user").filter_map(|id| id.parse().ok()).collect();
    let keys: Vec<ApiKeyId> = of("api_key").filter_map(|id| id.parse().ok()).collect();
    let (users, keys) = tokio::try_join!(store.get_all::<User>(users), store.get_all::<ApiKey>(keys))?;
    let users = users.into_iter().map(|user| (user.id.to_string(), user.value.input.name));
    let keys = keys.into_iter().map(|key| (key.id.to_string(), key.value.input.name));
    Ok(users.chain(keys).collect())
}
