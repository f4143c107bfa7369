//! The AWS services the product needs, embedded: DynamoDB, S3, SQS and SES.
//!
//! Each is a server on a loopback port of its own that the AWS SDK reaches by endpoint URL, from this process or
//! another. What they hold lives under one data folder, except the messages of SQS, which are in memory only.

pub mod dynamodb;
pub mod s3;
pub mod ses;
pub mod sqs;

use std::fs::{self, File, TryLockError};
use std::future::{Future, IntoFuture};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use shared::clock::Clock;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The access key the embedded servers expect; S3 refuses any other.
pub const ACCESS_KEY: &str = "local";
/// The secret key that belongs to [`ACCESS_KEY`].
pub const SECRET_KEY: &str = "local-secret";
/// The region to name in the SDK's configuration.
pub const REGION: &str = "us-east-1";

/// How long requests in flight may take to end once the stack is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Where the services keep what they hold.
#[derive(Clone, Debug)]
pub enum Data {
    /// Nowhere: all is gone at the end.
    Memory,
    /// In this folder, which is created if need be and serves one process at a time.
    Folder(PathBuf),
}

/// Endpoint URLs of servers to use in place of the embedded ones.
#[derive(Clone, Debug, Default)]
pub struct External {
    /// Instead of the embedded DynamoDB.
    pub dynamodb: Option<String>,
    /// Instead of the embedded S3.
    pub s3: Option<String>,
    /// Instead of the embedded SQS.
    pub sqs: Option<String>,
}

/// Why the services did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be created, read or written.
    #[error("cannot use the data folder {}: {source}", path.display())]
    Folder {
        /// The folder, or the part of it that fails.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another stack, in this process or another, runs on the data folder.
    #[error("the data folder {} is in use by another stack", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The database file is damaged, from a newer version, or not a database.
    #[error("cannot open the database {}: {reason}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What the database says.
        reason: String,
    },
    /// No port or thread is to be had.
    #[error("cannot start the embedded {service}: {source}")]
    Server {
        /// The service's name.
        service: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

/// The running services; dropped without [`shutdown`](Aws::shutdown) they stop too, but nobody waits for them.
#[derive(Debug)]
pub struct Aws {
    /// Base URL of DynamoDB and of its streams.
    pub dynamodb: String,
    /// Base URL of S3, which wants path-style addresses.
    pub s3: String,
    /// Base URL of SQS.
    pub sqs: String,
    /// Base URL of SES, which is never external.
    pub ses: String,
    /// The mails that SES was given.
    pub mailbox: Arc<ses::Mailbox>,
    /// The embedded queues, to move their clock; none where SQS is external.
    pub queues: Option<Arc<sqs::Queues>>,
    servers: Vec<JoinHandle<()>>,
    stop: watch::Sender<()>,
    home: Home,
}

/// Starts the embedded services, except those that are external. Mails bear the time of `clock`.
///
/// # Errors
/// [`StartError`], whose message is one line for the person at the terminal.
pub async fn start(data: &Data, external: External, clock: Clock) -> Result<Aws, StartError> {
    let home = Home::open(data)?;
    let (stop, stopped) = watch::channel(());
    let stopped = Stop(stopped);
    let mut servers = Vec::new();
    let mut queues = None;

    let dynamodb = match external.dynamodb {
        Some(url) => url,
        None => dynamodb::start(home.folder(), stopped.clone()).await?.join(&mut servers),
    };
    let s3 = match external.s3 {
        Some(url) => url,
        None => s3::start(&home.subfolder("s3")?, stopped.clone()).await?.join(&mut servers),
    };
    let sqs = if let Some(url) = external.sqs {
        url
    } else {
        let (server, embedded) = sqs::start(stopped.clone()).await?;
        queues = Some(embedded);
        server.join(&mut servers)
    };
    let (server, mailbox) = ses::start(home.folder(), clock, stopped).await?;
    let ses = server.join(&mut servers);
    Ok(Aws { dynamodb, s3, sqs, ses, mailbox, queues, servers, stop, home })
}

impl Aws {
    /// Stops the services: requests in flight are answered, files closed, and the data folder is let go.
    pub async fn shutdown(self) {
        drop(self.stop);
        for server in self.servers {
            if let Err(error) = server.await {
                tracing::error!(%error, "an embedded service failed");
            }
        }
        drop(self.home);
    }
}

/// The folder in use: locked, or gone when dropped.
#[derive(Debug)]
enum Home {
    Scratch(TempDir),
    Kept { path: PathBuf, _lock: File },
}

impl Home {
    fn open(data: &Data) -> Result<Self, StartError> {
        match data {
            Data::Memory => match tempfile::Builder::new().prefix("voki-").tempdir() {
                Ok(folder) => Ok(Self::Scratch(folder)),
                Err(source) => Err(StartError::Folder { path: std::env::temp_dir(), source }),
            },
            Data::Folder(path) => {
                create(path)?;
                let failed = |source| StartError::Folder { path: path.clone(), source };
                let lock = File::create(path.join("lock")).map_err(failed)?;
                match lock.try_lock() {
                    Ok(()) => Ok(Self::Kept { path: path.clone(), _lock: lock }),
                    Err(TryLockError::WouldBlock) => Err(StartError::InUse { path: path.clone() }),
                    Err(TryLockError::Error(source)) => Err(failed(source)),
                }
            }
        }
    }

    /// The folder, where it outlives the process.
    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Scratch(_) => None,
            Self::Kept { path, .. } => Some(path),
        }
    }

    fn subfolder(&self, name: &str) -> Result<PathBuf, StartError> {
        let path = match self {
            Self::Scratch(folder) => folder.path().join(name),
            Self::Kept { path, .. } => path.join(name),
        };
        create(&path)?;
        Ok(path)
    }
}

fn create(path: &Path) -> Result<(), StartError> {
    fs::create_dir_all(path).map_err(|source| StartError::Folder { path: path.to_owned(), source })
}

/// A server that runs.
struct Server {
    url: String,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves `router` on the caller's runtime.
    fn spawn((url, listener): (String, TcpListener), router: Router, stop: Stop) -> Self {
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().requested());
        Self { url, task: tokio::spawn(stop.limit(serving.into_future())) }
    }

    fn join(self, servers: &mut Vec<JoinHandle<()>>) -> String {
        servers.push(self.task);
        self.url
    }
}

/// Opens a free loopback port.
async fn listen(service: &'static str) -> Result<(String, TcpListener), StartError> {
    let failed = |source| StartError::Server { service, source };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((format!("http://{address}"), listener))
}

/// The signal that all servers are to stop: the sender is gone.
#[derive(Clone, Debug)]
struct Stop(watch::Receiver<()>);

impl Stop {
    /// Resolves when the servers are to stop.
    async fn requested(mut self) {
        while self.0.changed().await.is_ok() {}
    }

    /// Runs a server that heeds the signal to its end, or until its grace is over.
    async fn limit(self, serving: impl Future<Output = Result<(), impl std::fmt::Display>>) {
        let overdue = async {
            self.requested().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            ended = serving => if let Err(error) = ended {
                tracing::error!(%error, "an embedded service failed");
            },
            () = overdue => tracing::warn!("requests still in flight were cut off"),
        }
    }
}
