//! Times that can be offered.

use chrono::Duration;
use chrono_tz::Tz;
use schemars::JsonSchema;
use shared::{
    Error, Result,
    api::{Done, Query},
    auth::{Attendant, Caller},
    calendar::availability::{Slot, slots},
    clock::{Time, days},
    error::Violations,
    ids::{DepartmentId, Id, UserId},
    input::{Fields, Input, Message, Raw, rules},
    models::{
        Company, Department, Membership, OpeningHours, User,
        appointment::{Span, agenda, minutes},
    },
    storage::{Entity, Key, Store, Stored, entity, keys},
    text::{self, DateOrTime},
};

use crate::booking::able;

/// Whose time, and when.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    /// This agent.
    user_id: Option<UserId>,
    /// Whoever serves in this department, or the agent, while the department is open. One that has no hours is always open.
    department_id: Option<DepartmentId>,
    /// The first day (in `tz`) or moment.
    #[schemars(with = "String")]
    from: DateOrTime,
    /// The last day, whole, or the moment before which all is over; at most 31 days after `from`.
    #[schemars(with = "String")]
    to: DateOrTime,
    /// Minutes that are needed.
    #[schemars(range(min = 5, max = 1440), extend("default" = 30))]
    duration_minutes: u32,
    /// The time zone of `from` and `to`, where they are days; the company's when absent.
    #[schemars(extend("format" = "time-zone"))]
    tz: Option<String>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        let moment = |raw: &Raw<'_>| text::date_or_time(raw.text()?.trim()).map(Some).map_err(Message::Borrowed);
        let unset = DateOrTime::Time(Time::default().utc());
        if !fields.has("user_id") && !fields.has("department_id") {
            fields.violation("user_id", "can't be blank without department_id");
        }
        Self {
            user_id: fields.optional("user_id", rules::id),
            department_id: fields.optional("department_id", rules::id),
            from: fields.required("from", moment).unwrap_or(unset),
            to: fields.required("to", moment).unwrap_or(unset),
            duration_minutes: minutes(fields).unwrap_or(Span::MINUTES),
            tz: fields.optional("tz", rules::time_zone),
        }
    }
}

/// The longest range.
const DAYS: i64 = 31;
/// Minutes between the beginnings of what is offered.
const STEP: i64 = 15;
/// What is offered to all agents together: four megabytes.
const MOST: usize = 100_000;

/// Times at which agents are free, a quarter of an hour apart, counted from when the department opens.
pub async fn find(caller: Caller<Attendant>, Query(wanted): Query<Wanted>) -> Result<Done<Vec<Slot<UserId>>>> {
    let (store, tenant) = (caller.store(), caller.tenant());
    let department_key = wanted.department_id.map(|id| Department::key(tenant, id));
    let hours_key = wanted.department_id.map(|id| OpeningHours::key(tenant, id));
    let (user_key, company_key) = (wanted.user_id.map(|id| User::key(tenant, id)), Company::key(tenant, ()));
    let keys: Vec<Key> = [Some(&company_key), department_key.as_ref(), hours_key.as_ref(), user_key.as_ref()]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    let members = members(store, wanted.department_id.filter(|_| wanted.user_id.is_none()));
    let (mut found, members) = tokio::try_join!(store.db().items(&keys), members)?;
    let company: Stored<Company> = found.take(&company_key)?.ok_or_else(|| Error::Internal("no company".into()))?;
    let zone = wanted.tz.as_deref().map_or_else(|| company.zone(), |name| name.parse().unwrap_or(Tz::UTC));
    let mut violations = Violations::default();
    if department_key.is_some_and(|key| found.item(&key).is_none()) {
        violations.add("department_id", "does not exist");
    }
    if let Some(key) = &user_key {
        able(found.take::<User>(key)?.as_ref(), &mut violations);
    }
    let (from, to) = wanted.range(zone, &mut violations);
    violations.into_result(())?;
    let hours = hours_key.map(|key| found.take::<OpeningHours>(&key)).transpose()?.flatten();
    // From the beginning of the day on: what is offered does not depend on when it is asked for.
    let clock = hours.as_ref().and_then(|hours| hours.hours.time_zone.parse().ok()).unwrap_or(zone);
    let first = Time::from(text::day_range(from.utc().with_timezone(&clock).date_naive(), clock).0).min(from);
    let openings = hours.map_or_else(|| vec![(first, to)], |hours| hours.hours.openings(first, to));
    let busy = busy(store, &wanted.user_id.map_or(members, |user| vec![user]), wanted.user_id.is_none(), (from, to)).await?;
    let (duration, step) = (Duration::minutes(wanted.duration_minutes.into()), Duration::minutes(STEP));
    let free = slots(&openings, &busy, duration, step, from.max(caller.now()));
    if free.iter().map(|slot| slot.user_ids.len()).sum::<usize>() > MOST {
        return Err(Error::invalid("to", "is too far: so much is free; ask for fewer days"));
    }
    Ok(Done(free))
}

impl Wanted {
    fn range(&self, zone: Tz, violations: &mut Violations) -> (Time, Time) {
        let from = match self.from {
            DateOrTime::Date(day) => text::day_range(day, zone).0.into(),
            DateOrTime::Time(at) => Time::from(at),
        };
        let to = match self.to {
            DateOrTime::Date(day) => text::day_range(day, zone).1.into(),
            DateOrTime::Time(at) => Time::from(at),
        };
        let far = match (self.from, self.to) {
            (DateOrTime::Date(first), DateOrTime::Date(last)) => (last - first).num_days() > DAYS,
            // Clocks are turned.
            _ => to > from + days(DAYS.unsigned_abs()) + std::time::Duration::from_secs(2 * 3600),
        };
        if to <= from {
            violations.add("to", "must be after from");
        } else if far {
            violations.add("to", format!("must be within {DAYS} days of from"));
        }
        (from, to)
    }
}

/// Who serves in a department.
async fn members(store: &Store, department: Option<DepartmentId>) -> Result<Vec<UserId>> {
    let Some(id) = department else { return Ok(Vec::new()) };
    let partition = keys::object_partition(store.tenant(), Department::KIND, &id.key());
    let members = store.db().partition(&partition, keys::MEMBERS).await?.into_iter();
    members.map(|item| entity::from_item::<Membership>(item).map(|member| member.user_id)).collect()
}

/// When each of these agents is taken within a range; who serves no longer is left out.
async fn busy(
    store: &Store,
    agents: &[UserId],
    check: bool,
    (from, to): (Time, Time),
) -> Result<Vec<(UserId, Vec<(Time, Time)>)>> {
    let taken = agenda::taken_within(store, agents, from, to);
    if !check {
        return taken.await;
    }
    let (mut taken, users) = tokio::try_join!(taken, store.get_all::<User>(agents.iter().copied()))?;
    taken.retain(|(agent, _)| users.iter().any(|user| user.id == *agent && user.input.active));
    Ok(taken)
}
