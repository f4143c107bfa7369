//! A function as Lambda runs it: a process that asks the Runtime API, here on loopback, for one event after another.

use std::{process::Stdio, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use shared::app::Need;
use tokio::{
    io::AsyncReadExt,
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex, mpsc},
    task::JoinHandle,
    time::timeout,
};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running function.
#[derive(Debug)]
pub struct Function {
    process: Child,
    stderr: JoinHandle<String>,
    events: mpsc::UnboundedSender<Bytes>,
    reports: mpsc::UnboundedReceiver<Report>,
    server: JoinHandle<()>,
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard error.
    pub stderr: String,
}

use crate::operations::needs;

/// What a function tells the Runtime API.
#[derive(Debug)]
enum Report {
    Ready,
    Answer(Bytes),
    Failure(Bytes),
}

/// The environment of the program of a function: Lambda's variables and the template's. No cloud is at the end of them.
#[must_use]
pub fn variables(program: &std::path::Path) -> Vec<(String, String)> {
    let function = program.file_stem().unwrap().to_str().unwrap().trim_end_matches("-process");
    let lambda = [
        ("AWS_LAMBDA_FUNCTION_NAME", "function"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "token"),
        ("VOKI_TABLE", "voki"),
    ];
    let needed = needs(function).iter().map(|need| (need.variable(), worth(*need)));
    lambda.into_iter().chain(needed).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What stands in a variable.
fn worth(need: Need) -> &'static str {
    match need {
        Need::AuthSecret | Need::DataSecret => "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
        Need::PublicUrl => "https://voki.example.com",
        Need::Mail => "Voki <no-reply@example.com>",
        Need::Queue => "https://sqs.eu-west-1.amazonaws.com/123456789012/voki-deliveries",
    }
}

/// A request as an HTTP API hands it on, without a body.
#[must_use]
pub fn request(method: &str, path: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": { "accept": "*/*", "host": "api.example.com" },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.example.com",
            "domainPrefix": "api",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "tests" },
            "requestId": "id",
            "routeKey": "$default",
            "stage": "$default",
            "time": "15/Feb/2026:14:30:00 +0000",
            "timeEpoch": 1_771_165_800_000_u64,
        },
        "isBase64Encoded": false,
    })
}

impl Function {
    /// Starts a program; when this returns, it has asked for its first event.
    ///
    /// # Errors
    /// It ended instead.
    #[expect(clippy::disallowed_methods, reason = "Lambda's API, not ours")]
    pub async fn start(program: &mut Command) -> Result<Self, Ended> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        program.env("AWS_LAMBDA_RUNTIME_API", listener.local_addr().unwrap().to_string());
        let (events, waiting) = mpsc::unbounded_channel();
        let (reporter, reports) = mpsc::unbounded_channel();
        let api = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{outcome}", post(report))
            .with_state(std::sync::Arc::new((Mutex::new(waiting), reporter)));
        let server = tokio::spawn(async move { axum::serve(listener, api).await.unwrap() });
        let mut process = program.stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut pipe = process.stderr.take().unwrap();
        let stderr = tokio::spawn(async move {
            let mut text = String::new();
            pipe.read_to_string(&mut text).await.unwrap();
            text
        });
        let mut function = Self { process, stderr, events, reports, server };
        match function.report().await {
            Some(_) => Ok(function),
            None => Err(function.ended().await),
        }
    }

    /// Has it work on an event; answers what it answers, or its error. It has asked for the next event when this returns.
    ///
    /// # Errors
    /// What it reports of a failed invocation.
    pub async fn invoke(&mut self, event: impl Into<Bytes>) -> Result<Value, Value> {
        self.events.send(event.into()).unwrap();
        let outcome = match self.report().await {
            Some(Report::Answer(body)) => Ok(serde_json::from_slice(&body).unwrap()),
            Some(Report::Failure(body)) => Err(serde_json::from_slice(&body).unwrap()),
            other => panic!("no outcome but {other:?}"),
        };
        let after = self.report().await;
        assert!(matches!(after, Some(Report::Ready)), "it does not go on: {after:?} after {outcome:?}");
        outcome
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id().unwrap()
    }

    /// Ends it as Lambda does.
    pub async fn end(self) -> Ended {
        let killed = Command::new("kill").arg(self.pid().to_string()).status().await.unwrap();
        assert!(killed.success());
        self.ended().await
    }

    /// The next report; none when the process has ended.
    async fn report(&mut self) -> Option<Report> {
        let next = async {
            tokio::select! {
                biased;
                report = self.reports.recv() => report,
                _ = self.process.wait() => None,
            }
        };
        timeout(PATIENCE, next).await.unwrap()
    }

    async fn ended(mut self) -> Ended {
        let code = self.process.wait().await.unwrap().code();
        self.server.abort();
        Ended { code, stderr: self.stderr.await.unwrap() }
    }
}

type Channels = State<std::sync::Arc<(Mutex<mpsc::UnboundedReceiver<Bytes>>, mpsc::UnboundedSender<Report>)>>;

async fn next(State(channels): Channels) -> Response {
    let _ = channels.1.send(Report::Ready);
    let Some(event) = channels.0.lock().await.recv().await else { return StatusCode::GONE.into_response() };
    let headers = [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:123456789012:function:function"),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700"),
    ];
    (headers, event).into_response()
}

async fn report(State(channels): Channels, Path((_, outcome)): Path<(String, String)>, body: Bytes) -> StatusCode {
    let report = if outcome == "response" { Report::Answer(body) } else { Report::Failure(body) };
    let _ = channels.1.send(report);
    StatusCode::ACCEPTED
}
