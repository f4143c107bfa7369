//! Calls: from the queue to the rating.

use serde::{Deserialize, Serialize};

use super::{Customer, Department, Tag, User, company::Resource, customer::CustomerInput, department::Desk};
use crate::{
    clock::Time,
    ids::{AccessLinkId, CallId, CustomerId, DepartmentId, TagId, TicketId, UserId},
    storage::{
        Count, Entity, Facets, Key, Listing, Sort,
        entity::{G1, G2, G3, G4, G5, ROWS},
    },
    text, words,
};

mod state;
mod view;

pub use state::Action;
pub use view::CallView;

words! {
    /// Where a call stands.
    pub enum CallStatus {
        /// Waiting in a department's queue.
        Queued = "queued",
        /// In progress.
        Active = "active",
        /// Over.
        Completed = "completed",
        /// Nobody took it in time, or the customer left.
        Missed = "missed",
        /// Called off.
        Cancelled = "cancelled",
    }
}

/// A call. Names are those at its latest transition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Its identifier.
    pub id: CallId,
    /// Where it stands; a waiting one whose time has passed may still say queued, see [`Call::at`].
    pub status: CallStatus,
    /// The department.
    pub department_id: DepartmentId,
    /// The department's name.
    pub department_name: String,
    /// The agent.
    pub user_id: Option<UserId>,
    /// The agent's name.
    pub user_name: Option<String>,
    /// The customer.
    pub customer_id: Option<CustomerId>,
    /// The customer's name.
    pub customer_name: Option<String>,
    /// The customer's e-mail.
    pub customer_email: Option<String>,
    /// The customer's phone number, E.164.
    pub customer_phone: Option<String>,
    /// The link that let it in.
    pub access_link_id: Option<AccessLinkId>,
    /// What the customer wants.
    pub reason: Option<String>,
    /// Its place in the queue.
    pub ticket: TicketId,
    /// How many were in the queue when it joined, itself included.
    pub place: u64,
    /// When it entered the present queue.
    pub queued_at: Time,
    /// When it is missed unless somebody takes it.
    pub deadline: Time,
    /// Seconds in queues that are over.
    pub waited: u64,
    /// Seconds of talk that are over.
    pub talked: u64,
    /// 1 to 5.
    pub rating: Option<u8>,
    /// The customer's words with the rating.
    pub comment: Option<String>,
    /// The agent's notes.
    pub notes: Option<String>,
    /// A supervisor's notes.
    pub manager_notes: Option<String>,
    /// The tags that it bears, in the order in which it came to; one that was deleted stays until the schedule takes it off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tag_ids: Vec<TagId>,
    /// Why it was called off.
    pub cancel_reason: Option<String>,
    /// When an agent was set.
    pub assigned_at: Option<Time>,
    /// When it began.
    pub started_at: Option<Time>,
    /// When it was over.
    pub completed_at: Option<Time>,
    /// When it joined.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// What a call begins with.
#[derive(Debug)]
pub struct Joining<'a> {
    /// The department.
    pub department: &'a Department,
    /// The customer.
    pub customer: &'a Customer,
    /// The name given at the door, where the customer has none.
    pub contact: &'a CustomerInput,
    /// The link.
    pub access_link_id: Option<AccessLinkId>,
    /// What the customer wants.
    pub reason: Option<String>,
    /// How many are in the queue, itself included.
    pub place: u64,
}

impl Call {
    /// The filter by tag.
    pub const TAG: &'static str = "tag_id";

    /// A call that joins a queue.
    #[must_use]
    pub fn new(id: CallId, ticket: TicketId, joining: Joining<'_>, now: Time) -> Self {
        let Joining { department, customer, contact, access_link_id, reason, place } = joining;
        Self {
            id,
            status: CallStatus::Queued,
            department_id: department.id,
            department_name: department.input.name.clone(),
            user_id: None,
            user_name: None,
            customer_id: Some(customer.id),
            customer_name: Some(customer.input.name.clone()),
            customer_email: customer.input.email.clone().or_else(|| contact.email.clone()),
            customer_phone: customer.input.phone.clone().or_else(|| contact.phone.clone()),
            access_link_id,
            reason,
            ticket,
            place,
            queued_at: now,
            deadline: now + std::time::Duration::from_secs(u64::from(department.input.max_wait_time)),
            waited: 0,
            talked: 0,
            rating: None,
            comment: None,
            notes: None,
            manager_notes: None,
            tag_ids: Vec::new(),
            cancel_reason: None,
            assigned_at: None,
            started_at: None,
            completed_at: None,
            inserted_at: now,
            updated_at: now,
        }
    }

    /// The call as it stands at a moment: missed from its deadline on.
    #[must_use]
    pub fn at(&self, now: Time) -> Self {
        if self.overdue(now) { self.missed(self.deadline) } else { self.clone() }
    }

    /// Its time in the queue has passed.
    #[must_use]
    pub fn overdue(&self, now: Time) -> bool {
        self.status == CallStatus::Queued && self.deadline <= now
    }

    /// The call without its customer, who was removed.
    #[must_use]
    pub fn forgotten(&self) -> Self {
        Self { customer_id: None, customer_name: None, customer_email: None, customer_phone: None, ..self.clone() }
    }

    /// The call without what anybody has written about its customer, who was erased. The rating stays for the figures.
    #[must_use]
    pub fn erased(&self) -> Self {
        let (reason, comment, notes, manager_notes, cancel_reason) = (None, None, None, None, None);
        Self { reason, comment, notes, manager_notes, cancel_reason, ..self.forgotten() }
    }

    /// The call without a tag.
    #[must_use]
    pub fn without(&self, tag: TagId) -> Self {
        let mut call = self.clone();
        call.tag_ids.retain(|known| *known != tag);
        call
    }

    fn missed(&self, at: Time) -> Self {
        Self { status: CallStatus::Missed, waited: self.waited + at.since(self.queued_at), updated_at: at, ..self.clone() }
    }

    fn with_agent(&self, user: &User, now: Time) -> Self {
        Self {
            user_id: Some(user.id),
            user_name: Some(user.input.name.clone()),
            assigned_at: Some(now),
            updated_at: now,
            ..self.clone()
        }
    }
}

/// What calls of a month are counted under.
#[must_use]
pub fn joined_in(month: Time) -> String {
    format!("month={}", &month.to_string()[..7])
}

impl Entity for Call {
    const KIND: &'static str = "call";
    const LISTING: Listing = Listing {
        sorts: &[Sort {
            name: "inserted_at",
            all: G1,
            by: &[("status", G2), ("department_id", G3), ("user_id", G4), ("customer_id", G5), (Self::TAG, ROWS)],
        }],
        filters: &[
            // Only its own rows tell who bears it, so that it goes before all others.
            (Self::TAG, Count::Own),
            ("customer_id", Count::Item),
            ("user_id", Count::Item),
            ("department_id", Count::Item),
            ("status", Count::Field),
        ],
        counted: true,
    };
    type Id = CallId;

    fn id(&self) -> CallId {
        self.id
    }

    fn key(tenant: &str, id: CallId) -> Key {
        Key::object(tenant, Self::KIND, id)
    }

    fn counted_at(tenant: &str, filter: &str, value: &str) -> Option<(Key, &'static str)> {
        let tag = value.parse().ok().filter(|_| filter == Self::TAG)?;
        Some((Key::tag_desk(tenant, tag), Tag::COUNT))
    }

    fn facets(&self, tenant: &str) -> Facets {
        use aws_sdk_dynamodb::types::AttributeValue::{N, S};
        let or_empty = |value: &Option<String>| value.clone().unwrap_or_default();
        let facets = Facets::of::<Self>(tenant, self.id)
            .sort("inserted_at", self.inserted_at.key())
            .filter("status", self.status.to_string())
            .filter("department_id", self.department_id.to_string())
            .filter("user_id", self.user_id.map(|id| id.to_string()))
            .filter("customer_id", self.customer_id.map(|id| id.to_string()))
            .many(Self::TAG, "inserted_at", self.tag_ids.iter().map(ToString::to_string))
            .words(&text::words(&[&or_empty(&self.customer_name), &or_empty(&self.customer_email)]))
            .count(joined_in(self.inserted_at))
            .row(Key::call_tenant(self.id), [("tenant", S(tenant.into()))]);
        let facets = self.tag_ids.iter().fold(facets, |facets, tag| facets.tally(Tag::borne(tenant, *tag)));
        match self.status {
            CallStatus::Queued => facets
                .lapses(Some(self.deadline))
                .tally(Desk::place(tenant, self.department_id))
                .row(Key::ticket(tenant, self.department_id, self.ticket), [("deadline", N(self.deadline.epoch().to_string()))]),
            CallStatus::Active => {
                facets.tally(Desk::holds(tenant, self.department_id, "active")).tally(Resource::Calls.used(tenant))
            }
            CallStatus::Completed | CallStatus::Missed | CallStatus::Cancelled => facets,
        }
    }
}
