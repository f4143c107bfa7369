//! What the table knows of an object: its key from its identity, its index rows, guards, counters and search words from
//! the whole.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    audit::Audited,
    facets::Facets,
    keys::{self, Key},
};
use crate::{
    clock::Time,
    error::{Error, Result},
};

/// An item of the table.
pub type Item = HashMap<String, AttributeValue>;

/// An object of a tenant that is stored in the table.
pub trait Entity: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The kind, as it stands in keys.
    const KIND: &'static str;
    /// How it is listed.
    const LISTING: Listing = Listing::NONE;
    /// The kind of what may take an object's place, see [`Write::turn`](super::Write::turn): while that
    /// [lapses](Facets::lapses), the words of what it was still lie, and a search passes over them.
    const SUCCESSOR: Option<&'static str> = None;
    /// Rows of a page unless another number is asked for.
    const PAGE_SIZE: u64 = 20;
    /// Its identity within the tenant.
    type Id: Copy + Send + Sync;

    /// Its identity.
    fn id(&self) -> Self::Id;
    /// Its key.
    fn key(tenant: &str, id: Self::Id) -> Key;
    /// The key of one whose identifier has this key, as index rows hold it.
    #[must_use]
    fn key_at(tenant: &str, id_key: &str) -> Key {
        Key::object_by_key(tenant, Self::KIND, id_key)
    }
    /// The words that a search for it asks for.
    #[must_use]
    fn sought(query: &str) -> Vec<String> {
        crate::text::query_words(query)
    }
    /// What the audit trail tells of it; nothing of most kinds.
    fn audited(&self) -> Option<Audited> {
        None
    }
    /// Where its objects with one value of a filter are counted as they stand, for [`Count::Own`].
    #[must_use]
    fn counted_at(_tenant: &str, _filter: &str, _value: &str) -> Option<(Key, &'static str)> {
        None
    }
    /// Everything that is kept beside it.
    fn facets(&self, tenant: &str) -> Facets;
}

/// One of the overloaded indexes, `GSI1` to `GSI7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot(u8);

impl Slot {
    /// The slots in order.
    pub const ALL: [Self; 7] = [G1, G2, G3, G4, G5, G6, G7];

    /// The index's name.
    #[must_use]
    pub fn index(self) -> String {
        format!("GSI{}", self.0)
    }

    /// Its partition-key and sort-key attributes.
    #[must_use]
    pub fn attributes(self) -> (String, String) {
        if self == ROWS {
            return ("PK".into(), "SK".into());
        }
        (format!("P{}", self.0), format!("S{}", self.0))
    }
}

/// No index: a list that is short enough to be read whole.
pub const MEMORY: Slot = Slot(0);
/// No index: rows in the table, of a filter of which an object has many values.
pub const ROWS: Slot = Slot(u8::MAX);
/// Overloaded index 1.
pub const G1: Slot = Slot(1);
/// Overloaded index 2.
pub const G2: Slot = Slot(2);
/// Overloaded index 3.
pub const G3: Slot = Slot(3);
/// Overloaded index 4.
pub const G4: Slot = Slot(4);
/// Overloaded index 5.
pub const G5: Slot = Slot(5);
/// Overloaded index 6.
pub const G6: Slot = Slot(6);
/// What the clock will change in a tenant's lists.
pub const G7: Slot = Slot(7);

/// How a kind is listed: its sorts with their indexes, and what is counted.
#[derive(Debug)]
pub struct Listing {
    /// The sorts, the default one first.
    pub sorts: &'static [Sort],
    /// The filters, the most selective first, each with how its rows are counted.
    pub filters: &'static [(&'static str, Count)],
    /// The kind's rows are counted.
    pub counted: bool,
}

impl Listing {
    /// Not listed.
    pub const NONE: Self = Self { sorts: &[], filters: &[], counted: false };
}

/// One sort of a list.
#[derive(Debug)]
pub struct Sort {
    /// The name, as in `sort_by`.
    pub name: &'static str,
    /// The index of the whole list in this order.
    pub all: Slot,
    /// The indexes of one value of a filter in this order.
    pub by: &'static [(&'static str, Slot)],
}

/// How the rows of one value of a filter are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// As a field of the kind's own counters: a filter of few values.
    Field,
    /// In an item of its own: a filter of many values.
    Item,
    /// In an item that is kept anyway, see [`Entity::counted_at`].
    Own,
    /// Along the slim index, whenever it is asked for.
    Along,
}

/// The attribute that counts all rows of a counter.
pub(super) const TOTAL: &str = "n";
/// The filterable values, projected into every index.
pub(super) const FILTERS: &str = "f";
/// An object's places in its sorts without its identifier, on the rows of its words.
pub(super) const PLACES: &str = "o";
/// All words of an object, each after a space, on the row of each.
pub(super) const WORDS: &str = "w";
/// The object itself.
pub(super) const DATA: &str = "d";
/// The object's version.
pub(super) const VERSION: &str = "v";
/// The object's kind.
pub(super) const KIND: &str = "k";
/// The moment after which the table may forget the item, in seconds since the epoch.
pub const TTL: &str = "ttl";
/// The index of due work and its attributes.
pub const DUE: (&str, &str) = ("due", "at");
/// The number of the layout of items; one of an older layout still reads.
const SCHEMA: u8 = 1;

/// An object with the version at which it was read.
#[derive(Debug, Clone)]
pub struct Stored<T> {
    /// The object.
    pub value: T,
    /// Rises by one with each change.
    pub version: u64,
}

impl<T> std::ops::Deref for Stored<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// The item of an object.
pub(super) fn to_item<T: Entity>(tenant: &str, value: &T, facets: &Facets, version: u64) -> Result<Item> {
    let key = T::key(tenant, value.id());
    let mut item = facets.attributes(&T::LISTING, &key);
    let data: AttributeValue = serde_dynamo::to_attribute_value(value).map_err(|e| Error::internal("to item", e))?;
    item.insert(DATA.into(), data);
    item.insert("PK".into(), AttributeValue::S(key.pk));
    item.insert("SK".into(), AttributeValue::S(key.sk));
    item.insert(KIND.into(), AttributeValue::S(T::KIND.into()));
    item.insert(VERSION.into(), AttributeValue::N(version.to_string()));
    item.insert("schema".into(), AttributeValue::N(SCHEMA.to_string()));
    Ok(item)
}

/// The object of an item.
///
/// # Errors
/// [`Error::Internal`] when the item is not one of this kind.
pub fn from_item<T: Entity>(item: Item) -> Result<Stored<T>> {
    let version = number(&item, VERSION).and_then(|n| u64::try_from(n).ok()).unwrap_or(1);
    Ok(Stored { value: data(T::KIND, item)?, version })
}

/// The object of an item of whatever kind.
///
/// # Errors
/// [`Error::Internal`] when it does not fit.
pub fn data<V: DeserializeOwned>(kind: &str, mut item: Item) -> Result<V> {
    let data = item.remove(DATA).ok_or_else(|| Error::Internal(format!("{kind} without data")))?;
    serde_dynamo::from_attribute_value(data).map_err(|e| Error::internal(kind, e))
}

/// The kind of an item's object; none of a plain item.
#[must_use]
pub fn kind(item: &Item) -> Option<&str> {
    text(item, KIND)
}

/// The item is an object of this kind.
pub(super) fn is<T: Entity>(item: &Item) -> bool {
    kind(item) == Some(T::KIND)
}

/// The attributes of an item with which the schedule has work from a moment on.
#[must_use]
pub fn due(key: &Key, at: Time) -> Item {
    texts([(DUE.0, keys::due(keys::shard(&key.pk, keys::DUE_SHARDS))), (DUE.1, keys::due_at(at, key))])
}

/// A plain item's texts.
#[must_use]
pub fn texts<const N: usize>(values: [(&str, String); N]) -> Item {
    values.into_iter().map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).collect()
}

/// A text attribute.
#[must_use]
pub fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

/// A whole-number attribute.
#[must_use]
pub fn number(item: &Item, name: &str) -> Option<i64> {
    item.get(name).and_then(|value| value.as_n().ok()).and_then(|n| n.parse().ok())
}
