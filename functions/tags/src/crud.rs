//! Tags themselves.

use schemars::JsonSchema;
use shared::{
    Result,
    api::{Created, Done, Filters, IfMatch, Merge, NoContent, Paging, Path, Proposed, Query, Rows, Shown},
    auth::{Attendant, Caller, Supervisor},
    ids::TagId,
    input::{Fields, Input, rules},
    models::{
        Tag,
        tag::{TagBranch, TagInput, TagView},
    },
    storage::{Key, contend},
    tags::{self, Tree},
    text,
};

/// Which tags.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    #[schemars(flatten)]
    paging: Paging<Tag>,
    /// Right under this one.
    parent_id: Option<TagId>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { paging: Paging::read(fields, false), parent_id: fields.optional("parent_id", rules::id) }
    }
}

/// The tenant's tags. All of them in one query are less to read than a page of them by their keys.
pub async fn list(caller: Caller<Attendant>, Query(wanted): Query<Wanted>) -> Result<Rows<TagView>> {
    let store = caller.store();
    let query = wanted.paging.query(&caller, Filters::none().with("parent_id", wanted.parent_id))?;
    let tree = Tree::read(store).await?;
    if let Some(parent) = wanted.parent_id {
        tree.known(parent)?;
    }
    let mut all = tree.into_tags();
    if let Some(search) = &wanted.paging.search {
        let wanted = text::query_words(search);
        all.retain(|tag| text::are_found(&wanted, &text::words(&[&tag.input.name])));
    }
    let page = store.page_in_memory(all, &query)?;
    Ok(wanted.paging.rows(&caller, &query, page, |tag| tag.view()))
}

/// The tenant's tags as a tree, siblings by name.
pub async fn tree(caller: Caller<Attendant>) -> Result<Done<Vec<TagBranch>>> {
    Ok(Done(Tree::read(caller.store()).await?.branches()))
}

/// One tag.
pub async fn read(caller: Caller<Attendant>, Path(id): Path<TagId>) -> Result<Shown<TagView>> {
    let tag = tags::find(caller.store(), id).await?;
    Ok(Shown(tag.view(), tag.version))
}

/// Makes a tag that no call bears.
pub async fn create(caller: Caller<Attendant>, Proposed(draft): Proposed<TagInput>) -> Result<Created<TagView>> {
    let store = caller.store();
    let parent = draft.input.parent_id;
    let input = draft.right(async { Tree::read(store).await?.admits(parent) }).await?;
    let tag = Tag::new(store.mint()?, input, caller.now());
    contend(|| async {
        let tree = Tree::read(store).await?;
        tree.admits(tag.input.parent_id)?;
        let desk = Key::tag_desk(store.tenant(), tag.id);
        tree.change(caller.write()).create(&tag).tally(&desk, Tag::open).commit(Created(tag.view())).await
    })
    .await
}

/// Changes a tag; one that moves takes along what lies under it.
pub async fn update(
    caller: Caller<Attendant>,
    Path(id): Path<TagId>,
    matching: IfMatch,
    Merge(patch): Merge<TagInput>,
) -> Result<Shown<TagView>> {
    contend(|| async {
        let tree = Tree::read(caller.store()).await?;
        let seen = tree.find(id)?;
        matching.check(seen)?;
        let changed = Tag { input: patch.onto(&seen.input)?, updated_at: caller.now(), ..seen.value.clone() };
        let mut write = caller.write().update(seen, &changed);
        if changed.input.parent_id != seen.input.parent_id {
            tree.receives(id, changed.input.parent_id)?;
            write = tree.change(write);
        }
        write.commit(Shown(changed.view(), seen.version + 1)).await
    })
    .await
}

/// Removes a tag and those under it. What calls bear of them is taken off behind; nobody sees it from now on.
pub async fn remove(caller: Caller<Supervisor>, Path(id): Path<TagId>, matching: IfMatch) -> Result<NoContent> {
    contend(|| async {
        let tree = Tree::read(caller.store()).await?;
        let seen = tree.find(id)?;
        matching.check(seen)?;
        tree.remove(caller.write(), seen, caller.now()).commit(NoContent).await
    })
    .await
}
