//! A function that panics when it is told to: `api` behind the gateway, `worker` on a queue.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use axum::{Router, extract::Path, routing::get};
use shared::{Error, Result, app::App, worker};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "no part of the API")]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>> {
    match std::env::args().nth(1).as_deref() {
        Some("api") => shared::api::run(Router::new().route("/{word}", get(answer)), &[]).await,
        _ => worker::run(work, &[]).await,
    }
}

async fn answer(Path(word): Path<String>) -> Result<String> {
    obey(word)
}

async fn work(_: App, event: SqsEvent) -> Result<SqsBatchResponse> {
    assert!(!event.records.is_empty(), "an empty batch");
    Ok(worker::batch(event, |body| async { obey(body).map(drop) }).await)
}

#[expect(clippy::panic, reason = "it was told to")]
fn obey(word: String) -> Result<String> {
    match word.as_str() {
        "panic" => panic!("as you wish"),
        "fail" => Err(Error::Internal("as you wish".into())),
        _ => Ok(word),
    }
}
