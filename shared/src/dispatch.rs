//! From an event to its deliveries.

use std::time::Duration;

use crate::{
    app::App,
    error::{Error, Result},
    events::EventRecord,
    models::{Delivery, Webhook},
    queue::Message,
    storage::{Stored, entity, keys},
};

/// Makes a delivery for every webhook that wants the event, queues them, and clears the event's mark. Repeated, it finds
/// the deliveries there and queues them again, which does no harm: an attempt is claimed before it is made. Answers
/// whether there was something to do.
///
/// # Errors
/// [`Error::Internal`] when the table or the queue does not answer; the mark then stays.
pub async fn dispatch(app: &App, tenant: &str, event: &Stored<EventRecord>) -> Result<bool> {
    if event.dispatched_at.is_some() {
        return Ok(false);
    }
    let store = app.store(tenant);
    let webhooks = app.db().partition(&keys::webhooks(tenant), "").await?;
    let now = app.clock().now();
    let mut messages = Vec::new();
    for item in webhooks {
        let webhook: Stored<Webhook> = entity::from_item(item)?;
        if webhook.wants(&event.name) {
            let delivery = Delivery::new(event.id, &event.name, webhook.id, now);
            store.insert(&delivery).await?;
            messages.push(Message {
                tenant: tenant.to_owned(),
                delivery_id: delivery.id,
                webhook_id: webhook.id,
                event_id: event.id,
            });
        }
    }
    app.queue().send(&messages, Duration::ZERO).await?;
    let dispatched = EventRecord { dispatched_at: Some(now), ..event.value.clone() };
    match store.write().update(event, &dispatched).commit(()).await {
        Ok(()) => Ok(true),
        Err(Error::Conflict) => Ok(false),
        Err(error) => Err(error),
    }
}
