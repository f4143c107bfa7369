//! API keys.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use shared::{
    Error, Result,
    api::{Filters, IfMatch, Merge, NoContent, Paging, Path, Query, Revealed, Rows, Shown, Told, Valid, answer::Masked},
    auth::{Caller, Manager},
    ids::ApiKeyId,
    input::{Fields, Input, rules},
    models::{
        ApiKey,
        api_key::{ApiKeyInput, ApiKeyView, token},
    },
    storage::contend,
    text,
};

/// Where in the list.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    #[schemars(flatten)]
    paging: Paging<ApiKey>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { paging: Paging::read(fields, false) }
    }
}

/// The tenant's API keys.
pub async fn list(caller: Caller<Manager>, Query(wanted): Query<Wanted>) -> Result<Rows<ApiKeyView>> {
    wanted.paging.list(&caller, Filters::none(), |key| key.view()).await
}

/// One API key, its token masked.
pub async fn read(caller: Caller<Manager>, Path(id): Path<ApiKeyId>) -> Result<Shown<ApiKeyView>> {
    let key = caller.store().find::<ApiKey>(id).await?;
    Ok(Shown(key.view(), key.revision))
}

/// An API key with its token, shown once.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NewApiKey")]
#[serde(transparent)]
pub struct New(ApiKeyView);

impl Masked for New {
    fn masked(&self) -> Value {
        let masked = ApiKeyView { token: "••••".into(), ..self.0.clone() };
        serde_json::to_value(masked).unwrap_or_default()
    }
}

/// A new token of a key.
fn fresh(caller: &Caller<Manager>, id: ApiKeyId) -> Result<String> {
    Ok(token(caller.tenant(), id, &text::token(caller.app().chance())?))
}

fn in_the_future(caller: &Caller<Manager>, input: &ApiKeyInput) -> Result<()> {
    match input.expires_at {
        Some(end) if end <= caller.now() => Err(Error::invalid("expires_at", "must be in the future")),
        _ => Ok(()),
    }
}

/// Makes a key; the answer alone has its token.
pub async fn create(caller: Caller<Manager>, Valid(input): Valid<ApiKeyInput>) -> Result<Revealed<New>> {
    in_the_future(&caller, &input)?;
    let id = caller.store().mint()?;
    let token = fresh(&caller, id)?;
    let key = ApiKey::new(id, input, &token, caller.now());
    contend(|| caller.write().create(&key).commit(Revealed(New(ApiKeyView { token: token.clone(), ..key.view() })))).await
}

/// Changes what a key may do, at once.
pub async fn update(
    caller: Caller<Manager>,
    Path(id): Path<ApiKeyId>,
    matching: IfMatch,
    Merge(patch): Merge<ApiKeyInput>,
) -> Result<Shown<ApiKeyView>> {
    contend(|| async {
        let seen = caller.store().find::<ApiKey>(id).await?;
        matching.check_version(seen.revision)?;
        let input = patch.onto(&seen.input)?;
        if patch.has("expires_at") {
            in_the_future(&caller, &input)?;
        }
        let changed = seen.with(input, caller.now());
        caller.write().update(&seen, &changed).commit(Shown(changed.view(), changed.revision)).await
    })
    .await
}

/// Ends a key at once.
pub async fn revoke(caller: Caller<Manager>, Path(id): Path<ApiKeyId>, matching: IfMatch) -> Result<NoContent> {
    contend(|| async {
        let seen = caller.store().find::<ApiKey>(id).await?;
        matching.check_version(seen.revision)?;
        caller.write().delete(&seen).commit(NoContent).await
    })
    .await
}

/// How to rotate.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Rotation")]
pub struct Rotation {
    /// Hours for which the token of before is good still.
    #[schemars(range(min = 0, max = 168), extend("default" = 24))]
    grace_hours: u32,
}

impl Input for Rotation {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { grace_hours: fields.default("grace_hours", 24, rules::integer(0..=168)) }
    }
}

/// Gives a key another token; the answer alone has it.
pub async fn rotate(caller: Caller<Manager>, Path(id): Path<ApiKeyId>, Valid(input): Valid<Rotation>) -> Result<Told<New>> {
    let token = fresh(&caller, id)?;
    contend(|| async {
        let seen = caller.store().find::<ApiKey>(id).await?;
        let until = caller.now() + std::time::Duration::from_secs(u64::from(input.grace_hours) * 3600);
        let changed = seen.rotated(&token, until, caller.now());
        let answer = Told(New(ApiKeyView { token: token.clone(), ..changed.view() }));
        caller.write().update(&seen, &changed).commit(answer).await
    })
    .await
}
