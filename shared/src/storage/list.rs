//! Lists: pages and cursors over the slim indexes, exact totals.
//!
//! A list runs on one access pattern: the whole kind in the order of a sort, one value of one filter in that order, or
//! the rows of one search word (`search.rs`). Other filters are applied along the range which that pattern selects. Index rows hold
//! keys and filterable values alone; the page's objects are then read strongly consistent by their keys. Where an object
//! has many values of a filter, its rows of them lie in the table and are as slim. A filter that is given with several
//! values selects what has any of them: the pattern is then a partition of each.

use std::{cmp::Ordering, collections::BTreeMap};

use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use futures_util::{
    FutureExt,
    future::{try_join, try_join_all},
};

use super::{
    Store,
    entity::{self, Entity, FILTERS, Item, ROWS, Slot, Sort, Stored},
    failed,
    keys::{self, Key},
};
use crate::error::{Error, Result};

/// What is listed, in which order, from where.
#[derive(Debug, Clone)]
pub struct Query {
    /// The filters that were given; of one that is given more than once, any value will do.
    pub filters: Vec<(&'static str, String)>,
    /// Words that must all be found, by prefix.
    pub search: Option<String>,
    /// The sort's name.
    pub sort: &'static str,
    /// The greatest first.
    pub descending: bool,
    /// Bounds of a sort's value: from inclusive, to exclusive.
    pub range: Option<(String, String)>,
    /// The sort whose value they bound, where that is another one.
    pub ranged: Option<&'static str>,
    /// Where the page begins.
    pub start: Start,
    /// Rows of a page.
    pub size: usize,
}

impl Query {
    /// The first so many of what has this value of a filter, the greatest first.
    #[must_use]
    pub fn of(filter: &'static str, value: impl std::fmt::Display, sort: &'static str, size: usize) -> Self {
        let filters = vec![(filter, value.to_string())];
        Self { filters, search: None, sort, descending: true, range: None, ranged: None, start: Start::Skip(0), size }
    }

    /// The range has no moment in it.
    fn is_empty(&self) -> bool {
        self.range.as_ref().is_some_and(|(from, to)| from >= to)
    }

    /// The sort in whose order the range lies, unless the list has that order.
    fn across(&self) -> Option<&'static str> {
        self.ranged.filter(|ranged| self.range.is_some() && *ranged != self.sort)
    }
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// After so many rows.
    Skip(usize),
    /// After this place.
    After(String),
}

/// A page of objects.
#[derive(Debug)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<Stored<T>>,
    /// All rows that the filters select.
    pub total: u64,
    /// The place after which the next page begins; none on the last.
    pub next: Option<String>,
}

/// Index rows that are read at once where filters may drop most of them.
const STRIDE: i32 = 1000;
/// Slim rows that are looked at where the order must be made in memory: some twenty requests.
pub(super) const MOST_ROWS: usize = 100_000;
/// The sort in whose order identifiers are minted.
const MINTED: &str = "inserted_at";

/// Partitions that are read at the same time.
const AT_ONCE: usize = 8;

/// An access pattern: one partition of one index, or of rows in the table; one of each value of a filter that has several.
pub(super) struct Pattern<'a> {
    slot: Slot,
    pub(super) partitions: Vec<String>,
    /// Filters that the pattern does not answer by itself.
    rest: Vec<&'a (&'static str, String)>,
    pub(super) query: &'a Query,
}

impl Store {
    /// A page of a list.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a search finds too many; [`Error::Internal`] when the table does not answer or the kind has no
    /// such sort.
    pub async fn list<T: Entity>(&self, query: &Query) -> Result<Page<T>> {
        let sort = sort_named::<T>(query.sort)?;
        let search = query.search.as_deref().map(T::sought);
        if query.is_empty() || search.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Page { rows: Vec::new(), total: 0, next: None });
        }
        let pattern = match query.across() {
            None => self.pattern::<T>(sort, query),
            Some(_) => None,
        };
        match (search, pattern) {
            (Some(words), _) => self.page_found(&words, query).await,
            (None, Some(pattern)) => self.page_along::<T>(&pattern).await,
            (None, None) => self.page_across::<T>(&self.fallback::<T>(query)?).await,
        }
    }

    /// The rows of a page of a list without its total, and the place after which the next begins: for reading all of it.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub async fn rows<T: Entity>(&self, query: &Query) -> Result<(Vec<Stored<T>>, Option<String>)> {
        let sort = T::LISTING.sorts.iter().find(|sort| sort.name == query.sort);
        let pattern = sort.and_then(|sort| self.pattern::<T>(sort, query));
        let pattern =
            pattern.ok_or_else(|| Error::Internal(format!("{} has no index in the order of {}", T::KIND, query.sort)))?;
        self.rows_along(&pattern).await
    }

    /// The most selective pattern that gives the order.
    fn pattern<'a, T: Entity>(&self, sort: &Sort, query: &'a Query) -> Option<Pattern<'a>> {
        let indexed = |name: &str| T::LISTING.sorts.iter().flat_map(|sort| sort.by).any(|(known, _)| *known == name);
        let Some(filter) = most_selective::<T>(query).filter(|(name, _)| indexed(name)) else {
            return Some(self.along(T::KIND, sort.all, None, query));
        };
        let slot = sort.by.iter().find(|(name, _)| *name == filter.0).map(|(_, slot)| *slot)?;
        Some(self.along(T::KIND, slot, Some(filter), query))
    }

    /// The most selective filter in whatever order it has an index; the rows are then sorted in memory.
    fn fallback<'a, T: Entity>(&self, query: &'a Query) -> Result<Pattern<'a>> {
        if let Some(ranged) = query.across() {
            let pattern = self.pattern::<T>(sort_named::<T>(ranged)?, query);
            return pattern.ok_or_else(|| Error::Internal(format!("{} has no index in the order of {ranged}", T::KIND)));
        }
        let filter = most_selective::<T>(query);
        filter
            .and_then(|filter| {
                let by = T::LISTING.sorts.iter().flat_map(|sort| sort.by).find(|(name, _)| *name == filter.0)?;
                Some(self.along(T::KIND, by.1, Some(filter), query))
            })
            .ok_or_else(|| Error::Internal(format!("{} has no index for {filter:?}", T::KIND)))
    }

    fn along<'a>(&self, kind: &str, slot: Slot, by: Option<&(&'static str, String)>, query: &'a Query) -> Pattern<'a> {
        let answered = |name: &str| by.is_some_and(|(known, _)| *known == name);
        let (own, rest): (Vec<_>, Vec<_>) = query.filters.iter().partition(|(name, _)| answered(name));
        let partition = |filter| keys::list(&self.tenant, kind, filter);
        let partitions = match by {
            None => vec![partition(None)],
            Some(_) => own.into_iter().map(|(name, value)| partition(Some((*name, value.as_str())))).collect(),
        };
        Pattern { slot, partitions, rest, query }
    }

    /// A page straight from an index.
    async fn page_along<T: Entity>(&self, pattern: &Pattern<'_>) -> Result<Page<T>> {
        let ((rows, next), total) = try_join(self.rows_along(pattern), self.total::<T>(pattern)).await?;
        Ok(Page { rows, total, next })
    }

    async fn rows_along<T: Entity>(&self, pattern: &Pattern<'_>) -> Result<(Vec<Stored<T>>, Option<String>)> {
        let query = pattern.query;
        let mut keys = self.window::<T>(pattern).await?;
        let more = keys.len() > query.size;
        keys.truncate(query.size);
        let next = if more { keys.last().map(|(_, place)| place.clone()) } else { None };
        let keys: Vec<Key> = keys.into_iter().map(|(key, _)| key).collect();
        let mut rows = self.objects::<T>(&keys).await?;
        // An index row may lag behind its object: what no longer belongs here is not shown.
        rows.retain(|row| self.matches(&row.value, query));
        Ok((rows, next))
    }

    /// The keys of a page and one more, with their places.
    async fn window<T: Entity>(&self, pattern: &Pattern<'_>) -> Result<Vec<(Key, String)>> {
        let (query, wanted) = (pattern.query, pattern.query.size + 1);
        if let [partition] = pattern.partitions.as_slice() {
            return self.stretch::<T>(pattern, partition, &query.start, wanted).await;
        }
        // What comes before the page may lie in any of them.
        let (skip, start) = match &query.start {
            Start::Skip(rows) => (*rows, Start::Skip(0)),
            after @ Start::After(_) => (0, after.clone()),
        };
        let mut found = Vec::new();
        for some in pattern.partitions.chunks(AT_ONCE) {
            let stretches = some.iter().map(|partition| self.stretch::<T>(pattern, partition, &start, skip + wanted).boxed());
            found.extend(try_join_all(stretches).await?);
        }
        let mut found: Vec<(Key, String)> = found.into_iter().flatten().collect();
        found.sort_by(|(_, a), (_, b)| in_order(a, b, query.descending));
        // What goes from one to another meanwhile may be met in both.
        found.dedup();
        Ok(found.into_iter().skip(skip).take(wanted).collect())
    }

    /// So many keys of a partition with their places.
    async fn stretch<T: Entity>(
        &self,
        pattern: &Pattern<'_>,
        partition: &str,
        start: &Start,
        wanted: usize,
    ) -> Result<Vec<(Key, String)>> {
        let (mut skip, mut after) = match start {
            Start::Skip(rows) => (*rows, None),
            Start::After(place) => (0, Some(self.resume::<T>(pattern, partition, place)?)),
        };
        let mut found = Vec::with_capacity(wanted);
        loop {
            let needed = skip + wanted - found.len();
            let limit = if pattern.rest.is_empty() { i32::try_from(needed).unwrap_or(STRIDE) } else { STRIDE };
            let request = pattern.request(self, partition).set_exclusive_start_key(after.take()).limit(limit);
            let answer = request.send().await.map_err(failed("Query"))?;
            let items = answer.items.unwrap_or_default();
            let dropped = skip.min(items.len());
            skip -= dropped;
            for item in items.into_iter().skip(dropped).take(wanted - found.len()) {
                let place = entity::text(&item, &pattern.slot.attributes().1).unwrap_or_default().to_owned();
                found.push((self.placed::<T>(&place)?, place));
            }
            after = answer.last_evaluated_key;
            if found.len() == wanted || after.is_none() {
                return Ok(found);
            }
        }
    }

    /// The key of the object at a place.
    fn placed<T: Entity>(&self, place: &str) -> Result<Key> {
        let (_, id_key) = place.rsplit_once('#').ok_or_else(|| Error::Internal("place without an id".into()))?;
        Ok(T::key_at(&self.tenant, id_key))
    }

    /// The start key of a place: a row's key, and in an index its object's.
    fn resume<T: Entity>(&self, pattern: &Pattern<'_>, partition: &str, place: &str) -> Result<Item> {
        let mut start = super::attributes(&self.placed::<T>(place)?);
        let (of, order) = pattern.slot.attributes();
        start.insert(of, AttributeValue::S(partition.to_owned()));
        start.insert(order, AttributeValue::S(place.to_owned()));
        Ok(start)
    }

    /// A page of what a pattern selects, in another order than its own. Identifiers are minted in the order of `inserted_at`:
    /// for that one the slim rows are enough.
    async fn page_across<T: Entity>(&self, pattern: &Pattern<'_>) -> Result<Page<T>> {
        let (query, order) = (pattern.query, pattern.slot.attributes().1);
        let mut keys = Vec::new();
        for partition in &pattern.partitions {
            let mut items = pattern.request(self, partition).into_paginator().items().send();
            while let Some(item) = items.try_next().await.map_err(failed("Query"))? {
                let place = entity::text(&item, &order).unwrap_or_default();
                let id = place.rsplit_once('#').map(|(_, id)| id.to_owned()).unwrap_or_default();
                keys.push((id, self.placed::<T>(place)?));
                if keys.len() > MOST_ROWS {
                    return Err(Error::invalid("sort_by", "cannot be had of so many; filter more, or take another sort"));
                }
            }
        }
        if query.sort != MINTED {
            let keys: Vec<Key> = keys.into_iter().map(|(_, key)| key).collect();
            return self.page_in_memory(self.objects(&keys).await?, query);
        }
        let (keys, total, next) = slice(keys, query);
        let mut rows = self.objects::<T>(&keys).await?;
        rows.retain(|row| self.matches(&row.value, query));
        Ok(Page { rows, total, next })
    }

    /// The objects of keys, in that order.
    pub(super) async fn objects<T: Entity>(&self, keys: &[Key]) -> Result<Vec<Stored<T>>> {
        let mut found = self.db.items(keys).await?;
        keys.iter().filter_map(|key| found.take(key).transpose()).collect()
    }

    /// The object has a value of every filter and lies in the range.
    fn matches<T: Entity>(&self, value: &T, query: &Query) -> bool {
        let facets = value.facets(&self.tenant);
        let any = |name: &str| query.filters.iter().any(|wanted| wanted.0 == name && facets.has(wanted));
        query.filters.iter().all(|(name, _)| any(name))
            && query.range.as_ref().is_none_or(|(from, to)| {
                facets
                    .place(query.ranged.unwrap_or(query.sort))
                    .is_some_and(|place| from.as_str() <= place && place <= to.as_str())
            })
    }

    /// A page of objects that were read whole.
    ///
    /// # Errors
    /// None today; it answers as [`Store::list`] does.
    pub fn page_in_memory<T: Entity>(&self, objects: Vec<Stored<T>>, query: &Query) -> Result<Page<T>> {
        let rows = objects
            .into_iter()
            .filter(|row| self.matches(&row.value, query))
            .filter_map(|row| Some((row.value.facets(&self.tenant).place(query.sort)?.to_owned(), row)));
        let (rows, total, next) = slice(rows.collect(), query);
        Ok(Page { rows, total, next })
    }
}

impl Pattern<'_> {
    /// The query of this pattern, in its order, within its range, with the filters it does not answer by itself.
    pub(super) fn request(&self, store: &Store, partition: &str) -> QueryFluentBuilder {
        let (of, order) = self.slot.attributes();
        let mut request = store
            .db
            .client
            .query()
            .table_name(&store.db.table)
            .set_index_name((self.slot != ROWS).then(|| self.slot.index()))
            .scan_index_forward(!self.query.descending)
            .expression_attribute_names("#p", of)
            .expression_attribute_values(":p", AttributeValue::S(partition.to_owned()));
        let mut condition = "#p = :p".to_owned();
        if let Some((from, to)) = &self.query.range {
            condition.push_str(" AND #s BETWEEN :from AND :to");
            request = request
                .expression_attribute_names("#s", order)
                .expression_attribute_values(":from", AttributeValue::S(from.clone()))
                .expression_attribute_values(":to", AttributeValue::S(to.clone()));
        }
        let mut filters = BTreeMap::<&str, Vec<String>>::new();
        for (n, (name, value)) in self.rest.iter().enumerate() {
            filters.entry(name).or_default().push(format!("#f.#f{n} = :f{n}"));
            request = request
                .expression_attribute_names(format!("#f{n}"), *name)
                .expression_attribute_values(format!(":f{n}"), AttributeValue::S(value.clone()));
        }
        if !filters.is_empty() {
            let each: Vec<_> = filters.values().map(|any| format!("({})", any.join(" OR "))).collect();
            request = request.expression_attribute_names("#f", FILTERS).filter_expression(each.join(" AND "));
        }
        request.key_condition_expression(condition)
    }
}

fn sort_named<T: Entity>(name: &str) -> Result<&'static Sort> {
    let sort = T::LISTING.sorts.iter().find(|sort| sort.name == name);
    sort.ok_or_else(|| Error::Internal(format!("{} has no sort {name}", T::KIND)))
}

/// The filter that selects least, as the kind ranks them.
fn most_selective<T: Entity>(query: &Query) -> Option<&(&'static str, String)> {
    T::LISTING.filters.iter().find_map(|(name, _)| query.filters.iter().find(|(given, _)| given == name))
}

/// The page of what was found, in order: its rows, how many there are in all, and the place after which the next begins.
pub(super) fn slice<R>(mut rows: Vec<(String, R)>, query: &Query) -> (Vec<R>, u64, Option<String>) {
    rows.sort_by(|(a, _), (b, _)| in_order(a, b, query.descending));
    let total = u64::try_from(rows.len()).unwrap_or(0);
    let first = match &query.start {
        Start::Skip(skip) => *skip,
        Start::After(place) => rows.partition_point(|(at, _)| in_order(at, place, query.descending) != Ordering::Greater),
    };
    let last = first.saturating_add(query.size).checked_sub(1).filter(|last| last + 1 < rows.len());
    let next = last.and_then(|last| rows.get(last)).map(|(place, _)| place.clone());
    (rows.into_iter().skip(first).take(query.size).map(|(_, row)| row).collect(), total, next)
}

fn in_order(a: &str, b: &str, descending: bool) -> Ordering {
    if descending { b.cmp(a) } else { a.cmp(b) }
}
