//! One signed attempt at a receiver.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    app::App,
    error::Result,
    ids::{DeliveryId, EventId},
    models::{
        Webhook,
        delivery::{Attempt, Outcome, TIMEOUT},
        webhook::Private,
    },
};

/// Posts a body to a webhook, signed, within 15 seconds; whatever comes of it is an outcome.
///
/// # Errors
/// [`crate::error::Error::Internal`] when there is no client to do it with.
pub async fn attempt(
    app: &App,
    tenant: &str,
    webhook: &Webhook,
    event: EventId,
    name: &str,
    delivery: DeliveryId,
    body: &str,
) -> Result<Outcome> {
    let at = app.clock().now();
    let started = tokio::time::Instant::now();
    let outbound = app.outbound()?;
    let private = webhook.private(tenant, &app.vault()?)?;
    let answer = match outbound.check_url(&webhook.url) {
        Ok(url) => {
            let headers = headers(&private, event, name, delivery, at, body);
            outbound.post(&url, headers, body.to_owned().into(), TIMEOUT).await.map_err(|failure| failure.to_string())
        }
        Err(refusal) => Err(format!("The URL {refusal}")),
    };
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(match answer {
        Ok(response) => Outcome {
            attempt: Attempt { at, response_code: Some(response.status), error: None, duration_ms },
            response_body: Some(response.body),
            retry_after: response.retry_after.map(|wait| wait.delay(app.clock().now().utc())),
        },
        Err(error) => Outcome {
            attempt: Attempt { at, response_code: None, error: Some(error), duration_ms },
            response_body: None,
            retry_after: None,
        },
    })
}

fn headers(private: &Private, event: EventId, name: &str, delivery: DeliveryId, at: crate::clock::Time, body: &str) -> HeaderMap {
    let own = private.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
    let fixed = [
        ("content-type", "application/json".to_owned()),
        ("user-agent", "Voki-Webhooks/1".to_owned()),
        ("x-voki-event", name.to_owned()),
        ("x-voki-delivery", delivery.to_string()),
    ];
    let signed = private.signatures(event, at, body);
    let ours = fixed.into_iter().chain(signed).map(|(name, value)| (name.to_owned(), value));
    own.chain(ours)
        .filter_map(|(name, value)| Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?)))
        .collect()
}
