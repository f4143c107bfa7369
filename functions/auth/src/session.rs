//! A new session and the answer that opens it.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    Result,
    api::document::{Described, Draft, json_content},
    app::App,
    auth::context::Client,
    auth::token::{ACCESS, Refresh, access},
    chance::Chance,
    crypto::keys::Keys,
    ids::UserId,
    models::{Company, Role, Session, User},
    storage::{Store, idempotency::Recorded, write::Answer},
};

/// A pair of tokens and whose they are.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SignedIn {
    /// For `Authorization: Bearer`, 15 minutes.
    access_token: String,
    /// For `/api/auth/refresh`, 7 days.
    refresh_token: String,
    /// Whose they are.
    user: SignedInUser,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds that the access token lives.
    expires_in: u64,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
struct SignedInUser {
    id: UserId,
    name: String,
    email: String,
    role: Role,
    avatar_url: Option<String>,
    mfa_enabled: bool,
}

impl SignedIn {
    /// The tokens of a session as it stands.
    ///
    /// # Errors
    /// [`shared::Error::Internal`] without a signing key.
    pub fn new(app: &App, keys: &Keys, company: &Company, user: &User, session: &Session) -> Result<Self> {
        let view = user.view();
        Ok(Self {
            access_token: access(keys, company, user, session.id, app.clock().now())?,
            refresh_token: Refresh::of(app.auth_secret()?, &company.slug, session),
            user: SignedInUser {
                id: view.id,
                name: view.name,
                email: view.email,
                role: view.role,
                avatar_url: view.avatar_url,
                mfa_enabled: view.mfa_enabled,
            },
            token_type: "Bearer",
            expires_in: ACCESS.as_secs(),
        })
    }
}

/// The login answer with its status, at the top level, and the same object again under `data`.
#[derive(Debug)]
pub struct Opened<const STATUS: u16>(Step);

/// What a step of logging in answers.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Step {
    /// A pair of tokens and whose they are.
    Last(SignedIn),
    /// The password was right; a code is wanted as well.
    First(CodeWanted),
}

/// The password was right; a code is wanted as well.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct CodeWanted {
    /// True.
    mfa_required: bool,
    /// For `/api/auth/mfa/verify`, 5 minutes.
    mfa_token: String,
}

impl<const STATUS: u16> Opened<STATUS> {
    /// A session was opened.
    pub fn new(signed_in: SignedIn) -> Self {
        Self(Step::Last(signed_in))
    }

    /// A code is wanted as well.
    pub fn half(mfa_token: String) -> Self {
        Self(Step::First(CodeWanted { mfa_required: true, mfa_token }))
    }
}

/// A pair of tokens and whose they are; `data` is the same again.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LoggedIn")]
struct Twice<T> {
    #[serde(flatten)]
    top: T,
    data: T,
}

/// The password was right; a code is wanted as well; `data` is the same again.
#[derive(JsonSchema)]
#[schemars(rename = "MfaRequired")]
#[expect(dead_code, reason = "says what is answered")]
struct Halfway {
    #[serde(flatten)]
    top: CodeWanted,
    data: CodeWanted,
}

impl<const STATUS: u16> IntoResponse for Opened<STATUS> {
    fn into_response(self) -> Response {
        let no_store = [(axum::http::header::CACHE_CONTROL, "no-store")];
        let status = StatusCode::from_u16(STATUS).unwrap_or_default();
        (status, no_store, Json(Twice { top: self.0.clone(), data: self.0 })).into_response()
    }
}

/// Tokens are never recorded: authentication takes no idempotency key.
impl<const STATUS: u16> Answer for Opened<STATUS> {
    fn record(&self) -> Option<Recorded> {
        None
    }
}

impl<const STATUS: u16> Described for Opened<STATUS> {
    fn describe(draft: &mut Draft<'_>) {
        let whole = draft.schemas.answered::<Twice<SignedIn>>();
        if STATUS == 201 {
            draft.answers(STATUS, "Signed up and logged in.", &["Cache-Control"], &json_content(&whole));
            return;
        }
        let half = draft.schemas.answered::<Halfway>();
        let either = serde_json::json!({ "anyOf": [whole, half] });
        draft.answers(STATUS, "Logged in, or asked for a second factor.", &["Cache-Control"], &json_content(&either));
        draft.refuses(&[401]);
    }
}

/// A new session of a user.
///
/// # Errors
/// [`shared::Error::Internal`] when there is no randomness.
pub fn begin(store: &Store, chance: &Chance, user: &User, client: &Client) -> Result<Session> {
    let nonce = chance.draw::<18>()?;
    let session = Session::new(store.mint()?, user, URL_SAFE_NO_PAD.encode(nonce), store.clock().now());
    Ok(Session { ip: client.address.map(|address| address.to_string()), user_agent: client.agent.clone(), ..session })
}
