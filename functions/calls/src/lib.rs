//! `/calls`: the agents' side of a call.

mod actions;
mod list;

use shared::{api::Routes, app::Need};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[];

/// The group's routes.
pub fn routes() -> Routes {
    Routes::of("Calls", "The agents' side of a call.")
        .get("/api/v1/calls", list::list, "listCalls", "The tenant's calls, the latest first")
        .get("/api/v1/calls/{id}", list::read, "getCall", "One call")
        .post("/api/v1/calls/{id}/assign", actions::assign, "assignCall", "Sets the agent of a waiting call")
        .post("/api/v1/calls/{id}/start", actions::start, "startCall", "Begins a waiting call, which is taken if nobody has it")
        .post("/api/v1/calls/{id}/complete", actions::complete, "completeCall", "Ends a call")
}
