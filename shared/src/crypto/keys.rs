//! The keys: one signs access tokens, several verify them, one secret makes cursors and refresh tokens.

use std::{collections::BTreeMap, fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::jwt;
use crate::{app::settings::Variables, storage::cursor::CursorKey};

/// The keys of a deployment; cheap to clone.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    signing: Option<(String, EncodingKey)>,
    verifying: BTreeMap<String, DecodingKey>,
    jwks: Jwks,
    secret: [u8; 32],
    cursor: CursorKey,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("verifying", &self.0.verifying.keys()).finish_non_exhaustive()
    }
}

/// Public keys (RFC 7517, RFC 8037).
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
}

/// One public key.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Jwk {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    pub crv: String,
    /// The public key, base64url.
    pub x: String,
    /// The key's thumbprint (RFC 7638).
    pub kid: String,
    /// `EdDSA`.
    pub alg: String,
    /// `sig`.
    #[serde(rename = "use")]
    pub usage: String,
}

impl Jwk {
    /// The public half of a signing key.
    #[must_use]
    pub fn of(seed: &[u8; 32]) -> Self {
        let x = URL_SAFE_NO_PAD.encode(SigningKey::from_bytes(seed).verifying_key().as_bytes());
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(Sha256::digest(canonical));
        Self { kty: "OKP".into(), crv: "Ed25519".into(), x, kid, alg: "EdDSA".into(), usage: "sig".into() }
    }
}

impl Keys {
    /// Keys from their parts. Without a signing key tokens are verified, not made; its public half need not be in
    /// `jwks`.
    ///
    /// # Errors
    /// What is wrong with the public keys.
    pub fn new(signing: Option<[u8; 32]>, mut jwks: Jwks, secret: [u8; 32]) -> Result<Self, String> {
        jwt::install();
        let signing = signing.map(|seed| {
            let jwk = Jwk::of(&seed);
            let kid = jwk.kid.clone();
            if jwks.keys.iter().all(|known| known.kid != kid) {
                jwks.keys.insert(0, jwk);
            }
            (kid, EncodingKey::from_ed_der(&seed))
        });
        let mut verifying = BTreeMap::new();
        for jwk in &jwks.keys {
            let valid = jwk.crv == "Ed25519" && URL_SAFE_NO_PAD.decode(&jwk.x).is_ok_and(|bytes| bytes.len() == 32);
            let key = DecodingKey::from_ed_components(&jwk.x).ok().filter(|_| valid);
            verifying.insert(jwk.kid.clone(), key.ok_or_else(|| format!("key {:?} is not an Ed25519 key", jwk.kid))?);
        }
        let cursor = CursorKey::new(&derive(&secret, "cursor"));
        Ok(Self(Arc::new(Inner { signing, verifying, jwks, secret: derive(&secret, "refresh"), cursor })))
    }

    /// Keys from the environment: `VOKI_SIGNING_KEY` (base64url of 32 bytes, for the auth function alone), `VOKI_JWKS`
    /// (the public keys), `VOKI_SECRET` (base64url of 32 bytes).
    pub fn read(variables: &mut Variables) -> Self {
        let signing = variables.optional("VOKI_SIGNING_KEY", bytes);
        let jwks: Option<Jwks> = variables.optional("VOKI_JWKS", |text| serde_json::from_str(text).map_err(|e| e.to_string()));
        let secret = variables.required("VOKI_SECRET", bytes);
        if signing.is_none() && jwks.as_ref().is_none_or(|jwks| jwks.keys.is_empty()) {
            variables.flaw("VOKI_JWKS", "has no key");
        }
        Self::new(signing, jwks.unwrap_or_default(), secret).unwrap_or_else(|reason| {
            variables.flaw("VOKI_JWKS", &reason);
            Self::none()
        })
    }

    /// No keys at all: every token is refused.
    fn none() -> Self {
        let inner = Inner {
            signing: None,
            verifying: BTreeMap::new(),
            jwks: Jwks::default(),
            secret: [0; 32],
            cursor: CursorKey::new(&[]),
        };
        Self(Arc::new(inner))
    }

    /// The public keys.
    #[must_use]
    pub fn jwks(&self) -> &Jwks {
        &self.0.jwks
    }

    /// The key that signs cursors.
    #[must_use]
    pub fn cursor(&self) -> &CursorKey {
        &self.0.cursor
    }

    pub(crate) fn signing(&self) -> Option<&(String, EncodingKey)> {
        self.0.signing.as_ref()
    }

    pub(crate) fn verifying(&self, kid: &str) -> Option<&DecodingKey> {
        self.0.verifying.get(kid)
    }

    pub(crate) fn refresh_secret(&self) -> &[u8; 32] {
        &self.0.secret
    }
}

/// A key for one purpose from the one secret.
fn derive(secret: &[u8; 32], purpose: &str) -> [u8; 32] {
    Sha256::new().chain_update(secret).chain_update(purpose).finalize().into()
}

fn bytes(text: &str) -> Result<[u8; 32], String> {
    URL_SAFE_NO_PAD
        .decode(text.trim_end_matches('='))
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| "must be 32 bytes in base64url".into())
}
