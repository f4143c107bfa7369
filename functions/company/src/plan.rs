//! What the tenant pays for, and what it uses of it.

use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    Error, Result,
    api::Done,
    auth::{Caller, Manager},
    clock::Time,
    models::{
        Call, Company,
        call::joined_in,
        company::{Plan, Resource},
    },
    storage::{Entity, Key, entity::number},
};

/// A plan with its limits, where null is none, and what is used of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PlanWithUsage")]
pub struct View {
    /// The plan.
    plan: Plan,
    /// `active`.
    status: &'static str,
    /// Calls at once.
    max_concurrent_calls: Option<i64>,
    /// Active users.
    max_users: Option<i64>,
    /// Active departments.
    max_departments: Option<i64>,
    /// Calls can be recorded.
    recording_enabled: bool,
    /// Recordings can be transcribed.
    transcription_enabled: bool,
    /// There are figures.
    analytics_enabled: bool,
    /// The first moment of the month, UTC.
    current_period_start: Time,
    /// The first moment of the next month, UTC.
    current_period_end: Time,
    /// What is used.
    usage: Usage,
}

/// What is used of a plan.
#[derive(Debug, Serialize, JsonSchema)]
struct Usage {
    /// Users who may log in.
    active_users: u64,
    /// Departments whose queues can be joined.
    active_departments: u64,
    /// Calls that joined a queue in the present period.
    calls_this_month: u64,
    /// Megabytes of recordings.
    recording_storage_mb: u64,
}

/// What the tenant pays for, and what it uses of it.
pub async fn read(caller: Caller<Manager>) -> Result<Done<View>> {
    let store = caller.store();
    let (start, end) = caller.now().month();
    let keys = [Company::key(store.tenant(), ()), Key::usage(store.tenant())];
    let (mut found, calls) = tokio::try_join!(store.db().items(&keys), store.counts::<Call>())?;
    let count = |resource: Resource| found.item(&keys[1]).and_then(|usage| number(usage, resource.count())).unwrap_or(0);
    let usage = Usage {
        active_users: count(Resource::Users).unsigned_abs(),
        active_departments: count(Resource::Departments).unsigned_abs(),
        calls_this_month: calls.get(&joined_in(start)).copied().unwrap_or(0),
        recording_storage_mb: 0,
    };
    let plan = found.take::<Company>(&keys[0])?.ok_or(Error::NotFound("Resource not found"))?.plan;
    let limit = |n: usize| plan.limits().map(|limits| limits[n]);
    Ok(Done(View {
        plan,
        status: "active",
        max_concurrent_calls: limit(0),
        max_users: limit(1),
        max_departments: limit(2),
        recording_enabled: plan.recording(),
        transcription_enabled: plan.recording(),
        analytics_enabled: true,
        current_period_start: start,
        current_period_end: end,
        usage,
    }))
}
