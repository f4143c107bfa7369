//! Webhooks themselves.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use shared::{
    Error, Result,
    api::{Filters, IfMatch, Merge, NoContent, Paging, Path, Query, Revealed, Rows, Shown, Valid, answer::Masked},
    app::App,
    auth::{Caller, Manager},
    ids::WebhookId,
    input::{Fields, Input},
    models::{
        Company, Webhook,
        webhook::{WebhookInput, WebhookView, mask},
    },
    storage::contend,
};

/// Where in the list.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    #[schemars(flatten)]
    paging: Paging<Webhook>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { paging: Paging::read(fields, false) }
    }
}

/// The tenant's webhooks.
pub async fn list(caller: Caller<Manager>, Query(wanted): Query<Wanted>) -> Result<Rows<WebhookView>> {
    wanted.paging.list(&caller, Filters::none(), |webhook| webhook.view()).await
}

/// One webhook, its secrets masked.
pub async fn read(caller: Caller<Manager>, Path(id): Path<WebhookId>) -> Result<Shown<WebhookView>> {
    let webhook = caller.store().find::<Webhook>(id).await?;
    Ok(Shown(webhook.view(), webhook.revision))
}

/// A new webhook with its secret, shown once.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NewWebhook")]
#[serde(transparent)]
pub struct New(WebhookView);

impl Masked for New {
    fn masked(&self) -> Value {
        let masked = WebhookView { secret: mask(&self.0.secret), ..self.0.clone() };
        serde_json::to_value(masked).unwrap_or_default()
    }
}

/// Makes a webhook; the answer alone has the whole secret.
pub async fn create(caller: Caller<Manager>, Valid(mut input): Valid<WebhookInput>) -> Result<Revealed<New>> {
    input.url = checked(caller.app(), &input.url)?;
    if !caller.store().find::<Company>(()).await?.plan.webhooks() {
        return Err(Error::Forbidden("Plan limit reached: webhooks come with the advanced plan and up".into()));
    }
    let random = caller.app().chance().draw()?;
    let webhook = Webhook::new(caller.store().mint()?, input, random, caller.now());
    let shown = || Revealed(New(WebhookView { secret: webhook.secret().to_owned(), ..webhook.view() }));
    contend(|| caller.write().create(&webhook).commit(shown())).await
}

/// Changes a webhook. Making it active again forgets that it failed.
pub async fn update(
    caller: Caller<Manager>,
    Path(id): Path<WebhookId>,
    matching: IfMatch,
    Merge(patch): Merge<WebhookInput>,
) -> Result<Shown<WebhookView>> {
    contend(|| async {
        let seen = caller.store().find::<Webhook>(id).await?;
        matching.check_version(seen.revision)?;
        let mut input = patch.onto(&seen.input)?;
        if input.url != seen.input.url {
            input.url = checked(caller.app(), &input.url)?;
        }
        // A secret is replaced, never taken away.
        input.secret = input.secret.or_else(|| seen.input.secret.clone());
        let revived = input.active && !seen.input.active;
        let changed = Webhook {
            disabled_reason: seen.disabled_reason.clone().filter(|_| !revived),
            failing_since: seen.failing_since.filter(|_| !revived),
            input,
            revision: seen.revision + 1,
            updated_at: caller.now(),
            ..seen.value.clone()
        };
        caller.write().update(&seen, &changed).commit(Shown(changed.view(), changed.revision)).await
    })
    .await
}

/// Removes a webhook; what is under way to it is given up.
pub async fn remove(caller: Caller<Manager>, Path(id): Path<WebhookId>, matching: IfMatch) -> Result<NoContent> {
    contend(|| async {
        let seen = caller.store().find::<Webhook>(id).await?;
        matching.check_version(seen.revision)?;
        caller.write().delete(&seen).commit(NoContent).await
    })
    .await
}

/// The URL as it will be called, when it may be.
fn checked(app: &App, url: &str) -> Result<String> {
    let url = app.outbound()?.check_url(url).map_err(|refusal| Error::invalid("url", refusal.to_string()))?;
    Ok(url.into())
}
