//! The people who call.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Time,
    ids::CustomerId,
    input::{Fields, Input, rules},
    storage::{
        Audited, Entity, Facets, Key, Listing, Sort,
        entity::{G1, G2, G3, G4, G5, Slot},
    },
    text::{self, DocumentType},
};

mod merged;

pub use merged::Merged;

/// What is known of a customer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CustomerInput {
    /// The name.
    #[schemars(length(max = 200))]
    pub name: String,
    /// The e-mail; several customers may share one.
    #[schemars(email)]
    pub email: Option<String>,
    /// The phone number; without a country code it is one of the company's country. E.164 once it is stored.
    #[schemars(extend("format" = "phone"))]
    pub phone: Option<String>,
    /// A document's number, kept as written.
    #[schemars(length(max = 32))]
    pub document: Option<String>,
    /// Notes.
    #[schemars(length(max = 10_000))]
    pub notes: Option<String>,
}

impl Input for CustomerInput {
    const WRAPPER: Option<&'static str> = Some("customer");

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: fields.required("name", rules::name),
            email: fields.optional("email", rules::email),
            phone: fields.optional("phone", rules::phone),
            document: fields.optional("document", rules::line(32)),
            notes: fields.optional("notes", rules::notes),
        }
    }
}

impl CustomerInput {
    /// It has this e-mail, or this phone number.
    #[must_use]
    pub fn has(&self, contact: &Self) -> bool {
        let key = |email: &Option<String>| email.as_deref().map(text::caseless);
        let email = contact.email.is_some() && key(&self.email) == key(&contact.email);
        email || (contact.phone.is_some() && self.phone == contact.phone)
    }
}

/// For whom something is, as links and appointments are sent.
#[derive(Debug)]
pub struct Whom {
    /// An existing customer.
    pub customer_id: Option<CustomerId>,
    /// The name, in place of what is known.
    pub customer_name: Option<String>,
    /// The e-mail, in place of what is known.
    pub customer_email: Option<String>,
    /// The phone number as it was written, in place of what is known.
    pub customer_phone: Option<String>,
}

impl Whom {
    /// Reads the fields.
    pub fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            customer_id: fields.optional("customer_id", rules::id),
            customer_name: fields.optional("customer_name", rules::name),
            customer_email: fields.optional("customer_email", rules::email),
            customer_phone: fields.optional("customer_phone", rules::phone),
        }
    }
}

/// A customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Customer {
    /// Its identifier.
    pub id: CustomerId,
    /// What is known.
    #[serde(flatten)]
    pub input: CustomerInput,
    /// Calls that joined a queue.
    pub call_count: u32,
    /// The latest join.
    pub last_call_at: Option<Time>,
    /// When it was made.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// A customer as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Customer")]
pub struct CustomerView {
    /// Its identifier.
    pub id: CustomerId,
    /// What is known.
    #[serde(flatten)]
    pub input: CustomerInput,
    /// `cpf` or `cnpj` when the document's check digits are right.
    pub document_type: Option<DocumentType>,
    /// Calls that joined a queue.
    pub call_count: u32,
    /// The latest join.
    pub last_call_at: Option<Time>,
    /// When it was made.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// A customer and who turned out to be the same, as an event tells it.
#[derive(Debug, Clone, Serialize)]
pub struct MergedView {
    /// The customer who stays.
    #[serde(flatten)]
    pub customer: CustomerView,
    /// The identifiers that lead to it from now on.
    pub merged_ids: Vec<CustomerId>,
}

impl Customer {
    /// The index of phone numbers.
    pub const PHONES: Slot = G4;
    /// The index of documents.
    pub const DOCUMENTS: Slot = G5;

    /// A new customer who has not called yet.
    #[must_use]
    pub fn new(id: CustomerId, input: CustomerInput, now: Time) -> Self {
        Self { id, input, call_count: 0, last_call_at: None, inserted_at: now, updated_at: now }
    }

    /// The customer after an introduction: what was empty is filled, nothing is overwritten.
    #[must_use]
    pub fn introduced(&self, contact: &CustomerInput, now: Time) -> Self {
        let known = self.input.clone();
        let input = CustomerInput {
            email: known.email.or_else(|| contact.email.clone()),
            phone: known.phone.or_else(|| contact.phone.clone()),
            ..known
        };
        if input == self.input { self.clone() } else { Self { input, updated_at: now, ..self.clone() } }
    }

    /// The customer after joining a queue.
    #[must_use]
    pub fn joined(&self, contact: &CustomerInput, now: Time) -> Self {
        let call_count = self.call_count + 1;
        Self { call_count, last_call_at: Some(now), updated_at: now, ..self.introduced(contact, now) }
    }

    /// The customer who was also these: what is empty is filled in their order, and their calls count.
    #[must_use]
    pub fn united<'a>(&self, others: impl IntoIterator<Item = &'a Self>, now: Time) -> Self {
        let mut whole = Self { updated_at: now, ..self.clone() };
        for Self { input: CustomerInput { email, phone, document, notes, .. }, call_count, last_call_at, .. } in others {
            let fields = [
                (&mut whole.input.email, email),
                (&mut whole.input.phone, phone),
                (&mut whole.input.document, document),
                (&mut whole.input.notes, notes),
            ];
            for (known, other) in fields.into_iter().filter(|(known, _)| known.is_none()) {
                known.clone_from(other);
            }
            whole.call_count = whole.call_count.saturating_add(*call_count);
            whole.last_call_at = whole.last_call_at.max(*last_call_at);
        }
        whole
    }

    /// When the customer was last active: the latest join, else when it was made.
    #[must_use]
    pub fn active_at(&self) -> Time {
        self.last_call_at.unwrap_or(self.inserted_at)
    }

    /// The customer has this e-mail, or this phone number.
    #[must_use]
    pub fn has(&self, contact: &CustomerInput) -> bool {
        self.input.has(contact)
    }

    /// Where the customer is looked up whom an e-mail stands for.
    #[must_use]
    pub fn by_email(tenant: &str, email: &str) -> Key {
        Key::matching(tenant, "email", &text::caseless(email))
    }

    /// Where the customer is looked up whom a phone number stands for.
    #[must_use]
    pub fn by_phone(tenant: &str, phone: &str) -> Key {
        Key::matching(tenant, "phone", phone)
    }

    /// The customer, and who turned out to be the same, as an event tells it.
    #[must_use]
    pub fn merged_view(&self, merged_ids: Vec<CustomerId>) -> MergedView {
        MergedView { customer: self.view(), merged_ids }
    }

    /// The customer as the API shows it.
    #[must_use]
    pub fn view(&self) -> CustomerView {
        let Self { id, input, call_count, last_call_at, inserted_at, updated_at } = self.clone();
        let document_type = input.document.as_deref().and_then(text::document_type);
        CustomerView { id, input, document_type, call_count, last_call_at, inserted_at, updated_at }
    }
}

/// A customer who was removed, for as long as calls and links may still bear the name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Forgotten {
    /// Who.
    pub id: CustomerId,
    /// When the schedule looks again.
    pub due_at: Time,
    /// When it was removed.
    pub inserted_at: Time,
}

impl Entity for Forgotten {
    const KIND: &'static str = "forgotten";
    type Id = CustomerId;

    fn id(&self) -> CustomerId {
        self.id
    }

    fn key(tenant: &str, id: CustomerId) -> Key {
        Key::object(tenant, Self::KIND, id)
    }

    fn facets(&self, tenant: &str) -> Facets {
        Facets::of::<Self>(tenant, self.id).due(Some(self.due_at))
    }
}

/// A customer who is erased, until nothing that was under way can bring anything back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Erasure {
    /// Who.
    pub id: CustomerId,
    /// Where among the rows of what was theirs the present look goes on.
    pub from: String,
    /// The present look has found something.
    pub found: bool,
    /// When the schedule looks again.
    pub due_at: Time,
    /// When it began.
    pub inserted_at: Time,
}

impl Entity for Erasure {
    const KIND: &'static str = "erasure";
    type Id = CustomerId;

    fn id(&self) -> CustomerId {
        self.id
    }

    fn key(tenant: &str, id: CustomerId) -> Key {
        Key::object(tenant, Self::KIND, id)
    }

    fn audited(&self) -> Option<Audited> {
        Some(Audited::of("customer_erasure", self.id, serde_json::json!({})))
    }

    fn facets(&self, tenant: &str) -> Facets {
        Facets::of::<Self>(tenant, self.id).due(Some(self.due_at))
    }
}

impl Entity for Customer {
    const KIND: &'static str = "customer";
    const SUCCESSOR: Option<&'static str> = Some(Merged::KIND);
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

    fn sought(query: &str) -> Vec<String> {
        text::person_query(query)
    }

    /// That it changed, not to what: a person may want to be forgotten.
    fn audited(&self) -> Option<Audited> {
        let CustomerInput { name, email, phone, document, notes } = &self.input;
        let fields = serde_json::json!({
            "name": Audited::secret(name), "email": Audited::secret(email), "phone": Audited::secret(phone),
            "document": Audited::secret(document), "notes": Audited::secret(notes),
        });
        Some(Audited::of("customer", self.id, fields))
    }

    fn facets(&self, tenant: &str) -> Facets {
        let CustomerInput { name, email, phone, document, .. } = &self.input;
        let or_empty = |value: &Option<String>| value.clone().unwrap_or_default();
        Facets::of::<Self>(tenant, self.id)
            .sort("name", text::sort_key(name))
            .sort("email", text::caseless(&or_empty(email)))
            .sort("inserted_at", self.inserted_at.key())
            .value(Self::PHONES, "phone", phone.clone())
            .value(Self::DOCUMENTS, "document", document.as_deref().map(text::document_key).filter(|key| !key.is_empty()))
            .words(&text::person_words(name, &or_empty(email), &or_empty(phone), &or_empty(document)))
    }
}
