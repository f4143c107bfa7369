//! The only HTTP client for addresses that customers give us: webhook receivers.
//!
//! It speaks HTTP/1.1, follows no redirect, uses no proxy, keeps no cookies and trusts nothing
//! that the other side sends: time, headers and body are all bounded. Every request makes its own
//! connection, so that the address of each attempt is checked as the contract (§12) says; a
//! function that sleeps between two events would find a pooled connection dead anyway. TLS
//! sessions are resumed, which keeps that cheap. Calls to our own services do not go through here.

mod connect;
mod failure;
mod guard;
mod response;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderName};
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use url::Url;

pub use connect::Resolver;
pub use failure::Failure;
pub use guard::{MAX_URL_CHARS, Policy, Refusal, is_public};
pub use response::{MAX_BODY, Response, RetryAfter};

/// The most that a response's status line and headers may take, in bytes.
const MAX_HEAD: usize = 16 * 1_024;

/// Headers that are the connection's own; from a caller they could only break the framing.
const NOT_FORWARDED: [HeaderName; 8] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// A guarded HTTP client; clones share everything.
#[derive(Clone)]
pub struct Outbound {
    policy: Policy,
    client: Client<HttpsConnector<connect::Guarded>, Full<Bytes>>,
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Outbound {
    /// Builds the client with the system's resolver; to be done once per process.
    ///
    /// # Errors
    /// The TLS library refuses its own defaults, which is a fault of the build.
    pub fn new(policy: Policy) -> Result<Self, rustls::Error> {
        Self::with_resolver(policy, connect::system)
    }

    /// Builds the client with another resolver.
    ///
    /// # Errors
    /// As for [`Outbound::new`].
    pub fn with_resolver(policy: Policy, resolver: impl Resolver) -> Result<Self, rustls::Error> {
        let guarded = connect::Guarded { policy, resolver: Arc::new(resolver) };
        // The provider is named here: a process-wide default is anybody's to set.
        let tls = HttpsConnectorBuilder::new().with_provider_and_webpki_roots(ring::default_provider())?;
        let schemes = if policy.allow_private { tls.https_or_http() } else { tls.https_only() };
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .http1_max_buf_size(MAX_HEAD)
            .build(schemes.enable_http1().wrap_connector(guarded));
        Ok(Self { policy, client })
    }

    /// Checks a URL when it is saved, without resolving it.
    ///
    /// # Errors
    /// The first rule that it breaks, in words for the client.
    pub fn check_url(&self, url: &str) -> Result<Url, Refusal> {
        self.policy.parse(url)
    }

    /// Posts a body and reads the answer; `timeout` covers all of it, from the look-up of the name
    /// to the last byte that is read.
    ///
    /// Headers that belong to the connection (`Host`, `Content-Length` …) are ignored.
    ///
    /// # Errors
    /// There is no answer. An answer of any status, a redirect too, is `Ok`.
    pub async fn post(&self, url: &Url, headers: HeaderMap, body: Bytes, timeout: Duration) -> Result<Response, Failure> {
        self.policy.check(url).map_err(Failure::Refused)?;
        tokio::time::timeout(timeout, self.exchange(url, headers, body)).await.unwrap_or(Err(Failure::Timeout))
    }

    async fn exchange(&self, url: &Url, mut headers: HeaderMap, body: Bytes) -> Result<Response, Failure> {
        let malformed = Failure::Refused(Refusal::Malformed);
        for name in &NOT_FORWARDED {
            headers.remove(name);
        }
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::try_from(url.as_str()).map_err(|_| malformed)?;
        *request.headers_mut() = headers;
        let (head, body) = match self.client.request(request).await {
            Ok(response) => response.into_parts(),
            Err(error) => return Err(Failure::of(&error)),
        };
        Ok(Response {
            status: head.status.as_u16(),
            retry_after: RetryAfter::from_headers(&head.headers),
            body: response::beginning(body).await,
        })
    }
}
