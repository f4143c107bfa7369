//! Which customer somebody is: by the e-mail, else by the phone, the one who was active last; else a new one.
//!
//! An e-mail or a phone stands for one customer, in an item that is read strongly consistent and claimed in the transaction
//! that introduces somebody: two at once with the same new e-mail make one customer.

use crate::{
    clock::Time,
    error::{Error, Result},
    events::{Event, EventName},
    ids::{CustomerId, Id},
    models::{Customer, customer::Contact},
    storage::{Entity, Item, Key, Snapshot, Store, Stored, Write, entity},
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
    pub async fn find(store: &Store, read: &Snapshot, named: Option<CustomerId>, contact: &Contact) -> Result<Self> {
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
        let claims = by_email.into_iter().chain(by_phone).map(|(holder, key)| (key, holder)).collect();
        Ok(Self { known, claims })
    }

    /// Writes the customer as the introduction leaves them, who from then on is whom e-mail and phone stand for.
    pub fn introduce<'a>(&self, write: Write<'a>, customer: &Customer, now: Time) -> Write<'a> {
        let write = match &self.known {
            Some(known) if known.value == *customer => write,
            Some(known) => write.update(known, customer),
            None => write.create(customer).emit(&Event::Customer(EventName::CustomerCreated, customer.clone()), now),
        };
        self.claims.iter().fold(write, |write, (key, holder)| claim(write, key, *holder, customer.id))
    }
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
