//! Departments with their queues, and who serves in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Sector, company::Resource};
use crate::{
    clock::Time,
    error::Error,
    ids::{DepartmentId, SectorId, UserId},
    input::{Fields, Input, rules},
    storage::{
        Audited, Count, Entity, Facets, Item, Key, Listing, Sort, Tallied,
        entity::{G1, G2, G3, G4, number},
        tally::{ENTERED, Tally},
    },
    text,
};

/// What a supervisor sets of a department.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DepartmentInput {
    /// The name.
    #[schemars(length(max = 200))]
    pub name: String,
    /// Unique in the tenant; made from the name when absent.
    #[schemars(length(max = 40), regex(pattern = text::SLUG))]
    pub identifier: Option<String>,
    /// What it is for.
    #[schemars(length(max = 10_000))]
    pub description: Option<String>,
    /// Whether customers can join its queue.
    #[schemars(extend("default" = true))]
    pub active: bool,
    /// The sector it belongs to.
    pub sector_id: Option<SectorId>,
    /// Waiting calls.
    #[schemars(range(min = 1, max = 10_000), extend("default" = 20))]
    pub max_queue_size: u32,
    /// Seconds after which a waiting call is missed.
    #[schemars(range(min = 10, max = 86_400), extend("default" = 300))]
    pub max_wait_time: u32,
}

impl Input for DepartmentInput {
    const WRAPPER: Option<&'static str> = Some("department");

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: fields.required("name", rules::name),
            identifier: fields.optional("identifier", rules::slug(1)),
            description: fields.optional("description", rules::notes),
            active: fields.default("active", true, rules::boolean),
            sector_id: fields.optional("sector_id", rules::id),
            max_queue_size: fields.default("max_queue_size", 20, rules::integer(1..=10_000)),
            max_wait_time: fields.default("max_wait_time", 300, rules::integer(10..=86_400)),
        }
    }
}

/// A department.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Department {
    /// Its identifier.
    pub id: DepartmentId,
    /// What a supervisor set; `identifier` is always there.
    #[serde(flatten)]
    pub input: DepartmentInput,
    /// How many users serve in it.
    pub user_count: u32,
    /// When it was made.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl Department {
    /// A new department without members.
    #[must_use]
    pub fn new(id: DepartmentId, input: DepartmentInput, now: Time) -> Self {
        Self { id, input, user_count: 0, inserted_at: now, updated_at: now }
    }
}

impl Entity for Department {
    const KIND: &'static str = "department";
    const LISTING: Listing = Listing {
        sorts: &[
            Sort { name: "name", all: G1, by: &[("active", G3), ("sector_id", G4)] },
            Sort { name: "inserted_at", all: G2, by: &[] },
        ],
        filters: &[("sector_id", Count::Item), ("active", Count::Field)],
        counted: true,
    };
    type Id = DepartmentId;

    fn id(&self) -> DepartmentId {
        self.id
    }

    fn key(tenant: &str, id: DepartmentId) -> Key {
        Key::object(tenant, Self::KIND, id)
    }

    fn audited(&self) -> Option<Audited> {
        Some(Audited::of("department", self.id, serde_json::to_value(&self.input).ok()?))
    }

    fn facets(&self, tenant: &str) -> Facets {
        let facets = Facets::of::<Self>(tenant, self.id)
            .sort("name", text::sort_key(&self.input.name))
            .sort("inserted_at", self.inserted_at.key())
            .filter("active", self.input.active.to_string())
            .unique("identifier", self.input.identifier.as_deref().unwrap_or_default())
            .words(&text::words(&[&self.input.name, self.input.identifier.as_deref().unwrap_or_default()]));
        let facets = match self.input.sector_id {
            Some(sector) => facets.filter("sector_id", sector.to_string()).tally(Sector::holds(tenant, sector)),
            None => facets,
        };
        if self.input.active { facets.tally(Resource::Departments.used(tenant)) } else { facets }
    }
}

/// What a department has in hand: one item of counts beside it, which holds the queue's limit as well.
#[derive(Debug, Clone, Copy, Default)]
pub struct Desk {
    /// Calls in the queue.
    pub queued: i64,
    /// Calls in progress.
    pub active: i64,
    /// Milliseconds of waiting per place in the queue, as recent calls saw it.
    pub pace: Option<i64>,
}

impl Desk {
    /// The counts that keep a department from being deleted.
    pub const BUSY: [&'static str; 4] = ["queued", "active", "links", "appointments"];

    /// Reads the item.
    #[must_use]
    pub fn of(item: Option<&Item>) -> Self {
        let read = |name| item.and_then(|item| number(item, name));
        Self { queued: read("queued").unwrap_or(0), active: read("active").unwrap_or(0), pace: read("pace") }
    }

    /// A place in the queue, refused when it is full or the department is gone.
    #[must_use]
    pub fn place(tenant: &str, department: DepartmentId) -> Tallied {
        let refusal = |item: Option<&Item>| match item {
            Some(_) => Error::Refused(QUEUE_FULL.into()),
            None => Error::Conflict,
        };
        Tallied::new(Key::desk(tenant, department), "queued").below("max_queue_size").existing().entering().or(refusal)
    }

    /// A call in progress, an active link or an open appointment.
    #[must_use]
    pub fn holds(tenant: &str, department: DepartmentId, count: &'static str) -> Tallied {
        Tallied::new(Key::desk(tenant, department), count).below(LIMIT).existing().entering()
    }

    /// An open appointment that was over has another time now: it is in hand again.
    #[must_use]
    pub fn regains(tenant: &str, department: DepartmentId) -> Tallied {
        let gone = |_: Option<&Item>| Error::invalid("department_id", "does not exist");
        Tallied::new(Key::desk(tenant, department), ENTERED).below(LIMIT).existing().or(gone)
    }

    /// The desk of a department that goes while appointments that are over lie there: nothing comes to it any more, what lies
    /// there is still taken off.
    pub fn shut(desk: &mut Tally) {
        desk.set(LIMIT, Some(0)).set("max_queue_size", Some(0));
    }

    /// Seconds until whoever has so many ahead is likely served: nothing when an agent is free, else what recent calls
    /// waited per place. `agents` is how many serve in the department.
    #[must_use]
    pub fn estimate(self, ahead: u64, agents: u32) -> u64 {
        /// Seconds per place before any call was served.
        const UNKNOWN: i64 = 60;
        if ahead == 0 && self.active < i64::from(agents) {
            return 0;
        }
        let pace = u64::try_from(self.pace.unwrap_or(UNKNOWN * 1000)).unwrap_or(0);
        (pace * (ahead + 1)).div_ceil(1000)
    }

    /// The pace after a call at this place waited so many seconds: a moving average over some ten calls.
    #[must_use]
    pub fn paced(self, waited: u64, place: u64) -> i64 {
        let seen = i64::try_from(waited * 1000 / place.max(1)).unwrap_or(i64::MAX);
        self.pace.map_or(seen, |pace| pace + (seen - pace) / 10)
    }
}

/// What a desk that was shut has; others have no such limit.
const LIMIT: &str = "limit";

/// What a customer reads when the queue has no place left.
pub const QUEUE_FULL: &str = "The queue is full";

/// A user serves in a department.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Membership {
    /// Where.
    pub department_id: DepartmentId,
    /// Who.
    pub user_id: UserId,
    /// Since when.
    pub inserted_at: Time,
}

impl Entity for Membership {
    const KIND: &'static str = "member";
    type Id = (DepartmentId, UserId);

    fn id(&self) -> Self::Id {
        (self.department_id, self.user_id)
    }

    fn key(tenant: &str, (department, user): Self::Id) -> Key {
        Key::member(tenant, department, user)
    }

    fn audited(&self) -> Option<Audited> {
        Some(Audited::of("membership", self.department_id, serde_json::json!({ "user_id": self.user_id })))
    }

    fn facets(&self, tenant: &str) -> Facets {
        Facets::of::<Self>(tenant, self.user_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_a_free_agent() {
        let desk = Desk { queued: 0, active: 1, pace: Some(30_000) };
        assert_eq!(desk.estimate(0, 2), 0);
        assert_eq!(desk.estimate(0, 1), 30);
        assert_eq!(desk.estimate(2, 2), 90);
        assert_eq!(Desk::default().estimate(0, 0), 60);
    }

    #[test]
    fn the_pace_follows_what_calls_waited() {
        let desk = Desk::default();
        assert_eq!(desk.paced(40, 2), 20_000);
        assert_eq!(Desk { pace: Some(20_000), ..desk }.paced(40, 1), 22_000);
        assert_eq!(Desk { pace: Some(20_000), ..desk }.paced(0, 0), 18_000);
    }
}
