//! The `tags` function.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::api::run(tags::routes(), tags::NEEDS).await
}
