//! The minute schedule: what is due and nobody has done. It finds what a lost stream or queue left behind, what waits for
//! longer than a queue can carry, and what the clock changes.

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{StreamExt, future::try_join_all, stream};
use serde::Serialize;
use shared::{
    Result,
    app::{App, Need},
    batch,
    clock::Time,
    dispatch::dispatch,
    erase,
    events::EventRecord,
    forget,
    ids::{DeliveryId, EventId},
    lapse, mail, merging,
    models::{
        AccessLink, Appointment, Call, Customer, Delivery, LinkBatch, LinkHold, Mail, User,
        customer::{Erasure, Forgotten},
        tag::TagRemoval,
    },
    queue::Message,
    release, remind,
    storage::{Entity, Key, entity::DUE, failed, key_of, keys, table::DUE_INDEX},
    untag,
};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[Need::Mail, Need::PublicUrl, Need::Queue];

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Events dispatched.
    pub events: u64,
    /// Deliveries queued.
    pub deliveries: u64,
    /// Calls missed and links expired.
    pub lapsed: u64,
    /// Appointments reminded of.
    pub reminded: u64,
    /// Mails tried.
    pub mails: u64,
    /// Calls given back by agents who serve no longer.
    pub released: u64,
    /// Calls and links that a removed customer was taken off, or that went over from a merged one.
    pub forgotten: u64,
    /// Objects of erased customers, and what was told of them.
    pub erased: u64,
    /// Calls that bore tags which were deleted, and those tags.
    pub untagged: u64,
    /// Access links of batches whose requests did not come to their end.
    pub linked: u64,
}

impl Swept {
    /// What two sweeps did.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            events: self.events + other.events,
            deliveries: self.deliveries + other.deliveries,
            lapsed: self.lapsed + other.lapsed,
            reminded: self.reminded + other.reminded,
            mails: self.mails + other.mails,
            released: self.released + other.released,
            forgotten: self.forgotten + other.forgotten,
            erased: self.erased + other.erased,
            untagged: self.untagged + other.untagged,
            linked: self.linked + other.linked,
        }
    }
}

/// How much of a shard is done at the same time, and read at once.
const AT_ONCE: usize = 4;
const PAGE: i32 = 100;

/// Does what is due at the present moment.
///
/// # Errors
/// None that stops it: what failed is due again in a minute.
pub async fn handle(app: App, _: serde_json::Value) -> Result<Swept> {
    let now = app.clock().now();
    sweep(&app, now).await
}

/// Does what is due until a moment; one ahead of the present takes over from a queue or a stream that was lost. What
/// fails is noted and keeps nobody else waiting.
///
/// # Errors
/// [`shared::Error::Internal`] when the index does not answer.
pub async fn sweep(app: &App, until: Time) -> Result<Swept> {
    let shards = try_join_all((0..keys::DUE_SHARDS).map(|shard| sweep_shard(app, shard, until))).await?;
    Ok(shards.into_iter().fold(Swept::default(), Swept::plus))
}

/// One shard, a page of its index at a time.
async fn sweep_shard(app: &App, shard: u8, until: Time) -> Result<Swept> {
    let mut pages = app
        .db()
        .client()
        .query()
        .table_name(app.db().table())
        .index_name(DUE_INDEX)
        .key_condition_expression("#due = :due AND #at < :until")
        .expression_attribute_names("#due", DUE.0)
        .expression_attribute_names("#at", DUE.1)
        .expression_attribute_values(":due", AttributeValue::S(keys::due(shard)))
        .expression_attribute_values(":until", AttributeValue::S((until + std::time::Duration::from_secs(1)).key()))
        .into_paginator()
        .page_size(PAGE)
        .send();
    let mut swept = Swept::default();
    while let Some(page) = pages.try_next().await.map_err(failed("Query"))? {
        let due: Vec<Key> = page.items().iter().filter_map(key_of).collect();
        let done: Vec<Swept> = stream::iter(due).map(|key| noted(app, key)).buffer_unordered(AT_ONCE).collect().await;
        swept = done.into_iter().fold(swept, Swept::plus);
    }
    Ok(swept)
}

async fn noted(app: &App, key: Key) -> Swept {
    let what = format!("{}#{}", key.pk, key.sk);
    one(app, key).await.unwrap_or_else(|error| {
        tracing::error!(what, %error, "due work failed");
        Swept::default()
    })
}

async fn one(app: &App, key: Key) -> Result<Swept> {
    let tenant = key.pk.split('#').next().unwrap_or_default();
    let store = app.store(tenant);
    let mut swept = Swept::default();
    match key.kind() {
        EventRecord::KIND => {
            if let Some(id) = key.object_id::<EventId>()
                && let Some(event) = store.get::<EventRecord>(id).await?
            {
                swept.events += u64::from(dispatch(app, tenant, &event).await?);
            }
        }
        Delivery::KIND => {
            if let Some(id) = key.object_id::<DeliveryId>() {
                swept.deliveries += u64::from(queue(app, tenant, id).await?);
            }
        }
        Call::KIND => {
            if let Some(id) = key.object_id() {
                swept.lapsed += u64::from(lapse::settle::<Call>(&store, id).await?.written);
            }
        }
        AccessLink::KIND => {
            if let Some(id) = key.object_id() {
                swept.lapsed += u64::from(lapse::settle::<AccessLink>(&store, id).await?.written);
            }
        }
        Appointment::KIND => {
            if let Some(id) = key.object_id() {
                swept.reminded += u64::from(remind::remind(&store, id).await?);
            }
        }
        Mail::KIND => {
            if let Some(id) = key.object_id()
                && let Some(seen) = store.get::<Mail>(id).await?
            {
                swept.mails += u64::from(mail::send(app, tenant, &seen).await?);
            }
        }
        Forgotten::KIND => {
            if let Some(id) = key.object_id() {
                swept.forgotten += forget::again(&store, id).await?;
            }
        }
        // Who was merged lies in the customer's place.
        Customer::KIND => {
            if let Some(id) = key.object_id() {
                swept.forgotten += merging::again(&store, id).await?;
            }
        }
        Erasure::KIND => {
            if let Some(id) = key.object_id() {
                swept.erased += erase::go_on(&store, id, erase::PORTION).await?;
            }
        }
        User::KIND => {
            if let Some(id) = key.object_id() {
                swept.released += release::again(&store, id).await?;
            }
        }
        TagRemoval::KIND => {
            if let Some(id) = key.object_id() {
                swept.untagged += untag::go_on(&store, id).await?;
            }
        }
        LinkBatch::KIND => swept.linked += batch::go_on(&store, &key).await?,
        LinkHold::KIND => batch::let_go(&store, &key).await?,
        other => tracing::warn!(kind = other, tenant, "due work of an unknown kind"),
    }
    Ok(swept)
}

/// Queues a delivery whose time has come, and puts off the next look at it.
async fn queue(app: &App, tenant: &str, id: DeliveryId) -> Result<bool> {
    let store = app.store(tenant);
    let now = app.clock().now();
    let Some(seen) = store.get::<Delivery>(id).await?.filter(|delivery| delivery.ready(now)) else { return Ok(false) };
    let message = Message { tenant: tenant.to_owned(), delivery_id: id, webhook_id: seen.webhook_id, event_id: seen.event_id };
    match store.write().update(&seen, &seen.queued(now)).commit(()).await {
        Err(shared::Error::Conflict) => Ok(false),
        Err(error) => Err(error),
        Ok(()) => app.queue().send(&[message], std::time::Duration::ZERO).await.map(|()| true),
    }
}
