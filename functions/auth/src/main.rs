//! The `auth` function.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::api::run(auth::routes(), auth::NEEDS).await
}
