//! `/calls`: the agents' side of a call.

mod actions;
mod list;

use shared::api::{
    Routes,
    routing::{get, post},
};

/// The group's routes.
pub fn routes() -> Routes {
    Routes::new()
        .api_route("/api/v1/calls", get(list::list))
        .api_route("/api/v1/calls/{id}", get(list::read))
        .api_route("/api/v1/calls/{id}/assign", post(actions::assign))
        .api_route("/api/v1/calls/{id}/start", post(actions::start))
        .api_route("/api/v1/calls/{id}/complete", post(actions::complete))
}
