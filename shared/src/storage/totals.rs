//! How many: from counters, or along the index.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::Select;
use futures_util::{FutureExt, future::try_join_all};

use super::{
    Store,
    entity::{self, Count, Entity},
    failed, keys,
    list::Pattern,
};
use crate::error::Result;

impl Store {
    /// How many rows the filters select: from counters without a filter or with one, else counted along the index.
    pub(super) async fn total<T: Entity>(&self, pattern: &Pattern<'_>) -> Result<u64> {
        let query = pattern.query;
        if T::LISTING.counted && query.range.is_none() {
            let counted = match query.filters.as_slice() {
                [] => Some(self.counter(T::KIND, "", entity::TOTAL).await?),
                [(name, _), others @ ..] if others.iter().all(|(other, _)| other == name) => {
                    let counted = query.filters.iter().map(|filter| self.counted::<T>(filter).boxed());
                    try_join_all(counted).await?.into_iter().sum()
                }
                _ => None,
            };
            if let Some(total) = counted {
                return Ok(total);
            }
        }
        let mut total = 0;
        for partition in &pattern.partitions {
            let mut pages = pattern.request(self, partition).select(Select::Count).into_paginator().send();
            while let Some(page) = pages.try_next().await.map_err(failed("Query"))? {
                total += u64::try_from(page.count).unwrap_or(0);
            }
        }
        Ok(total)
    }

    /// How many have one value of a filter, where that is counted.
    async fn counted<T: Entity>(&self, (name, value): &(&'static str, String)) -> Result<Option<u64>> {
        match T::LISTING.filters.iter().find(|(known, _)| known == name) {
            Some((_, Count::Field)) => self.counter(T::KIND, "", &format!("{name}={value}")).await.map(Some),
            Some((_, Count::Item)) => self.counter(T::KIND, &format!("{name}#{value}"), entity::TOTAL).await.map(Some),
            Some((_, Count::Own)) => {
                let Some((key, count)) = T::counted_at(&self.tenant, name, value) else { return Ok(None) };
                let number = self.db.item(&key).await?.and_then(|item| entity::number(&item, count)).unwrap_or(0);
                Ok(Some(u64::try_from(number).unwrap_or(0)))
            }
            _ => Ok(None),
        }
    }

    /// Everything that is counted of a kind by name: `filter=value`, an object's `count`. One query.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] when the table does not answer.
    pub async fn counts<T: Entity>(&self) -> Result<BTreeMap<String, u64>> {
        let shards = self.db.partition(&keys::counters(&self.tenant, T::KIND, ""), "").await?;
        let mut counts = BTreeMap::<String, i64>::new();
        for (name, value) in shards.iter().flatten() {
            if let Some(number) = value.as_n().ok().and_then(|number| number.parse::<i64>().ok()) {
                *counts.entry(name.clone()).or_default() += number;
            }
        }
        Ok(counts.into_iter().map(|(name, count)| (name, u64::try_from(count).unwrap_or(0))).collect())
    }

    /// A counter: the sum of its shards, in one query.
    async fn counter(&self, kind: &str, dimension: &str, field: &str) -> Result<u64> {
        let shards = self.db.partition(&keys::counters(&self.tenant, kind, dimension), "").await?;
        let sum: i64 = shards.iter().filter_map(|shard| entity::number(shard, field)).sum();
        Ok(u64::try_from(sum).unwrap_or(0))
    }
}
