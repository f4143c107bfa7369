//! What is wrong with its environment a function says at once, in one line, and ends.

use tests::{Ended, Function};
use tokio::process::Command;

use crate::{USERS, WEBHOOK_WORKER, program};

/// What a function says that does not start.
async fn refusal(program: &mut Command) -> String {
    let Ended { code, stderr } = Function::start(program).await.unwrap_err();
    assert_eq!((code, stderr.lines().count()), (Some(1), 1), "{stderr}");
    stderr
}

#[tokio::test]
async fn a_function_with_all_that_it_needs_asks_for_its_first_event() {
    for path in [USERS, WEBHOOK_WORKER] {
        let ended = Function::start(&mut program(path)).await.unwrap().end().await;
        assert_eq!(ended.stderr, "");
    }
}

#[tokio::test]
async fn a_missing_variable_is_named() {
    let all = ["VOKI_TABLE", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    for (path, own) in [(USERS, &["VOKI_DATA_SECRET"][..]), (WEBHOOK_WORKER, &["VOKI_DATA_SECRET", "VOKI_QUEUE_URL"])] {
        for name in all.iter().chain(own) {
            let said = refusal(program(path).env_remove(name)).await;
            assert!(said.contains(&format!("{name}: ")), "{name}: {said}");
            let said = refusal(program(path).env(name, "")).await;
            assert!(said.contains(&format!("{name}: ")), "{name} is empty: {said}");
        }
    }
}

#[tokio::test]
async fn a_malformed_or_unknown_variable_is_named() {
    for (name, value) in [
        ("VOKI_DATA_SECRET", "c2hvcnQ"),
        ("VOKI_SIGNUP", "perhaps"),
        ("VOKI_RATE_LIMIT_AUTH", "5"),
        ("VOKI_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "localhost:8000"),
        ("AWS_CA_BUNDLE", "/nowhere/bundle.pem"),
        ("AWS_CA_BUNDLE", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")),
        ("RUST_LOG", "shared=loud"),
        ("VOKI_COLOUR", "blue"),
        // It has no use for these, and does not take them.
        ("VOKI_AUTH_SECRET", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"),
        ("VOKI_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/voki-deliveries"),
    ] {
        let said = refusal(program(USERS).env(name, value)).await;
        assert!(said.contains(&format!("{name}: ")), "{name}={value}: {said}");
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_named_in_the_one_line() {
    let mut bad = program(USERS);
    let said = refusal(bad.env_remove("VOKI_TABLE").env("VOKI_SIGNUP", "perhaps").env("VOKI_COLOUR", "blue")).await;
    for name in ["VOKI_TABLE: ", "VOKI_SIGNUP: ", "VOKI_COLOUR: "] {
        assert!(said.contains(name), "{name}: {said}");
    }
}

#[tokio::test]
async fn a_secret_is_not_repeated() {
    let said = refusal(program(USERS).env("VOKI_DATA_SECRET", "c2VjcmV0LW9mLTMxLWJ5dGVz").env("VOKI_COLOUR", "teal")).await;
    assert!(said.contains("VOKI_DATA_SECRET: ") && !said.contains("c2VjcmV0") && !said.contains("teal"), "{said}");
}
