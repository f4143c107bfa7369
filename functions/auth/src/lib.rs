//! `/api/auth`, `/api/signup`: who is calling, and how a company begins.

mod login;
mod refresh;
mod register;
mod session;

use axum::Json;
use shared::{
    api::{
        Routes,
        routing::{get, post},
    },
    app::App,
    crypto::keys::Jwks,
};

/// The group's routes.
pub fn routes() -> Routes {
    Routes::new()
        .api_route("/api/auth/login", post(login::login))
        .api_route("/api/auth/refresh", post(refresh::refresh))
        .api_route("/api/auth/logout", post(refresh::logout))
        .api_route("/api/auth/.well-known/jwks.json", get(jwks))
        .api_route("/api/signup/register", post(register::register))
}

/// The public keys that verify access tokens.
async fn jwks(axum::extract::State(app): axum::extract::State<App>) -> Json<Jwks> {
    Json(app.keys().jwks().clone())
}
