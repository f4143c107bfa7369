//! The `events-dispatcher` function.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::worker::run(events_dispatcher::handle, events_dispatcher::NEEDS).await
}
