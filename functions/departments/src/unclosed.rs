//! Departments with appointments that are over and nobody has closed: these do not keep a department.

use std::collections::BTreeSet;

use shared::{
    Error, Result,
    api::NoContent,
    auth::{Caller, Supervisor},
    ids::{AppointmentId, DepartmentId},
    models::{Appointment, Department, appointment::AppointmentStatus, department::Desk},
    storage::{
        Key, Store, Stored,
        entity::number,
        list::{Query, Start},
        tally::ENTERED,
    },
};

use crate::crud::busy;

/// Removes a department all of whose work in hand are appointments that are over. Its desk is shut and stays, for they are
/// closed one day. Nothing may have come there since it was read: time alone makes nothing of what is over come again.
pub async fn remove(caller: &Caller<Supervisor>, seen: &Stored<Department>, desk: &Key) -> Result<NoContent> {
    let store = caller.store();
    let item = store.db().item(desk).await?.unwrap_or_default();
    let count = |name| number(&item, name).unwrap_or(0);
    let held = usize::try_from(count("appointments")).unwrap_or(0);
    let others = Desk::BUSY.iter().filter(|name| **name != "appointments").any(|name| count(name) > 0);
    if !others && held == 0 {
        // It has gone since.
        return Err(Error::Conflict);
    }
    if others || held > MOST || over(store, seen.id).await?.len() != held {
        return Err(busy());
    }
    let shut = caller.write().delete(seen).tally(desk, |desk| Desk::shut(desk.as_read(count(ENTERED))));
    shut.commit(NoContent).await
}

/// Appointments that are looked at; who leaves more behind closes them first.
const MOST: usize = 1_000;

/// The open appointments of a department that are over.
async fn over(store: &Store, department: DepartmentId) -> Result<BTreeSet<AppointmentId>> {
    let (mut found, now) = (BTreeSet::new(), store.clock().now());
    for status in [AppointmentStatus::Scheduled, AppointmentStatus::Confirmed] {
        let query = Query {
            filters: vec![("department_id", department.to_string()), ("status", status.to_string())],
            search: None,
            sort: "scheduled_at",
            descending: false,
            range: Some(("0".into(), now.key())),
            ranged: None,
            start: Start::Skip(0),
            size: MOST,
        };
        let (rows, _) = store.rows::<Appointment>(&query).await?;
        found.extend(rows.iter().filter(|row| row.is_over(now)).map(|row| row.id));
    }
    Ok(found)
}
