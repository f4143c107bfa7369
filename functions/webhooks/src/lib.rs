//! `/webhooks`: where a company's own server hears of events.

mod crud;
mod deliveries;
mod test;

use shared::{api::Routes, app::Need};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[Need::DataSecret];

/// The group's routes.
pub fn routes() -> Routes {
    Routes::of("Webhooks", "Where a company's own server hears of events.")
        .get("/api/v1/webhooks", crud::list, "listWebhooks", "The tenant's webhooks")
        .post("/api/v1/webhooks", crud::create, "createWebhook", "Makes a webhook; the answer alone has the whole secret")
        .get("/api/v1/webhooks/{id}", crud::read, "getWebhook", "One webhook, its secrets masked")
        .put("/api/v1/webhooks/{id}", crud::update, "updateWebhook", "Changes a webhook")
        .delete("/api/v1/webhooks/{id}", crud::remove, "deleteWebhook", "Removes a webhook and gives up what is under way to it")
        .get(
            "/api/v1/webhooks/{id}/deliveries",
            deliveries::list,
            "listDeliveries",
            "Its deliveries of the last 30 days, the latest first",
        )
        .post("/api/v1/webhooks/{id}/test", test::test, "testWebhook", "Makes a signed delivery now and says what came of it")
}
