//! The `appointments` function.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::api::run(appointments::routes(), appointments::NEEDS).await
}
