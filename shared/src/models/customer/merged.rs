//! What stays of a customer who turned out to be another.

use serde::{Deserialize, Serialize};

use super::{Customer, CustomerInput};
use crate::{
    clock::Time,
    ids::CustomerId,
    storage::{
        Count, Entity, Facets, Key, Listing, Sort,
        entity::{G1, G2, G3},
    },
};

/// A customer who was merged into another: the old identifier, e-mail and phone number lead on. It lies in the customer's own
/// place, so that of a merge and whatever else changes the customer one comes first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Merged {
    /// Who.
    pub id: CustomerId,
    /// Into whom; nobody once that one was removed.
    pub customer_id: Option<CustomerId>,
    /// The e-mail and the phone number.
    pub contact: CustomerInput,
    /// The customer as it was, but for notes, for as long as the search words lie.
    pub was: Option<Customer>,
    /// When the schedule looks again whether something still bears the identifier; none when nothing does.
    pub due_at: Option<Time>,
    /// When it was merged.
    pub inserted_at: Time,
}

impl Merged {
    /// What follows the customer, of which some may still bear the old identifier.
    pub const MOVING: &'static str = "moving_to";

    /// A customer who becomes another, of whose calls and the like the schedule will look for the rest.
    #[must_use]
    pub fn new(customer: &Customer, into: CustomerId, now: Time, due_at: Time) -> Self {
        let was = Customer { input: CustomerInput { notes: None, ..customer.input.clone() }, ..customer.clone() };
        let CustomerInput { email, phone, .. } = was.input.clone();
        let contact = CustomerInput { email, phone, ..CustomerInput::default() };
        Self { id: customer.id, customer_id: Some(into), contact, was: Some(was), due_at: Some(due_at), inserted_at: now }
    }

    /// A customer of whom nothing is known but e-mail and phone.
    #[must_use]
    pub fn shadow(&self) -> Customer {
        Customer::new(self.id, self.contact.clone(), self.inserted_at)
    }
}

impl Entity for Merged {
    const KIND: &'static str = "merged";
    const LISTING: Listing = Listing {
        sorts: &[Sort { name: "inserted_at", all: G1, by: &[("customer_id", G2), (Self::MOVING, G3)] }],
        filters: &[("customer_id", Count::Along), (Self::MOVING, Count::Along)],
        counted: false,
    };
    type Id = CustomerId;

    fn id(&self) -> CustomerId {
        self.id
    }

    fn key(tenant: &str, id: CustomerId) -> Key {
        Customer::key(tenant, id)
    }

    fn key_at(tenant: &str, id_key: &str) -> Key {
        Customer::key_at(tenant, id_key)
    }

    fn facets(&self, tenant: &str) -> Facets {
        let into = self.customer_id.map(|id| id.to_string());
        let facets = Facets::of::<Self>(tenant, self.id)
            .sort("inserted_at", self.inserted_at.key())
            .filter("customer_id", into.clone())
            .filter(Self::MOVING, into.filter(|_| self.due_at.is_some()))
            .lapses(self.was.as_ref().map(|_| self.inserted_at))
            .due(self.due_at);
        match &self.was {
            Some(customer) => facets.keeping(customer.facets(tenant)),
            None => facets,
        }
    }
}
