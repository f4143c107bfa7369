//! What stands between a process and its services, and can let a call get stuck or lost: a crash at a chosen point.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Request, Uri, header},
    response::{IntoResponse, Response},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinSet, time::timeout};

/// What happens to calls of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// They pass.
    None,
    /// They get stuck on their way, after so many that pass.
    Stuck(&'static str, usize),
    /// The stream says that nothing has happened.
    Deaf,
}

#[derive(Debug)]
struct Shared {
    fault: watch::Sender<Fault>,
    /// Calls of the faulty action so far.
    met: watch::Sender<usize>,
    http: Client<HttpConnector, Body>,
}

/// A proxy before two services.
#[derive(Debug)]
pub struct Proxy {
    /// Where each of the services is to be reached.
    pub urls: [String; 2],
    shared: Arc<Shared>,
    _servers: JoinSet<()>,
}

impl Proxy {
    /// Stands before these services, and lets everything pass.
    pub async fn start(services: [&str; 2]) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        let shared = Arc::new(Shared { fault: watch::Sender::new(Fault::None), met: watch::Sender::new(0), http });
        let (mut urls, mut servers) = ([String::new(), String::new()], JoinSet::new());
        for (url, service) in urls.iter_mut().zip(services) {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            *url = format!("http://{}", listener.local_addr().unwrap());
            let router = Router::new().fallback(pass).with_state((service.to_owned(), shared.clone()));
            servers.spawn(async move { axum::serve(listener, router).await.unwrap() });
        }
        Self { urls, shared, _servers: servers }
    }

    /// From now on this happens.
    pub fn fault(&self, fault: Fault) {
        self.shared.met.send_replace(0);
        self.shared.fault.send_replace(fault);
    }

    /// Waits until a call is stuck; the test ends when none is.
    pub async fn stuck(&self) {
        let Fault::Stuck(_, after) = *self.shared.fault.borrow() else { panic!("nothing gets stuck") };
        let mut met = self.shared.met.subscribe();
        assert!(timeout(Duration::from_secs(60), met.wait_for(|met| *met > after)).await.is_ok(), "nothing got stuck");
    }
}

async fn pass(
    State((service, shared)): State<(String, Arc<Shared>)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let action = target.rsplit('.').next().unwrap_or_default();
    let fault = *shared.fault.borrow();
    match fault {
        Fault::Stuck(faulty, after) if faulty == action => {
            shared.met.send_modify(|met| *met += 1);
            if *shared.met.borrow() > after {
                // Until it is lifted; whoever waits is mostly gone by then.
                let _ = shared.fault.subscribe().wait_for(|now| *now != fault).await;
            }
        }
        Fault::Deaf if action == "GetRecords" => {
            let asked: Value = serde_json::from_slice(&body).unwrap();
            let nothing = json!({ "Records": [], "NextShardIterator": asked["ShardIterator"] });
            return ([(header::CONTENT_TYPE, "application/x-amz-json-1.0")], nothing.to_string()).into_response();
        }
        _ => {}
    }
    let mut request = Request::builder().method(method).uri(format!("{service}{uri}"));
    request.headers_mut().unwrap().extend(headers);
    match shared.http.request(request.body(Body::from(body)).unwrap()).await {
        Ok(answer) => answer.map(Body::new),
        Err(_) => axum::http::StatusCode::BAD_GATEWAY.into_response(),
    }
}
