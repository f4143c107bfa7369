//! The worker on the queue: one attempt of one delivery a message.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use shared::{
    Error, Result,
    app::{App, Need},
    chance::Chance,
    clock::Time,
    deliver,
    events::{Event, EventName, EventRecord},
    models::{
        Delivery, Webhook,
        delivery::{Outcome, QUEUE_DELAY},
        mail::Letter,
        webhook::PATIENCE,
    },
    queue::Message,
    storage::{Entity, Store, Stored, contend},
    worker,
};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[Need::DataSecret, Need::Queue];

/// Works through a batch of the queue.
///
/// # Errors
/// None: what failed is named in the response and comes again.
pub async fn handle(app: App, event: SqsEvent) -> Result<SqsBatchResponse> {
    Ok(worker::batch(event, |body| one(app.clone(), body)).await)
}

/// Makes the attempt that a message asks for, unless it was made, is not due, or somebody is at it.
async fn one(app: App, body: String) -> Result<()> {
    let message: Message = serde_json::from_str(&body).map_err(|e| Error::internal("message", e))?;
    let store = app.store(&message.tenant);
    let tenant = store.tenant();
    let keys = [
        Delivery::key(tenant, message.delivery_id),
        Webhook::key(tenant, message.webhook_id),
        EventRecord::key(tenant, message.event_id),
    ];
    let mut found = app.db().items(&keys).await?;
    let now = app.clock().now();
    let Some(seen) = found.take::<Delivery>(&keys[0])? else { return Ok(()) };
    if !seen.ready(now) {
        return match seen.early(now) {
            Some(wait) => app.queue().send(&[message], wait).await,
            None => Ok(()),
        };
    }
    let (webhook, event) = (found.take::<Webhook>(&keys[1])?, found.take::<EventRecord>(&keys[2])?);
    let (Some(webhook), Some(event)) = (webhook.filter(|webhook| webhook.active), event) else {
        return store.supersede(&seen, &seen.given_up()).await.map(drop);
    };
    let Some(held) = store.supersede(&seen, &seen.held(now)).await? else { return Ok(()) };
    let outcome = deliver::attempt(&app, &message.tenant, &webhook, event.id, &event.name, held.id, &event.payload).await?;
    let now = app.clock().now();
    let after = held.after(outcome.clone(), jitter(app.chance())?, now);
    let next = after.next_attempt_at;
    if !record(&store, &held, &after, webhook, &outcome, now).await? {
        return Ok(());
    }
    match next.map(|at| std::time::Duration::from_secs(at.since(now))) {
        Some(delay) if delay <= QUEUE_DELAY => app.queue().send(&[message], delay).await,
        _ => Ok(()),
    }
}

/// Writes what came of an attempt and what the webhook keeps of it, both or neither: since when it fails, or that it is
/// disabled, because it is gone or has failed for five days. Says whether the delivery was still held.
async fn record(
    store: &Store,
    held: &Stored<Delivery>,
    after: &Delivery,
    webhook: Stored<Webhook>,
    outcome: &Outcome,
    now: Time,
) -> Result<bool> {
    let id = webhook.id;
    let mut read = Some(webhook);
    contend(|| {
        let read = read.take();
        async move {
            let webhook = if read.is_some() {
                read
            } else {
                // Another write was in the way: of the delivery, which is then another's, or of the webhook.
                let (delivery, webhook) = tokio::try_join!(store.get::<Delivery>(held.id), store.get::<Webhook>(id))?;
                if delivery.is_none_or(|delivery| delivery.version != held.version) {
                    return Ok(false);
                }
                webhook
            };
            let mut write = store.write().update(held, after);
            if let Some(seen) = &webhook
                && let Some(changed) = health(seen, outcome, now)
            {
                write = write.update(seen, &changed);
                if seen.active && !changed.active {
                    let (url, reason) = (changed.url.clone(), changed.disabled_reason.clone().unwrap_or_default());
                    write = write
                        .emit(&Event::Webhook(EventName::WebhookDisabled, changed.view()), now)
                        .post(Letter::WebhookDisabled { webhook_id: id, url, reason }, now);
                }
            }
            write.commit(()).await.map(|()| true)
        }
    })
    .await
}

/// The webhook after an attempt, if that changes it.
fn health(webhook: &Webhook, outcome: &Outcome, now: Time) -> Option<Webhook> {
    let mut changed = webhook.clone();
    changed.failing_since = if outcome.delivered() { None } else { webhook.failing_since.or(Some(now)) };
    let reason = if outcome.gone() {
        Some("The receiver answered 410 Gone")
    } else if changed.failing_since.is_some_and(|since| since + PATIENCE <= now) {
        Some("Every attempt has failed for five days")
    } else {
        None
    };
    if let Some(reason) = reason.filter(|_| webhook.active) {
        changed.active = false;
        changed.disabled_reason = Some(reason.to_owned());
        changed.revision += 1;
        changed.updated_at = now;
    }
    (changed.failing_since != webhook.failing_since || changed.active != webhook.active).then_some(changed)
}

/// Even in -1…1.
fn jitter(chance: &Chance) -> Result<f64> {
    Ok(f64::from(u32::from_le_bytes(chance.draw()?)) / f64::from(u32::MAX) * 2.0 - 1.0)
}
