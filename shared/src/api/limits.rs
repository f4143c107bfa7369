//! Which endpoints are limited, and by what: the one table.

use axum::http::{HeaderName, HeaderValue, Method};
use serde_json::{Map, Value};

use crate::{
    app::Settings,
    auth::{context::Client, token::Refresh},
    storage::rate::{Limit, Standing, Window},
    text,
};

/// What an endpoint's requests are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Address and account, and ten times as much per address, so that an office behind one address can work.
    Account,
    /// The session that a refresh token names.
    Session,
    /// The address.
    Address,
    /// The object in the path.
    Object,
}

/// Which setting holds the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `VOKI_RATE_LIMIT_AUTH`.
    Authentication,
    /// `VOKI_RATE_LIMIT_PUBLIC`.
    Public,
}

/// Method, route, class, what is counted.
pub const LIMITED: &[(Method, &str, Class, By)] = &[
    (Method::POST, "/api/auth/login", Class::Authentication, By::Account),
    (Method::POST, "/api/auth/mfa/verify", Class::Authentication, By::Account),
    (Method::POST, "/api/auth/forgot-password", Class::Authentication, By::Account),
    (Method::POST, "/api/auth/reset-password", Class::Authentication, By::Account),
    (Method::POST, "/api/auth/refresh", Class::Authentication, By::Session),
    (Method::POST, "/api/signup/register", Class::Authentication, By::Address),
    (Method::GET, "/api/v1/call/{token}/validate", Class::Public, By::Address),
    (Method::POST, "/api/v1/call/{token}/join", Class::Public, By::Address),
    (Method::GET, "/api/v1/call/status/{call_id}", Class::Public, By::Object),
    (Method::GET, "/api/v1/calendar/{file}", Class::Public, By::Object),
    (Method::POST, "/api/v1/call/leave/{call_id}", Class::Public, By::Object),
    (Method::POST, "/api/v1/call/evaluate/{call_id}", Class::Public, By::Address),
];

/// The operation has a limit.
pub(super) fn limited(method: &str, route: &str) -> bool {
    LIMITED.iter().any(|(known, pattern, ..)| known.as_str() == method && *pattern == route)
}

/// The windows of a request; none when its endpoint is not limited.
#[must_use]
pub fn windows(settings: &Settings, method: &Method, route: &str, object: &str, client: &Client, body: &[u8]) -> Vec<Window> {
    let asked = if *method == Method::HEAD { Method::GET } else { method.clone() };
    let Some((_, _, class, by)) = LIMITED.iter().find(|(known, pattern, ..)| *known == asked && *pattern == route) else {
        return Vec::new();
    };
    let limit = match class {
        Class::Authentication => settings.auth_limit,
        Class::Public => settings.public_limit,
    };
    let Some(limit) = limit else { return Vec::new() };
    let network = client.network();
    let window = |by: &str, limit| Window { scope: format!("{asked} {route}\n{by}"), limit };
    match by {
        By::Address => vec![window(&network, limit)],
        By::Object => vec![window(object, limit)],
        By::Session => {
            let field = |name| fields(body).and_then(|map| map.get(name)?.as_str().map(ToOwned::to_owned));
            let session = field("refresh_token").and_then(|token| Refresh::parse(&token));
            vec![window(&session.map_or(network, |refresh| refresh.session.to_string()), limit)]
        }
        By::Account => {
            let account = fields(body).map(|map| account(&map)).unwrap_or_default();
            let office = Limit { requests: limit.requests.saturating_mul(10), ..limit };
            vec![window(&format!("{network}\n{account}"), limit), window(&network, office)]
        }
    }
}

fn fields(body: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(body).ok()
}

/// Whose account a body names: by tenant and e-mail, by what the first step of logging in gave for them, or by a mail's link.
fn account(map: &Map<String, Value>) -> String {
    if let Some(ticket) = map.get("mfa_token").and_then(Value::as_str) {
        return ticket.trim().chars().take(64).collect::<String>().split('.').take(2).collect::<Vec<_>>().join(".");
    }
    if let Some(token) = map.get("token").and_then(Value::as_str) {
        return token.trim().chars().take(64).collect();
    }
    let read = |name| map.get(name).and_then(Value::as_str).and_then(|text| text::clean_line(text, 254).ok()).unwrap_or_default();
    format!("{}\n{}", read("tenant"), text::caseless(&read("email")))
}

/// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10).
#[must_use]
pub fn headers(standings: &[Standing]) -> Vec<(HeaderName, HeaderValue)> {
    let name = |n: usize| if n == 0 { "default" } else { "address" };
    let list = |item: &dyn Fn(usize, &Standing) -> String| {
        standings.iter().enumerate().map(|(n, standing)| item(n, standing)).collect::<Vec<_>>().join(", ")
    };
    let limit = list(&|n, standing| format!("\"{}\";r={};t={}", name(n), standing.remaining, standing.reset));
    let policy = list(&|n, standing| format!("\"{}\";q={};w={}", name(n), standing.limit.requests, standing.limit.seconds));
    [("ratelimit", limit), ("ratelimit-policy", policy)]
        .into_iter()
        .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?)))
        .collect()
}
