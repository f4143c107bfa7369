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
        webhook::{WebhookInput, WebhookView, mask, new_secret},
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
    let secret = match input.secret.take() {
        Some(given) => given,
        None => new_secret(caller.app().chance().draw()?),
    };
    input.secret = Some(secret.clone());
    let webhook = Webhook::new(caller.tenant(), caller.store().mint()?, input, &caller.app().vault()?, caller.now())?;
    let shown = || Revealed(New(WebhookView { secret: secret.clone(), ..webhook.view() }));
    contend(|| caller.write().create(&webhook).commit(shown())).await
}

/// Changes a webhook. Making it active again forgets that it failed.
pub async fn update(
    caller: Caller<Manager>,
    Path(id): Path<WebhookId>,
    matching: IfMatch,
    Merge(patch): Merge<WebhookInput>,
) -> Result<Shown<WebhookView>> {
    let vault = caller.app().vault()?;
    contend(|| async {
        let seen = caller.store().find::<Webhook>(id).await?;
        matching.check_version(seen.revision)?;
        let known = seen.input(caller.tenant(), &vault)?;
        let mut input = patch.onto(&known)?;
        if input.url != seen.url {
            input.url = checked(caller.app(), &input.url)?;
        }
        // A secret is replaced, never taken away.
        input.secret = input.secret.or(known.secret);
        let changed = seen.with(caller.tenant(), input, &vault, caller.now())?;
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
