//! Answers: `{"data": …}` with its status, recorded for a replay where the request bears an idempotency key.

use axum::{
    Json,
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::document::{Described, Draft, json_content};
use crate::storage::{idempotency::Recorded, write::Answer};

/// 200 with an object and its version as `ETag`.
#[derive(Debug)]
pub struct Shown<V>(pub V, pub u64);

/// 201 with a new object at its first version.
#[derive(Debug)]
pub struct Created<V>(pub V);

/// 201 with new objects, in order.
#[derive(Debug)]
pub struct CreatedAll<V>(pub Vec<V>);

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
#[derive(Debug, Serialize)]
pub struct Rows<V> {
    /// The rows.
    pub data: Vec<V>,
    /// Where the page stands.
    pub meta: Meta,
}

/// 200 with a stretch of what is read along and not counted.
#[derive(Debug, Serialize)]
pub struct Stretch<V> {
    /// The rows.
    pub data: Vec<V>,
    /// How it goes on.
    pub meta: Further,
}

/// How a stretch goes on.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Further {
    /// Null: it has no page numbers.
    pub current_page: Option<u64>,
    /// Rows of a page, at most.
    pub page_size: u64,
    /// Null: they are not counted.
    pub total_pages: Option<u64>,
    /// Null: they are not counted.
    pub total_count: Option<u64>,
    /// What `cursor` takes to read on; null when there is no more.
    pub next_cursor: Option<String>,
}

impl<V> Stretch<V> {
    /// Rows, and the cursor after them.
    #[must_use]
    pub fn new(data: Vec<V>, page_size: u64, next_cursor: Option<String>) -> Self {
        Self { data, meta: Further { current_page: None, page_size, total_pages: None, total_count: None, next_cursor } }
    }
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

impl<V> Rows<V> {
    /// A list that is never longer than a page.
    #[must_use]
    pub fn whole(data: Vec<V>, page_size: u64) -> Self {
        let total_count = u64::try_from(data.len()).unwrap_or(u64::MAX);
        let total_pages = total_count.div_ceil(page_size);
        Self { data, meta: Meta { current_page: Some(1), page_size, total_pages, total_count, next_cursor: None } }
    }
}

/// The value of `ETag` for a version.
#[must_use]
pub fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// An answer with its tag, and without its body when the client has that.
#[must_use]
pub fn tagged(mut response: Response, digest: &str, headers: &HeaderMap) -> Response {
    let tag = format!("\"{digest}\"");
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    if known.flat_map(|value| value.split(',')).any(|known| known.trim().trim_start_matches("W/") == tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
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

impl<V: Serialize> Answer for CreatedAll<V> {
    fn record(&self) -> Option<Recorded> {
        Some(recorded(StatusCode::CREATED, &self.0, None))
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

/// 200 with data whose secrets are shown once; a replay has them masked.
#[derive(Debug)]
pub struct Told<V>(pub V);

impl<V: Masked> Answer for Told<V> {
    fn record(&self) -> Option<Recorded> {
        Some(recorded(StatusCode::OK, self.0.masked(), None))
    }
}

impl<V: Serialize> IntoResponse for Told<V> {
    fn into_response(self) -> Response {
        data(StatusCode::OK, self.0, None)
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

impl<V: Serialize> IntoResponse for CreatedAll<V> {
    fn into_response(self) -> Response {
        data(StatusCode::CREATED, self.0, None)
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

impl<V: Serialize> IntoResponse for Stretch<V> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

impl<V: Serialize> IntoResponse for Rows<V> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// The envelope of one object.
#[derive(Serialize)]
struct Data<V> {
    data: V,
}

macro_rules! described {
    ($($answer:ident: $($status:literal $about:literal $headers:expr),*;)*) => { $(
        impl<V: JsonSchema> Described for $answer<V> {
            fn describe(draft: &mut Draft<'_>) {
                let data = draft.schemas.answered::<V>();
                let schema = json!({ "type": "object", "required": ["data"], "properties": { "data": data } });
                $(draft.answers($status, $about, &$headers, &json_content(&schema));)*
            }
        }
    )* };
}

described! {
    Shown: 200 "The object." ["ETag"];
    Created: 201 "The new object." ["ETag"];
    Revealed: 201 "The new object, its secret shown this once." ["ETag"];
    Told: 200 "Done; what is secret is shown this once." [];
    Added: 201 "It was added." [], 200 "It was there already." [];
    Done: 200 "Done." [];
}

impl<V: JsonSchema> Described for CreatedAll<V> {
    fn describe(draft: &mut Draft<'_>) {
        let row = draft.schemas.answered::<V>();
        let data = json!({ "type": "array", "items": row });
        let schema = json!({ "type": "object", "required": ["data"], "properties": { "data": data } });
        draft.answers(201, "The new objects, in the order of the request.", &[], &json_content(&schema));
    }
}

macro_rules! described_page {
    ($($answer:ident: $meta:ident;)*) => { $(
        impl<V: JsonSchema> Described for $answer<V> {
            fn describe(draft: &mut Draft<'_>) {
                let (row, meta) = (draft.schemas.answered::<V>(), draft.schemas.answered::<$meta>());
                let schema = json!({
                    "type": "object",
                    "required": ["data", "meta"],
                    "properties": { "data": { "type": "array", "items": row }, "meta": meta },
                });
                draft.answers(200, "A page of the list.", &[], &json_content(&schema));
            }
        }
    )* };
}

described_page! {
    Rows: Meta;
    Stretch: Further;
}

impl Described for NoContent {
    fn describe(draft: &mut Draft<'_>) {
        draft.answers(204, "Done.", &[], &json!({}));
    }
}
