//! When departments are open: what appointments are offered by.

use shared::{
    Error, Result,
    api::{IfMatch, Merge, Path, Shown},
    auth::{Attendant, Caller, Supervisor},
    calendar::hours::Hours,
    ids::DepartmentId,
    models::{Company, Department, OpeningHours},
    storage::{Entity, Stored, contend},
};

const MISSING: Error = Error::NotFound("Resource not found");

/// When a department is open; not found before somebody has said so.
pub async fn read(caller: Caller<Attendant>, Path(id): Path<DepartmentId>) -> Result<Shown<OpeningHours>> {
    let keys = [Department::key(caller.tenant(), id), OpeningHours::key(caller.tenant(), id)];
    let mut found = caller.store().db().items(&keys).await?;
    found.item(&keys[0]).ok_or(MISSING)?;
    let hours: Stored<OpeningHours> = found.take(&keys[1])?.ok_or(MISSING)?;
    Ok(Shown(hours.value, hours.version))
}

/// Says when a department is open. Before anybody has it is open at all times, so that the first time takes the whole week.
pub async fn update(
    caller: Caller<Supervisor>,
    Path(id): Path<DepartmentId>,
    matching: IfMatch,
    Merge(patch): Merge<Hours>,
) -> Result<Shown<OpeningHours>> {
    let (store, tenant) = (caller.store(), caller.tenant());
    contend(|| async {
        let keys = [Department::key(tenant, id), OpeningHours::key(tenant, id), Company::key(tenant, ())];
        let mut found = store.db().items(&keys).await?;
        found.item(&keys[0]).ok_or(MISSING)?;
        let seen: Option<Stored<OpeningHours>> = found.take(&keys[1])?;
        let version = seen.as_ref().map_or(0, |seen| seen.version);
        matching.check_version(version)?;
        let before = match &seen {
            Some(seen) => seen.hours.clone(),
            None if !patch.has("weekly") => return Err(Error::invalid("weekly", "can't be blank")),
            None => {
                let company: Option<Stored<Company>> = found.take(&keys[2])?;
                let time_zone = company.map_or_else(|| "UTC".into(), |company| company.input.time_zone.clone());
                Hours { time_zone, ..Hours::default() }
            }
        };
        let changed = OpeningHours { department_id: id, hours: patch.onto(&before)?, updated_at: caller.now() };
        let write = match &seen {
            Some(seen) => caller.write().update(seen, &changed),
            None => caller.write().create(&changed),
        };
        // Hours of a department that is being removed would be left behind.
        write.exists::<Department>(&keys[0], |_| MISSING).commit(Shown(changed.clone(), version + 1)).await
    })
    .await
}
