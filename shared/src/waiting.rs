//! Places in queues.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;

use crate::{
    clock::Time,
    error::Result,
    ids::{DepartmentId, Id, TicketId},
    models::{Call, call::CallStatus},
    storage::{Store, entity, failed, keys},
};

/// The places of the waiting calls among these, 1 is next: one read of each of their queues, as far as the last of them.
///
/// # Errors
/// [`crate::error::Error::Internal`] when the table does not answer.
pub async fn positions(store: &Store, calls: &[&Call], now: Time) -> Result<HashMap<TicketId, u64>> {
    let mut last: HashMap<DepartmentId, TicketId> = HashMap::new();
    let mut wanted = HashSet::new();
    for call in calls.iter().filter(|call| call.status == CallStatus::Queued) {
        wanted.insert(call.ticket);
        last.entry(call.department_id).and_modify(|ticket| *ticket = (*ticket).max(call.ticket)).or_insert(call.ticket);
    }
    let queues = try_join_all(last.into_iter().map(|(department, ticket)| queue(store, department, Some(ticket), now))).await?;
    let places = queues.into_iter().flat_map(|queue| queue.into_iter().zip(1..));
    Ok(places.filter(|(ticket, _)| wanted.contains(ticket)).collect())
}

/// How many wait in a department.
///
/// # Errors
/// [`crate::error::Error::Internal`] when the table does not answer.
pub async fn length(store: &Store, department: DepartmentId, now: Time) -> Result<u64> {
    Ok(u64::try_from(queue(store, department, None, now).await?.len()).unwrap_or(u64::MAX))
}

/// The tickets of a queue in the order of serving, whose time has not passed; up to `last`, inclusive.
async fn queue(store: &Store, department: DepartmentId, last: Option<TicketId>, now: Time) -> Result<Vec<TicketId>> {
    let mut query = store
        .db()
        .client()
        .query()
        .table_name(store.db().table())
        .consistent_read(true)
        .key_condition_expression(if last.is_some() { "PK = :p AND SK <= :last" } else { "PK = :p" })
        .filter_expression("deadline > :now")
        .expression_attribute_values(":p", AttributeValue::S(keys::queue(store.tenant(), department)))
        .expression_attribute_values(":now", AttributeValue::N(now.epoch().to_string()));
    if let Some(last) = last {
        query = query.expression_attribute_values(":last", AttributeValue::S(last.key()));
    }
    let items = query.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.map_err(failed("Query"))?;
    Ok(items.iter().filter_map(|item| TicketId::from_key(entity::text(item, "SK")?)).collect())
}
