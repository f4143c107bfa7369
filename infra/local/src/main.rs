//! `cargo run -p local`: the whole product on one machine.

use std::process::ExitCode;

use local::{Stack, settings::LocalSettings};
use shared::app::settings::Variables;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("voki: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(argument) = std::env::args().nth(1) {
        return Err(
            format!("{argument}: there are no arguments, settings are variables (README, Settings of the local stack)").into()
        );
    }
    let settings = LocalSettings::read(Variables::from_env())?;
    shared::api::start_log(&settings.shared);
    let mut terminate = signal(SignalKind::terminate())?;
    let stack = Stack::start(settings).await?;
    announce(&stack);
    tokio::select! {
        _ = terminate.recv() => {}
        done = tokio::signal::ctrl_c() => done?,
    }
    stack.shutdown().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what a person at a terminal reads first")]
fn announce(stack: &Stack) {
    let site = format!("http://{}", stack.address);
    println!("Voki API on {site}");
    println!("Documentation on {site}/docs");
    if stack.demo {
        println!("Demo tenant demo: manager@demo.test, supervisor@demo.test, attendant@demo.test; password voki-demo-2026");
    }
}
