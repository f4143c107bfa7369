//! HTTP: what every endpoint has in common, so that a handler is its contract's row.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    handler::Handler,
    http::{HeaderName, HeaderValue, Method, header},
    middleware::from_fn_with_state,
    response::Response,
    routing::{MethodFilter, on},
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowOrigin, Any, CorsLayer},
};

use crate::{
    app::{App, Need, Settings},
    error::{Error, Result},
};

pub mod answer;
mod calendar;
pub mod coding;
pub mod document;
mod envelope;
pub mod gateway;
mod guard;
pub mod limits;
pub(crate) mod log;
pub mod paging;
pub mod path;
pub mod routes;
mod served;
pub mod valid;

pub use answer::{Added, Created, CreatedAll, Done, NoContent, Revealed, Rows, Shown, Stretch, Told};
pub use calendar::CalendarFile;
pub use envelope::body_of;
pub use paging::{Dates, Filters, Paging};
pub use path::{IfMatch, Path, Path2, Segment};
pub use routes::{Operation, Routes};
pub use served::Served;
pub use valid::{Merge, Proposed, Query, Valid};

/// The service that answers HTTP: routes behind everything that they share.
pub fn service(app: &App, routes: impl Into<Router<App>>) -> Router {
    service_or(app, routes, not_found)
}

/// The same, and what answers when no route does.
pub fn service_or<T: 'static>(app: &App, routes: impl Into<Router<App>>, otherwise: impl Handler<T, App>) -> Router {
    let routes: Router<App> = routes.into();
    routes
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(otherwise)
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(envelope::panicked))
        .layer(from_fn_with_state(app.clone(), guard::guard))
        .layer(cors(app))
        .layer(from_fn_with_state(app.clone(), log::log))
        .with_state(app.clone())
}

/// What every service says of operations that it does not have: 405 with `Allow` where the path is known, else 404.
#[expect(clippy::disallowed_methods, reason = "these are not answered")]
pub fn outline(operations: impl IntoIterator<Item = (MethodFilter, String)>) -> Router {
    let known = |routes: Router, (method, path): (_, String)| routes.route(&path, on(method, not_found));
    operations.into_iter().fold(Router::new(), known).method_not_allowed_fallback(method_not_allowed).fallback(not_found)
}

async fn not_found() -> Error {
    Error::NotFound("Resource not found")
}

async fn method_not_allowed() -> Response {
    envelope::method_not_allowed()
}

/// Browsers of the origins in the settings may call; no cookies are used anywhere.
fn cors(app: &App) -> CorsLayer {
    let exposed = [
        "etag",
        "location",
        "retry-after",
        "x-request-id",
        "idempotent-replayed",
        "ratelimit",
        "ratelimit-policy",
        "content-disposition",
    ];
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("x-signup-token"),
            HeaderName::from_static("x-tenant"),
        ])
        .expose_headers(exposed.map(HeaderName::from_static))
        .max_age(std::time::Duration::from_secs(7200));
    let origins = &app.settings().cors_origins;
    if origins.iter().any(|origin| origin == "*") {
        return layer.allow_origin(Any);
    }
    layer.allow_origin(AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok())))
}

/// Runs a group's routes as a Lambda function behind an API Gateway HTTP API, with what they need of the environment.
///
/// # Errors
/// When the environment is wrong, with the variable's name, or the runtime ends.
pub async fn run(routes: impl Into<Router<App>>, needs: &[Need]) -> Result<(), lambda_runtime::Error> {
    run_service(|app| service(app, routes), needs).await
}

/// The same for a service that is more than its routes.
///
/// # Errors
/// As [`run`].
pub async fn run_service(service: impl FnOnce(&App) -> Router, needs: &[Need]) -> Result<(), lambda_runtime::Error> {
    let app = App::from_env(needs)?;
    start_log(app.settings());
    lambda_runtime::run(gateway::behind(service(&app))).await
}

/// Writes log lines to standard error, one JSON object each.
pub fn start_log(settings: &Settings) {
    log::start(settings);
}
