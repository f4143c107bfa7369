//! The `docs` function.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::api::run_service(docs::service, docs::NEEDS).await
}
