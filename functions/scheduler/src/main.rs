//! The `scheduler` function.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::worker::run(scheduler::handle, scheduler::NEEDS).await
}
