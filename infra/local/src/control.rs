//! `/local`: what only the local stack has: its clock, work done at once, and the mails it was to send.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::State,
    middleware::{Next, from_fn},
    routing::{get, post},
};
use serde::Serialize;
use shared::{
    Result,
    api::{Done, Valid},
    app::App,
    clock::Time,
    input::{Fields, Input, rules},
};

use crate::{
    aws::ses::{Mail, Mailbox},
    pump::{self, Pump},
};

/// The routes.
#[expect(clippy::disallowed_methods, reason = "no part of the API")]
pub fn routes(mailbox: Arc<Mailbox>) -> Router<App> {
    Router::new()
        .route("/local/clock", get(clock).post(advance))
        .route("/local/drain", post(drain))
        .route("/local/mails", get(mails).layer(Extension(mailbox)))
}

/// Looks for work right after a request that may have made some.
pub async fn wake(
    Extension(pump): Extension<Arc<Pump>>,
    request: axum::extract::Request,
    next: Next,
) -> axum::response::Response {
    let response = next.run(request).await;
    pump.wake();
    response
}

/// Routes that wake the pump.
pub fn waking(routes: Router<App>, pump: Arc<Pump>) -> Router<App> {
    routes.layer(from_fn(wake)).layer(Extension(pump))
}

/// The clock.
#[derive(Serialize)]
struct ClockView {
    now: Time,
    offset_seconds: i64,
}

fn view(app: &App) -> Done<ClockView> {
    Done(ClockView { now: app.clock().now(), offset_seconds: app.clock().offset() })
}

async fn clock(State(app): State<App>) -> Done<ClockView> {
    view(&app)
}

struct Advance {
    seconds: u32,
}

impl Input for Advance {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { seconds: fields.required("advance_seconds", rules::integer(0..=315_360_000)) }
    }
}

async fn advance(
    State(app): State<App>,
    Extension(pump): Extension<Arc<Pump>>,
    Valid(input): Valid<Advance>,
) -> Result<Done<ClockView>> {
    pump.advance(input.seconds).await?;
    Ok(view(&app))
}

async fn drain(Extension(pump): Extension<Arc<Pump>>) -> Result<Done<pump::Done>> {
    pump.drain().await.map(Done)
}

async fn mails(Extension(mailbox): Extension<Arc<Mailbox>>) -> Done<Vec<Mail>> {
    Done(mailbox.newest_first())
}
