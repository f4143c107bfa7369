//! The tags of a tenant: read whole, changed under one version, shown with the calls that bear them.
//!
//! Whether a tag is there says its own item and, beside it, the tree's: a tag that was deleted takes what lies under it along
//! at once, by name, however much that is. What is then still in the table, [`crate::untag`] removes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    clock::Time,
    error::{Error, Result},
    ids::TagId,
    models::{
        Call, Tag,
        tag::{CallTag, TagBranch, TagRemoval, TagTree},
    },
    storage::{
        Entity, Item, Key, Store, Stored, Write,
        entity::{self, number},
        keys,
    },
    text,
};

/// Tags that a tenant has at most: few enough to be read whole wherever something is decided.
pub const MOST: usize = 1000;
/// How deep the tree is at most.
pub const DEEPEST: usize = 8;
/// Tags that a call bears at most.
pub const BORNE: usize = 50;

/// The tags of a tenant at one version of their tree.
#[derive(Debug)]
pub struct Tree {
    version: Option<Stored<TagTree>>,
    tags: BTreeMap<TagId, Stored<Tag>>,
}

impl Tree {
    /// Reads it: one query, the version before the tags, so that a change meanwhile makes a write on this version fail.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn read(store: &Store) -> Result<Self> {
        let mut items = store.db().partition(&keys::tags(store.tenant()), "").await?;
        let version = match items.first().and_then(entity::kind) {
            Some(TagTree::KIND) => Some(entity::from_item::<TagTree>(items.remove(0))?),
            _ => None,
        };
        let (tags, desks): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|item| entity::kind(item) == Some(Tag::KIND));
        let tags = tags.into_iter().map(|item| entity::from_item::<Tag>(item).map(|tag| (tag.id, tag)));
        let mut tree = Self { version, tags: tags.collect::<Result<_>>()? };
        for hidden in tree.hidden().to_vec() {
            tree.tags.remove(&hidden);
        }
        tree.prune();
        let counts: HashMap<Key, u64> =
            desks.iter().filter_map(|desk| Some((crate::storage::key_of(desk)?, counted(Some(desk))))).collect();
        for tag in tree.tags.values_mut() {
            tag.value.usage_count = counts.get(&Key::tag_desk(store.tenant(), tag.value.id)).copied().unwrap_or(0);
        }
        Ok(tree)
    }

    /// Without what lies under a tag that was deleted between the version and the tags: a query is no snapshot.
    fn prune(&mut self) {
        loop {
            let missing = |tag: &Tag| tag.input.parent_id.is_some_and(|parent| !self.tags.contains_key(&parent));
            let orphans: Vec<TagId> = self.tags.values().filter(|tag| missing(tag)).map(|tag| tag.id).collect();
            if orphans.is_empty() {
                return;
            }
            self.tags.retain(|id, _| !orphans.contains(id));
        }
    }

    fn hidden(&self) -> &[TagId] {
        self.version.as_ref().map_or(&[], |version| &version.hidden)
    }

    /// A tag of it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn find(&self, id: TagId) -> Result<&Stored<Tag>> {
        self.tags.get(&id).ok_or(Error::NotFound("Resource not found"))
    }

    /// A tag that a filter names is one of it.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `parent_id`.
    pub fn known(&self, parent: TagId) -> Result<&Stored<Tag>> {
        self.tags.get(&parent).ok_or_else(|| Error::invalid("parent_id", "does not exist"))
    }

    /// All of them.
    #[must_use]
    pub fn into_tags(self) -> Vec<Stored<Tag>> {
        self.tags.into_values().collect()
    }

    /// All of them, each among its siblings by name.
    #[must_use]
    pub fn branches(&self) -> Vec<TagBranch> {
        let mut under = BTreeMap::<Option<TagId>, Vec<&Tag>>::new();
        for tag in self.tags.values() {
            under.entry(tag.input.parent_id).or_default().push(tag);
        }
        for siblings in under.values_mut() {
            siblings.sort_by_cached_key(|tag| (text::sort_key(&tag.input.name), tag.id));
        }
        grown(None, &under)
    }

    /// A new tag may lie there.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `parent_id`; [`Error::Refused`] when there are too many.
    pub fn admits(&self, parent: Option<TagId>) -> Result<()> {
        // What is hidden and still lies in the table is bounded as well.
        if self.tags.len() >= MOST || self.tags.len() + self.hidden().len() >= 3 * MOST {
            return Err(Error::Refused(format!("There are {MOST} tags already")));
        }
        self.within(parent, 1)
    }

    /// A tag with what lies under it may move there.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `parent_id`.
    pub fn receives(&self, id: TagId, parent: Option<TagId>) -> Result<()> {
        let below = self.below(id);
        if parent.is_some_and(|parent| below.contains_key(&parent)) {
            return Err(Error::invalid("parent_id", "must not lie below the tag itself"));
        }
        self.within(parent, below.values().max().copied().unwrap_or(1))
    }

    /// So many levels have room under a parent, which exists.
    fn within(&self, parent: Option<TagId>, levels: usize) -> Result<()> {
        let mut depth = 0;
        let mut above = parent;
        while let Some(id) = above {
            depth += 1;
            above = self.known(id)?.input.parent_id;
        }
        if depth + levels > DEEPEST {
            return Err(Error::invalid("parent_id", format!("must leave the tree at most {DEEPEST} deep")));
        }
        Ok(())
    }

    /// A tag and what lies under it, each with its level: 1 is the tag itself.
    fn below(&self, id: TagId) -> BTreeMap<TagId, usize> {
        let mut found = BTreeMap::from([(id, 1)]);
        let mut level = BTreeSet::from([id]);
        for depth in 2.. {
            let next = self.tags.values().filter(|tag| tag.input.parent_id.is_some_and(|parent| level.contains(&parent)));
            level = next.map(|tag| tag.id).collect();
            if level.is_empty() {
                break;
            }
            found.extend(level.iter().map(|id| (*id, depth)));
        }
        found
    }

    /// Changes what lies under what: [`Error::Conflict`] when somebody else has since this was read.
    pub fn change<'a>(&self, write: Write<'a>) -> Write<'a> {
        self.hide(write, &[])
    }

    /// Removes a tag and what lies under it: from then on nobody sees any of it, and the schedule takes it off the calls.
    pub fn remove<'a>(&self, write: Write<'a>, tag: &Stored<Tag>, now: Time) -> Write<'a> {
        let mut tags: Vec<TagId> = self.below(tag.id).into_keys().filter(|id| *id != tag.id).collect();
        let write = self.hide(write, &tags);
        tags.insert(0, tag.id);
        let desk = Key::tag_desk(write.store().tenant(), tag.id);
        write.delete(tag).tally(&desk, Tag::close).create(&TagRemoval { id: tag.id, tags, drained: 0, inserted_at: now })
    }

    fn hide<'a>(&self, write: Write<'a>, tags: &[TagId]) -> Write<'a> {
        let tree = TagTree { hidden: [self.hidden(), tags].concat() };
        match &self.version {
            Some(version) => write.update(version, &tree),
            None => write.create(&tree),
        }
    }
}

fn grown(parent: Option<TagId>, under: &BTreeMap<Option<TagId>, Vec<&Tag>>) -> Vec<TagBranch> {
    let children = under.get(&parent).into_iter().flatten();
    children
        .map(|tag| TagBranch {
            id: tag.id,
            name: tag.input.name.clone(),
            color: tag.input.color.clone(),
            usage_count: tag.usage_count,
            children: grown(Some(tag.id), under),
        })
        .collect()
}

/// What a desk counts.
fn counted(desk: Option<&Item>) -> u64 {
    let count = desk.and_then(|desk| number(desk, Tag::COUNT)).unwrap_or(0);
    u64::try_from(count).unwrap_or(0)
}

/// The tags among these that are there, in one read; none when none are asked for.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer.
pub async fn present(store: &Store, ids: impl IntoIterator<Item = TagId>) -> Result<HashMap<TagId, Stored<Tag>>> {
    let ids: BTreeSet<TagId> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let tree = Key::tag_tree(store.tenant());
    let keys: Vec<Key> = ids.iter().map(|id| Tag::key(store.tenant(), *id)).chain([tree.clone()]).collect();
    let mut found = store.db().items(&keys).await?;
    let hidden = found.take::<TagTree>(&tree)?.map(|tree| tree.value.hidden).unwrap_or_default();
    let tags = keys.iter().filter(|key| **key != tree).filter_map(|key| found.take::<Tag>(key).transpose());
    let tags = tags.collect::<Result<Vec<_>>>()?;
    Ok(tags.into_iter().filter(|tag| !hidden.contains(&tag.id)).map(|tag| (tag.id, tag)).collect())
}

/// A tag with the number of calls that bear it: one read.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(store: &Store, id: TagId) -> Result<Stored<Tag>> {
    let keys = [Tag::key(store.tenant(), id), Key::tag_desk(store.tenant(), id), Key::tag_tree(store.tenant())];
    let mut found = store.db().items(&keys).await?;
    let count = counted(found.item(&keys[1]));
    let hidden = found.take::<TagTree>(&keys[2])?.is_some_and(|tree| tree.hidden.contains(&id));
    let mut tag = found.take::<Tag>(&keys[0])?.filter(|_| !hidden).ok_or(Error::NotFound("Resource not found"))?;
    tag.value.usage_count = count;
    Ok(tag)
}

/// A tag that a filter names exists; none named is fine.
///
/// # Errors
/// [`Error::Invalid`] on the field.
pub async fn known(store: &Store, field: &str, id: Option<TagId>) -> Result<()> {
    match id {
        Some(id) if present(store, [id]).await?.is_empty() => Err(Error::invalid(field, "does not exist")),
        _ => Ok(()),
    }
}

/// Tags as calls show them: with their present names, in the order in which a call came to bear them.
#[derive(Debug, Default)]
pub struct Labels(HashMap<TagId, Stored<Tag>>);

impl Labels {
    /// Those of a call.
    #[must_use]
    pub fn of(&self, call: &Call) -> Vec<CallTag> {
        call.tag_ids.iter().filter_map(|id| self.0.get(id)).map(|tag| tag.label()).collect()
    }
}

/// The tags of calls, in one read; none when no call bears any.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer.
pub async fn labels(store: &Store, calls: &[&Call]) -> Result<Labels> {
    let ids: BTreeSet<TagId> = calls.iter().flat_map(|call| &call.tag_ids).copied().collect();
    present(store, ids).await.map(Labels)
}

/// The tags of one call.
///
/// # Errors
/// As [`labels`].
pub async fn of(store: &Store, call: &Call) -> Result<Vec<CallTag>> {
    Ok(labels(store, &[call]).await?.of(call))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::tag::TagInput;

    fn id(n: u128) -> TagId {
        uuid::Uuid::from_u128(n).into()
    }

    /// Tags by number, each under another or none.
    fn tree(tags: &[(u128, Option<u128>)]) -> Tree {
        let tag = |(n, parent): &(u128, Option<u128>)| {
            let input = TagInput { name: n.to_string(), color: String::new(), parent_id: parent.map(id) };
            (id(*n), Stored { value: Tag::new(id(*n), input, Time::from_epoch(0)), version: 1 })
        };
        Tree { version: None, tags: tags.iter().map(tag).collect() }
    }

    #[test]
    fn what_is_below_moves_along_and_must_fit() {
        let chain: Vec<_> = (1..=8).map(|n| (n, (n > 1).then(|| n - 1))).chain([(20, None), (21, Some(20))]).collect();
        let tree = tree(&chain);
        assert!(tree.receives(id(20), Some(id(6))).is_ok() && tree.receives(id(20), Some(id(7))).is_err());
        assert!(tree.receives(id(21), Some(id(7))).is_ok() && tree.receives(id(21), None).is_ok());
        assert!(tree.receives(id(3), Some(id(3))).is_err() && tree.receives(id(3), Some(id(8))).is_err());
        assert!(tree.receives(id(3), Some(id(1))).is_ok() && tree.receives(id(3), Some(id(9))).is_err());
        assert!(tree.receives(id(3), Some(id(20))).is_ok() && tree.receives(id(2), Some(id(20))).is_ok());
        assert!(tree.receives(id(2), Some(id(21))).is_err());
    }

    #[test]
    fn who_reads_while_a_branch_goes_sees_none_of_it() {
        let mut torn = tree(&[(1, None), (3, Some(2)), (4, Some(3)), (5, Some(1)), (6, Some(4))]);
        torn.prune();
        assert_eq!(torn.tags.keys().copied().collect::<Vec<_>>(), [id(1), id(5)]);
    }
}
