//! The gateway between a client and a function: requests as the events that Lambda is given, answers as it returns them.

use std::collections::BTreeMap;

use axum::Router;
use lambda_runtime::{Context, LambdaEvent, tower::ServiceExt};
use serde_json::{Value, json};
use shared::{api::gateway::behind, clock::Time};
use url::form_urlencoded;

use crate::operations::Operation;

/// The name under which the API is reached.
const HOST: &str = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com";
/// What clients call themselves.
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0";

/// How an operation is called.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// Who calls, by the name in the [`World`](crate::World).
    pub caller: Option<&'static str>,
    /// What stands in the slots of the path.
    pub slots: BTreeMap<String, String>,
    /// The parameters of the query.
    pub query: Vec<(String, String)>,
    /// Headers beside those that every client sends.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Option<Value>,
}

impl Ask {
    /// A call by somebody.
    #[must_use]
    pub fn by(caller: &'static str) -> Self {
        Self { caller: Some(caller), ..Self::default() }
    }

    /// With this in a slot of the path.
    #[must_use]
    pub fn slot(mut self, name: &str, value: &str) -> Self {
        self.slots.insert(name.into(), value.into());
        self
    }

    /// With a parameter of the query more.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// With a header more, or another value of one.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// The event of this call of an operation at a moment.
    #[must_use]
    pub fn event(&self, operation: &Operation, at: Time) -> Value {
        let slots = &self.slots;
        let path: Vec<&str> = operation.path.split('/').map(|part| slot(part).map_or(part, |name| &slots[name])).collect();
        let mut event = event(operation.method, &path.join("/"), &operation.to_string(), at);
        if !slots.is_empty() {
            event["pathParameters"] = json!(slots);
        }
        if !self.query.is_empty() {
            event["rawQueryString"] = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish().into();
            event["queryStringParameters"] = json!(BTreeMap::from_iter(self.query.clone()));
        }
        for (name, value) in &self.headers {
            event["headers"][name] = value.as_str().into();
        }
        if let Some(body) = &self.body {
            let text = body.to_string();
            event["headers"]["content-type"] = "application/json".into();
            event["headers"]["content-length"] = text.len().to_string().into();
            event["body"] = text.into();
        }
        event
    }
}

/// The name of a slot of a path.
fn slot(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

/// The event of a bare request; `route` is what the gateway found it to be, `$default` where it found nothing.
#[must_use]
pub fn event(method: &str, path: &str, route: &str, at: Time) -> Value {
    let address = "203.0.113.25";
    json!({
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "application/json",
            "host": HOST,
            "user-agent": AGENT,
            "x-amzn-trace-id": "Root=1-69982d20-1de4d666d4dd26aced652b6c",
            "x-forwarded-for": address,
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": HOST,
            "domainPrefix": "a1b2c3d4e5",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": address, "userAgent": AGENT },
            "requestId": "ZGVtb3JlcXVlc3Q=",
            "routeKey": route,
            "stage": "$default",
            "time": at.utc().format("%d/%b/%Y:%H:%M:%S %z").to_string(),
            "timeEpoch": at.epoch() * 1000,
        },
        "isBase64Encoded": false,
    })
}

/// Hands an event to a function's service as Lambda does; answers what the function returns.
///
/// # Errors
/// Why it is no event of a gateway.
pub async fn invoke(service: Router, event: &str) -> Result<Value, String> {
    let event = serde_json::from_str(event).map_err(|error| error.to_string())?;
    let answer = behind(service).oneshot(LambdaEvent::new(event, Context::default())).await.map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(answer).unwrap())
}

/// An answer as people read it: a JSON body in place of its text.
#[must_use]
pub fn readable(mut answer: Value) -> Value {
    let is_json = answer["headers"]["content-type"].as_str().is_some_and(|media| media.starts_with("application/json"));
    if let Some(body) = answer["body"].as_str().filter(|body| is_json && !body.is_empty()) {
        answer["body"] = serde_json::from_str(body).unwrap();
    }
    answer
}
