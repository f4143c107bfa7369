//! Figures of the functions as processes; `docs/figures.md` has them and says how they are made.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on says so and ends; it prints a table"
)]

mod process;
mod requests;
mod start;
mod timing;
mod versus;

use std::{path::Path, process::ExitCode};

const USAGE: &str = "bench start <program, or folder of every function> [<most instructions> <most bytes zipped>]
bench requests <the program users> <requests>
bench timing <rounds>
bench versus <program> <command>…";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let good = match arguments[..] {
        ["start", place] => start::run(Path::new(place), u64::MAX, u64::MAX).await,
        ["start", place, instructions, zipped] => {
            start::run(Path::new(place), instructions.parse().unwrap(), zipped.parse().unwrap()).await
        }
        ["requests", program, requests] => requests::run(Path::new(program), requests.parse().unwrap()).await,
        ["timing", rounds] => timing::run(rounds.parse().unwrap()).await,
        ["versus", ..] => versus::run(&arguments[1..]).await,
        _ => {
            eprintln!("{USAGE}");
            false
        }
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
