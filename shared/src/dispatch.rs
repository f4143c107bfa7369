//! From an event to its deliveries.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    app::App,
    error::Result,
    events::EventRecord,
    models::{Delivery, Webhook},
    queue::Message,
    storage::{Stored, entity, keys},
};

/// Deliveries that are written at the same time.
const AT_ONCE: usize = 16;

/// Makes a delivery for every webhook that wants the event, queues them, and clears the event's mark. Repeated, it finds
/// the deliveries there and queues them again, which does no harm: an attempt is claimed before it is made. Answers
/// whether there was something to do.
///
/// # Errors
/// [`crate::Error::Internal`] when the table or the queue does not answer; the mark then stays.
pub async fn dispatch(app: &App, tenant: &str, event: &Stored<EventRecord>) -> Result<bool> {
    if event.dispatched_at.is_some() {
        return Ok(false);
    }
    let store = app.store(tenant);
    let webhooks = app.db().partition(&keys::webhooks(tenant), "").await?;
    let now = app.clock().now();
    let webhooks = webhooks.into_iter().map(entity::from_item).collect::<Result<Vec<Stored<Webhook>>>>()?;
    let wanting = webhooks.into_iter().filter(|webhook| webhook.wants(&event.name));
    let held = |webhook: Stored<Webhook>| Delivery::new(event.id, &event.name, event.about.clone(), webhook.id, now);
    let held: Vec<_> = wanting.map(held).collect();
    let inserts: Vec<_> = held.iter().map(|delivery| store.insert(delivery)).collect();
    stream::iter(inserts).buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await?;
    let message = |delivery: &Delivery| Message {
        tenant: tenant.to_owned(),
        delivery_id: delivery.id,
        webhook_id: delivery.webhook_id,
        event_id: event.id,
    };
    let messages: Vec<_> = held.iter().map(message).collect();
    app.queue().send(&messages, Duration::ZERO).await?;
    let dispatched = EventRecord { dispatched_at: Some(now), ..event.value.clone() };
    Ok(store.supersede(event, &dispatched).await?.is_some())
}
