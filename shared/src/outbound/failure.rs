//! Why a request got no answer, in words that a customer may read.

use std::error::Error;

use hyper_util::client::legacy;
use rustls::CertificateError;

use super::connect::Unconnected;
use super::guard::Refusal;

/// Why there is no answer; the text is one sentence that a customer may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The URL, or what its name resolves to now, is out of bounds.
    #[error("The URL {0}.")]
    Refused(Refusal),
    /// The whole answer did not arrive before the deadline.
    #[error("The receiver did not answer in time.")]
    Timeout,
    /// There is no connection.
    #[error("Could not connect: {0}.")]
    Connect(&'static str),
    /// There is a connection, and no trust.
    #[error("The TLS handshake failed: {0}.")]
    Tls(&'static str),
    /// The connection ended before the head of the answer was complete.
    #[error("The connection was closed before an answer arrived.")]
    Closed,
    /// The answer is not HTTP, or its head is too large.
    #[error("The answer was not acceptable: {0}.")]
    Unacceptable(&'static str),
}

impl Failure {
    /// Finds the cause by type in what the client reports, never by its text.
    pub(super) fn of(error: &legacy::Error) -> Self {
        let mut cause = error.source();
        while let Some(current) = cause {
            if let Some(failure) = Self::known(current) {
                return failure;
            }
            // An io error's source skips the error that it carries.
            cause = match current.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref()) {
                Some(carried) => Some(carried),
                None => current.source(),
            };
        }
        if error.is_connect() {
            // Without a cause of the connector's own, TCP was there and TLS was not.
            return Self::Tls("the connection was closed");
        }
        Self::Closed
    }

    fn known(cause: &(dyn Error + 'static)) -> Option<Self> {
        if let Some(unconnected) = cause.downcast_ref::<Unconnected>() {
            return Some(match *unconnected {
                Unconnected::Refused(refusal) => Self::Refused(refusal),
                Unconnected::Failed(reason) => Self::Connect(reason),
            });
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return Some(Self::Tls(describe_tls(tls)));
        }
        let hyper = cause.downcast_ref::<hyper::Error>()?;
        if hyper.is_parse_too_large() {
            Some(Self::Unacceptable("its headers are too large"))
        } else if hyper.is_parse() {
            Some(Self::Unacceptable("it is not valid HTTP/1.1"))
        } else {
            None
        }
    }
}

fn describe_tls(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "the certificate has expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "the certificate is not valid yet",
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the certificate is for another host name"
            }
            CertificateError::UnknownIssuer => "the certificate's issuer is unknown, or an intermediate certificate is missing",
            CertificateError::Revoked => "the certificate is revoked",
            _ => "the certificate is not valid",
        },
        rustls::Error::InvalidMessage(_) => "the receiver does not speak TLS on this port",
        rustls::Error::PeerIncompatible(_) | rustls::Error::AlertReceived(_) => "the receiver and we agree on no protocol",
        _ => "the receiver broke the protocol",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_is_one_sentence() {
        for (failure, text) in [
            (Failure::Refused(Refusal::Reserved), "The URL must not point to a private or reserved address."),
            (Failure::Timeout, "The receiver did not answer in time."),
            (Failure::Connect("the connection was refused"), "Could not connect: the connection was refused."),
            (
                Failure::Tls(describe_tls(&CertificateError::Expired.into())),
                "The TLS handshake failed: the certificate has expired.",
            ),
        ] {
            assert_eq!(failure.to_string(), text);
        }
    }
}
