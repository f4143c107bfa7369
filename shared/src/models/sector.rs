//! Sectors: groups of departments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Time,
    error::Error,
    ids::SectorId,
    input::{Fields, Input, rules},
    storage::{
        Audited, Count, Entity, Facets, Item, Key, Listing, Sort, Tallied,
        entity::{G1, G2, G3},
    },
    text,
};

/// What a supervisor sets of a sector.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SectorInput {
    /// The name.
    #[schemars(length(max = 200))]
    pub name: String,
    /// What it is for.
    #[schemars(length(max = 10_000))]
    pub description: Option<String>,
    /// Whether it is in use.
    #[schemars(extend("default" = true))]
    pub active: bool,
}

impl Input for SectorInput {
    const WRAPPER: Option<&'static str> = Some("sector");

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: fields.required("name", rules::name),
            description: fields.optional("description", rules::notes),
            active: fields.default("active", true, rules::boolean),
        }
    }
}

/// A sector.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sector {
    /// Its identifier.
    pub id: SectorId,
    /// What a supervisor set.
    #[serde(flatten)]
    pub input: SectorInput,
    /// When it was made.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// A sector as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Sector")]
pub struct SectorView {
    /// Its identifier.
    pub id: SectorId,
    /// What a supervisor set.
    #[serde(flatten)]
    pub input: SectorInput,
    /// How many departments belong to it.
    pub department_count: u64,
    /// When it was made.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl Sector {
    /// What a sector's item of counts counts.
    pub const COUNT: &'static str = "departments";

    /// A new sector without departments.
    #[must_use]
    pub fn new(id: SectorId, input: SectorInput, now: Time) -> Self {
        Self { id, input, inserted_at: now, updated_at: now }
    }

    /// A department of it, which keeps it; refused when it is not there.
    #[must_use]
    pub fn holds(tenant: &str, sector: SectorId) -> Tallied {
        let refusal = |_: Option<&Item>| Error::invalid("sector_id", "does not exist");
        Tallied::new(Key::sector_desk(tenant, sector), Self::COUNT).existing().or(refusal)
    }

    /// The sector as the API shows it.
    #[must_use]
    pub fn view(&self, department_count: u64) -> SectorView {
        let Self { id, input, inserted_at, updated_at } = self.clone();
        SectorView { id, input, department_count, inserted_at, updated_at }
    }
}

impl Entity for Sector {
    const KIND: &'static str = "sector";
    const LISTING: Listing = Listing {
        sorts: &[Sort { name: "name", all: G1, by: &[("active", G3)] }, Sort { name: "inserted_at", all: G2, by: &[] }],
        filters: &[("active", Count::Field)],
        counted: true,
    };
    type Id = SectorId;

    fn id(&self) -> SectorId {
        self.id
    }

    fn key(tenant: &str, id: SectorId) -> Key {
        Key::object(tenant, Self::KIND, id)
    }

    fn audited(&self) -> Option<Audited> {
        Some(Audited::of("sector", self.id, serde_json::to_value(&self.input).ok()?))
    }

    fn facets(&self, tenant: &str) -> Facets {
        Facets::of::<Self>(tenant, self.id)
            .sort("name", text::sort_key(&self.input.name))
            .sort("inserted_at", self.inserted_at.key())
            .filter("active", self.input.active.to_string())
            .words(&text::words(&[&self.input.name]))
    }
}
