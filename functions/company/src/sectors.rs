//! Sectors.

use schemars::JsonSchema;
use shared::{
    Error, Result,
    api::{Created, Filters, IfMatch, Merge, NoContent, Paging, Path, Query, Rows, Shown, Valid},
    auth::{Caller, Supervisor},
    ids::SectorId,
    input::{Fields, Input, rules},
    models::{
        Sector,
        sector::{SectorInput, SectorView},
    },
    storage::{Entity, Item, Key, Stored, contend, entity::number},
};

/// Which sectors.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    #[schemars(flatten)]
    paging: Paging<Sector>,
    /// Which are, or are not, in use.
    active: Option<bool>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { paging: Paging::read(fields, false), active: fields.optional("active", rules::boolean) }
    }
}

/// The tenant's sectors.
pub async fn list(caller: Caller<Supervisor>, Query(wanted): Query<Wanted>) -> Result<Rows<SectorView>> {
    let store = caller.store();
    let query = wanted.paging.query(&caller, Filters::none().with("active", wanted.active))?;
    let page = store.list::<Sector>(&query).await?;
    let desk = |sector: &Sector| Key::sector_desk(store.tenant(), sector.id);
    let desks: Vec<Key> = page.rows.iter().map(|sector| desk(sector)).collect();
    let desks = store.db().items(&desks).await?;
    let count = |sector: &Sector| desks.item(&desk(sector)).and_then(|desk| number(desk, Sector::COUNT)).unwrap_or(0);
    Ok(wanted.paging.rows(&caller, &query, page, |sector| sector.view(count(&sector).unsigned_abs())))
}

/// A sector with the number of its departments.
async fn find(caller: &Caller<Supervisor>, id: SectorId) -> Result<(Stored<Sector>, u64)> {
    let store = caller.store();
    let keys = [Sector::key(store.tenant(), id), Key::sector_desk(store.tenant(), id)];
    let mut found = store.db().items(&keys).await?;
    let count = found.item(&keys[1]).and_then(|desk| number(desk, Sector::COUNT)).unwrap_or(0);
    let sector = found.take(&keys[0])?.ok_or(Error::NotFound("Resource not found"))?;
    Ok((sector, count.unsigned_abs()))
}

/// One sector.
pub async fn read(caller: Caller<Supervisor>, Path(id): Path<SectorId>) -> Result<Shown<SectorView>> {
    let (sector, count) = find(&caller, id).await?;
    Ok(Shown(sector.view(count), sector.version))
}

/// Makes a sector without departments.
pub async fn create(caller: Caller<Supervisor>, Valid(input): Valid<SectorInput>) -> Result<Created<SectorView>> {
    let store = caller.store();
    let sector = Sector::new(store.mint()?, input, caller.now());
    contend(|| {
        let desk = Key::sector_desk(store.tenant(), sector.id);
        let write = caller.write().create(&sector).tally(&desk, |desk| {
            desk.set(Sector::COUNT, Some(0));
        });
        write.commit(Created(sector.view(0)))
    })
    .await
}

/// Changes a sector.
pub async fn update(
    caller: Caller<Supervisor>,
    Path(id): Path<SectorId>,
    matching: IfMatch,
    Merge(patch): Merge<SectorInput>,
) -> Result<Shown<SectorView>> {
    contend(|| async {
        let (seen, count) = find(&caller, id).await?;
        matching.check(&seen)?;
        let changed = Sector { input: patch.onto(&seen.input)?, updated_at: caller.now(), ..seen.value.clone() };
        caller.write().update(&seen, &changed).commit(Shown(changed.view(count), seen.version + 1)).await
    })
    .await
}

/// Removes a sector that has no departments.
pub async fn remove(caller: Caller<Supervisor>, Path(id): Path<SectorId>, matching: IfMatch) -> Result<NoContent> {
    let store = caller.store();
    contend(|| async {
        let seen = store.find::<Sector>(id).await?;
        matching.check(&seen)?;
        let busy = |_: Option<&Item>| Error::Refused("The sector has departments".into());
        let desk = Key::sector_desk(store.tenant(), id);
        caller.write().delete(&seen).remove_idle(&desk, &[Sector::COUNT], busy).commit(NoContent).await
    })
    .await
}
