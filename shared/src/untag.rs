//! What deleted tags leave behind, a bounded piece at a time: they are taken off the calls that bear them.
//!
//! Each step is a transaction that finds itself done when it is run again, so that a crash loses nothing and two may be at it
//! at once. First every desk closes: from then on no call can come to bear the tag, and its rows, read strongly consistent,
//! only become fewer. When there are none, the desk goes; when all desks have gone, nothing needs hiding any more.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    error::{Error, Result},
    ids::TagId,
    models::{
        Call, Tag,
        tag::{TagRemoval, TagTree},
    },
    storage::{Entity, Item, Key, Store, Stored, contend, entity, failed, key_of, keys},
};

/// Pieces of a removal that one sweep does: 2,500 calls.
const PIECES: usize = 100;
/// Calls that are written at once: with their rows and the desk half of what a transaction takes, whatever their notes.
const CALLS: usize = 25;
/// Tags that are removed at once: each with its guard and its desk.
const TAGS: usize = 25;

/// Goes on with a removal. Answers how many calls and tags that was; the removal stays due until there are none.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer; the removal then stays due.
pub async fn go_on(store: &Store, id: TagId) -> Result<u64> {
    let Some(removal) = store.get::<TagRemoval>(id).await? else { return Ok(0) };
    let (mut done, mut drained) = (0, removal.drained);
    if drained == 0 {
        for tags in removal.tags.chunks(TAGS) {
            done += close(store, tags).await?;
        }
    }
    for _ in 0..PIECES {
        let Some(tag) = removal.tags.get(drained) else { return Ok(done + end(store, &removal).await?) };
        match piece(store, *tag).await? {
            Some(calls) => done += calls,
            None => drained += 1,
        }
    }
    if drained > removal.drained {
        let further = TagRemoval { drained, ..removal.value.clone() };
        done += u64::try_from(drained - removal.drained).unwrap_or(0);
        // Another sweep may be as far.
        match store.write().update(&removal, &further).commit(()).await {
            Ok(()) | Err(Error::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Removes tags that went with one above them, and closes their desks.
async fn close(store: &Store, tags: &[TagId]) -> Result<u64> {
    contend(|| async {
        let left = store.get_all::<Tag>(tags.to_vec()).await?;
        if left.is_empty() {
            return Ok(0);
        }
        let write = left
            .iter()
            .fold(store.write(), |write, tag| write.delete(tag).tally(&Key::tag_desk(store.tenant(), tag.id), Tag::close));
        write.commit(()).await?;
        Ok(u64::try_from(left.len()).unwrap_or(0))
    })
    .await
}

/// Takes a tag off some of the calls that bear it. Answers how many; nothing when there are none left.
async fn piece(store: &Store, tag: TagId) -> Result<Option<u64>> {
    contend(|| async {
        let rows = rows(store, tag).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let place = |row: &Item| entity::text(row, "SK")?.rsplit_once('#').map(|(_, id)| Call::key_at(store.tenant(), id));
        let keys: Vec<Key> = rows.iter().filter_map(place).collect();
        let mut found = store.db().items(&keys).await?;
        let calls = keys.iter().filter_map(|key| found.take::<Call>(key).transpose()).collect::<Result<Vec<Stored<Call>>>>()?;
        let bearing: Vec<&Stored<Call>> = calls.iter().filter(|call| call.tag_ids.contains(&tag)).collect();
        if bearing.is_empty() {
            // Rows of nothing: calls that have gone, or that another sweep was quicker with.
            store.db().forget(rows.iter().filter_map(key_of).collect::<Vec<_>>()).await?;
            return Ok(Some(0));
        }
        bearing.iter().fold(store.write(), |write, call| write.update(call, &call.without(tag))).commit(()).await?;
        Ok(Some(u64::try_from(bearing.len()).unwrap_or(0)))
    })
    .await
}

/// Some rows of a tag.
async fn rows(store: &Store, tag: TagId) -> Result<Vec<Item>> {
    let partition = keys::list(store.tenant(), Call::KIND, Some((Call::TAG, &tag.to_string())));
    let found = store
        .db()
        .client()
        .query()
        .table_name(store.db().table())
        .consistent_read(true)
        .key_condition_expression("PK = :p")
        .expression_attribute_values(":p", AttributeValue::S(partition))
        .limit(i32::try_from(CALLS).unwrap_or(i32::MAX))
        .send()
        .await
        .map_err(failed("Query"))?;
    Ok(found.items.unwrap_or_default())
}

/// No call bears any of the tags: what is left of them goes.
async fn end(store: &Store, removal: &Stored<TagRemoval>) -> Result<u64> {
    let tenant = store.tenant();
    let desks: Vec<Key> = removal.tags.iter().map(|tag| Key::tag_desk(tenant, *tag)).collect();
    store.db().forget(desks).await?;
    contend(|| async {
        let keys = [TagRemoval::key(tenant, removal.id), Key::tag_tree(tenant)];
        let mut found = store.db().items(&keys).await?;
        let (Some(removal), Some(tree)) = (found.take::<TagRemoval>(&keys[0])?, found.take::<TagTree>(&keys[1])?) else {
            return Ok(0);
        };
        let mut shown = tree.value.clone();
        shown.hidden.retain(|tag| !removal.tags.contains(tag));
        let mut write = store.write().delete(&removal);
        if shown.hidden.len() < tree.hidden.len() {
            write = write.update(&tree, &shown);
        }
        write.commit(()).await?;
        Ok(1)
    })
    .await
}
