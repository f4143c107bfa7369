//! `/call`: the customer's pages. No token; what an access link or a call's identifier leads to, and nothing else.

mod join;
mod status;
mod validate;

use shared::{
    Error, Result,
    api::Routes,
    app::{App, Need},
    ids::{AccessLinkId, CallId, DepartmentId},
    storage::{Key, Store, entity::text},
};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[Need::PublicUrl];

/// The group's routes.
pub fn routes() -> Routes {
    Routes::of("Customers' pages", "What an access link or a call's identifier leads to. No token.")
        .get("/api/v1/call/{token}/validate", validate::validate, "validateAccessLink", "Where a link leads; never uses it")
        .post("/api/v1/call/{token}/join", join::join, "joinCall", "Uses a link once and enters the queue")
        .get("/api/v1/call/status/{call_id}", status::status, "getCallStatus", "Where a call stands")
        .post("/api/v1/call/leave/{call_id}", status::leave, "leaveCall", "Leaves the queue")
        .post("/api/v1/call/evaluate/{call_id}", status::evaluate, "evaluateCall", "Rates a completed call, once")
}

const NO_LINK: Error = Error::NotFound("Invalid or expired access link");

/// Where a link's token leads.
struct Lead {
    store: Store,
    link: AccessLinkId,
    department: DepartmentId,
}

/// Follows a link's token.
async fn follow(app: &App, token: &str) -> Result<Lead> {
    if token.is_empty() || token.len() > 64 || !token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(NO_LINK);
    }
    let pointer = app.db().item(&Key::token(token)).await?.ok_or(NO_LINK)?;
    let lead = || {
        let (link, department) = (text(&pointer, "id")?.parse().ok()?, text(&pointer, "department_id")?.parse().ok()?);
        Some(Lead { store: app.store(text(&pointer, "tenant")?), link, department })
    };
    lead().ok_or_else(|| Error::Internal("token leads nowhere".into()))
}

/// The tenant's store of a call.
async fn store_of(app: &App, call: CallId) -> Result<Store> {
    let pointer = app.db().item(&Key::call_tenant(call)).await?.ok_or(Error::NotFound("Resource not found"))?;
    text(&pointer, "tenant").map(|tenant| app.store(tenant)).ok_or_else(|| Error::Internal("call leads nowhere".into()))
}
