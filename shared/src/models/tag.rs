//! Tags: the labels of calls, in a tree.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Time,
    error::Error,
    ids::{Id, TagId},
    input::{Fields, Input, rules},
    storage::{Audited, Count, Entity, Facets, Item, Key, Listing, Sort, Tallied, entity::MEMORY},
    text,
};

/// The colour of a tag that was given none.
const GREY: &str = "#6b7280";

/// What an agent sets of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TagInput {
    /// The name, unique under its parent, whatever the case.
    #[schemars(length(max = 200))]
    pub name: String,
    /// `#rrggbb`.
    #[schemars(extend("format" = "color", "default" = GREY))]
    pub color: String,
    /// The tag that it lies under; null for a root.
    pub parent_id: Option<TagId>,
}

impl Input for TagInput {
    const WRAPPER: Option<&'static str> = Some("tag");

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: fields.required("name", rules::name),
            color: fields.default("color", GREY.to_owned(), rules::color),
            parent_id: fields.optional("parent_id", rules::id),
        }
    }
}

/// A tag.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tag {
    /// Its identifier.
    pub id: TagId,
    /// What an agent set.
    #[serde(flatten)]
    pub input: TagInput,
    /// How many calls bear it; its desk counts them, not its own item.
    #[serde(skip)]
    pub usage_count: u64,
    /// When it was made.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// A tag as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Tag")]
pub struct TagView {
    /// Its identifier.
    pub id: TagId,
    /// What an agent set.
    #[serde(flatten)]
    pub input: TagInput,
    /// How many calls bear it.
    pub usage_count: u64,
    /// When it was made.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// A tag of a call.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CallTag {
    /// Its identifier.
    pub id: TagId,
    /// Its name.
    pub name: String,
    /// `#rrggbb`.
    #[schemars(extend("format" = "color"))]
    pub color: String,
}

/// A tag with what lies under it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TagBranch {
    /// Its identifier.
    pub id: TagId,
    /// Its name.
    pub name: String,
    /// `#rrggbb`.
    #[schemars(extend("format" = "color"))]
    pub color: String,
    /// How many calls bear it.
    pub usage_count: u64,
    /// What lies under it, by name.
    pub children: Vec<TagBranch>,
}

impl Tag {
    /// What its desk counts: the calls that bear it.
    pub const COUNT: &'static str = "calls";
    /// What keeps its desk from counting more.
    const LIMIT: &'static str = "limit";

    /// A new tag that no call bears.
    #[must_use]
    pub fn new(id: TagId, input: TagInput, now: Time) -> Self {
        Self { id, input, usage_count: 0, inserted_at: now, updated_at: now }
    }

    /// A call that bears it; refused once it is being removed.
    #[must_use]
    pub fn borne(tenant: &str, tag: TagId) -> Tallied {
        let refusal = |_: Option<&Item>| Error::invalid("tag_id", "does not exist");
        Tallied::new(Key::tag_desk(tenant, tag), Self::COUNT).below(Self::LIMIT).existing().or(refusal)
    }

    /// What its desk begins with.
    pub fn open(desk: &mut crate::storage::tally::Tally) {
        desk.set(Self::COUNT, Some(0));
    }

    /// From now on its desk only counts down: no call can come to bear it.
    pub fn close(desk: &mut crate::storage::tally::Tally) {
        desk.set(Self::LIMIT, Some(0));
    }

    /// The tag as the API shows it.
    #[must_use]
    pub fn view(&self) -> TagView {
        let Self { id, input, usage_count, inserted_at, updated_at } = self.clone();
        TagView { id, input, usage_count, inserted_at, updated_at }
    }

    /// The tag as a call shows it.
    #[must_use]
    pub fn label(&self) -> CallTag {
        CallTag { id: self.id, name: self.input.name.clone(), color: self.input.color.clone() }
    }

    /// What no other tag under the same parent may have: the name without regard to case.
    fn place(&self) -> String {
        let parent = self.input.parent_id.map_or_else(String::new, Id::key);
        format!("{parent}#{}", text::caseless(&self.input.name))
    }
}

impl Entity for Tag {
    const KIND: &'static str = "tag";
    const LISTING: Listing = Listing {
        sorts: &[
            Sort { name: "name", all: MEMORY, by: &[] },
            Sort { name: "inserted_at", all: MEMORY, by: &[] },
            Sort { name: "usage_count", all: MEMORY, by: &[] },
        ],
        filters: &[("parent_id", Count::Along)],
        counted: false,
    };
    const PAGE_SIZE: u64 = 50;
    type Id = TagId;

    fn id(&self) -> TagId {
        self.id
    }

    fn key(tenant: &str, id: TagId) -> Key {
        Key::tag(tenant, &id.key())
    }

    fn key_at(tenant: &str, id_key: &str) -> Key {
        Key::tag(tenant, id_key)
    }

    fn audited(&self) -> Option<Audited> {
        Some(Audited::of("tag", self.id, serde_json::to_value(&self.input).ok()?))
    }

    fn facets(&self, tenant: &str) -> Facets {
        Facets::of::<Self>(tenant, self.id)
            .sort("name", text::sort_key(&self.input.name))
            .sort("inserted_at", self.inserted_at.key())
            .sort("usage_count", format!("{:012}", self.usage_count))
            .filter("parent_id", self.input.parent_id.map(|id| id.to_string()))
            .unique("name", &self.place())
    }
}

/// The version of a tenant's tree: whoever changes what lies under what raises it, so that of two who do one was first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TagTree {
    /// Tags that went with one above them and still lie in the table. Nobody sees them.
    pub hidden: Vec<TagId>,
}

impl Entity for TagTree {
    const KIND: &'static str = "tagtree";
    type Id = ();

    fn id(&self) -> Self::Id {}

    fn key(tenant: &str, (): ()) -> Key {
        Key::tag_tree(tenant)
    }

    fn facets(&self, tenant: &str) -> Facets {
        Facets::of::<Self>(tenant, TagId::default())
    }
}

/// A tag that was deleted with all that lay under it, until no call bears any of them: the schedule sees to that.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TagRemoval {
    /// The tag.
    pub id: TagId,
    /// The tag and what lay under it.
    pub tags: Vec<TagId>,
    /// How many of them no call bears any more.
    pub drained: usize,
    /// Since when.
    pub inserted_at: Time,
}

impl Entity for TagRemoval {
    const KIND: &'static str = "untag";
    type Id = TagId;

    fn id(&self) -> TagId {
        self.id
    }

    fn key(tenant: &str, id: TagId) -> Key {
        Key::object(tenant, Self::KIND, id)
    }

    fn facets(&self, tenant: &str) -> Facets {
        Facets::of::<Self>(tenant, self.id).due(Some(self.inserted_at))
    }
}
