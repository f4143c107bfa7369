//! S3, by `s3s-fs`: a folder per bucket, a file per object.
//!
//! Signatures and their expiry are checked. An object appears whole or not at all, and survives a kill, if not a power
//! cut. Bucket and key become one file name: together they may have some 165 bytes, 130 for an upload in parts.

use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;

use super::{ACCESS_KEY, SECRET_KEY, Server, StartError, Stop, listen};

/// Serves the buckets in `folder`.
pub(super) async fn start(folder: &Path, stop: Stop) -> Result<Server, StartError> {
    let files = FileSystem::new(folder)
        .map_err(|error| StartError::Folder { path: folder.to_owned(), source: std::io::Error::other(format!("{error:?}")) })?;
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let service = service.build();
    let router = Router::new().fallback(move |request: Request| answer(service.clone(), request));
    Ok(Server::spawn(listen("S3").await?, router, stop))
}

async fn answer(service: S3Service, request: Request) -> Response {
    match service.call(request.map(s3s::Body::http_body_unsync)).await {
        Ok(response) => response.map(Body::new),
        // It is the connection that failed, or the request is no HTTP; the service has logged it.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
