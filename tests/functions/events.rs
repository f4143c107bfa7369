//! What one bad event leaves behind: nothing, the next one is worked on.

use serde_json::{Value, json};
use shared::{
    ids::{DeliveryId, EventId, WebhookId},
    queue::Message,
};
use tests::{Function, Settings, Stack, request};

use crate::{PANICKING, USERS, WEBHOOK_WORKER, program};

/// A batch of the queue.
pub fn batch(bodies: &[&str]) -> String {
    let message = |(n, body): (usize, &&str)| json!({ "messageId": n.to_string(), "body": body });
    json!({ "Records": bodies.iter().enumerate().map(message).collect::<Vec<_>>() }).to_string()
}

/// The body of a message that asks for a delivery.
pub fn delivery() -> String {
    let message = Message {
        tenant: "acme".into(),
        delivery_id: DeliveryId::default(),
        webhook_id: WebhookId::default(),
        event_id: EventId::default(),
    };
    serde_json::to_string(&message).unwrap()
}

/// The identifiers of the messages that shall come again.
pub fn failures(answer: &Value) -> Vec<&str> {
    let failures = answer["batchItemFailures"].as_array().unwrap();
    let mut failures: Vec<_> = failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap()).collect();
    failures.sort_unstable();
    failures
}

#[tokio::test]
async fn a_request_through_the_gateway_is_answered_in_our_envelope() {
    let mut function = Function::start(&mut program(USERS)).await.unwrap();
    for (method, path, status) in
        [("GET", "/api/v1/users/me", 401), ("GET", "/api/v1/nobody", 404), ("PATCH", "/api/v1/users", 405)]
    {
        let answer = function.invoke(request(method, path).to_string()).await.unwrap();
        assert_eq!(answer["statusCode"], json!(status), "{answer}");
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert!(body["errors"]["detail"].is_string(), "{body}");
        assert!(answer["headers"]["x-request-id"].is_string(), "{answer}");
    }
}

#[tokio::test]
async fn what_is_no_event_is_one_failed_invocation() {
    for (path, good) in [(USERS, request("GET", "/api/v1/users/me").to_string()), (WEBHOOK_WORKER, batch(&[]))] {
        let mut function = Function::start(&mut program(path)).await.unwrap();
        for bad in ["no JSON", "", "null", "[]", "{}", r#"{"hello":"world"}"#, "\u{0}\u{1}"] {
            let error = function.invoke(bad).await.unwrap_err();
            assert!(error["errorMessage"].is_string(), "{bad}: {error}");
            let _ = function.invoke(good.clone()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_handler_that_panics_is_one_500() {
    let mut function = Function::start(program(PANICKING).arg("api")).await.unwrap();
    for (path, status) in [("/panic", 500), ("/fine", 200), ("/fail", 500), ("/panic", 500), ("/fine", 200)] {
        let answer = function.invoke(request("GET", path).to_string()).await.unwrap();
        assert_eq!(answer["statusCode"], json!(status), "{answer}");
        assert!(!answer["body"].as_str().unwrap().contains("as you wish"), "{answer}");
    }
}

#[tokio::test]
async fn a_worker_that_panics_is_one_failed_invocation() {
    let mut function = Function::start(program(PANICKING).arg("worker")).await.unwrap();
    let error = function.invoke(batch(&[])).await.unwrap_err();
    assert_eq!(error["errorMessage"], "Lambda panicked: an empty batch");
    assert!(failures(&function.invoke(batch(&["fine"])).await.unwrap()).is_empty());
}

#[tokio::test]
async fn a_message_that_fails_or_panics_comes_again_alone() {
    let mut function = Function::start(program(PANICKING).arg("worker")).await.unwrap();
    let answer = function.invoke(batch(&["fine", "panic", "fine", "fail", "fine"])).await.unwrap();
    assert_eq!(failures(&answer), ["1", "3"]);
    assert!(failures(&function.invoke(batch(&["fine"])).await.unwrap()).is_empty());
}

/// Deliveries that are gone are nothing to do; what is no message fails.
#[tokio::test]
async fn of_deliveries_a_poisoned_message_comes_again_alone() {
    let stack = Stack::start(Settings::default()).await;
    let mut worker = program(WEBHOOK_WORKER);
    worker.envs(stack.endpoints()).env("VOKI_TABLE", &stack.app().cloud().table);
    let mut function = Function::start(&mut worker).await.unwrap();
    let answer = function.invoke(batch(&[&delivery(), "poison", &delivery(), "{}"])).await.unwrap();
    assert_eq!(failures(&answer), ["1", "3"]);
    stack.shutdown().await;
}
