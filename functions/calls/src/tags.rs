//! The tags of a call.

use schemars::JsonSchema;
use shared::{
    Error, Result,
    api::{Added, NoContent, Path, Path2, Rows, Valid},
    auth::{Attendant, Caller},
    ids::{CallId, TagId},
    input::{Fields, Input, rules},
    models::{
        Call, Tag,
        tag::{CallTag, TagTree},
    },
    storage::{Entity, Stored, contend},
    tags::{self, BORNE},
};

/// The tag to bear.
#[derive(Debug, JsonSchema)]
pub struct Borne {
    /// The tag.
    tag_id: TagId,
}

impl Input for Borne {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { tag_id: fields.required(Call::TAG, rules::id) }
    }
}

/// The tags of a call, in the order in which it came to bear them.
pub async fn list(caller: Caller<Attendant>, Path(id): Path<CallId>) -> Result<Rows<CallTag>> {
    let call = caller.store().find::<Call>(id).await?;
    Ok(Rows::whole(tags::of(caller.store(), &call).await?, Tag::PAGE_SIZE))
}

/// A call that must be there, and a tag if it is: one read.
async fn pair(caller: &Caller<Attendant>, call: CallId, tag: TagId) -> Result<(Stored<Call>, Option<Stored<Tag>>)> {
    let tenant = caller.tenant();
    let keys = [Call::key(tenant, call), Tag::key(tenant, tag), TagTree::key(tenant, ())];
    let mut found = caller.store().db().items(&keys).await?;
    let call = found.take::<Call>(&keys[0])?.ok_or(Error::NotFound("Resource not found"))?;
    let hidden = found.take::<TagTree>(&keys[2])?.is_some_and(|tree| tree.hidden.contains(&tag));
    Ok((call, found.take::<Tag>(&keys[1])?.filter(|_| !hidden)))
}

/// Lets a call bear a tag; again changes nothing.
pub async fn add(caller: Caller<Attendant>, Path(id): Path<CallId>, Valid(input): Valid<Borne>) -> Result<Added<CallTag>> {
    contend(|| async {
        let (seen, tag) = pair(&caller, id, input.tag_id).await?;
        let tag = tag.ok_or_else(|| Error::invalid(Call::TAG, "does not exist"))?;
        if seen.tag_ids.contains(&tag.id) {
            return Ok(Added { data: tag.label(), new: false });
        }
        let mut changed = Call { updated_at: caller.now(), ..seen.value.clone() };
        if changed.tag_ids.len() >= BORNE {
            // Those that were deleted, and are only yet to be taken off, do not keep others away.
            let present = tags::present(caller.store(), changed.tag_ids.clone()).await?;
            changed.tag_ids.retain(|known| present.contains_key(known));
        }
        if changed.tag_ids.len() >= BORNE {
            return Err(Error::invalid(Call::TAG, format!("is one too many: a call bears at most {BORNE}")));
        }
        changed.tag_ids.push(tag.id);
        caller.write().update(&seen, &changed).commit(Added { data: tag.label(), new: true }).await
    })
    .await
}

/// Takes a tag off a call.
pub async fn remove(caller: Caller<Attendant>, Path2(id, tag): Path2<CallId, TagId>) -> Result<NoContent> {
    contend(|| async {
        let (seen, known) = pair(&caller, id, tag).await?;
        if known.is_none() || !seen.tag_ids.contains(&tag) {
            return Err(Error::NotFound("Resource not found"));
        }
        let changed = Call { updated_at: caller.now(), ..seen.without(tag) };
        caller.write().update(&seen, &changed).commit(NoContent).await
    })
    .await
}
