//! The `export` function.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::api::run(export::routes(), export::NEEDS).await
}
