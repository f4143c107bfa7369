//! `/api/auth`, `/api/signup`: who is calling, and how a company begins.

mod login;
mod mfa;
mod password;
mod refresh;
mod register;
mod session;

use axum::{Json, extract::State};
use shared::{
    Result,
    api::Routes,
    app::{App, Need},
    crypto::keys::Jwks,
};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[Need::AuthSecret, Need::DataSecret];

/// The group's routes.
pub fn routes() -> Routes {
    Routes::of("Sign-up and login", "Who is calling, and how a company begins.")
        .post("/api/auth/login", login::login, "login", "Opens a session")
        .post("/api/auth/mfa/verify", mfa::verify, "verifyMfa", "Opens a session for the second step's code")
        .post("/api/auth/refresh", refresh::refresh, "refresh", "A new pair of tokens for a refresh token")
        .post("/api/auth/logout", refresh::logout, "logout", "Ends the caller's session")
        .post("/api/auth/forgot-password", password::forgot, "forgotPassword", "Sends a link for another password by mail")
        .post("/api/auth/reset-password", password::reset, "resetPassword", "Sets a password by a mail's link")
        .get("/api/auth/.well-known/jwks.json", jwks, "getJwks", "The public keys that verify access tokens")
        .post("/api/signup/register", register::register, "register", "Makes a tenant and its first manager, who is logged in")
}

/// The public keys that verify access tokens.
async fn jwks(State(app): State<App>) -> Result<Json<Jwks>> {
    Ok(Json(app.keys().signing().await?.jwks().clone()))
}
