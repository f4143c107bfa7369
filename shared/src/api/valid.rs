//! Bodies and queries as extractors: what is valid, or every violation at once.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{
    document::{Described, Draft},
    guard,
};
use crate::{
    app::App,
    error::{Error, Result},
    input::{self, Draft as Read, Input, Patch},
};

/// The body, valid.
#[derive(Debug)]
pub struct Valid<T>(pub T);

/// The body, and what is wrong with it so far.
#[derive(Debug)]
pub struct Proposed<T>(pub Read<T>);

/// The body of a PUT: a merge patch whose fields are each valid.
#[derive(Debug)]
pub struct Merge<T>(pub Patch<T>);

/// The parameters of the query, valid.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: Input> FromRequest<App> for Valid<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        input::read_at(&fields::<T>(request, app).await?, app.clock().now()).map(Self)
    }
}

impl<T: Input> FromRequest<App> for Proposed<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        Ok(Self(Read::of(&fields::<T>(request, app).await?, app.clock().now())))
    }
}

impl<T: Input + Serialize + DeserializeOwned> FromRequest<App> for Merge<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        Patch::new(fields::<T>(request, app).await?).map(Self)
    }
}

impl<T: Input> FromRequestParts<App> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let fields: Map<String, Value> =
            pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect();
        input::read_query(&fields).map(Self)
    }
}

/// The fields of a body, out of their wrapper.
async fn fields<T: Input>(request: Request, app: &App) -> Result<Map<String, Value>> {
    let (parts, body) = request.into_parts();
    if guard::oversized(&parts) {
        return Err(Error::TooLarge);
    }
    let headers = parts.headers.clone();
    let body = Bytes::from_request(Request::from_parts(parts, body), app).await.map_err(|e| Error::internal("body", e))?;
    let mut whole = object(&headers, &body)?;
    let Some(key) = T::WRAPPER else { return Ok(whole) };
    match whole.remove(key) {
        Some(Value::Object(fields)) => Ok(fields),
        None if T::BARE.iter().any(|field| whole.contains_key(*field)) => Ok(whole),
        _ => Err(Error::Malformed(format!("The body must be an object under the key \"{key}\""))),
    }
}

/// A JSON object; an empty body is an empty one.
fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let media = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .map(|kind| kind.split(';').next().unwrap_or_default().trim());
    if !media.is_some_and(|media| media.eq_ignore_ascii_case("application/json") || media.to_ascii_lowercase().ends_with("+json"))
    {
        return Err(Error::Malformed("Content-Type must be application/json".into()));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(Error::Malformed("The body must be a JSON object".into())),
        Err(error) => {
            Err(Error::Malformed(format!("The body is not valid JSON (line {}, column {})", error.line(), error.column())))
        }
    }
}

/// A body in its wrapper.
fn describe<T: Input>(draft: &mut Draft<'_>, fields: &Value) {
    let whole = |key: &str| json!({ "type": "object", "required": [key], "properties": { key: fields } });
    draft.body(&T::WRAPPER.map_or_else(|| fields.clone(), whole), T::WRAPPER.is_some() || input::read::<T>(&Map::new()).is_err());
}

impl<T: Input + JsonSchema> Described for Valid<T> {
    fn describe(draft: &mut Draft<'_>) {
        let fields = draft.schemas.sent::<T>();
        describe::<T>(draft, &fields);
    }
}

impl<T: Input + JsonSchema> Described for Proposed<T> {
    fn describe(draft: &mut Draft<'_>) {
        Valid::<T>::describe(draft);
    }
}

impl<T: Input + JsonSchema> Described for Merge<T> {
    fn describe(draft: &mut Draft<'_>) {
        let fields = draft.schemas.changes::<T>();
        describe::<T>(draft, &fields);
    }
}

impl<T: Input + JsonSchema> Described for Query<T> {
    fn describe(draft: &mut Draft<'_>) {
        for (name, required, schema) in draft.schemas.parameters::<T>() {
            draft.query(&name, required, schema);
        }
    }
}
