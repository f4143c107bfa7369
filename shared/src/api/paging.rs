//! Lists as every endpoint offers them: page, size, sort, cursor, filters.

use std::marker::PhantomData;

use chrono_tz::Tz;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::answer::{Meta, Rows};
use crate::{
    auth::Caller,
    clock::Time,
    error::{Error, Result},
    input::{Fields, Message, Raw, rules},
    models::Company,
    storage::{
        Entity, Store, Stored,
        list::{Page, Query, Start},
    },
    text::{self, DateOrTime},
};

/// Rows that page numbers reach; past them a cursor is needed.
const NUMBERED: u64 = 10_000;

/// Where a list of a kind is read, and how it is sorted.
#[derive(Debug, Clone)]
pub struct Paging<T> {
    list: String,
    page: u64,
    size: u64,
    sort: &'static str,
    descending: bool,
    cursor: Option<String>,
    /// Words to find.
    pub search: Option<String>,
    kind: PhantomData<fn() -> T>,
}

/// The names of a kind's sorts, the first being the default.
fn sorts<T: Entity>() -> impl Iterator<Item = &'static str> {
    T::LISTING.sorts.iter().map(|sort| sort.name)
}

impl<T: Entity> Paging<T> {
    /// Reads `page, page_size, sort_by, sort_order, cursor` and `search`.
    pub fn read(fields: &mut Fields<'_>, descending: bool) -> Self {
        let known = |raw: &Raw<'_>| {
            let text = raw.text()?;
            let all = || sorts::<T>().collect::<Vec<_>>().join(", ");
            sorts::<T>().find(|name| *name == text).ok_or_else(|| Message::Owned(format!("must be one of: {}", all())))
        };
        let paging = Self {
            list: T::KIND.into(),
            page: fields.default("page", 1, |raw: &Raw<'_>| match raw.integer() {
                Ok(page @ 1..) => Ok(page.unsigned_abs()),
                _ => Err(Message::Borrowed("must be an integer of at least 1")),
            }),
            size: fields.default("page_size", T::PAGE_SIZE, rules::integer(1..=100)),
            sort: fields.default("sort_by", sorts::<T>().next().unwrap_or_default(), known),
            descending: fields.default("sort_order", descending, |raw: &Raw<'_>| match raw.text()? {
                "asc" => Ok(false),
                "desc" => Ok(true),
                _ => Err(Message::Borrowed("must be one of: asc, desc")),
            }),
            cursor: fields.optional("cursor", rules::line(4096)),
            search: fields.optional("search", rules::line(200)),
            kind: PhantomData,
        };
        if paging.cursor.is_none() && (paging.page - 1).saturating_mul(paging.size) >= NUMBERED {
            fields.violation("page", format!("reaches the first {NUMBERED} rows; read on with cursor"));
        }
        paging
    }

    /// The list is that of one object: its cursors are good for no other's.
    #[must_use]
    pub fn of(self, owner: impl std::fmt::Display) -> Self {
        Self { list: format!("{} of {owner}", self.list), ..self }
    }

    /// A page of a kind, as the caller sees it.
    ///
    /// # Errors
    /// As [`Paging::query`] and [`Store::list`].
    pub async fn list<V, R>(&self, caller: &Caller<R>, filters: Filters, view: impl FnMut(Stored<T>) -> V) -> Result<Rows<V>> {
        let query = self.query(caller, filters)?;
        let page = caller.store().list::<T>(&query).await?;
        Ok(self.rows(caller, &query, page, view))
    }

    /// The query of these parameters with filters and a range of the sort's value.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `cursor` unless it was given for this list.
    pub fn query<R>(&self, caller: &Caller<R>, Filters { filters, range, ranged }: Filters) -> Result<Query> {
        let range = range.filter(|range| *range != Range::ALL).map(Range::keys);
        let mut query = Query {
            filters,
            search: self.search.clone(),
            sort: self.sort,
            descending: self.descending,
            range,
            ranged,
            start: Start::Skip(usize::try_from((self.page - 1).saturating_mul(self.size)).unwrap_or(usize::MAX)),
            size: usize::try_from(self.size).unwrap_or(usize::MAX),
        };
        if let Some(cursor) = &self.cursor {
            let place = caller
                .cursor()
                .open(&self.binding(caller.store(), &query), cursor)
                .ok_or_else(|| Error::invalid("cursor", "is not a cursor of this list"))?;
            query.start = Start::After(place);
        }
        Ok(query)
    }

    /// The answer of a page.
    pub fn rows<V, R>(&self, caller: &Caller<R>, query: &Query, page: Page<T>, view: impl FnMut(Stored<T>) -> V) -> Rows<V> {
        Rows {
            data: page.rows.into_iter().map(view).collect(),
            meta: Meta {
                current_page: self.cursor.is_none().then_some(self.page),
                page_size: self.size,
                total_pages: page.total.div_ceil(self.size),
                total_count: page.total,
                next_cursor: page.next.map(|place| caller.cursor().seal(&self.binding(caller.store(), query), &place)),
            },
        }
    }

    /// What a cursor is bound to.
    fn binding(&self, store: &Store, query: &Query) -> String {
        let Query { filters, search, sort, descending, range, ranged, .. } = query;
        let ranged = ranged.map(|sort| format!("\n{sort}")).unwrap_or_default();
        format!("{}\n{}\n{filters:?}\n{search:?}\n{sort}\n{descending}\n{range:?}{ranged}", store.tenant(), self.list)
    }
}

/// The filters of a list, and the range of its sort's value.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    filters: Vec<(&'static str, String)>,
    range: Option<Range>,
    ranged: Option<&'static str>,
}

impl Filters {
    /// No filter.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// A filter, if it was given.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.filters.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// The filters alone.
    #[must_use]
    pub fn into_list(self) -> Vec<(&'static str, String)> {
        self.filters
    }

    /// Between two moments.
    #[must_use]
    pub fn within(mut self, range: Range) -> Self {
        self.range = Some(range);
        self
    }

    /// Between two moments of a sort's value, whichever sort the list has.
    #[must_use]
    pub fn within_of(mut self, sort: &'static str, range: Range) -> Self {
        self.ranged = Some(sort);
        self.within(range)
    }
}

impl<T: Entity> JsonSchema for Paging<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Paging".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let (sorts, first) = (sorts::<T>().collect::<Vec<_>>(), sorts::<T>().next());
        json_schema!({ "type": "object", "properties": {
            "page": {
                "type": "integer", "minimum": 1, "default": 1,
                "description": "The page's number, within the first 10,000 rows.",
            },
            "page_size": { "type": "integer", "minimum": 1, "maximum": 100, "default": T::PAGE_SIZE, "description": "Rows of a page." },
            "sort_by": { "type": "string", "enum": sorts, "default": first, "description": "What it is sorted by." },
            "sort_order": { "type": "string", "enum": ["asc", "desc"], "description": "Which way." },
            "cursor": {
                "type": "string", "maxLength": 4096,
                "description": "Reads on, whatever `page` says: `meta.next_cursor` of the page before.",
            },
            "search": { "type": "string", "maxLength": 200, "description": "Words that must all be found, by their beginnings." },
        }})
    }
}

impl JsonSchema for Dates {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Dates".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "properties": {
            "date_from": { "type": "string", "description": "The first day (in the company's time zone) or moment (RFC 3339)." },
            "date_to": { "type": "string", "description": "The last day or moment, inclusive." },
        }})
    }
}

/// Moments from, inclusive, to, exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub from: Time,
    /// The one after the last.
    pub to: Time,
}

impl Range {
    /// All time.
    pub const ALL: Self = Self { from: Time::from_epoch(0), to: Time::from_epoch(9_999_999_999) };

    /// The moments as keys.
    #[must_use]
    pub fn keys(self) -> (String, String) {
        (self.from.key(), self.to.key())
    }
}

/// `date_from` and `date_to` as they were given; a date without a time means the whole day in the company's zone.
#[derive(Debug, Clone, Default)]
pub struct Dates {
    from: Option<DateOrTime>,
    to: Option<DateOrTime>,
}

impl Dates {
    /// Reads both.
    pub fn read(fields: &mut Fields<'_>) -> Self {
        let date = |raw: &Raw<'_>| text::date_or_time(raw.text()?.trim()).map_err(Message::Borrowed);
        Self { from: fields.optional("date_from", date), to: fields.optional("date_to", date) }
    }

    /// `date_from` was given.
    #[must_use]
    pub fn has_from(&self) -> bool {
        self.from.is_some()
    }

    /// The moments, inclusive at both ends. The company's zone is read only when a bare date makes it matter.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `date_to` when it is before `date_from`.
    pub async fn range(&self, store: &Store) -> Result<Range> {
        let bare = [&self.from, &self.to].into_iter().any(|given| matches!(given, Some(DateOrTime::Date(_))));
        let zone = if bare { store.find::<Company>(()).await?.zone() } else { Tz::UTC };
        self.range_in(zone)
    }

    fn range_in(&self, zone: Tz) -> Result<Range> {
        let second = std::time::Duration::from_secs(1);
        let from = self.from.as_ref().map(|given| match given {
            DateOrTime::Date(day) => text::day_range(*day, zone).0.into(),
            DateOrTime::Time(at) => Time::from(*at),
        });
        let to = self.to.as_ref().map(|given| match given {
            DateOrTime::Date(day) => text::day_range(*day, zone).1.into(),
            DateOrTime::Time(at) => Time::from(*at) + second,
        });
        match (from, to) {
            (Some(from), Some(to)) if from >= to => Err(Error::invalid("date_to", "must not be before date_from")),
            _ => Ok(Range { from: from.unwrap_or(Range::ALL.from), to: to.unwrap_or(Range::ALL.to) }),
        }
    }
}
