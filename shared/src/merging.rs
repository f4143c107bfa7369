//! Customers who turn out to be one: the others go up in the one who stays.
//!
//! One transaction writes the customer who stays, puts in the place of each other one what leads on from the old identifier
//! ([`Merged`]), and tells of it. What has many rows follows behind: the others' search words, over which a search passes as
//! long as they lie, and what bears their identifiers, which lists find under all of them until it has gone over.

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    clock::Time,
    error::{Error, Result, Violations},
    events::Event,
    forget::{self, AGAIN, Bears},
    ids::CustomerId,
    matching,
    models::{Customer, customer::Merged, delivery::SLACK},
    storage::{
        Audited, Entity, Key, Store, Stored, Write, contend,
        list::{Page, Query},
    },
};

/// Objects of each kind that one look of the schedule takes on: some seconds of work.
const PORTION: usize = 2_000;
/// Customers whose remains are moved at the same time.
const AT_ONCE: usize = 4;
/// Customers of whom it is asked at the same time who is on the way to them.
const AHEAD: usize = 16;
/// Identifiers that are on their way to one customer and that lists ask for.
const MOVING: usize = 500;

/// A merge as it would be.
#[derive(Debug)]
pub struct Merge {
    /// Who stays, as read.
    pub primary: Stored<Customer>,
    /// Who stays, as the merge leaves it.
    pub survivor: Customer,
    others: Vec<Stored<Customer>>,
}

impl Merge {
    /// Reads everybody at once. An identifier that was merged before means who it was merged into; whoever is one already is
    /// not merged again.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `primary_id` and `duplicate_ids[n]` of whom nobody knows.
    pub async fn read(store: &Store, primary: CustomerId, duplicates: &[CustomerId], now: Time) -> Result<Self> {
        let key = |id: &CustomerId| Customer::key(store.tenant(), *id);
        let keys: Vec<Key> = std::iter::once(&primary).chain(duplicates).map(key).collect();
        let found = store.db().items(&keys).await?;
        let mut violations = Violations::default();
        let (mut primary, mut others) = (None, Vec::<Stored<Customer>>::new());
        for (n, key) in keys.iter().enumerate() {
            let customer = matching::follow(store, found.item(key).cloned()).await?;
            match (n.checked_sub(1), customer) {
                (None, None) => violations.add("primary_id", "does not exist"),
                (Some(n), None) => violations.add(&format!("duplicate_ids[{n}]"), "does not exist"),
                (None, known) => primary = known,
                (Some(_), Some(other)) => others.push(other),
            }
        }
        let primary = violations.into_result(primary)?.ok_or_else(|| Error::Internal("no primary".into()))?;
        let mut known = vec![primary.id];
        others.retain(|other| {
            !known.contains(&other.id) && {
                known.push(other.id);
                true
            }
        });
        let survivor = primary.value.united(others.iter().map(|other| &other.value), now);
        Ok(Self { primary, survivor, others })
    }

    /// Whom it merges; nobody when they are one already.
    #[must_use]
    pub fn ids(&self) -> Vec<CustomerId> {
        self.others.iter().map(|other| other.id).collect()
    }

    /// The transaction: of fifty others at most some ninety items.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn write<'a>(&self, write: Write<'a>, now: Time) -> Result<Write<'a>> {
        let (store, ids, survivor) = (write.store(), self.ids(), &self.survivor);
        let turn =
            |write: Write<'a>, other: &Stored<Customer>| write.turn(other, &Merged::new(other, survivor.id, now, now + SLACK));
        let write = self.others.iter().fold(write.update(&self.primary, survivor), turn);
        let write = matching::inherited(store, write, survivor, &ids).await?;
        let told = |ids: &[CustomerId]| Audited::of("customer", survivor.id, serde_json::json!({ "merged_ids": ids }));
        let write = write.tell(told(&[]), told(&ids).done("merged"));
        Ok(write.emit(&Event::Merged(Box::new(survivor.merged_view(ids))), now))
    }
}

/// Goes on with merges: search words go, and at most so many objects of each kind of each customer go over. Answers how many
/// that were.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer; the schedule then goes on.
pub async fn move_all(store: &Store, ids: &[CustomerId], portion: usize) -> Result<usize> {
    let moved = stream::iter(ids.to_vec()).map(|id| remains(store, id, portion)).buffer_unordered(AT_ONCE);
    moved.try_fold(0, |sum, moved| async move { Ok(sum + moved.map_or(0, |(moved, _)| moved)) }).await
}

/// The schedule's look; answers how many objects went over.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer; the customer then stays due.
pub async fn again(store: &Store, id: CustomerId) -> Result<u64> {
    let Some((moved, seen)) = remains(store, id, PORTION).await? else { return Ok(0) };
    let now = store.clock().now();
    let due = |due_at: Option<Time>| store.write().update(&seen, &Merged { due_at, ..seen.value.clone() });
    let write = match seen.customer_id {
        // There is more.
        _ if moved >= PORTION => due(Some(now)),
        // An index is seconds behind at most, and so is who had read the customer before.
        _ if moved > 0 || now < seen.inserted_at + SLACK => due(Some(now + AGAIN)),
        Some(_) => due(None),
        None => forget::parting(store, store.write().delete(&seen), &seen.shadow()).await?,
    };
    match write.commit(()).await {
        // Another look was quicker, or the customer goes elsewhere now.
        Ok(()) | Err(Error::Conflict) => Ok(moved as u64),
        Err(error) => Err(error),
    }
}

/// Moves a portion of what bears an old identifier; none when there is no such identifier.
async fn remains(store: &Store, id: CustomerId, portion: usize) -> Result<Option<(usize, Stored<Merged>)>> {
    let wordless = contend(|| async {
        let Some(seen) = store.get::<Merged>(id).await?.filter(|seen| seen.due_at.is_some()) else { return Ok(None) };
        if seen.was.is_none() {
            return Ok(Some(seen));
        }
        let value = Merged { was: None, ..seen.value.clone() };
        store.write().update(&seen, &value).commit(()).await?;
        Ok(Some(Stored { value, version: seen.version + 1 }))
    });
    let Some(seen) = wordless.await? else { return Ok(None) };
    let moved = forget::hand_over(store, id, seen.customer_id, portion).await?;
    Ok(Some((moved, seen)))
}

/// The identifiers under which something of a customer may lie: its own first, then those that are merged into it while
/// something still bears them.
#[derive(Debug, Default)]
pub struct Names(Vec<CustomerId>);

impl Names {
    /// Of a customer whom a filter names, by whichever identifier. One read; the index beside it mostly finds nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `customer_id` when there is no such customer.
    pub async fn of(store: &Store, wanted: Option<CustomerId>) -> Result<Self> {
        let Some(wanted) = wanted else { return Ok(Self::default()) };
        let (customer, moving) = tokio::try_join!(matching::customer(store, wanted), moving(store, wanted))?;
        let customer = customer.ok_or_else(|| Error::invalid("customer_id", "does not exist"))?;
        let mut names = vec![customer.id];
        let mut next = if customer.id == wanted { moving } else { self::moving(store, customer.id).await? };
        // Who is on the way may have others on the way to them.
        while !next.is_empty() && names.len() <= MOVING {
            next.retain(|id| !names.contains(id));
            names.extend(&next);
            let further = stream::iter(next).map(|id| self::moving(store, id)).buffered(AHEAD);
            next = further.try_concat().await?;
        }
        Ok(Self(names))
    }

    /// These identifiers.
    #[must_use]
    pub fn ids(&self) -> &[CustomerId] {
        &self.0
    }

    /// The query with all of these for the one that was asked for; none when that is the only one.
    #[must_use]
    pub fn query(&self, query: &Query) -> Option<Query> {
        let (asked, rest): (Vec<_>, Vec<_>) = query.filters.iter().cloned().partition(|(name, _)| *name == "customer_id");
        let all: Vec<_> = self.0.iter().map(|id| ("customer_id", id.to_string())).collect();
        (all != asked).then(|| Query { filters: all.into_iter().chain(rest).collect(), ..query.clone() })
    }

    /// The page as if everything had gone over.
    #[must_use]
    pub fn shown<T: Bears>(&self, mut page: Page<T>) -> Page<T> {
        if let Some(customer) = self.0.first() {
            for row in &mut page.rows {
                row.value = row.following(*customer);
            }
        }
        page
    }
}

/// Who is merged into a customer, and may still have something.
async fn moving(store: &Store, into: CustomerId) -> Result<Vec<CustomerId>> {
    let (rows, _) = store.rows::<Merged>(&Query::of(Merged::MOVING, into, "inserted_at", MOVING)).await?;
    Ok(rows.iter().map(|row| row.id).collect())
}
