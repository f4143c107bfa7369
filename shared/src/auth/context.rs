//! What is known of a request before its handler runs.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
};

use axum::{
    extract::ConnectInfo,
    http::{HeaderMap, Method, header, request::Parts},
};
use futures_util::FutureExt;
use ipnet::IpNet;

use super::token::{self, Claims};
use crate::{
    app::App,
    clock::Time,
    crypto::keys::Keys,
    error::{Error, Result},
    models::{ApiKey, Session, User, api_key::Presented},
    storage::{
        Entity,
        audit::{Actor, Author},
        idempotency::Lease,
        write::{Admission, Gate},
    },
};

/// What is known of a request before its handler runs; among the request's extensions.
#[derive(Debug, Clone)]
pub struct Context(Arc<Known>);

#[derive(Debug)]
struct Known {
    claims: Result<(Claims, Keys)>,
    client: Client,
    /// The request's identifier.
    request_id: String,
    /// The method changes something.
    changes: bool,
    /// Whether the request may go on, where that takes a look at the table.
    admission: OnceLock<Admission>,
    lease: OnceLock<Arc<Lease>>,
}

/// Who is at the other end of the connection.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// The address.
    pub address: Option<IpAddr>,
    /// What it calls itself, at most 400 characters.
    pub agent: Option<String>,
}

impl Context {
    /// `limit` resolves to whether the endpoint's rate limit admits the request.
    pub(crate) fn new(claims: Result<(Claims, Keys)>, client: Client, parts: &Parts, limit: Option<Admission>) -> Self {
        let changes = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let request_id = parts.headers.get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
        let admission = limit.map_or_else(OnceLock::new, OnceLock::from);
        Self(Arc::new(Known { claims, client, request_id, changes, admission, lease: OnceLock::new() }))
    }

    /// The answer is kept under this lease.
    pub(crate) fn lease(&self, lease: Arc<Lease>) {
        let _ = self.0.lease.set(lease);
    }

    /// Begins to look the caller's session up, if the request changes something: beside whatever else is read.
    pub(crate) fn admit(&self, app: &App) {
        if self.0.changes {
            self.look_up(app);
        }
    }

    /// Begins to look the caller's session up, whatever the request.
    pub(crate) fn look_up(&self, app: &App) {
        // An API key was looked up before, and has no session.
        if let Some((claims, _)) = self.0.claims.as_ref().ok().filter(|(claims, _)| claims.scopes.is_none()) {
            self.0.admission.get_or_init(|| {
                let (app, claims) = (app.clone(), claims.clone());
                let lookup = tokio::spawn(async move { admit(&app, &claims).await });
                lookup.map(|done| done.unwrap_or_else(|e| Err(Error::internal("admission", e)))).boxed().shared()
            });
        }
    }

    /// The request may go on, as far as that is looked up beside it. Whatever is written waits for this by itself; costly
    /// work waits for it here.
    ///
    /// # Errors
    /// [`Error::TooMany`], [`Error::Unauthenticated`].
    pub async fn admitted(&self) -> Result<()> {
        match self.0.admission.get().cloned() {
            Some(admission) => admission.await,
            None => Ok(()),
        }
    }

    /// What the access token says.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] without a token, with one that is not ours, or one of another tenant than `X-Tenant`.
    pub fn claims(&self) -> Result<&Claims> {
        self.0.claims.as_ref().map(|(claims, _)| claims).map_err(Clone::clone)
    }

    /// The keys that verified the access token.
    ///
    /// # Errors
    /// As [`Context::claims`].
    pub fn keys(&self) -> Result<&Keys> {
        self.0.claims.as_ref().map(|(_, keys)| keys).map_err(Clone::clone)
    }

    /// What hangs on the request's transactions.
    #[must_use]
    pub fn gate(&self) -> Gate {
        let author = self.0.claims.as_ref().ok().map(|(claims, _)| Arc::new(self.author(claims.actor())));
        Gate { admission: self.0.admission.get().cloned(), lease: self.0.lease.get().cloned(), author, done_at: None }
    }

    /// Somebody who makes this request.
    #[must_use]
    pub fn author(&self, actor: Actor) -> Author {
        let ip = self.0.client.address.map(|address| address.to_string());
        Author { actor, ip, request_id: self.0.request_id.clone() }
    }

    /// Who is at the other end.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }
}

/// The session stands, its user is active and has the role that the token says: one read.
///
/// # Errors
/// [`Error::Unauthenticated`] when it does not.
pub async fn admit(app: &App, claims: &Claims) -> Result<()> {
    let (session, user) = (Session::key(&claims.tenant, (claims.sub, claims.sid)), User::key(&claims.tenant, claims.sub));
    let mut found = app.db().items(&[session.clone(), user.clone()]).await?;
    let now = app.clock().now();
    match (found.take::<Session>(&session)?, found.take::<User>(&user)?) {
        (Some(session), Some(user)) if session.stands(&user, now) => {
            // With the next pair of tokens comes the present role.
            if user.input.role == claims.role { Ok(()) } else { Err(Error::Unauthenticated("The role has changed")) }
        }
        _ => Err(Error::Unauthenticated("Session has ended")),
    }
}

/// What the access token of a request says, or what its API key may, and the keys of this deployment.
pub(crate) async fn claims(app: &App, headers: &HeaderMap, client: &Client) -> Result<(Claims, Keys)> {
    const REFUSED: Error = Error::Unauthenticated("Invalid or expired access token");
    let given = headers.get(header::AUTHORIZATION).ok_or(Error::Unauthenticated("Missing access token"))?;
    let bearer =
        given.to_str().ok().and_then(|text| text.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let (_, token) = bearer.ok_or(Error::Unauthenticated("Invalid access token"))?;
    let (token, now) = (token.trim(), app.clock().now());
    let (claims, keys) = if let Some(presented) = Presented::parse(token) {
        let (keys, claims) = tokio::try_join!(app.keys().current(), key_claims(app, &presented, client, now))?;
        (claims.ok_or(REFUSED)?, keys)
    } else {
        let keys = app.keys().knowing(&token::key_of(token).ok_or(REFUSED)?).await?;
        (token::verify(&keys, token, now).ok_or(REFUSED)?, keys)
    };
    match headers.get("x-tenant") {
        Some(tenant) if tenant.as_bytes() != claims.tenant.as_bytes() => {
            Err(Error::Unauthenticated("X-Tenant is not the token's tenant"))
        }
        _ => Ok((claims, keys)),
    }
}

/// How exactly it is known when an API key was last used.
const LAST_USED: std::time::Duration = std::time::Duration::from_secs(3600);

/// What an API key may do; nothing, when the token is not good for it.
async fn key_claims(app: &App, presented: &Presented, client: &Client, now: Time) -> Result<Option<Claims>> {
    let store = app.store(&presented.tenant);
    let Some(seen) = store.get::<ApiKey>(presented.id).await? else { return Ok(None) };
    if !seen.admits(presented, client.address, now) {
        return Ok(None);
    }
    if seen.last_used_at.is_none_or(|last| last + LAST_USED <= now) {
        let used = ApiKey { last_used_at: Some(now), ..seen.value.clone() };
        // Another request may have written the same.
        match store.write().update(&seen, &used).commit(()).await {
            Ok(()) | Err(Error::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Some(Claims::of_key(presented.tenant.clone(), &seen, now)))
}

/// Who is at the other end: as the gateway says, or the socket; a forwarded header only from trusted proxies.
pub(crate) fn client(app: &App, parts: &Parts) -> Client {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    Client {
        address: peer.map(|peer| forwarded(peer, &parts.headers, &app.settings().trusted_proxies)),
        agent: agent.map(|text| text.chars().take(400).collect()),
    }
}

/// The nearest address in `X-Forwarded-For` that is not a trusted proxy's, read from the right.
fn forwarded(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_proxy = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_proxy(&peer) {
        return peer;
    }
    let hops: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .collect();
    let mut nearest = peer;
    for hop in hops.into_iter().rev() {
        let Ok(address) = hop.trim().parse() else { break };
        nearest = address;
        if !is_proxy(&address) {
            break;
        }
    }
    nearest
}

impl Client {
    /// What rate limits go by: the address, of IPv6 the /64.
    #[must_use]
    pub fn network(&self) -> String {
        match self.address {
            Some(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
                Some(mapped) => mapped.to_string(),
                None => {
                    let [a, b, c, d, ..] = address.segments();
                    format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
                }
            },
            Some(address) => address.to_string(),
            None => "unknown".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(forwarded_for: &str) -> HeaderMap {
        HeaderMap::from_iter([(axum::http::HeaderName::from_static("x-forwarded-for"), forwarded_for.parse().unwrap())])
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let address = |peer: &str, chain: &str| forwarded(peer.parse().unwrap(), &headers(chain), &trusted).to_string();
        assert_eq!(address("203.0.113.9", "198.51.100.1"), "203.0.113.9");
        assert_eq!(address("10.0.0.1", "198.51.100.1"), "198.51.100.1");
        assert_eq!(address("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2"), "198.51.100.1");
        assert_eq!(address("10.0.0.1", "nonsense"), "10.0.0.1");
        assert_eq!(address("10.0.0.1", "10.0.0.3"), "10.0.0.3");
    }

    #[test]
    fn ipv6_counts_by_its_network() {
        let network = |text: &str| Client { address: Some(text.parse().unwrap()), agent: None }.network();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
