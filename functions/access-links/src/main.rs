//! The `access-links` function.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::api::run(access_links::routes(), access_links::NEEDS).await
}
