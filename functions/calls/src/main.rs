//! The `calls` function.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::api::run(calls::routes(), calls::NEEDS).await
}
