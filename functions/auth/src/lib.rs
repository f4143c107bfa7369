//! `/api/auth`, `/api/signup`: who is calling, and how a company begins.

mod login;
mod refresh;
mod register;
mod session;

use axum::Json;
use shared::{api::Routes, app::App, crypto::keys::Jwks};

/// The group's routes.
pub fn routes() -> Routes {
    Routes::of("Sign-up and login", "Who is calling, and how a company begins.")
        .post("/api/auth/login", login::login, "login", "Opens a session")
        .post("/api/auth/refresh", refresh::refresh, "refresh", "A new pair of tokens for a refresh token")
        .post("/api/auth/logout", refresh::logout, "logout", "Ends the caller's session")
        .get("/api/auth/.well-known/jwks.json", jwks, "getJwks", "The public keys that verify access tokens")
        .post("/api/signup/register", register::register, "register", "Makes a tenant and its first manager, who is logged in")
}

/// The public keys that verify access tokens.
async fn jwks(axum::extract::State(app): axum::extract::State<App>) -> Json<Jwks> {
    Json(app.keys().jwks().clone())
}
