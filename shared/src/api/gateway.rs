//! Behind an API Gateway HTTP API: its events (payload format 2.0) become requests, answers become what it takes.
//!
//! `lambda_http` makes the requests, of events without what it cannot stand: paths that are not coded, the prefix of a stage.
//! Answers are made here: it would take the byte order mark off a file.

use std::net::SocketAddr;

use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest as Event, ApiGatewayV2httpResponse as Answer},
    encodings::Body,
};
use axum::{
    Router,
    body::to_bytes,
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderName, HeaderValue},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_http::request::LambdaRequest;
use lambda_runtime::{
    Error, LambdaEvent, service_fn,
    tower::{Service, ServiceExt},
};

/// A service as the function that the gateway calls.
#[must_use]
pub fn behind(service: Router) -> impl Service<LambdaEvent<Event>, Response = Answer, Error = Error, Future: Send> + Clone {
    service_fn(move |event: LambdaEvent<Event>| Box::pin(answer(service.clone(), event.payload)))
}

async fn answer(service: Router, event: Event) -> Result<Answer, Error> {
    let (head, body) = service.oneshot(request(event)?).await?.into_parts();
    let mut answer = Answer::default();
    answer.status_code = head.status.as_u16().into();
    answer.headers = joined(&head.headers);
    // Text goes as it is, byte for byte; all else in base64.
    let body = match String::from_utf8(to_bytes(body, usize::MAX).await?.into()) {
        Ok(text) => Body::Text(text),
        Err(bytes) => Body::Binary(bytes.into_bytes()),
    };
    answer.is_base64_encoded = matches!(body, Body::Binary(_));
    answer.body = Some(body);
    Ok(answer)
}

/// Each header once, which is all that the gateway takes.
fn joined(headers: &HeaderMap) -> HeaderMap {
    let one = |name: &HeaderName| {
        let values: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        Some((name.clone(), HeaderValue::from_bytes(&values.join(&b", "[..])).ok()?))
    };
    headers.keys().filter_map(one).collect()
}

fn request(mut event: Event) -> Result<Request, Error> {
    let stage = event.request_context.stage.take().unwrap_or_default();
    let path = event.raw_path.unwrap_or_default();
    event.raw_path = Some(format!("/{}", coded(without_stage(&path, &stage))));
    event.raw_query_string = event.raw_query_string.map(|query| coded(&query));
    if event.is_base64_encoded {
        STANDARD.decode(event.body.as_deref().unwrap_or_default())?;
    }
    let address = event.request_context.http.source_ip.as_ref().map(|address| address.parse());
    let mut request = lambda_http::Request::from(LambdaRequest::ApiGatewayV2(event)).map(axum::body::Body::new);
    if let Some(Ok(address)) = address {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address, 0)));
    }
    Ok(request)
}

/// A path without its first slash, and without the prefix of a named stage (`/prod/api/health`); `$default` has none.
fn without_stage<'a>(path: &'a str, stage: &str) -> &'a str {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.strip_prefix(stage).and_then(|inner| inner.strip_prefix('/')).filter(|_| !stage.is_empty()).unwrap_or(path)
}

/// With everything coded that must not stand in a URI as it is; some clients leave that out.
fn coded(text: &str) -> String {
    let mut coded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'!'..=b'~' if !br##""#<>?\^`{|}"##.contains(&byte) => coded.push(byte.into()),
            _ => coded.extend(['%', digit(byte >> 4), digit(byte & 15)]),
        }
    }
    coded
}

/// A hexadecimal digit.
fn digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "no part of the API")]
mod tests {
    use axum::routing::get;
    use lambda_runtime::Context;
    use serde_json::{Value, json};

    use super::*;

    async fn ask(service: Router, path: &str) -> Value {
        let event = json!({
            "version": "2.0",
            "rawPath": path,
            "headers": {},
            "requestContext": { "http": { "method": "GET" }, "stage": "$default" },
        });
        let event = serde_json::from_value(event).unwrap();
        serde_json::to_value(behind(service).oneshot(LambdaEvent::new(event, Context::default())).await.unwrap()).unwrap()
    }

    /// A spreadsheet tells by its first three bytes that a file is UTF-8.
    #[tokio::test]
    async fn text_passes_byte_for_byte_and_all_else_in_base64() {
        let service = Router::new()
            .route("/text", get(|| async { ([("content-type", "text/csv; charset=utf-8")], "\u{feff}é;1\r\n") }))
            .route("/zip", get(|| async { [0x1f, 0x8b, 0x08] }));
        let text = ask(service.clone(), "/text").await;
        assert_eq!((&text["body"], &text["isBase64Encoded"]), (&json!("\u{feff}é;1\r\n"), &json!(false)));
        let zip = ask(service, "/zip").await;
        assert_eq!((&zip["body"], &zip["isBase64Encoded"]), (&json!("H4sI"), &json!(true)));
    }

    #[test]
    fn a_repeated_header_is_one_with_all_values() {
        let mut headers = HeaderMap::new();
        for value in ["origin", "accept-encoding"] {
            headers.append("vary", HeaderValue::from_static(value));
        }
        assert_eq!(joined(&headers)["vary"], "origin, accept-encoding");
    }

    #[test]
    fn what_a_client_left_uncoded_is_coded() {
        assert_eq!(coded("a/b%20c&d=e+f:~[1]"), "a/b%20c&d=e+f:~[1]");
        assert_eq!(coded("é <a>?#\u{0}"), "%c3%a9%20%3ca%3e%3f%23%00");
    }

    #[test]
    fn a_stage_is_no_part_of_the_path() {
        assert_eq!(without_stage("/prod/api", "prod"), "api");
        for (path, stage) in [("/api", "$default"), ("/api", "prod"), ("/api", ""), ("/api", "ap"), ("api", "prod")] {
            assert_eq!(without_stage(path, stage), "api", "{path} {stage}");
        }
    }
}
