//! Access links that are made together, while they are made.

use serde::{Deserialize, Serialize};

use super::{AccessLink, delivery::SLACK, department::Desk};
use crate::{
    clock::Time,
    ids::{BatchId, DepartmentId},
    storage::{Author, Entity, Facets, Key},
};

/// Links that will be, whatever happens: a part of a batch. It never changes, and goes when all of them are there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LinkBatch {
    /// The batch.
    pub id: BatchId,
    /// Which part of it.
    pub part: u8,
    /// The links, whose counts fall into one shard.
    pub links: Vec<AccessLink>,
    /// What their addresses begin with.
    pub site: String,
    /// Who makes them.
    pub author: Option<Author>,
    /// When it was decided.
    pub inserted_at: Time,
}

impl Entity for LinkBatch {
    const KIND: &'static str = "batch";
    type Id = (BatchId, u8);

    fn id(&self) -> Self::Id {
        (self.id, self.part)
    }

    fn key(tenant: &str, (batch, part): Self::Id) -> Key {
        Key::batch(tenant, batch, part)
    }

    /// It counts at the desks as its links will. A list of links makes them first; the schedule leaves the request its time.
    fn facets(&self, tenant: &str) -> Facets {
        let facets =
            Facets::of::<Self>(tenant, self.id).unsettles::<AccessLink>(self.inserted_at).due(Some(self.inserted_at + SLACK));
        held(facets, tenant, self.links.iter().map(|link| link.department_id))
    }
}

/// Departments that a batch will lead to, held for it until it is decided: more of them than a transaction takes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LinkHold {
    /// Its identifier.
    pub id: BatchId,
    /// The departments, each as often as links lead to it.
    pub department_ids: Vec<DepartmentId>,
    /// Since when.
    pub inserted_at: Time,
}

impl Entity for LinkHold {
    const KIND: &'static str = "hold";
    type Id = BatchId;

    fn id(&self) -> BatchId {
        self.id
    }

    fn key(tenant: &str, id: BatchId) -> Key {
        Key::object(tenant, Self::KIND, id)
    }

    fn facets(&self, tenant: &str) -> Facets {
        let facets = Facets::of::<Self>(tenant, self.id).due(Some(self.inserted_at + SLACK));
        held(facets, tenant, self.department_ids.iter().copied())
    }
}

fn held(facets: Facets, tenant: &str, departments: impl Iterator<Item = DepartmentId>) -> Facets {
    departments.fold(facets, |facets, department| facets.tally(Desk::holds(tenant, department, "links")))
}
