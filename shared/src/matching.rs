//! Which customer somebody is: by the identifier, also that of one who was merged into another; by the e-mail, else by the
//! phone, the one who was active last; else a new one.
//!
//! An e-mail or a phone stands for one customer, in an item that is read strongly consistent and claimed in the transaction
//! that introduces somebody: two at once with the same new e-mail make one customer.

use futures_util::future::try_join_all;

use crate::{
    clock::Time,
    error::{Error, Result},
    events::{Event, EventName},
    ids::{CustomerId, Id},
    models::{
        Customer,
        customer::{CustomerInput, Merged},
    },
    storage::{
        Entity, Item, Key, Snapshot, Store, Stored, Write, entity,
        list::{Query, Start},
    },
};

/// The customer of an identifier: one read, one more when that was merged into another (a few while the schedule has not
/// seen what that one was merged into).
///
/// # Errors
/// [`Error::Internal`] when the table does not answer.
pub async fn customer(store: &Store, id: CustomerId) -> Result<Option<Stored<Customer>>> {
    follow(store, store.db().item(&Customer::key(store.tenant(), id)).await?).await
}

/// The customer of an identifier, who must be there.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(store: &Store, id: CustomerId) -> Result<Stored<Customer>> {
    customer(store, id).await?.ok_or(Error::NotFound("Resource not found"))
}

/// The customer to whom an item leads that was read in a customer's place. Who was merged is not merged into one who was
/// merged before, so that the way ends.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer.
pub async fn follow(store: &Store, mut item: Option<Item>) -> Result<Option<Stored<Customer>>> {
    while let Some(found) = item {
        if entity::kind(&found) != Some(Merged::KIND) {
            return entity::from_item(found).map(Some);
        }
        item = match entity::from_item::<Merged>(found)?.customer_id {
            Some(next) => store.db().item(&Customer::key(store.tenant(), next)).await?,
            None => None,
        };
    }
    Ok(None)
}

/// Who somebody is, as far as the table knows.
#[derive(Debug)]
pub struct Match {
    /// The customer; none when nobody is known by what was given.
    pub known: Option<Stored<Customer>>,
    /// Whom e-mail and phone stand for.
    claims: Vec<(Key, Option<CustomerId>)>,
}

/// What must have been read before [`Match::find`], beside whatever else is read: whom the e-mail stands for.
#[must_use]
pub fn key(tenant: &str, email: Option<&str>) -> Option<Key> {
    email.map(|email| Customer::by_email(tenant, email))
}

impl Match {
    /// Looks for somebody in what was read and in what only that tells: at most one more read, two by the phone alone.
    /// `named` is who it must be, whatever e-mail and phone say.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn find(store: &Store, read: &Snapshot, named: Option<CustomerId>, contact: &CustomerInput) -> Result<Self> {
        let tenant = store.tenant();
        let by_email = key(tenant, contact.email.as_deref()).map(|key| (holder(read.item(&key)), key));
        let phone_key = contact.phone.as_deref().map(|phone| Customer::by_phone(tenant, phone));
        let first = named.or(by_email.as_ref().and_then(|(holder, _)| *holder));
        let customer_key = first.map(|id| Customer::key(tenant, id));
        let keys: Vec<Key> = customer_key.iter().chain(&phone_key).cloned().collect();
        let more = if keys.is_empty() { Snapshot::default() } else { store.db().items(&keys).await? };
        let by_phone = phone_key.map(|key| (holder(more.item(&key)), key));
        let item = customer_key.and_then(|key| more.item(&key).cloned());
        let mut known = match (named, first) {
            (Some(_), _) => follow(store, item).await?,
            (None, Some(holder)) => standing(store, holder, item, &only_email(contact)).await?,
            (None, None) => None,
        };
        if let (None, None, Some(holder)) = (&known, named, by_phone.as_ref().and_then(|(holder, _)| *holder)) {
            let item = store.db().item(&Customer::key(tenant, holder)).await?;
            known = standing(store, holder, item, &only_phone(contact)).await?;
        }
        let claims = by_email.into_iter().chain(by_phone).map(|(holder, key)| (key, holder)).collect();
        Ok(Self { known, claims })
    }

    /// Nobody, whoever e-mail and phone stand for: somebody new is introduced.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn nobody(store: &Store, contact: &CustomerInput) -> Result<Self> {
        let keys: Vec<Key> = places(store.tenant(), contact).into_iter().map(|(key, _)| key).collect();
        let found = if keys.is_empty() { Snapshot::default() } else { store.db().items(&keys).await? };
        let claims = keys.into_iter().map(|key| (key.clone(), holder(found.item(&key)))).collect();
        Ok(Self { known: None, claims })
    }

    /// Writes the customer as joining a queue leaves them: whom the customer's own e-mail and phone stand for from then on,
    /// whatever was given.
    pub fn join<'a>(&self, write: Write<'a>, customer: &Customer, now: Time) -> Write<'a> {
        let own = places(write.store().tenant(), &customer.input);
        let others = own.iter().filter(|(place, _)| !self.claims.iter().any(|(key, _)| key == place));
        others.fold(self.introduce(write, customer, now), |write, (place, _)| write.put_over(place, named(customer.id)))
    }

    /// Writes the customer as the introduction leaves them, who from then on is whom e-mail and phone stand for, of those that
    /// were given the customer's own.
    pub fn introduce<'a>(&self, write: Write<'a>, customer: &Customer, now: Time) -> Write<'a> {
        let key = Customer::key(write.store().tenant(), customer.id);
        let write = match &self.known {
            // Whoever is removed or merged at this moment is somebody else.
            Some(known) if known.value == *customer => write.exists::<Customer>(&key, |_| Error::Conflict),
            Some(known) => write.update(known, customer),
            None => write.create(customer).emit(&Event::Customer(EventName::CustomerCreated, customer.view()), now),
        };
        let own = places(write.store().tenant(), &customer.input);
        let claims = self.claims.iter().filter(|(key, _)| own.iter().any(|(place, _)| place == key));
        claims.fold(write, |write, (key, holder)| claim(write, key, *holder, customer.id))
    }
}

/// What changes with a customer's e-mail and phone, or with the customer's end: what is given up stands for whoever else has
/// it and was active last; what is new, and nobody's, stands for this one.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer.
pub async fn moved<'a>(store: &Store, mut write: Write<'a>, before: &Customer, after: Option<&Customer>) -> Result<Write<'a>> {
    let keys = |customer: &Customer| places(store.tenant(), &customer.input);
    let (old, new) = (keys(before), after.map(keys).unwrap_or_default());
    // However it is written, a place is one.
    let but = |places: &[(Key, CustomerInput)], others: &[(Key, CustomerInput)]| -> Vec<(Key, CustomerInput)> {
        places.iter().filter(|(key, _)| !others.iter().any(|(other, _)| other == key)).cloned().collect()
    };
    let (left, come) = (but(&old, &new), but(&new, &old));
    let wanted: Vec<Key> = left.iter().chain(&come).map(|(key, _)| key.clone()).collect();
    if wanted.is_empty() {
        return Ok(write);
    }
    let found = store.db().items(&wanted).await?;
    let (held, others): (Vec<_>, Vec<_>) = left.into_iter().partition(|(key, _)| holder(found.item(key)) == Some(before.id));
    let heirs = try_join_all(held.iter().map(|(_, contact)| heir(store, contact, before.id))).await?;
    for ((key, _), heir) in held.iter().zip(&heirs) {
        write = write.replace(key, ("id", before.id.key()), heir.as_ref().map(|heir| named(heir.id)));
    }
    // Who ends at this moment, or gives it up, inherits nothing.
    let mut heirs: Vec<_> = heirs.into_iter().flatten().collect();
    heirs.dedup_by_key(|heir| heir.id);
    write = heirs.iter().fold(write, Write::same);
    for (key, _) in &others {
        // Nor does this one.
        write = write.unchanged(key, "id", holder(found.item(key)).map(Id::key));
    }
    for (key, contact) in &come {
        write = come_to(store, write, key, contact, holder(found.item(key)), after.unwrap_or(before)).await?;
    }
    Ok(write)
}

/// A place stands for a customer to whom its e-mail or phone comes, unless it stands for another who has it and was active
/// later.
async fn come_to<'a>(
    store: &Store,
    write: Write<'a>,
    key: &Key,
    contact: &CustomerInput,
    held: Option<CustomerId>,
    customer: &Customer,
) -> Result<Write<'a>> {
    let Some(held) = held else { return Ok(claim(write, key, None, customer.id)) };
    let item = store.db().item(&Customer::key(store.tenant(), held)).await?;
    let later = match standing(store, held, item, contact).await? {
        Some(other) => other.id == customer.id || other.active_at() >= customer.active_at(),
        None => false,
    };
    Ok(if later { write } else { write.replace(key, ("id", held.key()), Some(named(customer.id))) })
}

/// What stands in a place.
fn named(customer: CustomerId) -> Item {
    entity::texts([("id", customer.key())])
}

/// What stands for a customer into whom others are merged: what stood for one of them, or for nobody, and what stands for
/// somebody who was active before any of them was.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer.
pub async fn inherited<'a>(store: &Store, mut write: Write<'a>, customer: &Customer, from: &[CustomerId]) -> Result<Write<'a>> {
    let own = places(store.tenant(), &customer.input);
    if own.is_empty() {
        return Ok(write);
    }
    let found = store.db().items(&own.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>()).await?;
    for (key, contact) in &own {
        write = match holder(found.item(key)) {
            Some(held) if held == customer.id => write,
            Some(held) if from.contains(&held) => write.replace(key, ("id", held.key()), Some(named(customer.id))),
            held => come_to(store, write, key, contact, held, customer).await?,
        };
    }
    Ok(write)
}

/// Where an e-mail and a phone are looked up, with the contact that has nothing else.
fn places(tenant: &str, input: &CustomerInput) -> Vec<(Key, CustomerInput)> {
    let email = input.email.as_deref().map(|email| (Customer::by_email(tenant, email), only_email(input)));
    let phone = input.phone.as_deref().map(|phone| (Customer::by_phone(tenant, phone), only_phone(input)));
    email.into_iter().chain(phone).collect()
}

fn only_email(contact: &CustomerInput) -> CustomerInput {
    CustomerInput { email: contact.email.clone(), ..CustomerInput::default() }
}

fn only_phone(contact: &CustomerInput) -> CustomerInput {
    CustomerInput { phone: contact.phone.clone(), ..CustomerInput::default() }
}

/// Whom an e-mail or a phone stands for: its holder, or who that was merged into. A holder who no longer has it gives way to
/// whoever has it now.
async fn standing(
    store: &Store,
    holder: CustomerId,
    item: Option<Item>,
    contact: &CustomerInput,
) -> Result<Option<Stored<Customer>>> {
    let has = match &item {
        Some(item) if entity::kind(item) == Some(Merged::KIND) => entity::from_item::<Merged>(item.clone())?.contact.has(contact),
        Some(item) => entity::from_item::<Customer>(item.clone())?.has(contact),
        None => false,
    };
    match if has { follow(store, item).await? } else { None } {
        None => heir(store, contact, holder).await,
        known => Ok(known),
    }
}

/// Who else has this e-mail or phone, and was active last. As many as share one are looked at, a hundred at most; nobody
/// where a search finds too many.
async fn heir(store: &Store, contact: &CustomerInput, but: CustomerId) -> Result<Option<Stored<Customer>>> {
    let query = Query {
        filters: Vec::new(),
        search: contact.email.clone().or_else(|| contact.phone.clone()),
        sort: "inserted_at",
        descending: true,
        range: None,
        ranged: None,
        start: Start::Skip(0),
        size: 100,
    };
    let others = match store.list::<Customer>(&query).await {
        Ok(page) => page.rows,
        Err(Error::Invalid(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let others = others.into_iter().filter(|other| other.id != but && other.has(contact));
    Ok(others.max_by_key(|other| other.active_at()))
}

/// An e-mail or a phone stands for this customer from now on. Who claims a free one must be the first.
fn claim<'a>(write: Write<'a>, key: &Key, holder: Option<CustomerId>, customer: CustomerId) -> Write<'a> {
    let values = named(customer);
    match holder {
        None => write.put_new(key, values, |_| Error::Conflict),
        Some(holder) if holder == customer => write,
        Some(_) => write.put_over(key, values),
    }
}

/// Whom an e-mail or a phone stands for.
fn holder(item: Option<&Item>) -> Option<CustomerId> {
    CustomerId::from_key(entity::text(item?, "id")?)
}
