//! What became of deliveries.

use schemars::JsonSchema;
use shared::{
    Result,
    api::{Dates, Filters, Paging, Path, Query, Rows, paging::Range},
    auth::{Caller, Manager},
    events::EventName,
    ids::WebhookId,
    input::{Fields, Input, rules},
    models::{
        Delivery, Webhook,
        delivery::{DeliveryStatus, DeliveryView, KEPT},
    },
};

/// Which deliveries.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    #[schemars(flatten)]
    paging: Paging<Delivery>,
    #[schemars(flatten)]
    dates: Dates,
    /// That stand so.
    status: Option<DeliveryStatus>,
    /// Of this event.
    event: Option<EventName>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            paging: Paging::read(fields, true),
            dates: Dates::read(fields),
            status: fields.optional("status", rules::word),
            event: fields.optional("event", rules::word),
        }
    }
}

/// A webhook's deliveries of the last 30 days, the latest first.
pub async fn list(
    caller: Caller<Manager>,
    Path(id): Path<WebhookId>,
    Query(wanted): Query<Wanted>,
) -> Result<Rows<DeliveryView>> {
    let store = caller.store();
    let range = wanted.dates.range(store).await?;
    let filters = match (wanted.status, wanted.event) {
        (None, None) => Filters::none().with("webhook", Some(id)),
        (status, event) => {
            let within = |value: String| format!("{id}/{value}");
            Filters::none()
                .with("status", status.map(|s| within(s.to_string())))
                .with("event", event.map(|e| within(e.to_string())))
        }
    };
    let query = wanted.paging.query(&caller, filters.within(range))?;
    // A cursor is bound to what was asked, not to the moment at which it was.
    let mut kept = query.clone();
    kept.range = Some(Range { from: range.from.max(caller.now() - KEPT), ..range }.keys());
    let (_, page) = tokio::try_join!(store.find::<Webhook>(id), store.list::<Delivery>(&kept))?;
    Ok(wanted.paging.rows(&caller, &query, page, |delivery| delivery.view()))
}
