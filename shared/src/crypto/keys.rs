//! The keys: one signs access tokens, several verify them, one signs cursors.

use std::{collections::BTreeMap, fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::jwt;
use crate::{
    error::{Error, Result},
    storage::cursor::CursorKey,
};

/// The keys of a deployment; cheap to clone.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    signing: Option<(String, EncodingKey)>,
    verifying: BTreeMap<String, DecodingKey>,
    jwks: Jwks,
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
    /// Keys from their parts: the seed of the one that signs, if this process makes tokens, all public keys, of which that need
    /// not be one, and the bytes under which cursors are signed.
    ///
    /// # Errors
    /// [`Error::Internal`] when a public key is none.
    pub fn new(signing: Option<&[u8; 32]>, mut jwks: Jwks, cursor: &[u8]) -> Result<Self> {
        jwt::install();
        let signing = signing.map(|seed| {
            let jwk = Jwk::of(seed);
            let kid = jwk.kid.clone();
            if jwks.keys.iter().all(|known| known.kid != kid) {
                jwks.keys.insert(0, jwk);
            }
            (kid, EncodingKey::from_ed_der(seed))
        });
        let mut verifying = BTreeMap::new();
        for jwk in &jwks.keys {
            let valid = jwk.crv == "Ed25519" && URL_SAFE_NO_PAD.decode(&jwk.x).is_ok_and(|bytes| bytes.len() == 32);
            let key = DecodingKey::from_ed_components(&jwk.x).ok().filter(|_| valid);
            let key = key.ok_or_else(|| Error::Internal(format!("key {:?} is not an Ed25519 key", jwk.kid)))?;
            verifying.insert(jwk.kid.clone(), key);
        }
        Ok(Self(Arc::new(Inner { signing, verifying, jwks, cursor: CursorKey::new(cursor) })))
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
}
