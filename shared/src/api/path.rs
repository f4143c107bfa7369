//! Identifiers in paths, and preconditions.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{HeaderMap, header, request::Parts},
};

use schemars::JsonSchema;
use serde_json::json;

use super::{
    answer::etag,
    document::{Described, Draft},
};
use crate::{
    app::App,
    error::{Error, Result},
    ids::Id,
    storage::Stored,
};

/// The identifier in the path; a malformed one is not found.
#[derive(Debug, Clone, Copy)]
pub struct Path<I>(pub I);

/// Two identifiers in the path, in order.
#[derive(Debug, Clone, Copy)]
pub struct Path2<I, J>(pub I, pub J);

impl<I: Id> FromRequestParts<App> for Path<I> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        Ok(Self(slot(parts, app, 0).await?))
    }
}

impl<I: Id, J: Id> FromRequestParts<App> for Path2<I, J> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        Ok(Self(slot(parts, app, 0).await?, slot(parts, app, 1).await?))
    }
}

/// A text in the path; what does not decode is not found.
#[derive(Debug, Clone)]
pub struct Segment(pub String);

impl FromRequestParts<App> for Segment {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let missing = Error::NotFound("Resource not found");
        let params = RawPathParams::from_request_parts(parts, app).await.map_err(|_| missing.clone())?;
        params.iter().next().map(|(_, value)| Self(value.to_owned())).ok_or(missing)
    }
}

impl Described for Segment {
    fn describe(draft: &mut Draft<'_>) {
        draft.slot(json!({ "type": "string", "description": "As it was given." }));
    }
}

async fn slot<I: Id>(parts: &mut Parts, app: &App, place: usize) -> Result<I> {
    let missing = Error::NotFound("Resource not found");
    let params = RawPathParams::from_request_parts(parts, app).await.map_err(|_| missing.clone())?;
    params.iter().nth(place).and_then(|(_, value)| value.parse().ok()).ok_or(missing)
}

impl<I: JsonSchema> Described for Path<I> {
    fn describe(draft: &mut Draft<'_>) {
        let schema = draft.schemas.answered::<I>();
        draft.slot(schema);
    }
}

impl<I: JsonSchema, J: JsonSchema> Described for Path2<I, J> {
    fn describe(draft: &mut Draft<'_>) {
        Path::<I>::describe(draft);
        Path::<J>::describe(draft);
    }
}

/// The versions that `If-Match` names, if the request has one.
#[derive(Debug, Clone)]
pub struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    /// The object is at a version that the request named, or it named none.
    ///
    /// # Errors
    /// [`Error::Stale`].
    pub fn check<T>(&self, seen: &Stored<T>) -> Result<()> {
        self.check_version(seen.version)
    }

    /// The same for an object that counts its visible changes itself.
    ///
    /// # Errors
    /// [`Error::Stale`].
    pub fn check_version(&self, version: u64) -> Result<()> {
        match &self.0 {
            Some(named) if !named.iter().any(|tag| tag == "*" || *tag == etag(version)) => Err(Error::Stale),
            _ => Ok(()),
        }
    }

    fn of(headers: &HeaderMap) -> Self {
        let values: Vec<_> = headers.get_all(header::IF_MATCH).iter().collect();
        let tags = || {
            values
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|text| text.split(','))
                .map(|tag| tag.trim().to_owned())
        };
        Self((!values.is_empty()).then(|| tags().collect()))
    }
}

impl FromRequestParts<App> for IfMatch {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers))
    }
}

impl Described for IfMatch {
    fn describe(draft: &mut Draft<'_>) {
        draft.header("If-Match", "The version that is meant, as `ETag` gave it.");
        draft.refuses(&[412]);
    }
}
