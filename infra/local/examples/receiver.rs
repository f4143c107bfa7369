//! A company's own server, as far as webhooks see it: prints each delivery and whether its signature is right.
//!
//! `cargo run -p local --example receiver` listens on 127.0.0.1:4000 (or the address given); the webhook's secret is what
//! `target/webhook-secret` holds when a delivery comes in.

use axum::{Router, body::Bytes, http::HeaderMap, routing::post};
use hmac::{Hmac, Mac};
use sha2::Sha256;

#[tokio::main]
#[expect(clippy::disallowed_methods, reason = "no part of the API")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4000".into());
    let listener = tokio::net::TcpListener::bind(&address).await?;
    report(&format!("waiting for deliveries on http://{address}/hook"));
    axum::serve(listener, Router::new().route("/hook", post(receive))).await?;
    Ok(())
}

async fn receive(headers: HeaderMap, body: Bytes) {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("-").to_owned();
    let secret = std::fs::read_to_string("target/webhook-secret").unwrap_or_default();
    let signed = expected(secret.trim(), &body) == header("x-voki-signature");
    report(&format!("{} {}", header("x-voki-event"), if signed { "signature ok" } else { "SIGNATURE WRONG" }));
}

/// What `X-Voki-Signature` must be.
fn expected(secret: &str, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mac| mac.chain_update(body).finalize().into_bytes());
    format!("sha256={}", mac.map(|bytes| shared::text::hex(&bytes)).unwrap_or_default())
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn report(line: &str) {
    println!("{line}");
}
