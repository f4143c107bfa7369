//! HTTP: what every endpoint has in common, so that a handler is its contract's row.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, Method, header},
    middleware::from_fn_with_state,
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowOrigin, Any, CorsLayer},
};

use crate::{
    app::App,
    error::{Error, Result},
};

pub mod answer;
mod envelope;
pub mod gateway;
mod guard;
pub mod limits;
mod log;
pub mod paging;
pub mod path;
pub mod valid;

pub use aide::axum::routing;
pub use answer::{Added, Created, Done, NoContent, Revealed, Rows, Shown};
pub use envelope::body_of;
pub use paging::{Dates, Filters, Paging};
pub use path::{IfMatch, Path, Path2, Segment};
pub use valid::{Merge, Query, Valid};

/// The routes of a group, enumerable, with what the documentation needs.
pub type Routes = aide::axum::ApiRouter<App>;

/// The service that answers HTTP: routes behind everything that they share.
pub fn service(app: &App, routes: impl Into<Router<App>>) -> Router {
    let routes: Router<App> = routes.into();
    routes
        .method_not_allowed_fallback(|| async { envelope::method_not_allowed() })
        .fallback(|| async { Error::NotFound("Resource not found") })
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(envelope::panicked))
        .layer(from_fn_with_state(app.clone(), guard::guard))
        .layer(cors(app))
        .layer(from_fn_with_state(app.clone(), log::log))
        .with_state(app.clone())
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

/// Runs a group's routes as a Lambda function behind an API Gateway HTTP API.
///
/// # Errors
/// When the environment is wrong, with the variable's name, or the runtime ends.
pub async fn run(routes: Routes) -> Result<(), lambda_http::Error> {
    log::start();
    let app = App::from_env().await?;
    lambda_http::run(gateway::behind(service(&app, routes))).await
}

/// Writes log lines to standard error, one JSON object each.
pub fn start_log() {
    log::start();
}
