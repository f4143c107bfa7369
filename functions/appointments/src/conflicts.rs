//! Who has an agent at a time.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, json};
use shared::{
    Error, Result,
    api::{Done, Query},
    auth::{Attendant, Caller},
    clock::Time,
    error::Violations,
    ids::{AppointmentId, DepartmentId, UserId},
    input::{Fields, Input, rules},
    models::{
        Appointment, OpeningHours, User,
        appointment::{Agenda, AppointmentStatus, Span, agenda, minutes},
    },
    storage::{Entity, Store},
};

/// Whose time, and when.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    /// The agent.
    user_id: UserId,
    /// When it begins.
    scheduled_at: Time,
    /// Minutes that it takes.
    #[schemars(range(min = 5, max = 1440), extend("default" = 30))]
    duration_minutes: u32,
    /// An appointment that does not count.
    exclude_id: Option<AppointmentId>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            user_id: fields.required("user_id", rules::id),
            scheduled_at: fields.required("scheduled_at", rules::start),
            duration_minutes: minutes(fields).unwrap_or(Span::MINUTES),
            exclude_id: fields.optional("exclude_id", rules::id),
        }
    }
}

/// What is in the way.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Conflicts {
    /// There is something.
    has_conflicts: bool,
    /// The agent's scheduled and confirmed appointments that overlap, the earliest first.
    conflicts: Vec<Conflict>,
}

/// An appointment that is in the way.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Conflict {
    /// Its identifier.
    id: AppointmentId,
    /// What it is called.
    title: String,
    /// When it begins.
    scheduled_at: Time,
    /// Minutes that it takes.
    duration_minutes: u32,
    /// Where it stands.
    status: AppointmentStatus,
    /// The customer's name.
    customer_name: Option<String>,
}

/// Whether an agent is taken at a time.
pub async fn check(caller: Caller<Attendant>, Query(wanted): Query<Wanted>) -> Result<Done<Conflicts>> {
    let (store, tenant) = (caller.store(), caller.tenant());
    let Wanted { user_id, scheduled_at, duration_minutes, exclude_id } = wanted;
    let span = Span { start: scheduled_at, minutes: duration_minutes };
    let (user, excluded) = (User::key(tenant, user_id), exclude_id.map(|id| Appointment::key(tenant, id)));
    let mut keys = agenda::keys(tenant, user_id, span);
    keys.push(user.clone());
    keys.extend(excluded.clone());
    let found = store.db().items(&keys).await?;
    let mut violations = Violations::default();
    for (field, key) in [("user_id", Some(user)), ("exclude_id", excluded)] {
        if key.is_some_and(|key| found.item(&key).is_none()) {
            violations.add(field, "does not exist");
        }
    }
    violations.into_result(())?;
    let conflicts = shown(store, &Agenda::of(tenant, &found, user_id, span), exclude_id).await?;
    Ok(Done(Conflicts { has_conflicts: !conflicts.is_empty(), conflicts }))
}

/// The agent is free, but for one appointment; else it is said what is in the way, and when the agent is free while the
/// department is open.
pub async fn clear(store: &Store, agenda: &Agenda, department: DepartmentId, except: Option<AppointmentId>) -> Result<()> {
    if agenda.conflicts(except).is_empty() {
        return Ok(());
    }
    let (conflicts, hours) = tokio::try_join!(shown(store, agenda, except), store.get::<OpeningHours>(department))?;
    let next_free = agenda.next_free(store, except, hours.as_ref().map(|open| &open.hours)).await?;
    if conflicts.is_empty() {
        // They went since the day was read.
        return Err(Error::Conflict);
    }
    let mut violations = Violations::default();
    violations.add("scheduled_at", "overlaps with another appointment of the agent");
    let more = [("conflicts", json!(conflicts)), ("next_free", json!(next_free))];
    let more: Map<_, _> = more.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Err(Error::Contested(violations, more))
}

/// What is in the way, as it is now.
async fn shown(store: &Store, agenda: &Agenda, except: Option<AppointmentId>) -> Result<Vec<Conflict>> {
    let appointments = store.get_all::<Appointment>(agenda.conflicts(except)).await?;
    let still = appointments.into_iter().map(|stored| stored.value).filter(|appointment| agenda.meets(appointment));
    let shown = still.map(|appointment| Conflict {
        id: appointment.id,
        title: appointment.title,
        scheduled_at: appointment.scheduled_at,
        duration_minutes: appointment.duration_minutes,
        status: appointment.status,
        customer_name: appointment.customer_name,
    });
    Ok(shown.collect())
}
