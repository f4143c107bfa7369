//! Erasing a customer: what a removal leaves goes too.

use schemars::JsonSchema;
use shared::{
    Error, Result,
    api::{IfMatch, NoContent},
    auth::{Attendant, Caller},
    erase, forget,
    ids::CustomerId,
    input::{Fields, Input, rules},
    matching,
    models::{Role, customer::Erasure},
    storage::contend,
};

/// How much goes.
#[derive(Debug, JsonSchema)]
pub struct Removal {
    /// Everything that is kept about the customer, for good: what was written in calls and appointments, what webhooks and the
    /// events' feed were told. It takes a manager, and goes for who was removed before, too.
    #[schemars(extend("default" = false))]
    pub erase: bool,
}

impl Input for Removal {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { erase: fields.default("erase", false, rules::boolean) }
    }
}

/// Objects and copies that go with the request.
const AT_ONCE: usize = 25;

/// Erases a customer, also one who was removed before, as long as anything is left. The rest goes with the schedule.
pub async fn erase(caller: &Caller<Attendant>, id: CustomerId, matching: &IfMatch) -> Result<NoContent> {
    if !caller.is(Role::Manager) {
        return Err(Error::Forbidden(format!("Requires the {} role", Role::Manager)));
    }
    let store = caller.store();
    let id = contend(|| async {
        let Some(seen) = matching::customer(store, id).await? else {
            again(caller, &erase::mark(id, caller.now())).await?;
            return Ok(id);
        };
        matching.check(&seen)?;
        let write = caller.write().delete(&seen).create(&erase::mark(seen.id, caller.now()));
        forget::parting(store, write, &seen).await?.commit(NoContent).await?;
        Ok(seen.value.id)
    })
    .await?;
    // What fails here the schedule does.
    if let Err(error) = erase::go_on(store, id, AT_ONCE).await {
        tracing::error!(%error, "what is kept about an erased customer");
    }
    Ok(NoContent)
}

/// Begins anew with a customer who is gone.
async fn again(caller: &Caller<Attendant>, mark: &Erasure) -> Result<NoContent> {
    let store = caller.store();
    if !erase::remains(store, mark.id).await? {
        return Err(Error::NotFound("Resource not found"));
    }
    let write = match store.get::<Erasure>(mark.id).await? {
        Some(seen) => caller.write().update(&seen, mark),
        None => caller.write().create(mark),
    };
    write.commit(NoContent).await
}
