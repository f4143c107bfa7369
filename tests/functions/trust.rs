//! Whom a function trusts: Amazon's authorities, and those in the file that `AWS_CA_BUNDLE` names.

use std::{convert::Infallible, sync::Arc};

use http::Response;
use http_body_util::Full;
use hyper::{body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tests::Function;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{
    WEBHOOK_WORKER,
    events::{batch, delivery, failures},
    program,
};

/// A DynamoDB behind TLS, in which no object is; answers where it is and its certificate.
async fn empty_table() -> (String, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let tls = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        loop {
            // Who does not trust the certificate hangs up.
            let Ok(stream) = tls.accept(listener.accept().await.unwrap().0).await else { continue };
            let nothing = || Response::new(Full::new(Bytes::from_static(br#"{"Responses":{},"UnprocessedKeys":{}}"#)));
            let answer = service_fn(move |_| async move { Ok::<_, Infallible>(nothing()) });
            tokio::spawn(async move { http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await });
        }
    });
    (url, cert.pem())
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_when_it_is_named() {
    let (url, certificate) = empty_table().await;
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle.pem");
    std::fs::write(&bundle, certificate).unwrap();
    let mut stranger = Function::start(program(WEBHOOK_WORKER).env("AWS_ENDPOINT_URL", &url)).await.unwrap();
    assert_eq!(failures(&stranger.invoke(batch(&[&delivery()])).await.unwrap()), ["0"]);
    let mut trusting = program(WEBHOOK_WORKER);
    trusting.env("AWS_ENDPOINT_URL", &url).env("AWS_CA_BUNDLE", &bundle);
    let mut trusting = Function::start(&mut trusting).await.unwrap();
    assert!(failures(&trusting.invoke(batch(&[&delivery()])).await.unwrap()).is_empty());
}
