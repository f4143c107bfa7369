//! What the `users` function takes to answer `GET /api/v1/users/me`, with a token that it verifies and a table that it asks.

use std::path::Path;

use serde_json::json;
use tests::{Function, PASSWORD, Settings, Stack, Tenant, request};
use tokio::process::Command;

use crate::process::{counted, cpu, memory, program, under_valgrind};
use crate::start::tenths;

/// Requests that are counted, after as many that are not.
const COUNTED: u64 = 100;

/// Prints instructions of one request, then memory and processor time while the function answers many.
pub async fn run(path: &Path, requests: u64) -> bool {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let token = tenant.login("manager@example.com", PASSWORD).await["access_token"].as_str().unwrap().to_owned();
    let mut event = request("GET", "/api/v1/users/me");
    event["headers"]["authorization"] = json!(format!("Bearer {token}"));
    let world = |mut program: Command| {
        program.envs(stack.endpoints()).env("VOKI_TABLE", &stack.app().cloud().table);
        program
    };

    let mut counts = Vec::new();
    for requests in [COUNTED, 2 * COUNTED] {
        let mut function = Function::start(&mut world(under_valgrind(path))).await.unwrap();
        answer(&mut function, &event.to_string(), requests).await;
        counts.push(counted(function).await);
    }
    println!("{} instructions a request\n", (counts[1] - counts[0]) / COUNTED);

    println!("| Requests | Memory, MiB | CPU per request, µs |\n|---:|---:|---:|");
    let mut function = Function::start(&mut world(program(path))).await.unwrap();
    let began = cpu(&function);
    for tenth in 1..=10 {
        answer(&mut function, &event.to_string(), requests / 10).await;
        let spent = tenths(cpu(&function) - began, tenth * requests / 10);
        println!("| {} | {} | {spent} |", tenth * requests / 10, tenths(memory(&function), 1024));
    }
    function.end().await;
    stack.shutdown().await;
    true
}

async fn answer(function: &mut Function, event: &str, requests: u64) {
    for _ in 0..requests {
        let answer = function.invoke(event.to_owned()).await.unwrap();
        assert_eq!(answer["statusCode"], json!(200), "{answer}");
    }
}
