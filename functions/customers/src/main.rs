//! The `customers` function.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::api::run(customers::routes(), customers::NEEDS).await
}
