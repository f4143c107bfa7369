//! What lies beside an object, as it follows from the object: places in lists, unique values, words, rows, counts.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    about,
    entity::{self, Count, Entity, FILTERS, G7, Item, Listing, MEMORY, PLACES, Slot, TOTAL, TTL, WORDS},
    keys::{self, Key},
};
use crate::{clock::Time, error::Error, text::MAX_WORDS};

/// What a count that may not rise means; it sees the item that holds the count.
pub type Refusal = fn(Option<&Item>) -> Error;

/// A count that an object raises by one for as long as the facet stands.
#[derive(Debug, Clone)]
pub struct Tallied {
    pub(super) key: Key,
    pub(super) count: String,
    pub(super) limit: Option<&'static str>,
    pub(super) most: Option<i64>,
    pub(super) entry: Option<(String, i64)>,
    pub(super) existing: bool,
    pub(super) entering: bool,
    pub(super) one_stays: bool,
    pub(super) refusal: Option<Refusal>,
}

impl Tallied {
    /// A count of an item.
    #[must_use]
    pub fn new(key: Key, count: impl Into<String>) -> Self {
        let count = count.into();
        Self {
            key,
            count,
            limit: None,
            most: None,
            entry: None,
            existing: false,
            entering: false,
            one_stays: false,
            refusal: None,
        }
    }

    /// It rises only while it is below the number that the same item holds under this name (absent: no limit): exactly,
    /// however many race.
    #[must_use]
    pub fn below(mut self, limit: &'static str) -> Self {
        self.limit = Some(limit);
        self
    }

    /// It rises to this at most.
    #[must_use]
    pub fn at_most(mut self, most: i64) -> Self {
        self.most = Some(most);
        self
    }

    /// What is counted stands in the item by name. Many come and go at once; who must know that nothing else came asks for
    /// the item [as it was read](super::tally::Tally::as_read).
    #[must_use]
    pub fn entry(mut self, name: String, value: i64) -> Self {
        self.entry = Some((name, value));
        self
    }

    /// The item must exist for it to rise.
    #[must_use]
    pub fn existing(mut self) -> Self {
        self.existing = true;
        self
    }

    /// Whoever must know that nothing else came asks for the item [as it was read](super::tally::Tally::as_read).
    #[must_use]
    pub fn entering(mut self) -> Self {
        self.entering = true;
        self
    }

    /// The last one stays: it never falls to nothing, however many race.
    #[must_use]
    pub fn one_stays(mut self) -> Self {
        self.one_stays = true;
        self
    }

    /// What it means when it may not change so.
    #[must_use]
    pub fn or(mut self, refusal: Refusal) -> Self {
        self.refusal = Some(refusal);
        self
    }
}

/// A plain item that stands beside an object for as long as the facet does.
#[derive(Debug, Clone)]
pub(super) struct Beside {
    pub(super) item: Item,
    /// The field whose value the item guards: no other object may have it.
    pub(super) unique: Option<&'static str>,
}

/// Everything that is kept beside an object, as it follows from the object. A change of the object changes it in the
/// same transaction, by the difference.
#[derive(Debug, Clone)]
pub struct Facets {
    tenant: String,
    kind: &'static str,
    id_key: String,
    sorts: Vec<(&'static str, String)>,
    filters: Vec<(&'static str, String)>,
    many: Vec<(&'static str, String)>,
    values: Vec<(Slot, &'static str, String)>,
    counts: Vec<String>,
    due: Option<Time>,
    lapses: Option<(&'static str, Time)>,
    about: Option<String>,
    ttl: Option<Time>,
    pub(super) beside: BTreeMap<Key, Beside>,
    pub(super) tallied: Vec<Tallied>,
}

impl Facets {
    /// The facets of an object of a tenant.
    #[must_use]
    pub fn of<T: Entity>(tenant: &str, id: impl crate::ids::Id) -> Self {
        Self {
            tenant: tenant.into(),
            kind: T::KIND,
            id_key: id.key(),
            sorts: Vec::new(),
            filters: Vec::new(),
            many: Vec::new(),
            values: Vec::new(),
            counts: Vec::new(),
            due: None,
            lapses: None,
            about: None,
            ttl: None,
            beside: BTreeMap::new(),
            tallied: Vec::new(),
        }
    }

    /// Its place in a sort.
    #[must_use]
    pub fn sort(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let place = format!("{}#{}", value.into(), self.id_key);
        self.sorts.push((name, place));
        self
    }

    /// Its value of a filter, if it has one.
    #[must_use]
    pub fn filter(mut self, name: &'static str, value: impl Into<Option<String>>) -> Self {
        self.filters.extend(value.into().map(|value| (name, value)));
        self
    }

    /// Its values of a filter of which it can have many: each is a row in the order of a sort, with its values of the filters
    /// that were given before.
    #[must_use]
    pub fn many(mut self, name: &'static str, sort: &str, values: impl IntoIterator<Item = String>) -> Self {
        let place = self.place(sort).unwrap_or_default().to_owned();
        let item = Item::from([(FILTERS.to_owned(), self.filterable())]);
        for value in values {
            let key = Key::row(&self.tenant, self.kind, (name, &value), &place);
            self.beside.insert(key, Beside { item: item.clone(), unique: None });
            self.many.push((name, value));
        }
        self
    }

    /// Its place among the values of a field: who has the same lie side by side. Of no sort that a list is read in.
    #[must_use]
    pub fn value(mut self, slot: Slot, field: &'static str, value: Option<String>) -> Self {
        self.values.extend(value.map(|value| (slot, field, format!("{value}#{}", self.id_key))));
        self
    }

    /// It is one more of these among its kind, beside the values of its filters.
    #[must_use]
    pub fn count(mut self, name: String) -> Self {
        self.counts.push(name);
        self
    }

    /// A value that no other object of the kind may have.
    #[must_use]
    pub fn unique(mut self, field: &'static str, value: &str) -> Self {
        let item = Item::from([("id".to_owned(), AttributeValue::S(self.id_key.clone()))]);
        self.beside.insert(Key::guard(&self.tenant, self.kind, field, value), Beside { item, unique: Some(field) });
        self
    }

    /// The words that are known of it, the first twelve of which have a row by which it is found. Each row has all of them, so
    /// that the others are checked on the row itself, and the places in the sorts that were named before, so that a search reads
    /// the objects of its page alone.
    #[must_use]
    pub fn words(mut self, words: &[String]) -> Self {
        let all = words.iter().fold(String::new(), |all, word| all + " " + word);
        let values = self.sorts.iter().map(|(name, place)| (*name, place.rsplit_once('#').map_or("", |(value, _)| value)));
        let places = values.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned()))).collect();
        let item = Item::from([(WORDS.to_owned(), AttributeValue::S(all)), (PLACES.to_owned(), AttributeValue::M(places))]);
        for word in words.iter().take(MAX_WORDS) {
            let key = Key::word(&self.tenant, self.kind, word, &self.id_key);
            self.beside.insert(key, Beside { item: item.clone(), unique: None });
        }
        self
    }

    /// A plain item beside it.
    #[must_use]
    pub fn row(mut self, key: Key, values: impl IntoIterator<Item = (&'static str, AttributeValue)>) -> Self {
        let item = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.beside.insert(key, Beside { item, unique: None });
        self
    }

    /// What lies beside another object stays, beside this one.
    #[must_use]
    pub fn keeping(mut self, other: Self) -> Self {
        self.beside.extend(other.beside);
        self
    }

    /// A plain item beside it, with which the schedule has work from a moment on. What it has done it may write there: the item
    /// stays as it is until the moment that follows from the object is another.
    #[must_use]
    pub fn due_row(mut self, key: Key, at: Time) -> Self {
        let item = entity::due(&key, at);
        self.beside.insert(key, Beside { item, unique: None });
        self
    }

    /// A count that it raises by one.
    #[must_use]
    pub fn tally(mut self, tallied: Tallied) -> Self {
        self.tallied.push(tallied);
        self
    }

    /// The moment from which the schedule has work with it.
    #[must_use]
    pub fn due(mut self, at: Option<Time>) -> Self {
        self.due = at;
        self
    }

    /// The moment at which time alone changes it; lists settle that first.
    #[must_use]
    pub fn lapses(mut self, at: Option<Time>) -> Self {
        self.lapses = at.map(|at| (self.kind, at));
        self.due = at;
        self
    }

    /// Lists of another kind settle it first, from this moment on.
    #[must_use]
    pub fn unsettles<T: Entity>(mut self, from: Time) -> Self {
        self.lapses = Some((T::KIND, from));
        self
    }

    /// Whom it tells of, see [`about`](super::about::whom): an erasure finds it.
    #[must_use]
    pub fn about(mut self, whom: Option<String>) -> Self {
        self.about = whom;
        self
    }

    /// The moment after which the table may forget it.
    #[must_use]
    pub fn ttl(mut self, at: Time) -> Self {
        self.ttl = Some(at);
        self
    }

    /// It has this value of a filter.
    #[must_use]
    pub fn has(&self, wanted: &(&'static str, String)) -> bool {
        self.filters.contains(wanted) || self.many.contains(wanted)
    }

    fn filterable(&self) -> AttributeValue {
        let values = self.filters.iter().map(|(name, value)| ((*name).to_owned(), AttributeValue::S(value.clone())));
        AttributeValue::M(values.collect())
    }

    /// Its place in a sort.
    #[must_use]
    pub fn place(&self, sort: &str) -> Option<&str> {
        self.sorts.iter().find(|(name, _)| *name == sort).map(|(_, place)| place.as_str())
    }

    /// The keys of everything that is written beside a new object.
    pub(super) fn keys(self, listing: &Listing) -> impl Iterator<Item = Key> {
        let Self { beside, tallied, .. } = self.counted(listing);
        beside.into_keys().chain(tallied.into_iter().map(|tallied| tallied.key))
    }

    /// Nothing is written beside the object.
    pub(super) fn stands_alone(&self, listing: &Listing) -> bool {
        self.beside.is_empty() && self.tallied.is_empty() && !listing.counted
    }

    /// With the counters of the kind's lists.
    pub(super) fn counted(mut self, listing: &Listing) -> Self {
        if !listing.counted {
            return self;
        }
        let shard = keys::shard(&self.id_key, keys::COUNTER_SHARDS);
        let own = Key::counter(&self.tenant, self.kind, "", shard);
        let mut counters = vec![(own.clone(), TOTAL.to_owned())];
        counters.extend(self.counts.iter().map(|name| (own.clone(), name.clone())));
        for (name, count) in listing.filters {
            let Some((_, value)) = self.filters.iter().find(|(known, _)| known == name) else { continue };
            match count {
                Count::Field => counters.push((own.clone(), format!("{name}={value}"))),
                Count::Item => {
                    counters.push((Key::counter(&self.tenant, self.kind, &format!("{name}#{value}"), shard), TOTAL.to_owned()));
                }
                Count::Along | Count::Own => {}
            }
        }
        self.tallied.extend(counters.into_iter().map(|(key, count)| Tallied::new(key, count)));
        self
    }

    /// The item's attributes beside the object itself.
    pub(super) fn attributes(&self, listing: &Listing, key: &Key) -> Item {
        let mut item = Item::new();
        let mut set = |name: String, value: String| item.insert(name, AttributeValue::S(value));
        for sort in listing.sorts {
            let Some(place) = self.place(sort.name).filter(|_| sort.all != MEMORY) else { continue };
            let (partition, order) = sort.all.attributes();
            set(partition, keys::list(&self.tenant, self.kind, None));
            set(order, place.to_owned());
            for (filter, slot) in sort.by {
                let Some((name, value)) = self.filters.iter().find(|(name, _)| name == filter) else { continue };
                let (partition, order) = slot.attributes();
                set(partition, keys::list(&self.tenant, self.kind, Some((name, value))));
                set(order, place.to_owned());
            }
        }
        for (slot, field, place) in &self.values {
            let (partition, order) = slot.attributes();
            set(partition, keys::values(&self.tenant, self.kind, field));
            set(order, place.clone());
        }
        if let Some((kind, at)) = self.lapses {
            let (partition, order) = G7.attributes();
            set(partition, keys::lapsing(&self.tenant, kind));
            set(order, keys::due_at(at, key));
        }
        if let Some(at) = self.due {
            item.extend(entity::due(key, at));
        }
        if let Some(whom) = &self.about {
            item.extend(about::place(&self.tenant, whom));
        }
        if !listing.sorts.is_empty() && !self.filters.is_empty() {
            item.insert(FILTERS.into(), self.filterable());
        }
        if let Some(at) = self.ttl {
            item.insert(TTL.into(), AttributeValue::N(at.epoch().to_string()));
        }
        item
    }
}
