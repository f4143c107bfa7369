//! What agents do with calls.

use schemars::JsonSchema;
use shared::{
    Error, Result,
    api::{Path, Shown, Valid},
    auth::{Attendant, Caller},
    events::{Event, EventName},
    ids::{CallId, UserId},
    input::{Fields, Input, rules},
    lapse,
    models::{
        Call, Membership, Role, User,
        call::{Action, CallStatus, CallView},
        department::Desk,
    },
    storage::{Entity, Key, Stored, contend},
};

use crate::Views;

/// Who is to take it.
#[derive(Debug, JsonSchema)]
pub struct Assign {
    /// The agent; the caller when absent.
    user_id: Option<UserId>,
}

impl Input for Assign {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { user_id: fields.optional("user_id", rules::id) }
    }
}

/// Sets the agent of a waiting call. Of many who take it at once one wins; a supervisor who names an agent sets another.
pub async fn assign(caller: Caller<Attendant>, Path(id): Path<CallId>, Valid(input): Valid<Assign>) -> Result<Shown<CallView>> {
    let agent_id = input.user_id.unwrap_or(caller.user());
    let supervisor = caller.is(Role::Supervisor);
    if agent_id != caller.user() && !supervisor {
        return Err(Error::Forbidden("Attendants may take calls only for themselves".into()));
    }
    contend(|| async {
        let (seen, agent) = tokio::try_join!(lapse::find::<Call>(caller.store(), id), caller.store().get::<User>(agent_id))?;
        let agent = able(agent)?;
        let changed =
            seen.after(Action::Assign { agent: &agent, reassign: supervisor && input.user_id.is_some() }, caller.now())?;
        if changed.user_id == seen.user_id {
            let views = Views::read(&caller, &[&seen.value]).await?;
            return Ok(Shown(views.of(&seen), seen.version));
        }
        commit(&caller, &seen, changed, EventName::CallAssigned).await
    })
    .await
}

/// Begins a waiting call; one without an agent is taken by the caller in the same step.
pub async fn start(caller: Caller<Attendant>, Path(id): Path<CallId>) -> Result<Shown<CallView>> {
    contend(|| async {
        let (seen, user) = tokio::try_join!(lapse::find::<Call>(caller.store(), id), caller.store().get::<User>(caller.user()))?;
        own(&caller, &seen)?;
        let agent = if seen.user_id.is_none() { Some(able(user)?) } else { None };
        let changed = seen.after(Action::Start { agent: agent.as_deref() }, caller.now())?;
        commit(&caller, &seen, changed, EventName::CallStarted).await
    })
    .await
}

/// The agent's last words.
#[derive(Debug, JsonSchema)]
pub struct Complete {
    /// What the next agent should know.
    #[schemars(length(max = 10_000))]
    notes: Option<String>,
}

impl Input for Complete {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { notes: fields.optional("notes", rules::notes) }
    }
}

/// Ends a call.
pub async fn complete(
    caller: Caller<Attendant>,
    Path(id): Path<CallId>,
    Valid(input): Valid<Complete>,
) -> Result<Shown<CallView>> {
    contend(|| async {
        let seen = caller.store().find::<Call>(id).await?;
        own(&caller, &seen)?;
        let changed = seen.after(Action::Complete { notes: input.notes.clone() }, caller.now())?;
        commit(&caller, &seen, changed, EventName::CallCompleted).await
    })
    .await
}

/// Another agent's call is not the caller's to do, unless the caller supervises.
fn own(caller: &Caller<Attendant>, call: &Call) -> Result<()> {
    match call.user_id {
        Some(agent) if agent != caller.user() && !caller.is(Role::Supervisor) => {
            Err(Error::Forbidden("The call is assigned to another agent".into()))
        }
        _ => Ok(()),
    }
}

fn able(agent: Option<Stored<User>>) -> Result<Stored<User>> {
    match agent {
        Some(agent) if agent.input.active => Ok(agent),
        Some(_) => Err(Error::invalid("user_id", "is not active")),
        None => Err(Error::invalid("user_id", "does not exist")),
    }
}

/// Writes a transition with its event; whoever becomes the agent must serve in the department.
async fn commit(caller: &Caller<Attendant>, seen: &Stored<Call>, changed: Call, event: EventName) -> Result<Shown<CallView>> {
    let store = caller.store();
    let now = caller.now();
    let views = Views::read(caller, &[&changed]).await?;
    let event = Event::Call(event, Box::new(views.to(Role::Manager, &changed)));
    let mut write = caller.write().update(seen, &changed).emit(&event, now);
    if let Some(agent) = changed.user_id.filter(|agent| seen.user_id != Some(*agent)) {
        let membership = Membership::key(store.tenant(), (changed.department_id, agent));
        write = write.exists::<Membership>(&membership, |_| Error::invalid("user_id", "does not serve in the department"));
    }
    if changed.status == CallStatus::Active {
        let desk_key = Key::desk(store.tenant(), changed.department_id);
        let desk = Desk::of(store.db().item(&desk_key).await?.as_ref());
        let millis = desk.paced(now.since(seen.queued_at), seen.place);
        write = write.tally(&desk_key, |desk| {
            desk.set("pace", Some(millis));
        });
    }
    write.commit(Shown(views.of(&changed), seen.version + 1)).await
}
