//! The request's identifier and its one log line.

use axum::{
    extract::{MatchedPath, Request, State},
    http::HeaderValue,
    middleware::Next,
    response::Response,
};
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

use super::envelope::Cause;
use crate::{
    app::{App, Settings},
    auth::context::Context,
    ids::{EventId, Id},
};

pub(crate) const REQUEST_ID: &str = "x-request-id";

/// Takes or mints `X-Request-Id`, returns it, and writes the request's line.
pub(super) async fn log(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let given = request.headers().get(REQUEST_ID).filter(|id| valid(id)).cloned();
    let id = given.or_else(|| minted(&app)).unwrap_or(HeaderValue::from_static(""));
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let started = tokio::time::Instant::now();
    let mut response = next.run(request).await;
    let claims = response.extensions().get::<Context>().and_then(|context| context.claims().ok().cloned());
    let cause = response.extensions_mut().remove::<Cause>();
    let status = response.status().as_u16();
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let request_id = id.to_str().unwrap_or_default();
    let (tenant, user_id) = claims.map(|claims| (claims.tenant, claims.sub.to_string())).unwrap_or_default();
    let route = route.unwrap_or_default();
    match cause {
        Some(Cause(error)) => tracing::error!(%method, route, status, duration_ms, request_id, tenant, user_id, error, "request"),
        None => tracing::info!(%method, route, status, duration_ms, request_id, tenant, user_id, "request"),
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn minted(app: &App) -> Option<HeaderValue> {
    let id = EventId::mint(app.clock().now_millis(), app.chance()).ok()?;
    HeaderValue::from_str(&id.to_string()).ok()
}

/// 1 to 128 visible ASCII characters.
fn valid(id: &HeaderValue) -> bool {
    (1..=128).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
}

/// Log lines go to standard error, one JSON object each.
pub(super) fn start(settings: &Settings) {
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_target(false).with_writer(std::io::stderr);
    // A second start (tests in one process) keeps the first.
    let _ = tracing_subscriber::registry().with(lines.with_filter(settings.log.clone())).try_init();
}
