//! What stands before every handler: rate limits, who is calling, idempotency keys.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use sha2::{Digest, Sha256};

use super::limits;
use crate::{
    app::App,
    auth::context::{self, Context},
    error::{Error, Result},
    storage::{
        idempotency::{Begin, Lease, Recorded},
        rate::{self, Standing, Window},
    },
    text,
};

/// The largest JSON body.
const MAX_BODY: usize = 1 << 20;
/// What is read and thrown away of a larger one, so that the client hears the answer.
const DRAINED: usize = 16 << 20;

/// Marks a request whose body was too large to keep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Oversized;

/// Runs a request's handler between what all requests share.
pub(super) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(route) = request.extensions().get::<MatchedPath>().cloned() else { return next.run(request).await };
    match guarded(&app, route.as_str(), request, next).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn guarded(app: &App, route: &str, request: Request, next: Next) -> Result<Response> {
    let (mut parts, body) = request.into_parts();
    let (body, oversized) = read(body).await?;
    if oversized {
        parts.extensions.insert(Oversized);
    }
    let client = context::client(app, &parts);
    let object = object(&mut parts, app).await;
    let windows = limits::windows(app.settings(), &parts.method, route, &object, &client, &body);
    let counting = counting(app, windows);
    let limit = counting.clone().map(|counting| async { counting.await.and_then(rate::within) }.boxed().shared());
    let context = Context::new(context::claims(app, &parts.headers, &client).await, client, &parts, limit);
    let handled = handled(app, route, &object, &context, parts, body, next).await;
    let mut response = handled.unwrap_or_else(IntoResponse::into_response);
    if let Some(standings) = counting {
        response.headers_mut().extend(limits::headers(&standings.await?));
    }
    response.extensions_mut().insert(context);
    Ok(response)
}

type Counting = Shared<BoxFuture<'static, Result<Vec<Standing>>>>;

/// Counts a request of a limited endpoint, beside whatever else it does.
fn counting(app: &App, windows: Vec<Window>) -> Option<Counting> {
    if windows.is_empty() {
        return None;
    }
    let (db, now) = (app.db().clone(), app.clock().now_millis());
    let counting = tokio::spawn(async move { rate::admit(&db, &windows, now).await });
    Some(counting.map(|done| done.unwrap_or_else(|e| Err(Error::internal("rate limit", e)))).boxed().shared())
}

/// What the path's parameters name, in one spelling: an identifier can be written in many ways.
async fn object(parts: &mut Parts, app: &App) -> String {
    let Ok(params) = RawPathParams::from_request_parts(parts, app).await else { return String::new() };
    let one = |value: &str| uuid::Uuid::try_parse(value).map_or_else(|_| value.to_owned(), |id| id.hyphenated().to_string());
    params.iter().map(|(_, value)| one(value)).collect::<Vec<_>>().join("\n")
}

/// A request whose limits and session are looked up beside it; its answer is kept under its idempotency key.
async fn handled(
    app: &App,
    route: &str,
    object: &str,
    context: &Context,
    mut parts: Parts,
    body: Bytes,
    next: Next,
) -> Result<Response> {
    let lease = match idempotency(app, route, object, context, &parts, &body).await? {
        Keyed::Unkeyed => None,
        Keyed::Answered(response) => return Ok(response),
        Keyed::Leased(lease) => Some(Arc::new(lease)),
    };
    if let Some(lease) = lease.clone() {
        context.lease(lease);
    }
    parts.extensions.insert(context.clone());
    // Who is refused is let go at once: nothing has been written.
    let response = tokio::select! {
        biased;
        error = refused(context) => error.into_response(),
        response = next.run(Request::from_parts(parts, Body::from(body))) => response,
    };
    let response = context.admitted().await.map_or_else(IntoResponse::into_response, |()| response);
    match lease {
        Some(lease) => keep(app, &lease, context.claims().ok().map(|claims| claims.tenant.as_str()), response).await,
        None => Ok(response),
    }
}

/// Resolves when the request may not go on.
async fn refused(context: &Context) -> Error {
    match context.admitted().await {
        Err(error) => error,
        Ok(()) => std::future::pending().await,
    }
}

/// The body, or nothing of it when it is too large.
async fn read(body: Body) -> Result<(Bytes, bool)> {
    let mut limited = Limited::new(body, DRAINED);
    let mut kept = Vec::new();
    let mut oversized = false;
    while let Some(frame) = limited.frame().await {
        match frame {
            Ok(frame) => {
                if let Some(data) = frame.data_ref() {
                    oversized |= kept.len() + data.len() > MAX_BODY;
                    if !oversized {
                        kept.extend_from_slice(data);
                    }
                }
            }
            Err(error) if error.is::<LengthLimitError>() => {
                oversized = true;
                break;
            }
            Err(_) => return Err(Error::Malformed("The body could not be read".into())),
        }
    }
    Ok(if oversized { (Bytes::new(), true) } else { (kept.into(), false) })
}

/// What an idempotency key comes to.
enum Keyed {
    Unkeyed,
    Leased(Lease),
    Answered(Response),
}

/// An operation whose answers can be asked for again by an idempotency key.
pub(super) fn takes_key(method: &str, route: &str) -> bool {
    method == Method::POST.as_str() && route.starts_with("/api/v1/")
}

async fn idempotency(app: &App, route: &str, object: &str, context: &Context, request: &Parts, body: &Bytes) -> Result<Keyed> {
    let Some(key) = request.headers.get("idempotency-key") else { return Ok(Keyed::Unkeyed) };
    let public = route.starts_with("/api/v1/call/");
    if !takes_key(request.method.as_str(), route) || (context.claims().is_err() && !public) {
        return Ok(Keyed::Unkeyed);
    }
    if key.is_empty() || key.len() > 255 {
        return Err(Error::Malformed("Idempotency-Key must have 1 to 255 characters".into()));
    }
    let who = match context.claims() {
        Ok(claims) if !public => {
            context.admit(app);
            format!("{}\n{}", claims.tenant, claims.sub)
        }
        _ => {
            context.admitted().await?;
            String::new()
        }
    };
    let hash = |parts: [&[u8]; 4]| {
        text::hex(&parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part).chain_update([0])).finalize())
    };
    let scope = hash([who.as_bytes(), route.as_bytes(), object.as_bytes(), key.as_bytes()]);
    let asked = hash([request.uri.query().unwrap_or_default().as_bytes(), body, b"", b""]);
    let begun = Lease::begin(app.db(), app.chance(), &scope, &asked, app.clock().now());
    let (admitted, begun) = tokio::join!(context.admitted(), begun);
    let begun = begun?;
    if let Err(error) = admitted {
        // Whose session has ended is told nothing of what the key stands for, and leaves it as it was.
        if let Begin::Run(lease) = begun {
            noted(lease.release(app.db()).await);
        }
        return Err(error);
    }
    match begun {
        Begin::Run(lease) => Ok(Keyed::Leased(lease)),
        Begin::Running => Err(Error::StillRunning(Lease::RETRY_AFTER)),
        Begin::Differs => Err(Error::Refused("Idempotency-Key was used with another request".into())),
        Begin::Replay(recorded) => Ok(Keyed::Answered(replay(recorded))),
    }
}

fn replay(recorded: Recorded) -> Response {
    let status = StatusCode::from_u16(recorded.status).unwrap_or(StatusCode::OK);
    let mut response = match recorded.body {
        Some(body) => (status, [(header::CONTENT_TYPE, "application/json")], body).into_response(),
        None => status.into_response(),
    };
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    if let Some(etag) = recorded.etag.and_then(|etag| HeaderValue::from_str(&etag).ok()) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// Keeps the answer of a request that recorded none with a change; gives the key back where an answer is not replayed.
async fn keep(app: &App, lease: &Lease, tenant: Option<&str>, response: Response) -> Result<Response> {
    let status = response.status();
    let replayed = !matches!(status.as_u16(), 400 | 401 | 403 | 405 | 409 | 413 | 429 | 500..);
    if !replayed {
        noted(lease.release(app.db()).await);
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map_err(|e| Error::internal("answer", e))?.to_bytes();
    noted(lease.keep(app.db(), tenant, &recorded(&parts, &bytes)).await);
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// What is done after the change has no say in the answer: a key that was not given back lapses.
fn noted(outcome: Result<()>) {
    if let Err(error) = outcome {
        tracing::error!(%error, "idempotency key");
    }
}

fn recorded(parts: &axum::http::response::Parts, body: &[u8]) -> Recorded {
    let header = |headers: &HeaderMap| headers.get(header::ETAG).and_then(|etag| etag.to_str().ok()).map(ToOwned::to_owned);
    Recorded {
        status: parts.status.as_u16(),
        body: String::from_utf8(body.to_vec()).ok().filter(|text| !text.is_empty()),
        etag: header(&parts.headers),
    }
}

/// The body was too large to keep.
pub(super) fn oversized(parts: &Parts) -> bool {
    parts.extensions.get::<Oversized>().is_some()
}
