//! Names that change their mind (DNS rebinding), or have none.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A resolver with one list of addresses per look-up; the last one stays.
fn rebinding(answers: &'static [&'static [&'static str]]) -> (impl Resolver, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let resolver = move |_| {
        let turn = count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        let found = answers[turn].iter().map(|ip| ip.parse().unwrap()).collect();
        std::future::ready(Ok(found))
    };
    (resolver, asked)
}

#[tokio::test]
async fn a_name_that_turns_private_after_it_was_saved_is_not_connected_to() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (resolver, asked) = rebinding(&[&["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1"]]);
    let out = Outbound::with_resolver(CLOUD, resolver).unwrap();
    let url = out.check_url(&format!("https://hooks.example.com:{port}/")).unwrap();
    let outcome = out.post(&url, HeaderMap::new(), Bytes::new(), AMPLE).await;
    assert_eq!(outcome, Err(Failure::Refused(Refusal::Reserved)));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let nobody = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
    assert!(nobody.is_err(), "no connection was made");
}

#[tokio::test]
async fn the_address_that_was_judged_is_the_one_connected_to() {
    let (port, _task) = says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    // A second look-up would get an address where nobody listens.
    let (resolver, asked) = rebinding(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let out = Outbound::with_resolver(LAPTOP, resolver).unwrap();
    let outcome = post_to(&out, &format!("http://hooks.example.com:{port}/"), AMPLE).await;
    assert_eq!(outcome.map(|r| r.status), Ok(200));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // No connection is kept: the next request resolves, and is judged, again.
    let outcome = post_to(&out, &format!("http://hooks.example.com:{port}/"), AMPLE).await;
    assert_eq!(outcome, Err(Failure::Connect("the connection was refused")));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_is_dead() {
    let (port, _task) = says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let (resolver, _) = rebinding(&[&["127.0.0.2", "127.0.0.1"]]);
    let out = Outbound::with_resolver(LAPTOP, resolver).unwrap();
    let outcome = post_to(&out, &format!("http://hooks.example.com:{port}/"), AMPLE).await;
    assert_eq!(outcome.map(|r| r.status), Ok(200));
}

#[tokio::test]
async fn a_name_without_addresses_is_a_failure_to_connect() {
    let unresolved = Err(Failure::Connect("the host name could not be resolved"));
    let (resolver, _) = rebinding(&[&[]]);
    let out = Outbound::with_resolver(CLOUD, resolver).unwrap();
    assert_eq!(post_to(&out, "https://hooks.example.com/", AMPLE).await, unresolved);
    let failing = |_| std::future::ready(Err(io::Error::other("NXDOMAIN")));
    let out = Outbound::with_resolver(CLOUD, failing).unwrap();
    assert_eq!(post_to(&out, "https://hooks.example.com/", AMPLE).await, unresolved);
}

#[tokio::test]
async fn a_url_that_was_never_checked_is_checked_when_posted_to() {
    let out = Outbound::new(CLOUD).unwrap();
    for (url, refusal) in [
        ("http://example.com/", Refusal::NotHttps),
        ("https://127.0.0.1/", Refusal::Reserved),
        ("https://localhost/", Refusal::Reserved),
        ("https://u:p@example.com/", Refusal::Credentials),
    ] {
        let url = Url::parse(url).unwrap();
        let outcome = out.post(&url, HeaderMap::new(), Bytes::new(), AMPLE).await;
        assert_eq!(outcome, Err(Failure::Refused(refusal)));
    }
}
