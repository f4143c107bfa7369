//! Answers: `{"data": …}` with its status, recorded for a replay where the request bears an idempotency key.

use aide::{OperationOutput, generate::GenContext, openapi};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::storage::{idempotency::Recorded, write::Answer};

/// 200 with an object and its version as `ETag`.
#[derive(Debug)]
pub struct Shown<V>(pub V, pub u64);

/// 201 with a new object at its first version.
#[derive(Debug)]
pub struct Created<V>(pub V);

/// 200 with data that has no version.
#[derive(Debug)]
pub struct Done<V>(pub V);

/// 201 with what was added; 200 when it was there.
#[derive(Debug)]
pub struct Added<V> {
    /// The object.
    pub data: V,
    /// It was not there before.
    pub new: bool,
}

/// 204.
#[derive(Debug)]
pub struct NoContent;

/// 200 with a page of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Rows<V> {
    /// The rows.
    pub data: Vec<V>,
    /// Where the page stands.
    pub meta: Meta,
}

/// Where a page stands in its list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Meta {
    /// The page's number; null when a cursor was given.
    pub current_page: Option<u64>,
    /// Rows of a page.
    pub page_size: u64,
    /// Pages of the list.
    pub total_pages: u64,
    /// Rows of the list.
    pub total_count: u64,
    /// What `cursor` takes to read on; null on the last page.
    pub next_cursor: Option<String>,
}

/// The value of `ETag` for a version.
#[must_use]
pub fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// An object with its secret shown once.
pub trait Masked: Serialize {
    /// The object as a replay shows it.
    fn masked(&self) -> Value;
}

fn recorded(status: StatusCode, data: impl Serialize, version: Option<u64>) -> Recorded {
    Recorded { status: status.as_u16(), body: serde_json::to_string(&Data { data }).ok(), etag: version.map(etag) }
}

impl<V: Serialize> Answer for Shown<V> {
    fn record(&self) -> Option<Recorded> {
        Some(recorded(StatusCode::OK, &self.0, Some(self.1)))
    }
}

impl<V: Serialize> Answer for Created<V> {
    fn record(&self) -> Option<Recorded> {
        Some(recorded(StatusCode::CREATED, &self.0, Some(1)))
    }
}

impl<V> Added<V> {
    fn status(&self) -> StatusCode {
        if self.new { StatusCode::CREATED } else { StatusCode::OK }
    }
}

impl<V: Serialize> Answer for Added<V> {
    fn record(&self) -> Option<Recorded> {
        Some(recorded(self.status(), &self.data, None))
    }
}

impl<V: Serialize> IntoResponse for Added<V> {
    fn into_response(self) -> Response {
        data(self.status(), self.data, None)
    }
}

impl<V: Serialize> Answer for Done<V> {
    fn record(&self) -> Option<Recorded> {
        Some(recorded(StatusCode::OK, &self.0, None))
    }
}

impl Answer for NoContent {
    fn record(&self) -> Option<Recorded> {
        Some(Recorded { status: StatusCode::NO_CONTENT.as_u16(), body: None, etag: None })
    }
}

/// A new object that shows a secret once; a replay has it masked.
#[derive(Debug)]
pub struct Revealed<V>(pub V);

impl<V: Masked> Answer for Revealed<V> {
    fn record(&self) -> Option<Recorded> {
        Some(recorded(StatusCode::CREATED, self.0.masked(), Some(1)))
    }
}

fn data(status: StatusCode, data: impl Serialize, version: Option<u64>) -> Response {
    let mut response = (status, Json(Data { data })).into_response();
    if let Some(value) = version.and_then(|version| HeaderValue::from_str(&etag(version)).ok()) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

impl<V: Serialize> IntoResponse for Shown<V> {
    fn into_response(self) -> Response {
        data(StatusCode::OK, self.0, Some(self.1))
    }
}

impl<V: Serialize> IntoResponse for Created<V> {
    fn into_response(self) -> Response {
        data(StatusCode::CREATED, self.0, Some(1))
    }
}

impl<V: Serialize> IntoResponse for Revealed<V> {
    fn into_response(self) -> Response {
        data(StatusCode::CREATED, self.0, Some(1))
    }
}

impl<V: Serialize> IntoResponse for Done<V> {
    fn into_response(self) -> Response {
        data(StatusCode::OK, self.0, None)
    }
}

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl<V: Serialize> IntoResponse for Rows<V> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// The envelope of one object.
#[derive(Serialize, JsonSchema)]
struct Data<V> {
    data: V,
}

macro_rules! documented {
    ($($answer:ident $status:literal),*) => { $(
        impl<V: JsonSchema> OperationOutput for $answer<V> {
            type Inner = V;
            fn operation_response(context: &mut GenContext, operation: &mut openapi::Operation) -> Option<openapi::Response> {
                Json::<Data<V>>::operation_response(context, operation)
            }
            fn inferred_responses(context: &mut GenContext, operation: &mut openapi::Operation) -> Vec<(Option<u16>, openapi::Response)> {
                Self::operation_response(context, operation).map(|response| (Some($status), response)).into_iter().collect()
            }
        }
    )* };
}

documented!(Shown 200, Created 201, Revealed 201, Added 201, Done 200);

impl<V: JsonSchema> OperationOutput for Rows<V> {
    type Inner = V;
    fn operation_response(context: &mut GenContext, operation: &mut openapi::Operation) -> Option<openapi::Response> {
        Json::<Self>::operation_response(context, operation)
    }
    fn inferred_responses(context: &mut GenContext, operation: &mut openapi::Operation) -> Vec<(Option<u16>, openapi::Response)> {
        Self::operation_response(context, operation).map(|response| (Some(200), response)).into_iter().collect()
    }
}

impl OperationOutput for NoContent {
    type Inner = ();
    fn inferred_responses(_: &mut GenContext, _: &mut openapi::Operation) -> Vec<(Option<u16>, openapi::Response)> {
        vec![(Some(204), openapi::Response { description: "Done".into(), ..Default::default() })]
    }
}
