//! The `departments` function.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::api::run(departments::routes(), departments::NEEDS).await
}
