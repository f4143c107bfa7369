//! Errors as clients read them: one envelope, never a stack, a table's name or another tenant's existence.

use axum::{
    Json,
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use crate::error::{Error, Violations};

/// What the log reads of a failure, carried by the response to the log line.
#[derive(Debug, Clone)]
pub(super) struct Cause(pub String);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = status_of(&self);
        let mut response = (status, Json(body_of(&self))).into_response();
        let mut set = |name, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        };
        match &self {
            Self::Unauthenticated(_) => set(header::WWW_AUTHENTICATE, "Bearer".into()),
            Self::StillRunning(seconds) | Self::TooMany(seconds) => set(header::RETRY_AFTER, seconds.to_string()),
            Self::Conflict => set(header::RETRY_AFTER, "1".into()),
            Self::Internal(_) => {
                response.extensions_mut().insert(Cause(self.to_string()));
            }
            _ => {}
        }
        response
    }
}

fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::Malformed(_) => StatusCode::BAD_REQUEST,
        Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        Error::Forbidden(_) => StatusCode::FORBIDDEN,
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::Invalid(_) | Error::Contested(..) | Error::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::Stale => StatusCode::PRECONDITION_FAILED,
        Error::StillRunning(_) => StatusCode::CONFLICT,
        Error::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Error::TooMany(_) | Error::Conflict => StatusCode::TOO_MANY_REQUESTS,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The body of an error.
#[must_use]
pub fn body_of(error: &Error) -> Value {
    let detail = match error {
        Error::Invalid(violations) => return json!({ "errors": fields(violations) }),
        Error::Contested(violations, more) => {
            let mut body = more.clone();
            body.insert("errors".into(), fields(violations));
            return body.into();
        }
        Error::Malformed(text) | Error::Forbidden(text) | Error::Refused(text) => text.as_str(),
        Error::Unauthenticated(text) | Error::NotFound(text) => text,
        Error::Stale => "The resource has changed since it was read",
        Error::StillRunning(_) => "A request with this Idempotency-Key is still running",
        Error::TooLarge => "The body is larger than 1 MiB",
        Error::TooMany(_) => "Too many requests",
        Error::Conflict => "Too many requests change this at once",
        Error::Internal(_) => "Internal server error",
    };
    json!({ "errors": { "detail": detail } })
}

fn fields(violations: &Violations) -> Value {
    violations.iter().map(|(path, messages)| (path.clone(), json!(messages))).collect::<Map<_, _>>().into()
}

/// 405 in our envelope; axum adds `Allow`.
pub(super) fn method_not_allowed() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, Json(json!({ "errors": { "detail": "Method not allowed" } }))).into_response()
}

/// A panic is one failed request.
#[expect(clippy::needless_pass_by_value, reason = "the layer gives it away")]
pub(super) fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> axum::http::Response<Body> {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Error::internal("panic", text.unwrap_or("of unknown kind")).into_response()
}

/// What requests are refused with, one of each status, and what that means.
pub(super) fn refusals() -> [(&'static str, Error); 10] {
    [
        ("The request cannot be parsed.", Error::Malformed("The body is not valid JSON (line 1, column 9)".into())),
        ("Nobody, or nobody any more, is behind the request.", Error::Unauthenticated("Invalid or expired access token")),
        ("The caller's role or the tenant's plan does not allow it.", Error::Forbidden("Requires the supervisor role".into())),
        ("No such object for this caller.", Error::NotFound("Resource not found")),
        ("The first request with this `Idempotency-Key` still runs.", Error::StillRunning(1)),
        ("`If-Match` names another version than the present one.", Error::Stale),
        ("The body is larger than 1 MiB.", Error::TooLarge),
        (
            "Fields are wrong, each with every reason; or it cannot be done as things stand.",
            Error::invalid("name", "can't be blank"),
        ),
        ("Too many requests.", Error::TooMany(42)),
        ("Ours to mend.", Error::Internal(String::new())),
    ]
}
