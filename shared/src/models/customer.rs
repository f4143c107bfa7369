//! The people who call.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Time,
    ids::CustomerId,
    storage::{
        Entity, Facets, Key, Listing, Sort,
        entity::{G1, G2, G3},
    },
    text,
};

/// A customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Customer {
    /// Its identifier.
    pub id: CustomerId,
    /// The name, at most 200 characters.
    pub name: String,
    /// The e-mail; several customers may share one.
    pub email: Option<String>,
    /// The phone number, E.164.
    pub phone: Option<String>,
    /// A document's number, as written.
    pub document: Option<String>,
    /// Notes, at most 10,000 characters.
    pub notes: Option<String>,
    /// Calls that joined a queue.
    pub call_count: u32,
    /// The latest join.
    pub last_call_at: Option<Time>,
    /// When it was made.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl Customer {
    /// A new customer who has not called yet.
    #[must_use]
    pub fn new(id: CustomerId, contact: &Contact, now: Time) -> Self {
        Self {
            id,
            name: contact.name.clone(),
            email: contact.email.clone(),
            phone: contact.phone.clone(),
            document: None,
            notes: None,
            call_count: 0,
            last_call_at: None,
            inserted_at: now,
            updated_at: now,
        }
    }

    /// The customer after an introduction: what was empty is filled, nothing is overwritten.
    #[must_use]
    pub fn introduced(&self, contact: &Contact, now: Time) -> Self {
        let filled = Self {
            email: self.email.clone().or_else(|| contact.email.clone()),
            phone: self.phone.clone().or_else(|| contact.phone.clone()),
            ..self.clone()
        };
        if filled == *self { filled } else { Self { updated_at: now, ..filled } }
    }

    /// The customer after joining a queue.
    #[must_use]
    pub fn joined(&self, contact: &Contact, now: Time) -> Self {
        let call_count = self.call_count + 1;
        Self { call_count, last_call_at: Some(now), updated_at: now, ..self.introduced(contact, now) }
    }

    /// Where the customer is looked up whom an e-mail stands for.
    #[must_use]
    pub fn by_email(tenant: &str, email: &str) -> Key {
        Key::matching(tenant, "email", &text::email_key(email))
    }

    /// Where the customer is looked up whom a phone number stands for.
    #[must_use]
    pub fn by_phone(tenant: &str, phone: &str) -> Key {
        Key::matching(tenant, "phone", phone)
    }
}

/// How somebody introduces themselves.
#[derive(Debug, Clone, Default)]
pub struct Contact {
    /// The name.
    pub name: String,
    /// The e-mail.
    pub email: Option<String>,
    /// The phone number, E.164.
    pub phone: Option<String>,
}

impl Entity for Customer {
    const KIND: &'static str = "customer";
    const LISTING: Listing = Listing {
        sorts: &[
            Sort { name: "name", all: G1, by: &[] },
            Sort { name: "email", all: G2, by: &[] },
            Sort { name: "inserted_at", all: G3, by: &[] },
        ],
        filters: &[],
        counted: true,
    };
    type Id = CustomerId;

    fn id(&self) -> CustomerId {
        self.id
    }

    fn key(tenant: &str, id: CustomerId) -> Key {
        Key::object(tenant, Self::KIND, id)
    }

    fn facets(&self, tenant: &str) -> Facets {
        let or_empty = |value: &Option<String>| value.clone().unwrap_or_default();
        Facets::of::<Self>(tenant, self.id)
            .sort("name", text::sort_key(&self.name))
            .sort("email", text::email_key(&or_empty(&self.email)))
            .sort("inserted_at", self.inserted_at.key())
            .words(&text::words(&[&self.name, &or_empty(&self.email), &or_empty(&self.phone), &or_empty(&self.document)]))
    }
}
