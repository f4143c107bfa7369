//! The connector: resolves a name, judges every address, and connects to one that was judged.
//!
//! There is no second look-up between the check and the connection, so a name that changes its
//! answer in between (DNS rebinding) gains nothing.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::guard::{Policy, Refusal};

/// How long one of several addresses is tried before the next one.
const TRY_FOR: Duration = Duration::from_secs(4);

/// How many addresses of a name are tried.
const MAX_TRIES: usize = 4;

/// Turns a host name into addresses.
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of a host, in the order in which they should be tried.
    ///
    /// # Errors
    /// The look-up failed or the name does not exist.
    fn resolve(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// A closure is a resolver, which is how tests simulate a hostile DNS.
impl<F, R> Resolver for F
where
    F: Fn(String) -> R + Send + Sync + 'static,
    R: Future<Output = io::Result<Vec<IpAddr>>> + Send + 'static,
{
    fn resolve(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(self(host))
    }
}

/// The system's resolver.
pub(super) async fn system(host: String) -> io::Result<Vec<IpAddr>> {
    let found = tokio::net::lookup_host((host, 0)).await?;
    Ok(found.map(|address| address.ip()).collect())
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unconnected {
    /// Every address of the host is out of bounds.
    #[error("{0}")]
    Refused(Refusal),
    /// The network said no; the text is for the customer.
    #[error("{0}")]
    Failed(&'static str),
}

/// The connector that hyper's client is given.
#[derive(Clone)]
pub(super) struct Guarded {
    pub(super) policy: Policy,
    pub(super) resolver: Arc<dyn Resolver>,
}

impl tower::Service<Uri> for Guarded {
    type Response = TokioIo<TcpStream>;
    type Error = Unconnected;
    type Future = BoxFuture<'static, Result<Self::Response, Unconnected>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unconnected>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let guarded = self.clone();
        Box::pin(async move {
            let addresses = guarded.addresses(&uri).await?;
            let stream = connect(&addresses).await?;
            // A request is one small write; waiting to fill a packet only costs time.
            let _ = stream.set_nodelay(true);
            Ok(TokioIo::new(stream))
        })
    }
}

impl Guarded {
    /// The addresses of a URI's host that the policy admits, at least one.
    async fn addresses(&self, uri: &Uri) -> Result<Vec<SocketAddr>, Unconnected> {
        let host = uri.host().ok_or(Unconnected::Refused(Refusal::NoHost))?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(match uri.scheme_str() {
            Some("http") => 80,
            _ => 443,
        });
        let found = match host.parse::<IpAddr>() {
            Ok(ip) => vec![ip],
            Err(_) => self.resolver.resolve(host.to_owned()).await.unwrap_or_default(),
        };
        if found.is_empty() {
            return Err(Unconnected::Failed("the host name could not be resolved"));
        }
        let admitted: Vec<_> =
            found.into_iter().filter(|ip| self.policy.admits(*ip)).take(MAX_TRIES).map(|ip| SocketAddr::new(ip, port)).collect();
        if admitted.is_empty() {
            return Err(Unconnected::Refused(Refusal::Reserved));
        }
        Ok(admitted)
    }
}

/// Connects to the first address that answers; the last one may use all the time that is left.
async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Unconnected> {
    let mut failure = io::ErrorKind::TimedOut;
    for (index, address) in addresses.iter().enumerate() {
        let attempt = TcpStream::connect(address);
        let result = if index + 1 == addresses.len() {
            attempt.await
        } else {
            timeout(TRY_FOR, attempt).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        };
        match result {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error.kind(),
        }
    }
    Err(Unconnected::Failed(describe(failure)))
}

/// A connection error without the internals (addresses, errno).
fn describe(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::ConnectionRefused => "the connection was refused",
        io::ErrorKind::ConnectionReset => "the connection was reset",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "the host is unreachable",
        io::ErrorKind::TimedOut => "the host did not answer",
        _ => "the connection could not be made",
    }
}
