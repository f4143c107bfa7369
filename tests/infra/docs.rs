//! What the documentation's function answers: its files, and every request that no other function takes.

use std::io::Read;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use http_body_util::BodyExt;
use lambda_runtime::tower::ServiceExt;
use shared::api::service;
use tests::{
    NOW,
    gateway::{event, invoke},
    shared,
};

/// Status, headers and body.
async fn said(service: &Router, method: &str, path: &str) -> (StatusCode, Vec<(String, String)>, Vec<u8>) {
    let request =
        Request::builder().method(method).uri(path).header("origin", "https://app.example.com").header("x-request-id", "same");
    let (parts, body) = service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().into_parts();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let mut headers: Vec<_> = headers.collect();
    headers.sort();
    (parts.status, headers, body.collect().await.unwrap().to_bytes().to_vec())
}

/// Behind the gateway each function has its own routes; what none takes is answered as if one had them all.
#[tokio::test]
async fn what_no_function_takes_is_answered_as_by_the_whole() {
    let app = shared().app();
    let (whole, default) = (service(app, local::routes()), docs::service(app));
    let routes = local::routes();
    let methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"];
    let mut refused = 0;
    for path in routes.operations().iter().map(|operation| operation.path) {
        let known: Vec<_> = routes.operations().iter().filter(|operation| operation.path == path).map(|one| one.method).collect();
        for method in methods {
            if known.contains(&method) || (method == "HEAD" && known.contains(&"GET")) {
                continue;
            }
            for path in [path.to_owned(), filled(path, "019c61c5-2340-7a5e-8b1c-0242ac120002"), filled(path, "%2F%C3%A9")] {
                let (mut answer, mut expected) = (said(&default, method, &path).await, said(&whole, method, &path).await);
                if method == "OPTIONS" {
                    // A preflight asks what may be sent, not what is there.
                    for (_, headers, _) in [&mut answer, &mut expected] {
                        headers.retain(|(name, _)| name != "allow");
                    }
                }
                assert_eq!(answer, expected, "{method} {path}");
                assert_eq!(answer.0, if method == "OPTIONS" { 200 } else { 405 }, "{method} {path}");
                refused += 1;
            }
        }
    }
    assert!(refused > 200, "{refused}");
}

fn filled(path: &str, value: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { value } else { part }).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn an_unknown_path_is_404_by_either() {
    let app = shared().app();
    let (whole, default) = (service(app, local::routes()), docs::service(app));
    for path in [
        "/",
        "/api",
        "/API/v1/users/me",
        "/api/v1/departments/",
        "//api/v1/departments",
        "/api/v1/departments/a/b",
        "/api/v1/departments%2Fa",
        "/api/v1/call/a/b",
        "/api/v1/call/status",
        "/docs/",
        "/docs/a/b",
        "/openapi.json",
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"] {
            let answer = said(&default, method, path).await;
            assert_eq!(answer, said(&whole, method, path).await, "{method} {path}");
            assert_eq!(answer.0, 404, "{method} {path}");
        }
    }
}

/// The files that the page refers to.
fn referred(page: &str) -> Vec<String> {
    let quoted = page.split('"').filter(|text| text.starts_with("docs/"));
    quoted.map(|file| format!("/{file}")).collect()
}

fn unzipped(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

#[tokio::test]
async fn the_page_has_all_its_files_and_needs_nothing_else() {
    let client = shared().client();
    let page = client.get("/docs").await.expect(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    let files = referred(&page.text());
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        let plain = client.get(&file).await.expect(200);
        assert_eq!(plain.header("content-encoding"), None);
        assert_eq!(plain.header("cache-control"), Some("public, max-age=31536000, immutable"));
        let coded = client.with("accept-encoding", "gzip").get(&file).await.expect(200);
        let same = if coded.header("content-encoding").is_some() { unzipped(&coded.bytes) } else { coded.bytes.to_vec() };
        assert!(plain.bytes == same, "{file}");
        let another = file.replace('-', "-0");
        assert_eq!(client.get(&another).await.expect(404).errors()["detail"], "Resource not found");
    }
}

#[tokio::test]
async fn the_document_is_asked_for_again_only_when_it_changed() {
    let client = shared().client();
    for path in ["/docs", "/api/openapi.json"] {
        for client in [client.clone(), client.with("accept-encoding", "gzip")] {
            let first = client.get(path).await.expect(200);
            let again = client.with("if-none-match", first.header("etag").unwrap()).get(path).await.expect(304);
            assert!(again.bytes.is_empty());
            let _ = client.with("if-none-match", "\"other\"").get(path).await.expect(200);
        }
    }
    let plain = client.get("/api/openapi.json").await.expect(200);
    let coded = client.with("accept-encoding", "gzip").get("/api/openapi.json").await.expect(200);
    assert_eq!(plain.text(), docs::OPENAPI);
    assert_eq!(unzipped(&coded.bytes), plain.bytes);
    assert_ne!(coded.header("etag"), plain.header("etag"));
}

/// A gateway hands text on as it is, all else in base 64.
#[tokio::test]
async fn compressed_files_pass_through_the_gateway() {
    let service = || docs::service(shared().app());
    let page = invoke(service(), &event("GET", "/docs", "GET /docs", NOW).to_string()).await.unwrap();
    assert_eq!((&page["statusCode"], &page["isBase64Encoded"]), (&200.into(), &false.into()));
    let file = referred(page["body"].as_str().unwrap())
        .into_iter()
        .find(|file| file.contains("swagger-ui") && file.contains(".js"))
        .unwrap();
    let mut event = event("GET", &file, "GET /docs/{file}", NOW);
    event["headers"]["accept-encoding"] = "gzip, br".into();
    let answer = invoke(service(), &event.to_string()).await.unwrap();
    assert_eq!((&answer["statusCode"], &answer["isBase64Encoded"]), (&200.into(), &true.into()));
    let script = unzipped(&STANDARD.decode(answer["body"].as_str().unwrap()).unwrap());
    assert!(String::from_utf8(script).unwrap().contains("SwaggerUIBundle"));
}
