//! The `webhooks` function.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::api::run(webhooks::routes(), webhooks::NEEDS).await
}
