//! Departments themselves.

use schemars::JsonSchema;
use shared::{
    Error, Result,
    api::{Created, Filters, IfMatch, Merge, NoContent, Paging, Path, Proposed, Query, Rows, Shown},
    auth::{Attendant, Caller, Supervisor},
    error::Violations,
    ids::{DepartmentId, Id, SectorId},
    input::{Fields, Input, rules},
    lapse,
    models::{
        AccessLink, Call, Department, Sector,
        department::{DepartmentInput, Desk},
    },
    storage::{Entity, Key, Store, contend, key_of, keys},
    text,
};

use crate::unclosed;

/// Which departments.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    #[schemars(flatten)]
    paging: Paging<Department>,
    /// Whose queues can, or cannot, be joined.
    active: Option<bool>,
    /// Of this sector.
    sector_id: Option<SectorId>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            paging: Paging::read(fields, false),
            active: fields.optional("active", rules::boolean),
            sector_id: fields.optional("sector_id", rules::id),
        }
    }
}

/// The tenant's departments.
pub async fn list(caller: Caller<Attendant>, Query(wanted): Query<Wanted>) -> Result<Rows<Department>> {
    let filters = Filters::none().with("active", wanted.active).with("sector_id", wanted.sector_id);
    let known = caller.store().known::<Sector>("sector_id", wanted.sector_id);
    let rows = wanted.paging.list(&caller, filters, |department| department.value);
    tokio::try_join!(known, rows).map(|((), rows)| rows)
}

/// One department.
pub async fn read(caller: Caller<Attendant>, Path(id): Path<DepartmentId>) -> Result<Shown<Department>> {
    let department = caller.store().find::<Department>(id).await?;
    Ok(Shown(department.value, department.version))
}

/// Makes a department with an empty queue.
pub async fn create(caller: Caller<Supervisor>, Proposed(draft): Proposed<DepartmentInput>) -> Result<Created<Department>> {
    let store = caller.store();
    let sector = draft.input.sector_id;
    let input = draft.right(store.known::<Sector>("sector_id", sector)).await?;
    let insert = |input| async {
        let department = Department::new(store.mint()?, input, caller.now());
        let size = i64::from(department.input.max_queue_size);
        let desk = Key::desk(store.tenant(), department.id);
        let write = caller.write().create(&department).tally(&desk, |desk| {
            desk.set("max_queue_size", Some(size));
        });
        write.commit(Created(department)).await
    };
    if input.identifier.is_some() {
        return contend(|| insert(input.clone())).await;
    }
    // The plain slug is mostly free: whether it is, the write itself tells.
    let plain = DepartmentInput { identifier: Some(slug_of(&input)), ..input.clone() };
    match contend(|| insert(plain.clone())).await {
        Err(Error::Invalid(violations)) if names_identifier(&violations) => {
            contend(|| async { raced(insert(identified(store, input.clone(), None).await?).await) }).await
        }
        outcome => outcome,
    }
}

/// Changes a department; the queue's new size holds from then on.
pub async fn update(
    caller: Caller<Supervisor>,
    Path(id): Path<DepartmentId>,
    matching: IfMatch,
    Merge(patch): Merge<DepartmentInput>,
) -> Result<Shown<Department>> {
    let store = caller.store();
    contend(|| async {
        let seen = store.find::<Department>(id).await?;
        matching.check(&seen)?;
        let input = patch.onto(&seen.input)?;
        let made = input.identifier.is_none();
        let input = if made { identified(store, input, seen.input.identifier.as_deref()).await? } else { input };
        let changed = Department { input, updated_at: caller.now(), ..seen.value.clone() };
        let mut write = caller.write().update(&seen, &changed);
        if changed.input.max_queue_size != seen.input.max_queue_size {
            let size = i64::from(changed.input.max_queue_size);
            write = write.tally(&Key::desk(store.tenant(), id), |desk| {
                desk.set("max_queue_size", Some(size));
            });
        }
        let outcome = write.commit(Shown(changed, seen.version + 1)).await;
        if made { raced(outcome) } else { outcome }
    })
    .await
}

/// Removes a department that has nothing in hand; its memberships and its hours go with it.
pub async fn remove(caller: Caller<Supervisor>, Path(id): Path<DepartmentId>, matching: IfMatch) -> Result<NoContent> {
    let store = caller.store();
    let beside = contend(|| async {
        let partition = keys::object_partition(store.tenant(), Department::KIND, &id.key());
        let beside = store.db().partition(&partition, "");
        let (seen, beside, ()) = tokio::try_join!(store.find::<Department>(id), beside, Box::pin(settled(store)))?;
        matching.check(&seen)?;
        let desk = Key::desk(store.tenant(), id);
        match caller.write().delete(&seen).remove_idle(&desk, &Desk::BUSY, |_| busy()).commit(NoContent).await {
            Err(Error::Refused(_)) => unclosed::remove(&caller, &seen, &desk).await?,
            outcome => outcome?,
        };
        Ok(beside)
    })
    .await?;
    // Nothing leads to them any more; what a crash leaves here is never read.
    let left = |key: &Key| key.sk == keys::HOURS || key.sk.starts_with(keys::MEMBERS);
    if let Err(error) = store.db().forget(beside.iter().filter_map(key_of).filter(left)).await {
        tracing::error!(%error, "memberships and hours of a removed department");
    }
    Ok(NoContent)
}

/// What keeps a department.
pub fn busy() -> Error {
    Error::Refused("The department has queued or active calls, active links or coming appointments; deactivate it instead".into())
}

/// What has lapsed does not keep a department.
async fn settled(store: &Store) -> Result<()> {
    tokio::try_join!(lapse::settle_due::<Call>(store), lapse::settle_due::<AccessLink>(store)).map(drop)
}

/// What a department's identifier is made from.
fn slug_of(input: &DepartmentInput) -> String {
    Some(text::slug_from(&input.name)).filter(|slug| !slug.is_empty()).unwrap_or_else(|| "department".into())
}

/// The input with an identifier: the first made from the name that is free or the department's own.
async fn identified(store: &Store, mut input: DepartmentInput, own: Option<&str>) -> Result<DepartmentInput> {
    let slug = slug_of(&input);
    for first in (1..).step_by(20).take(500) {
        let candidates: Vec<String> = (first..first + 20).map(|n: u32| numbered(&slug, n)).collect();
        let guards: Vec<Key> =
            candidates.iter().map(|slug| Key::guard(store.tenant(), Department::KIND, "identifier", slug)).collect();
        let taken = store.db().items(&guards).await?;
        if let Some((free, _)) =
            candidates.into_iter().zip(&guards).find(|(slug, guard)| own == Some(slug.as_str()) || taken.item(guard).is_none())
        {
            input.identifier = Some(free);
            return Ok(input);
        }
    }
    Err(Error::invalid("identifier", "can't be made from the name"))
}

/// The slug with its number, at most 40 characters.
fn numbered(slug: &str, n: u32) -> String {
    if n == 1 {
        return slug.to_owned();
    }
    let suffix = format!("-{n}");
    let kept: String = slug.chars().take(40 - suffix.len()).collect();
    format!("{}{suffix}", kept.trim_end_matches('-'))
}

/// An identifier that was made and taken meanwhile is made again.
fn raced<T>(outcome: Result<T>) -> Result<T> {
    match outcome {
        Err(Error::Invalid(violations)) if names_identifier(&violations) => Err(Error::Conflict),
        outcome => outcome,
    }
}

fn names_identifier(violations: &Violations) -> bool {
    violations.iter().any(|(path, _)| path == "identifier")
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn numbers_fit_into_forty_characters() {
        assert_eq!(numbered("support", 1), "support");
        assert_eq!(numbered("support", 2), "support-2");
        let long = "a".repeat(37) + "-bc";
        assert_eq!(numbered(&long, 13), "a".repeat(37) + "-13");
    }
}
