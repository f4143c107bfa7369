//! `/webhooks`: where a company's own server hears of events.

mod crud;
mod deliveries;
mod test;

use shared::api::{
    Routes,
    routing::{get, post},
};

/// The group's routes.
pub fn routes() -> Routes {
    Routes::new()
        .api_route("/api/v1/webhooks", get(crud::list).post(crud::create))
        .api_route("/api/v1/webhooks/{id}", get(crud::read).put(crud::update).delete(crud::remove))
        .api_route("/api/v1/webhooks/{id}/deliveries", get(deliveries::list))
        .api_route("/api/v1/webhooks/{id}/test", post(test::test))
}
