//! DynamoDB and its streams, by `dynoxide` on SQLite.
//!
//! The file is written ahead (`journal_mode=WAL`, `synchronous=FULL`): an answered write is on the disk, so that neither
//! a kill nor a power cut loses it. Signatures are not checked.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use dynoxide::Database;
use dynoxide::server::serve_with_shutdown;
use rusqlite::Connection;
use tokio::runtime;

use super::{Server, StartError, Stop, listen};

/// Every write looks for the last number of its table's stream, which never ends: without an index it reads all of it.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS voki_stream_order \
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER), shard_id)";

/// Serves the database in `folder`, or one in memory.
///
/// It has a thread to itself, because SQLite blocks; when the thread's runtime ends, so does the last connection, and
/// the file is closed.
pub(super) async fn start(folder: Option<&Path>, stop: Stop) -> Result<Server, StartError> {
    let database = open(folder)?;
    let (url, listener) = listen("DynamoDB").await?;
    let failed = |source| StartError::Server { service: "DynamoDB", source };
    let listener = listener.into_std().map_err(failed)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let task = tokio::task::spawn_blocking(move || {
        runtime.block_on(async {
            let serving = async {
                let listener = tokio::net::TcpListener::from_std(listener).map_err(|error| error.to_string())?;
                serve_with_shutdown(listener, database, stop.clone().requested()).await
            };
            stop.clone().limit(serving).await;
        });
    });
    Ok(Server { url, task })
}

fn open(folder: Option<&Path>) -> Result<Database, StartError> {
    static MEMORIES: AtomicUsize = AtomicUsize::new(0);
    let path = match folder {
        Some(folder) => folder.join("dynamodb.sqlite"),
        None => format!("file:/voki-{}?vfs=memdb", MEMORIES.fetch_add(1, Ordering::Relaxed)).into(),
    };
    let failed = |reason: String| StartError::Database { path: path.clone(), reason };
    let name = path.to_str().ok_or_else(|| failed("its path is not UTF-8".to_owned()))?;
    let database = Database::new(name).map_err(|error| failed(error.to_string()))?;
    let index = Connection::open(name).and_then(|connection| connection.execute_batch(STREAM_INDEX));
    index.map_err(|error| failed(error.to_string()))?;
    Ok(database)
}
