//! What a customer sees and does after joining: the call's status, leaving, rating.

use axum::extract::{Extension, State};
use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    Error, Result,
    api::{Created, Done, Path, Valid},
    app::App,
    auth::context::Context,
    clock::Time,
    events::{Event, EventName},
    ids::CallId,
    input::{Fields, Input, rules},
    lapse,
    models::{
        Call, Department, Role,
        call::{Action, CallStatus},
        department::Desk,
    },
    storage::{Entity, Key, Store, Stored, contend},
    tags, waiting,
};

use crate::store_of;

/// A call as its customer sees it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CustomerCall")]
pub struct Status {
    call_id: CallId,
    status: CallStatus,
    /// 1 is next; null once served.
    position: Option<u64>,
    /// Seconds until it is likely served; null once served.
    estimated_wait_time: Option<u64>,
    department_name: String,
    agent_name: Option<String>,
    started_at: Option<Time>,
    completed_at: Option<Time>,
}

/// Where a call stands.
pub async fn status(State(app): State<App>, Path(id): Path<CallId>) -> Result<Done<Status>> {
    let store = store_of(&app, id).await?;
    let call = lapse::find::<Call>(&store, id).await?;
    seen(&store, &call).await.map(Done)
}

async fn seen(store: &Store, call: &Call) -> Result<Status> {
    let now = store.clock().now();
    let mut status = Status {
        call_id: call.id,
        status: call.status,
        position: None,
        estimated_wait_time: None,
        department_name: call.department_name.clone(),
        agent_name: call.user_name.clone(),
        started_at: call.started_at,
        completed_at: call.completed_at,
    };
    if call.status == CallStatus::Queued {
        let keys = [Key::desk(store.tenant(), call.department_id), Department::key(store.tenant(), call.department_id)];
        let calls = [call];
        let (mut found, places) = tokio::try_join!(store.db().items(&keys), waiting::positions(store, &calls, now))?;
        let department: Option<Stored<Department>> = found.take(&keys[1])?;
        let position = places.get(&call.ticket).copied();
        let agents = department.map_or(0, |department| department.user_count);
        status.position = position;
        status.estimated_wait_time =
            position.map(|place| Desk::of(found.item(&keys[0])).estimate(place.saturating_sub(1), agents));
    }
    Ok(status)
}

/// Leaves the queue: the call is missed.
pub async fn leave(
    State(app): State<App>,
    Path(id): Path<CallId>,
    Extension(context): Extension<Context>,
) -> Result<Done<Status>> {
    let store = store_of(&app, id).await?.gated(context.gate());
    contend(|| async {
        let call = lapse::find::<Call>(&store, id).await?;
        let now = store.clock().now();
        let missed = call.after(Action::Leave, now)?;
        let (answer, tags) = tokio::try_join!(seen(&store, &missed), tags::of(&store, &missed))?;
        let event = Event::Call(EventName::CallMissed, Box::new(missed.view(Role::Manager, None, tags, now)));
        store.write().update(&call, &missed).emit(&event, now).commit(Done(answer)).await
    })
    .await
}

/// What the customer thinks of it.
#[derive(Debug, JsonSchema)]
pub struct Evaluation {
    /// How it was, 5 is best.
    #[schemars(range(min = 1, max = 5))]
    rating: u8,
    /// In the customer's words.
    #[schemars(length(max = 2000))]
    comment: Option<String>,
}

impl Input for Evaluation {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { rating: fields.required("rating", rules::integer(1..=5)), comment: fields.optional("comment", rules::prose(2000)) }
    }
}

/// A rating that was taken.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Evaluated {
    call_id: CallId,
    rating: Option<u8>,
    comment: Option<String>,
}

/// Rates a completed call, once.
pub async fn evaluate(
    State(app): State<App>,
    Path(id): Path<CallId>,
    Extension(context): Extension<Context>,
    Valid(input): Valid<Evaluation>,
) -> Result<Created<Evaluated>> {
    let store = store_of(&app, id).await?.gated(context.gate());
    contend(|| async {
        let call = store.get::<Call>(id).await?.ok_or(Error::NotFound("Resource not found"))?;
        let now = store.clock().now();
        let rated = call.after(Action::Rate { rating: input.rating, comment: input.comment.clone() }, now)?;
        let answer = Evaluated { call_id: id, rating: rated.rating, comment: rated.comment.clone() };
        let tags = tags::of(&store, &rated).await?;
        let event = Event::Call(EventName::CallRated, Box::new(rated.view(Role::Manager, None, tags, now)));
        store.write().update(&call, &rated).emit(&event, now).commit(Created(answer)).await
    })
    .await
}
