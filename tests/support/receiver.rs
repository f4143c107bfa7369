//! A company's own server, as far as webhooks see it.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::timeout};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A delivery that came in.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, byte for byte.
    pub body: Bytes,
}

impl Received {
    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// How the receiver answers.
#[derive(Debug, Clone)]
pub enum Reply {
    /// With this status.
    Status(u16),
    /// With this status and `Retry-After`.
    RetryAfter(u16, String),
    /// With this status and body.
    Body(u16, String),
    /// Elsewhere.
    Redirect(String),
    /// Not at all, until it is told to answer otherwise.
    Hang,
}

/// A receiver on loopback.
#[derive(Debug)]
pub struct Receiver {
    /// Where it is.
    pub url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    received: watch::Sender<Vec<Received>>,
    reply: watch::Sender<Reply>,
}

impl Receiver {
    /// A receiver that answers 200.
    pub async fn start() -> Self {
        let shared = Arc::new(Shared { received: watch::Sender::default(), reply: watch::Sender::new(Reply::Status(200)) });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(receive).with_state(shared.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared, server }
    }

    /// From now on it answers so.
    pub fn reply(&self, reply: Reply) {
        self.shared.reply.send_replace(reply);
    }

    /// Everything that came in so far.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.borrow().clone()
    }

    /// Waits until so many have come in; the test ends when they do not.
    pub async fn wait(&self, count: usize) {
        let mut received = self.shared.received.subscribe();
        let waited = timeout(PATIENCE, received.wait_for(|received| received.len() >= count)).await;
        assert!(waited.is_ok(), "{} of {count} came in", self.received().len());
    }

    /// The names of the events that came in so far.
    #[must_use]
    pub fn events(&self) -> Vec<String> {
        self.received().iter().map(|received| received.json()["event"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    shared.received.send_modify(|received| received.push(Received { headers, body }));
    let reply = shared.reply.subscribe().wait_for(|reply| !matches!(reply, Reply::Hang)).await.unwrap().clone();
    match reply {
        Reply::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::RetryAfter(status, wait) => (StatusCode::from_u16(status).unwrap(), [(header::RETRY_AFTER, wait)]).into_response(),
        Reply::Body(status, body) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Reply::Redirect(location) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response(),
        Reply::Hang => unreachable!("the reply was awaited"),
    }
}
