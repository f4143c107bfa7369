//! `/docs`, `/api/openapi.json`, `/api/health`: what the product says of itself. Behind a gateway it also answers every
//! request that no other function takes.

mod elsewhere;
mod files;

use axum::{Json, Router};
use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    api::{Routes, service_or},
    app::{App, Need},
};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[];

/// The document of the whole API (OpenAPI 3.1), made from the code by `cargo run -p tests --bin record`.
pub const OPENAPI: &str = include_str!("../openapi.json");

/// The group's routes.
pub fn routes() -> Routes {
    Routes::of("Documentation", "What the product says of itself.")
        .get("/api/health", health, "getHealth", "Whether the product answers")
        .get("/api/openapi.json", files::openapi, "getOpenapi", "This document")
        .get("/docs", files::page, "getDocs", "This document as a page, on which its operations can be tried")
        .get("/docs/{file}", files::asset, "getDocsFile", "What the page is made of")
}

/// The group's routes, and the gateway's `$default`.
pub fn service(app: &App) -> Router {
    service_or(app, routes(), elsewhere::answer)
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
