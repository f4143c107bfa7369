//! `/calls`: the agents' side of a call.

mod actions;
mod list;
mod tags;

use std::collections::HashMap;

use shared::{
    Result,
    api::Routes,
    app::Need,
    auth::{Attendant, Caller},
    clock::Time,
    ids::TicketId,
    models::{Call, Role, call::CallView},
    tags::Labels,
    waiting,
};

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
        .get("/api/v1/calls/{id}/tags", tags::list, "listCallTags", "The tags of a call")
        .post("/api/v1/calls/{id}/tags", tags::add, "addCallTag", "Lets a call bear a tag")
        .delete("/api/v1/calls/{id}/tags/{tag_id}", tags::remove, "removeCallTag", "Takes a tag off a call")
}

/// What shows calls to the caller: where they wait and which tags they bear.
struct Views {
    role: Role,
    places: HashMap<TicketId, u64>,
    labels: Labels,
    now: Time,
}

impl Views {
    /// Reads both at the same time; neither when no call waits or bears any.
    async fn read(caller: &Caller<Attendant>, calls: &[&Call]) -> Result<Self> {
        let (store, now) = (caller.store(), caller.now());
        let (places, labels) = tokio::try_join!(waiting::positions(store, calls, now), shared::tags::labels(store, calls))?;
        Ok(Self { role: caller.claims.role, places, labels, now })
    }

    /// A call as the caller sees it.
    fn of(&self, call: &Call) -> CallView {
        self.to(self.role, call)
    }

    /// A call as a role sees it.
    fn to(&self, role: Role, call: &Call) -> CallView {
        call.view(role, self.places.get(&call.ticket).copied(), self.labels.of(call), self.now)
    }
}
