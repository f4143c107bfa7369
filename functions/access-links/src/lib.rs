//! `/access-links`: how customers come in.

mod make;
mod qr;

use schemars::JsonSchema;
use shared::{
    Result,
    api::{Filters, Paging, Path, Query, Routes, Rows, Shown},
    app::Need,
    auth::{Caller, Supervisor},
    events::{Event, EventName},
    ids::{AccessLinkId, DepartmentId},
    input::{Fields, Input, rules},
    lapse,
    models::{
        AccessLink, Department,
        access_link::{LinkStatus, LinkView},
    },
    storage::contend,
};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[Need::PublicUrl];

/// The group's routes.
pub fn routes() -> Routes {
    Routes::of("Access links", "How customers come in.")
        .get("/api/v1/access-links", list, "listAccessLinks", "The tenant's access links")
        .post("/api/v1/access-links", make::create, "createAccessLink", "Makes a link to a department's queue")
        .post("/api/v1/access-links/batch", make::create_all, "createAccessLinks", "Makes up to 500 links, all or none")
        .get("/api/v1/access-links/{id}", read, "getAccessLink", "One access link")
        .get("/api/v1/access-links/{id}/qr.svg", qr::read, "getAccessLinkQr", "One access link as a picture to point a camera at")
        .post("/api/v1/access-links/{id}/cancel", cancel, "cancelAccessLink", "Calls an active link back")
}

/// Which links.
#[derive(Debug, JsonSchema)]
struct Wanted {
    #[schemars(flatten)]
    paging: Paging<AccessLink>,
    /// That stand so.
    status: Option<LinkStatus>,
    /// To this department.
    department_id: Option<DepartmentId>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            paging: Paging::read(fields, true),
            status: fields.optional("status", rules::word),
            department_id: fields.optional("department_id", rules::id),
        }
    }
}

/// The tenant's links.
async fn list(caller: Caller<Supervisor>, Query(wanted): Query<Wanted>) -> Result<Rows<LinkView>> {
    let filters = Filters::none().with("status", wanted.status).with("department_id", wanted.department_id);
    let query = wanted.paging.query(&caller, filters)?;
    let known = caller.store().known::<Department>("department_id", wanted.department_id);
    let (page, ()) = tokio::try_join!(lapse::list::<AccessLink>(caller.store(), &query), known)?;
    Ok(wanted.paging.rows(&caller, &query, page, |link| view(&caller, &link)))
}

/// One link.
async fn read(caller: Caller<Supervisor>, Path(id): Path<AccessLinkId>) -> Result<Shown<LinkView>> {
    let link = lapse::find::<AccessLink>(caller.store(), id).await?;
    Ok(Shown(view(&caller, &link), link.version))
}

/// Calls a link back.
async fn cancel(caller: Caller<Supervisor>, Path(id): Path<AccessLinkId>) -> Result<Shown<LinkView>> {
    contend(|| async {
        let seen = lapse::find::<AccessLink>(caller.store(), id).await?;
        let cancelled = seen.cancelled(caller.now())?;
        let view = view(&caller, &cancelled);
        let event = Event::Link(EventName::LinkCancelled, view.clone());
        caller.write().update(&seen, &cancelled).emit(&event, caller.now()).commit(Shown(view, seen.version + 1)).await
    })
    .await
}

fn view(caller: &Caller<Supervisor>, link: &AccessLink) -> LinkView {
    link.view(&caller.app().settings().public_url, caller.now())
}
