//! The HTTP client of the AWS SDK: HTTP/1.1, one pool of connections for all services, TLS with the few authorities that
//! sign for AWS.
//!
//! The SDK's own client reads the system's authorities at each start, which is most of a cold start, and brings HTTP/2,
//! which none of our services speaks.

use std::{sync::Arc, time::Duration};

use aws_smithy_runtime_api::client::{
    connection::{CaptureSmithyConnection, ConnectionMetadata},
    http::{self, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        self, Client,
        connect::{CaptureConnection, HttpConnector, capture_connection},
    },
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

/// How long a connection may take to be made; the SDK's own figure.
const CONNECT: Duration = Duration::from_millis(3_100);

/// The roots of Amazon Trust Services.
const AMAZON: &[u8] = include_bytes!("amazon.pem");

/// A client that trusts Amazon's authorities, and those in a file of certificates (PEM).
///
/// # Errors
/// What is wrong with the file.
pub fn client(more: Option<&[u8]>) -> Result<SharedHttpClient, String> {
    let mut roots = RootCertStore::empty();
    for certificates in [Some(AMAZON), more].into_iter().flatten() {
        trust(&mut roots, certificates)?;
    }
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT));
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
    let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
    let shared = SharedHttpConnector::new(Https(client));
    Ok(http::http_client_fn(move |_, _| shared.clone()))
}

/// Adds the certificates of a file, at least one.
fn trust(roots: &mut RootCertStore, certificates: &[u8]) -> Result<(), String> {
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(certificates) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.len() > before { Ok(()) } else { Err("has no certificate".into()) }
}

#[derive(Debug)]
struct Https(Client<HttpsConnector<HttpConnector>, SdkBody>);

impl http::HttpConnector for Https {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        // The SDK gives a connection up on which a server failed.
        let connection = capture_connection(&mut request);
        if let Some(wanted) = request.extensions().get::<CaptureSmithyConnection>() {
            wanted.set_connection_retriever(move || Some(metadata(connection.clone())));
        }
        let answer = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(failure)?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x)).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

fn metadata(connection: CaptureConnection) -> ConnectionMetadata {
    let poison = move || {
        if let Some(connection) = connection.connection_metadata().as_ref() {
            connection.poison();
        }
    };
    ConnectionMetadata::builder().proxied(false).poison_fn(poison).build()
}

/// Whatever breaks a connection may be tried again, as the SDK does with what it calls I/O.
fn failure(error: legacy::Error) -> ConnectorError {
    ConnectorError::io(error.into())
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// Each certificate stands below its name and its fingerprint, as its issuer publishes them.
    #[test]
    fn the_five_roots_are_what_they_are_said_to_be() {
        let text = std::str::from_utf8(AMAZON).unwrap();
        let said: Vec<&str> =
            text.lines().filter(|line| line.len() == 64 && line.bytes().all(|b| b.is_ascii_hexdigit())).collect();
        let found =
            CertificateDer::pem_slice_iter(AMAZON).map(|certificate| crate::text::hex(&Sha256::digest(certificate.unwrap())));
        assert_eq!(found.collect::<Vec<_>>(), said);
        assert_eq!(said.len(), 5);
    }

    #[test]
    fn a_file_of_certificates_is_added_and_any_other_file_refused() {
        let mut roots = RootCertStore::empty();
        trust(&mut roots, AMAZON).unwrap();
        assert_eq!(roots.len(), 5);
        assert!(client(Some(AMAZON)).is_ok());
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for bad in ["", "no certificate", broken] {
            assert!(client(Some(bad.as_bytes())).is_err(), "{bad}");
        }
    }
}
