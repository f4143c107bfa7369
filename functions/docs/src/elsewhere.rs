//! Requests that no function takes: an unknown path, or a known one with a method that it does not have.

use std::{
    collections::{BTreeMap, HashMap},
    sync::OnceLock,
};

use axum::{Router, extract::Request, response::Response, routing::MethodFilter};
use serde::{Deserialize, de::IgnoredAny};
use shared::api::outline;
use tower::ServiceExt;

use crate::OPENAPI;

/// Answers as the whole API would.
pub async fn answer(request: Request) -> Response {
    static API: OnceLock<Router> = OnceLock::new();
    let Ok(response) = API.get_or_init(api).clone().oneshot(request).await;
    response
}

/// The operations of every function, in the order in which rows are written.
#[expect(clippy::zero_sized_map_values, reason = "the names alone matter")]
fn api() -> Router {
    const METHODS: [(&str, MethodFilter); 4] =
        [("get", MethodFilter::GET), ("post", MethodFilter::POST), ("put", MethodFilter::PUT), ("delete", MethodFilter::DELETE)];
    #[derive(Default, Deserialize)]
    struct Document {
        paths: BTreeMap<String, HashMap<String, IgnoredAny>>,
    }
    let document: Document = serde_json::from_str(OPENAPI).unwrap_or_default();
    outline(document.paths.into_iter().flat_map(|(path, operations)| {
        let known = METHODS.into_iter().filter(move |(name, _)| operations.contains_key(*name));
        known.map(move |(_, method)| (method, path.clone()))
    }))
}
