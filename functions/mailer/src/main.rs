//! The `mailer` function.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::worker::run(mailer::handle, mailer::NEEDS).await
}
