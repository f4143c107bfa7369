//! `/company`, `/sectors`, `/billing`, `/api-keys`, `/audit-log`: the tenant's settings, how its departments are grouped, what
//! it pays for, which systems may call, and who did what.

mod audit;
mod keys;
mod plan;
mod sectors;
mod settings;

use shared::{api::Routes, app::Need};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[];

/// The group's routes.
pub fn routes() -> Routes {
    Routes::of("Company", "The tenant's settings, its sectors and its plan.")
        .get("/api/v1/company", settings::read, "getCompany", "The company")
        .put("/api/v1/company", settings::update, "updateCompany", "Changes the company")
        .get("/api/v1/sectors", sectors::list, "listSectors", "The tenant's sectors")
        .post("/api/v1/sectors", sectors::create, "createSector", "Makes a sector")
        .get("/api/v1/sectors/{id}", sectors::read, "getSector", "One sector")
        .put("/api/v1/sectors/{id}", sectors::update, "updateSector", "Changes a sector")
        .delete("/api/v1/sectors/{id}", sectors::remove, "deleteSector", "Removes a sector without departments")
        .get("/api/v1/api-keys", keys::list, "listApiKeys", "The tenant's API keys")
        .post("/api/v1/api-keys", keys::create, "createApiKey", "Makes an API key, shown this once")
        .get("/api/v1/api-keys/{id}", keys::read, "getApiKey", "One API key")
        .put("/api/v1/api-keys/{id}", keys::update, "updateApiKey", "Changes what an API key may do")
        .delete("/api/v1/api-keys/{id}", keys::revoke, "revokeApiKey", "Ends an API key at once")
        .post("/api/v1/api-keys/{id}/rotate", keys::rotate, "rotateApiKey", "Gives an API key another token, shown this once")
        .get("/api/v1/audit-log", audit::list, "listAuditLog", "Who did what to which object")
        .get("/api/v1/billing/plan", plan::read, "getPlan", "What the tenant pays for, and what it uses of it")
}
