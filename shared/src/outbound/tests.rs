//! Hostile receivers on loopback; `names` has the names that change their mind.

mod names;

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;

const CLOUD: Policy = Policy { allow_private: false };
const LAPTOP: Policy = Policy { allow_private: true };
const AMPLE: Duration = Duration::from_secs(20);
const TINY: Duration = Duration::from_millis(400);

/// Starts a receiver that reads one request and then does as it is told; gives its port, and what
/// the script returns.
async fn receiver<S, F, T>(script: S) -> (u16, JoinHandle<(String, T)>)
where
    S: FnOnce(TcpStream) -> F + Send + 'static,
    F: Future<Output = T> + Send,
    T: Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_request(&mut stream).await;
        (request, script(stream).await)
    });
    (port, task)
}

/// Reads until the body that every test sends.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"{}") {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
    }
    String::from_utf8(bytes).unwrap()
}

/// Waits until the client is gone, whether politely or not.
async fn until_closed(mut stream: TcpStream) {
    while let Ok(1..) = stream.read(&mut [0; 1024]).await {}
}

async fn says(answer: &'static str) -> (u16, JoinHandle<(String, ())>) {
    receiver(move |mut stream| async move {
        stream.write_all(answer.as_bytes()).await.unwrap();
        until_closed(stream).await;
    })
    .await
}

async fn post(port: u16, timeout: Duration) -> Result<Response, Failure> {
    let url = format!("http://127.0.0.1:{port}/hook?a=b");
    post_to(&Outbound::new(LAPTOP).unwrap(), &url, timeout).await
}

async fn post_to(out: &Outbound, url: &str, timeout: Duration) -> Result<Response, Failure> {
    let url = out.check_url(url).map_err(Failure::Refused)?;
    out.post(&url, HeaderMap::new(), Bytes::from_static(b"{}"), timeout).await
}

#[tokio::test]
async fn an_answer_of_any_status_is_an_answer() {
    for (answer, status, body) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        ("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", 410, ""),
        ("HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfail\r\n0\r\n\r\n", 500, "fail"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 201, ""),
    ] {
        let (port, _task) = says(answer).await;
        let response = post(port, AMPLE).await.unwrap();
        assert_eq!((response.status, response.body.as_str()), (status, body));
        assert_eq!(response.retry_after, None);
    }
}

#[tokio::test]
async fn the_request_is_what_was_given_and_its_framing_is_ours() {
    let (port, task) = says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let out = Outbound::new(LAPTOP).unwrap();
    let url = out.check_url(&format!("http://127.0.0.1:{port}/hook?a=b#fragment")).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("x-voki-event", "call.created"),
        ("host", "169.254.169.254"),
        ("content-length", "9000"),
        ("transfer-encoding", "chunked"),
        ("connection", "x-voki-event"),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    out.post(&url, headers, Bytes::from_static(b"{}"), AMPLE).await.unwrap();
    let (request, ()) = task.await.unwrap();
    let mut lines: Vec<_> = request.split("\r\n").map(str::to_lowercase).collect();
    assert_eq!(lines.remove(0), "post /hook?a=b http/1.1");
    lines.sort();
    assert_eq!(lines, ["", "content-length: 2", &format!("host: 127.0.0.1:{port}"), "x-voki-event: call.created", "{}"]);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (port, _task) = says(
        "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nRetry-After: 30\r\n\
         Content-Length: 0\r\n\r\n",
    )
    .await;
    let response = post(port, AMPLE).await.unwrap();
    assert_eq!(response.status, 302);
    assert_eq!(response.retry_after, Some(RetryAfter::Seconds(30)));
}

#[tokio::test]
async fn a_body_that_drips_meets_the_deadline() {
    let (port, task) = receiver(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n").await.unwrap();
        let mut pace = tokio::time::interval(TINY / 10);
        while stream.write_all(b".").await.is_ok() {
            pace.tick().await;
        }
    })
    .await;
    let start = Instant::now();
    assert_eq!(post(port, TINY).await, Err(Failure::Timeout));
    assert!(start.elapsed() < AMPLE);
    // The connection went with the request, or this would never end.
    task.await.unwrap();
}

#[tokio::test]
async fn a_head_that_drips_meets_the_deadline() {
    let (port, task) = receiver(|mut stream| async move {
        let mut pace = tokio::time::interval(TINY / 10);
        while stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_ok() {
            pace.tick().await;
        }
    })
    .await;
    assert_eq!(post(port, TINY).await, Err(Failure::Timeout));
    task.await.unwrap();
}

#[tokio::test]
async fn a_receiver_that_never_answers_meets_the_deadline() {
    let (port, task) = receiver(until_closed).await;
    assert_eq!(post(port, TINY).await, Err(Failure::Timeout));
    task.await.unwrap();
}

#[tokio::test]
async fn a_resolver_that_never_answers_meets_the_deadline() {
    let out = Outbound::with_resolver(CLOUD, |_| std::future::pending::<io::Result<Vec<IpAddr>>>()).unwrap();
    let outcome = post_to(&out, "https://hooks.example.com/", TINY).await;
    assert_eq!(outcome, Err(Failure::Timeout));
}

#[tokio::test]
async fn a_tls_handshake_that_never_ends_meets_the_deadline() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("https://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let outcome = post_to(&Outbound::new(LAPTOP).unwrap(), &url, TINY).await;
    assert_eq!(outcome, Err(Failure::Timeout));
}

#[tokio::test]
async fn an_endless_body_is_cut_and_the_connection_dropped() {
    let (port, task) = receiver(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut sent = 0_usize;
        while stream.write_all(&[b'x'; 8192]).await.is_ok() {
            sent += 8192;
        }
        sent
    })
    .await;
    let response = post(port, AMPLE).await.unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.body, "x".repeat(MAX_BODY));
    let (_, sent) = task.await.unwrap();
    assert!(sent < 64 << 20, "only the socket's buffers were filled: {sent}");
}

#[tokio::test]
async fn a_head_is_bounded() {
    let (port, _task) = receiver(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\nX-Large: ").await.unwrap();
        while stream.write_all(&[b'x'; 8192]).await.is_ok() {}
    })
    .await;
    let outcome = post(port, AMPLE).await;
    assert_eq!(outcome, Err(Failure::Unacceptable("its headers are too large")));

    let (port, _task) = receiver(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
        stream.write_all("a: b\r\n".repeat(500).as_bytes()).await.unwrap();
        let _ = stream.write_all(b"\r\n").await;
        until_closed(stream).await;
    })
    .await;
    let outcome = post(port, AMPLE).await;
    assert_eq!(outcome, Err(Failure::Unacceptable("its headers are too large")));
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_refused() {
    for answer in ["SSH-2.0-OpenSSH_9.6\r\n", "220 smtp.example.com ESMTP\r\n", "HTTP/9.9 200 OK\r\n\r\n"] {
        let (port, _task) = says(answer).await;
        let outcome = post(port, AMPLE).await;
        assert_eq!(outcome, Err(Failure::Unacceptable("it is not valid HTTP/1.1")), "{answer}");
    }
}

#[tokio::test]
async fn a_connection_that_ends_early_is_told_apart() {
    let (port, _task) = receiver(|stream| async move { stream.set_zero_linger().unwrap() }).await;
    assert_eq!(post(port, AMPLE).await, Err(Failure::Closed));

    let (port, _task) = receiver(|stream| async move { drop(stream) }).await;
    assert_eq!(post(port, AMPLE).await, Err(Failure::Closed));

    let (port, _task) = receiver(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\npart").await.unwrap();
    })
    .await;
    let response = post(port, AMPLE).await.unwrap();
    assert_eq!((response.status, response.body.as_str()), (200, "part"));
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_refused_by_the_other_side() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let outcome = post(port, AMPLE).await;
    assert_eq!(outcome, Err(Failure::Connect("the connection was refused")));
}

#[tokio::test]
async fn a_receiver_without_tls_is_said_so() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("https://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        until_closed(stream).await;
    });
    let outcome = post_to(&Outbound::new(LAPTOP).unwrap(), &url, AMPLE).await;
    assert_eq!(outcome, Err(Failure::Tls("the receiver does not speak TLS on this port")));
    task.await.unwrap();

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("https://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert_ne!(stream.read(&mut [0; 4096]).await.unwrap(), 0);
    });
    let outcome = post_to(&Outbound::new(LAPTOP).unwrap(), &url, AMPLE).await;
    assert_eq!(outcome, Err(Failure::Tls("the connection was closed")));
}
