//! Customers who may be one.
//!
//! Who shares a document, an e-mail, a phone number or a name lies side by side in the index of that. A request reads along
//! these, from where the one before came to, a bounded stretch at a time: nothing is kept for it, and nothing grows with it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    Error, Result,
    api::{Query, Stretch},
    auth::{Attendant, Caller},
    ids::{CustomerId, Id},
    input::{
        Fields, Input,
        rules::{self, Words},
    },
    models::{Customer, customer::CustomerView},
    storage::{
        Entity, Stored,
        entity::{G1, G2, Slot},
        keys,
    },
    text, words,
};

/// Index rows that are read at once; a request is over when it has read as many.
const WORK: usize = 1_000;
/// Customers of a group that are shown: one, and as many as one merge takes.
const SHOWN: usize = 51;

/// Which groups.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    /// Groups of a page, at most.
    #[schemars(range(min = 1, max = 100), extend("default" = 20))]
    page_size: u64,
    /// Reads on: `meta.next_cursor` of the page before.
    #[schemars(length(max = 4096))]
    cursor: Option<String>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            page_size: fields.default("page_size", 20, rules::integer(1..=100)),
            cursor: fields.optional("cursor", rules::line(4096)),
        }
    }
}

words! {
    /// What customers have in common.
    pub enum Reason {
        /// The document, in whatever writing.
        Document = "document",
        /// The e-mail, whatever the case.
        Email = "email",
        /// The phone number.
        Phone = "phone",
        /// The whole name, whatever the case and the accents.
        Name = "name",
    }
}

/// Customers who may be one.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CustomerDuplicates")]
pub struct Duplicates {
    /// Two or more of them, the oldest first, at most 51.
    customers: Vec<CustomerView>,
    /// What they have in common. Who shares several things is told once, by the surest.
    reason: Reason,
    /// How sure that is: a document 0.95, an e-mail 0.9, a phone number 0.8, a name 0.5.
    score: f64,
}

impl Reason {
    fn score(self) -> f64 {
        match self {
            Self::Document => 0.95,
            Self::Email => 0.9,
            Self::Phone => 0.8,
            Self::Name => 0.5,
        }
    }

    /// The index in which the values lie, with its partition, and what sorts before the first of them. Who has no e-mail lies
    /// before all e-mails.
    fn index(self, tenant: &str) -> (Slot, String, &'static str) {
        let list = keys::list(tenant, Customer::KIND, None);
        match self {
            Self::Document => (Customer::DOCUMENTS, keys::values(tenant, Customer::KIND, "document"), " "),
            Self::Email => (G2, list, "$"),
            Self::Phone => (Customer::PHONES, keys::values(tenant, Customer::KIND, "phone"), " "),
            Self::Name => (G1, list, " "),
        }
    }

    /// What a customer has of it.
    fn value(self, customer: &Customer) -> Option<String> {
        let input = &customer.input;
        match self {
            Self::Document => input.document.as_deref().map(text::document_key).filter(|key| !key.is_empty()),
            Self::Email => input.email.as_deref().map(text::caseless),
            Self::Phone => input.phone.clone(),
            Self::Name => Some(text::sort_key(&input.name)),
        }
    }

    fn is_shared_by(self, customers: &[&Stored<Customer>]) -> bool {
        let mut values = customers.iter().map(|customer| self.value(customer));
        let first = values.next().flatten();
        first.is_some() && values.all(|value| value == first)
    }
}

/// Groups of customers who may be one, the surest reasons first. A page may have fewer than asked for, or none, and another
/// after it.
pub async fn find(caller: Caller<Attendant>, Query(wanted): Query<Wanted>) -> Result<Stretch<Duplicates>> {
    let (store, size) = (caller.store(), usize::try_from(wanted.page_size).unwrap_or(100));
    let list = format!("{}\nduplicates of customers", store.tenant());
    let mut at = match &wanted.cursor {
        None => Some(Place { reason: 0, after: None }),
        Some(cursor) => Some(caller.cursor().open(&list, cursor).and_then(|place| Place::parse(&place)).ok_or_else(bad_cursor)?),
    };
    let (mut groups, mut read) = (Vec::new(), 0);
    while let Some(place) = at.take_if(|_| groups.len() < size && read < WORK) {
        let Some(reason) = Reason::ALL.get(place.reason) else { break };
        let (slot, partition, first) = reason.index(store.tenant());
        let after = place.after.clone().unwrap_or_else(|| first.to_owned());
        let (places, more) = store.places(slot, &partition, &after, i32::try_from(WORK).unwrap_or(i32::MAX)).await?;
        read += places.len();
        let most = size - groups.len();
        at = place.past(&places, more, most, |value, ids| groups.push(Group { reason: *reason, value: value.to_owned(), ids }));
    }
    let ids: Vec<CustomerId> = groups.iter().flat_map(|group| group.ids.iter().copied()).collect();
    let known = store.get_all::<Customer>(ids).await?.into_iter().map(|one| (one.id, one)).collect();
    let data = groups.iter().filter_map(|group| group.told(&known)).collect();
    Ok(Stretch::new(data, wanted.page_size, at.map(|place| caller.cursor().seal(&list, &place.to_string()))))
}

fn bad_cursor() -> Error {
    Error::invalid("cursor", "is not a cursor of this list")
}

/// Where the reading stands.
#[derive(Debug)]
struct Place {
    /// Which of the reasons.
    reason: usize,
    /// The place after which it reads on; none at the beginning of the index.
    after: Option<String>,
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let (reason, after) = text.split_once(' ')?;
        Some(Self { reason: reason.parse().ok()?, after: (!after.is_empty()).then(|| after.to_owned()) })
    }

    /// Hands on the groups of a stretch, at most so many; answers where to read on.
    fn past(self, places: &[String], more: bool, most: usize, mut found: impl FnMut(&str, Vec<CustomerId>)) -> Option<Self> {
        let Self { reason, mut after } = self;
        let (mut seen, mut count) = (0, 0);
        for run in places.chunk_by(|a, b| parts(a).0 == parts(b).0) {
            seen += run.len();
            // The last one may go on in the next stretch, unless it fills this one.
            let cut = more && seen == places.len() && run.len() < places.len();
            if cut || count == most {
                return Some(Self { reason, after });
            }
            if run.len() > 1 {
                let ids = run.iter().take(SHOWN).filter_map(|place| CustomerId::from_key(parts(place).1));
                found(parts(&run[0]).0, ids.collect());
                count += 1;
            }
            after = run.last().cloned();
        }
        let next = if more { Self { reason, after } } else { Self { reason: reason + 1, after: None } };
        (next.reason < Reason::ALL.len()).then_some(next)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.reason, self.after.as_deref().unwrap_or_default())
    }
}

/// The value and the identifier of a place.
fn parts(place: &str) -> (&str, &str) {
    place.rsplit_once('#').unwrap_or((place, ""))
}

/// Customers who lie side by side.
#[derive(Debug)]
struct Group {
    reason: Reason,
    value: String,
    ids: Vec<CustomerId>,
}

impl Group {
    /// The group as it stands in the table, behind which an index may lag; nothing when a surer reason tells of it.
    fn told(&self, known: &BTreeMap<CustomerId, Stored<Customer>>) -> Option<Duplicates> {
        let Self { reason, value, ids } = self;
        let customers = ids.iter().filter_map(|id| known.get(id));
        let mut customers: Vec<_> = customers.filter(|one| reason.value(one).as_ref() == Some(value)).collect();
        customers.sort_by_key(|one| (one.inserted_at, one.id));
        let surer = Reason::ALL.iter().take_while(|other| *other != reason).any(|other| other.is_shared_by(&customers));
        let customers: Vec<_> = customers.iter().map(|one| one.view()).collect();
        (customers.len() > 1 && !surer).then(|| Duplicates { customers, reason: *reason, score: reason.score() })
    }
}
