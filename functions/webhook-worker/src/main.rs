//! The `webhook-worker` function.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::worker::run(webhook_worker::handle, webhook_worker::NEEDS).await
}
