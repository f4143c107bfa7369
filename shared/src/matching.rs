//! Which customer somebody is: by the e-mail, else by the phone, the one who was active last; else a new one.
//!
//! An e-mail or a phone stands for one customer, in an item that is read strongly consistent and claimed in the transaction
//! that introduces somebody: two at once with the same new e-mail make one customer.

use futures_util::future::try_join_all;

use crate::{
    clock::Time,
    error::{Error, Result},
    events::{Event, EventName},
    ids::{CustomerId, Id},
    models::{Customer, customer::CustomerInput},
    storage::{
        Entity, Item, Key, Snapshot, Store, Stored, Write, entity,
        list::{Query, Start},
    },
};

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
        let mut more = if keys.is_empty() { Snapshot::default() } else { store.db().items(&keys).await? };
        let by_phone = phone_key.map(|key| (holder(more.item(&key)), key));
        let known = match (customer_key, by_phone.as_ref().and_then(|(holder, _)| *holder)) {
            (Some(key), _) => more.take::<Customer>(&key)?,
            (None, Some(id)) => store.get::<Customer>(id).await?,
            (None, None) => None,
        };
        // Who has changed their e-mail meanwhile is somebody else.
        let known = known.filter(|customer: &Stored<Customer>| named.is_some() || customer.has(contact));
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

    /// Writes the customer as the introduction leaves them, who from then on is whom e-mail and phone stand for.
    pub fn introduce<'a>(&self, write: Write<'a>, customer: &Customer, now: Time) -> Write<'a> {
        let write = match &self.known {
            Some(known) if known.value == *customer => write,
            Some(known) => write.update(known, customer),
            None => write.create(customer).emit(&Event::Customer(EventName::CustomerCreated, customer.view()), now),
        };
        self.claims.iter().fold(write, |write, (key, holder)| claim(write, key, *holder, customer.id))
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
    let left: Vec<_> = old.iter().filter(|place| !new.contains(place)).collect();
    let come: Vec<_> = new.iter().filter(|place| !old.contains(place)).collect();
    let wanted: Vec<Key> = left.iter().chain(&come).map(|(key, _)| key.clone()).collect();
    if wanted.is_empty() {
        return Ok(write);
    }
    let found = store.db().items(&wanted).await?;
    let held: Vec<_> = left.into_iter().filter(|(key, _)| holder(found.item(key)) == Some(before.id)).collect();
    let heirs = try_join_all(held.iter().map(|(_, contact)| heir(store, contact, before.id))).await?;
    for ((key, _), next) in held.into_iter().zip(heirs) {
        let next = next.map(|id| entity::texts([("id", id.key())]));
        write = write.replace(key, ("id", before.id.key()), next);
    }
    for (key, _) in come {
        if found.item(key).is_none() {
            write = claim(write, key, None, before.id);
        }
    }
    Ok(write)
}

/// Where an e-mail and a phone are looked up, with the contact that has nothing else.
fn places(tenant: &str, input: &CustomerInput) -> Vec<(Key, CustomerInput)> {
    let email = input
        .email
        .clone()
        .map(|email| (Customer::by_email(tenant, &email), CustomerInput { email: Some(email), ..CustomerInput::default() }));
    let phone = input
        .phone
        .clone()
        .map(|phone| (Customer::by_phone(tenant, &phone), CustomerInput { phone: Some(phone), ..CustomerInput::default() }));
    email.into_iter().chain(phone).collect()
}

/// Who else has this e-mail or phone, and was active last. As many as share one are looked at, a hundred at most; nobody
/// where a search finds too many.
async fn heir(store: &Store, contact: &CustomerInput, but: CustomerId) -> Result<Option<CustomerId>> {
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
    Ok(others.max_by_key(|other| other.active_at()).map(|other| other.id))
}

/// An e-mail or a phone stands for this customer from now on. Who claims a free one must be the first.
fn claim<'a>(write: Write<'a>, key: &Key, holder: Option<CustomerId>, customer: CustomerId) -> Write<'a> {
    let values = entity::texts([("id", customer.key())]);
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
