//! `/users`: who works for the tenant, and what everybody does to oneself.

mod crud;
mod feed;
mod me;
mod mfa;
mod sessions;

use shared::{api::Routes, app::Need};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[Need::DataSecret];

/// The group's routes.
pub fn routes() -> Routes {
    Routes::of("Users", "Who works for the tenant.")
        .get("/api/v1/users/me", me::read, "getMe", "The caller")
        .put("/api/v1/users/me", me::update, "updateMe", "Changes the caller's own profile")
        .put("/api/v1/users/me/password", me::password, "changePassword", "Changes the caller's password; the other sessions end")
        .get("/api/v1/users/me/sessions", sessions::list, "listSessions", "Where the caller is logged in")
        .delete("/api/v1/users/me/sessions/{id}", sessions::end, "endSession", "Logs the caller out somewhere")
        .post("/api/v1/users/me/mfa/setup", mfa::setup, "setupMfa", "Makes a seed for the caller's authenticator")
        .post("/api/v1/users/me/mfa/enable", mfa::enable, "enableMfa", "Asks for a second factor from now on")
        .delete("/api/v1/users/me/mfa", mfa::disable, "disableMfa", "Takes the caller's second factor away")
        .delete("/api/v1/users/{id}/mfa", mfa::reset, "resetMfa", "Takes a lost second factor away")
        .post(
            "/api/v1/users/me/calendar",
            feed::subscribe,
            "subscribeCalendar",
            "Makes the URL by which a calendar reads the caller's appointments",
        )
        .delete("/api/v1/users/me/calendar", feed::unsubscribe, "unsubscribeCalendar", "Takes that URL away")
        .get("/api/v1/calendar/{file}", feed::read, "getCalendar", "An agent's appointments for a calendar; the URL is the key")
        .get("/api/v1/users", crud::list, "listUsers", "The tenant's users")
        .post("/api/v1/users", crud::create, "createUser", "Makes a user")
        .get("/api/v1/users/{id}", crud::read, "getUser", "One user")
        .put("/api/v1/users/{id}", crud::update, "updateUser", "Changes a user; a deactivated one is out at once")
}
