//! `/departments`: where calls queue, and who serves there.

mod crud;
mod members;

use shared::api::{
    Routes,
    routing::{delete, get},
};

/// The group's routes.
pub fn routes() -> Routes {
    Routes::new()
        .api_route("/api/v1/departments", get(crud::list).post(crud::create))
        .api_route("/api/v1/departments/{id}", get(crud::read).put(crud::update).delete(crud::remove))
        .api_route("/api/v1/departments/{id}/users", get(members::list).post(members::add))
        .api_route("/api/v1/departments/{id}/users/{user_id}", delete(members::remove))
}
