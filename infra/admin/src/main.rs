//! `cargo run -p admin`: an operator's commands. With `VOKI_TABLE` in the environment they are about that table in the cloud,
//! else about the data folder of a stack on this machine, which must not be running.

use std::{net::SocketAddr, process::ExitCode};

use admin::{USAGE, command};
use local::{Stack, settings::LocalSettings};
use shared::{
    Error,
    app::{App, Need, settings::Variables},
};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "what a person at a terminal reads")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments).await {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("voki: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[&str]) -> Result<String, Box<dyn std::error::Error>> {
    if arguments.is_empty() {
        return Err(USAGE.into());
    }
    let variables = Variables::from_env();
    if variables.has("VOKI_TABLE") {
        let needs: &[Need] = if arguments[0] == "keys" { &[Need::AuthSecret] } else { &[] };
        return Ok(command(&App::from_env(needs)?, arguments).await.map_err(told)?);
    }
    let mut settings = LocalSettings::read(variables)?;
    settings.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    settings.demo = false;
    let stack = Stack::start(settings).await?;
    let said = command(&stack.app, arguments).await.map_err(told);
    stack.shutdown().await;
    Ok(said?)
}

/// What is wrong with the arguments, for a person to read.
fn told(error: Error) -> String {
    match error {
        Error::Invalid(violations) => {
            let lines = violations.iter().map(|(path, messages)| format!("{path} {}", messages.join(", ")));
            lines.collect::<Vec<_>>().join("; ")
        }
        error => error.to_string(),
    }
}
