//! `/api/health`: whether the product answers.

use axum::Json;
use schemars::JsonSchema;
use serde::Serialize;
use shared::api::{Routes, routing::get};

/// The group's routes.
pub fn routes() -> Routes {
    Routes::new().api_route("/api/health", get(health))
}

/// That it answers.
#[derive(Debug, Serialize, JsonSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
    /// The release.
    version: &'static str,
}

/// Answers without touching the table: a gateway's check must cost nothing.
async fn health() -> Json<Health> {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}
