//! A client that speaks HTTP as anybody would.

use std::sync::atomic::{AtomicU32, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

/// A client with its headers; cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    site: String,
    headers: HeaderMap,
    http: Http<HttpConnector, Full<Bytes>>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Bytes,
}

/// A fresh address of the range that stands for the whole internet in tests (RFC 2544).
fn address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let [_, _, c, d] = n.to_be_bytes();
    format!("198.18.{c}.{d}")
}

impl Client {
    /// A client of a site, from an address of its own.
    #[must_use]
    pub fn new(site: &str) -> Self {
        let http = Http::builder(TokioExecutor::new()).build_http();
        Self { site: site.into(), headers: HeaderMap::new(), http }.with("x-forwarded-for", &address())
    }

    /// The same client with a header more, or another value of one.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        client
    }

    /// The same client with an access token.
    #[must_use]
    pub fn bearer(&self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// The same client at another site.
    #[must_use]
    pub fn at(&self, site: &str) -> Self {
        Self { site: site.into(), ..self.clone() }
    }

    /// The same client from another address.
    #[must_use]
    pub fn elsewhere(&self) -> Self {
        self.with("x-forwarded-for", &address())
    }

    /// Any request.
    pub async fn send(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Answer {
        self.attempt(method, path, body).await.unwrap()
    }

    /// Any request; nothing when no whole answer came back.
    pub async fn attempt(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Option<Answer> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.site));
        request.headers_mut().unwrap().extend(self.headers.clone());
        let answer = self.http.request(request.body(Full::new(body.into())).unwrap()).await.ok()?;
        let (parts, body) = answer.into_parts();
        Some(Answer { status: parts.status, headers: parts.headers, bytes: body.collect().await.ok()?.to_bytes() })
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "").await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.with("content-type", "application/json").send(Method::POST, path, body.to_string()).await
    }

    /// PUT with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.with("content-type", "application/json").send(Method::PUT, path, body.to_string()).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, "").await
    }
}

impl Answer {
    /// The answer, when it has this status; the test ends otherwise, with what was answered.
    #[must_use]
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }

    /// The body as JSON.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    /// `data` of the body.
    #[must_use]
    #[track_caller]
    pub fn data(&self) -> Value {
        self.json()["data"].clone()
    }

    /// `errors` of the body.
    #[must_use]
    #[track_caller]
    pub fn errors(&self) -> Value {
        self.json()["errors"].clone()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
