//! Tokens: access tokens are JWTs (`EdDSA`) for 15 minutes, refresh tokens are opaque and follow from their session.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{
    clock::Time,
    crypto::{keys::Keys, secret::Secret},
    error::{Error, Result},
    ids::{Id, SessionId, UserId},
    models::{ApiKey, Company, Role, Session, User, api_key::scope_of},
    storage::audit::Actor,
};

/// How long an access token lives.
pub const ACCESS: Duration = Duration::from_secs(900);
const ISSUER: &str = "voki";
const AUDIENCE: &str = "voki-api";

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user.
    pub sub: UserId,
    /// The tenant's slug.
    pub tenant: String,
    /// The user's role.
    pub role: Role,
    /// The session.
    pub sid: SessionId,
    /// The company wants a second factor, and the user has none yet: nothing else is to be done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mfa_pending: bool,
    /// When it was made, seconds since the epoch.
    pub iat: i64,
    /// When it ends, seconds since the epoch.
    pub exp: i64,
    /// Who made it.
    pub iss: String,
    /// Whom it is for.
    pub aud: String,
    /// Of an API key, which has no session, the scopes; no token says this.
    #[serde(skip)]
    pub scopes: Option<Vec<String>>,
}

/// A new access token.
///
/// # Errors
/// [`Error::Internal`] without a signing key.
pub fn access(keys: &Keys, company: &Company, user: &User, session: SessionId, now: Time) -> Result<String> {
    let (kid, key) = keys.signing().ok_or_else(|| Error::Internal("no signing key".into()))?;
    let header = Header { kid: Some(kid.clone()), ..Header::new(Algorithm::EdDSA) };
    let claims = Claims {
        sub: user.id,
        tenant: company.slug.clone(),
        role: user.input.role,
        sid: session,
        mfa_pending: company.input.mfa_required && !user.mfa_enabled(),
        iat: now.epoch(),
        exp: (now + ACCESS).epoch(),
        iss: ISSUER.into(),
        aud: AUDIENCE.into(),
        scopes: None,
    };
    jsonwebtoken::encode(&header, &claims, key).map_err(|e| Error::internal("token", e))
}

impl Claims {
    /// Whom they are of, as the audit trail names it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let kind = if self.scopes.is_some() { "api_key" } else { "user" };
        Actor { kind: kind.into(), id: self.sub.to_string() }
    }

    /// What an API key may: as a manager, within its scopes.
    #[must_use]
    pub fn of_key(tenant: String, key: &ApiKey, now: Time) -> Self {
        Self {
            sub: key.id.uuid().into(),
            tenant,
            role: Role::Manager,
            sid: SessionId::default(),
            mfa_pending: false,
            iat: now.epoch(),
            exp: now.epoch(),
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            scopes: Some(key.input.scopes.clone()),
        }
    }

    /// Whether a request is within the scopes; of a user's token every one is.
    ///
    /// # Errors
    /// [`Error::Forbidden`] that names the scope which is missing.
    pub fn within(&self, route: &str, reads: bool) -> Result<()> {
        let Some(scopes) = &self.scopes else { return Ok(()) };
        match scope_of(route, reads) {
            Some(needed) if scopes.contains(&needed) => Ok(()),
            Some(needed) => Err(Error::Forbidden(format!("Requires the scope {needed}"))),
            None => Err(no_key()),
        }
    }

    /// Refuses API keys, for what would let them become somebody: other people's passwords, managers.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn in_person(&self) -> Result<()> {
        if self.scopes.is_some() { Err(no_key()) } else { Ok(()) }
    }
}

fn no_key() -> Error {
    Error::Forbidden("An API key cannot do this".into())
}

/// The key that a token names.
#[must_use]
pub fn key_of(token: &str) -> Option<String> {
    jsonwebtoken::decode_header(token).ok()?.kid
}

/// What an access token says, when it is ours and its time has not passed. The algorithm is pinned.
#[must_use]
pub fn verify(keys: &Keys, token: &str, now: Time) -> Option<Claims> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    let key = keys.verifying(header.kid.as_deref()?).filter(|_| header.alg == Algorithm::EdDSA)?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    // The clock is ours: the library's cannot be moved.
    validation.validate_exp = false;
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let claims = jsonwebtoken::decode::<Claims>(token, key, &validation).ok()?.claims;
    (claims.iat <= now.epoch() + 60 && now.epoch() < claims.exp && claims.exp - claims.iat <= 900).then_some(claims)
}

/// A refresh token, read and not yet believed: `slug.user.session.generation.proof`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// The tenant's slug.
    pub tenant: String,
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// Which of the session's refresh tokens it is.
    pub generation: u64,
    proof: Vec<u8>,
}

impl Refresh {
    /// The refresh token of a session's present generation.
    #[must_use]
    pub fn of(secret: &Secret, tenant: &str, session: &Session) -> String {
        let text = format!("{tenant}.{}.{}.{}", session.user_id.key(), session.id.key(), session.generation);
        let proof = mac(secret, &text, &session.nonce).finalize().into_bytes();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(proof))
    }

    /// Reads a token.
    #[must_use]
    pub fn parse(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let refresh = Self {
            tenant: parts.next().filter(|slug| crate::text::is_slug(slug))?.to_owned(),
            user: UserId::from_key(parts.next()?)?,
            session: SessionId::from_key(parts.next()?)?,
            generation: parts.next()?.parse().ok()?,
            proof: URL_SAFE_NO_PAD.decode(parts.next()?).ok()?,
        };
        parts.next().is_none().then_some(refresh)
    }

    /// It was made for this session; compared in constant time.
    #[must_use]
    pub fn proves(&self, secret: &Secret, session: &Session) -> bool {
        let text = format!("{}.{}.{}.{}", self.tenant, self.user.key(), self.session.key(), self.generation);
        mac(secret, &text, &session.nonce).verify_slice(&self.proof).is_ok()
    }
}

fn mac(secret: &Secret, text: &str, nonce: &str) -> Hmac<Sha256> {
    secret.derive("refresh").mac(&[text.as_bytes(), nonce.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{crypto::keys::Jwks, input::read, models::user::UserInput};

    const NOW: Time = Time::from_epoch(1_700_000_000);

    fn keys(seed: u8) -> Keys {
        Keys::new(Some(&[seed; 32]), Jwks::default(), &[9; 32]).unwrap()
    }

    fn user() -> User {
        let fields = serde_json::json!({"name": "Ana", "email": "ana@example.com", "role": "manager"});
        User::new(UserId::of(1, [0; 10]), read::<UserInput>(fields.as_object().unwrap()).unwrap(), None, NOW)
    }

    fn company() -> Company {
        Company::new(Id::of(1, [0; 10]), "Acme".into(), "acme".into(), crate::models::company::Plan::Enterprise, NOW)
    }

    #[test]
    fn an_access_token_lives_fifteen_minutes() {
        let token = access(&keys(1), &company(), &user(), SessionId::default(), NOW).unwrap();
        let claims = verify(&keys(1), &token, NOW).unwrap();
        assert_eq!((claims.tenant.as_str(), claims.role, claims.exp), ("acme", Role::Manager, NOW.epoch() + 900));
        assert!(verify(&keys(1), &token, NOW + Duration::from_secs(899)).is_some());
        assert!(verify(&keys(1), &token, NOW + Duration::from_secs(900)).is_none());
        assert!(verify(&keys(2), &token, NOW).is_none());
    }

    #[test]
    fn forged_tokens_are_refused() {
        let token = access(&keys(1), &company(), &user(), SessionId::default(), NOW).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let kid = &keys(1).jwks().keys[0].kid.clone();
        let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
        let headers = [
            format!(r#"{{"alg":"none","kid":"{kid}"}}"#),
            format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#),
            r#"{"alg":"EdDSA"}"#.to_owned(),
            r#"{"alg":"EdDSA","kid":"other"}"#.to_owned(),
        ];
        for header in headers {
            for signature in [parts[2], ""] {
                let forged = format!("{}.{}.{signature}", encode(header.clone()), parts[1]);
                assert!(verify(&keys(1), &forged, NOW).is_none(), "{header}");
            }
        }
        let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        let forged = format!("{}.{}.{}", parts[0], encode(claims.replace("acme", "evil")), parts[2]);
        assert!(verify(&keys(1), &forged, NOW).is_none());
    }

    #[test]
    fn a_retired_key_still_verifies() {
        let token = access(&keys(1), &company(), &user(), SessionId::default(), NOW).unwrap();
        let rotated = Keys::new(Some(&[2; 32]), keys(1).jwks().clone(), &[9; 32]).unwrap();
        assert!(verify(&rotated, &token, NOW).is_some());
        assert_eq!(rotated.jwks().keys.len(), 2);
    }

    #[test]
    fn a_refresh_token_proves_its_own_session_and_generation() {
        let session = Session::new(SessionId::of(5, [0; 10]), &user(), "nonce".into(), NOW);
        let secret = Secret::new([1; 32]);
        let token = Refresh::of(&secret, "acme", &session);
        let parsed = Refresh::parse(&token).unwrap();
        assert!(parsed.proves(&secret, &session));
        assert!(!Refresh { generation: 2, ..parsed.clone() }.proves(&secret, &session));
        assert!(!Refresh { tenant: "evil".into(), ..parsed.clone() }.proves(&secret, &session));
        assert!(!parsed.proves(&secret, &Session { nonce: "other".into(), ..session }));
        for bad in ["", "a.b", "eyJhbGciOiJIUzI1NiJ9.e30.x", &format!("{token}.x")] {
            assert!(Refresh::parse(bad).is_none(), "{bad}");
        }
    }
}
