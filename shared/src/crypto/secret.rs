//! What the environment alone knows: 32 bytes from which keys for single purposes follow, and what is sealed under them.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::Sha256;

use crate::{
    chance::Chance,
    error::{Error, Result},
};

/// 32 secret bytes.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// The secret of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads base64url.
    ///
    /// # Errors
    /// When it is not 32 bytes of that.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('=')).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| "must be 32 bytes in base64url".into())
    }

    /// The secret as [`Secret::parse`] reads it.
    #[must_use]
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// A secret for one purpose.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Self {
        Self(self.mac(&[purpose.as_bytes()]).finalize().into_bytes().into())
    }

    /// HMAC-SHA256 of parts, each ended by a zero.
    #[must_use]
    #[expect(clippy::missing_panics_doc, clippy::expect_used, reason = "a key of any length is valid")]
    pub fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any length is valid");
        parts.iter().fold(mac, |mac, part| mac.chain_update(part).chain_update([0]))
    }
}

/// Seals what lies in the table so that reading the table does not give it: AES-256-GCM, a random nonce, bound to its place.
#[derive(Clone)]
pub struct Vault {
    secret: Secret,
    chance: Chance,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// The vault of a secret.
    #[must_use]
    pub fn new(secret: &Secret, chance: Chance) -> Self {
        Self { secret: secret.derive("seal"), chance }
    }

    /// Seals something for a place; it opens nowhere else.
    ///
    /// # Errors
    /// [`Error::Internal`] without randomness.
    pub fn seal(&self, place: &str, open: &[u8]) -> Result<String> {
        let nonce = self.chance.draw::<NONCE_LEN>()?;
        let mut sealed = open.to_vec();
        self.key()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut sealed)
            .map_err(|e| Error::internal("seal", e))?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// [`Error::Internal`] when it was not, or under another secret.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Vec<u8>> {
        let refused = || Error::Internal("what is sealed does not open: was the secret changed?".into());
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| refused())?;
        let (nonce, rest) = bytes.split_first_chunk::<NONCE_LEN>().ok_or_else(refused)?;
        let mut rest = rest.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let open = self.key()?.open_in_place(nonce, Aad::from(place), &mut rest).map_err(|_| refused())?;
        Ok(open.to_vec())
    }

    /// A digest of 96 bits that nobody makes who does not know the secret.
    #[must_use]
    pub fn digest(&self, place: &str, text: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(&self.secret.derive("digest").mac(&[place.as_bytes(), text]).finalize().into_bytes()[..12])
    }

    fn key(&self) -> Result<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, &self.secret.0).map(LessSafeKey::new).map_err(|e| Error::internal("key", e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_at_its_place_under_its_secret_alone() {
        let vault = |seed| Vault::new(&Secret::new([seed; 32]), Chance::default());
        let sealed = vault(1).seal("acme#user#1", b"seed").unwrap();
        assert_eq!(vault(1).open("acme#user#1", &sealed).unwrap(), b"seed");
        assert_ne!(sealed, vault(1).seal("acme#user#1", b"seed").unwrap());
        let mut bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        for (vault, place, sealed) in [
            (vault(2), "acme#user#1", sealed.clone()),
            (vault(1), "acme#user#2", sealed),
            (vault(1), "acme#user#1", URL_SAFE_NO_PAD.encode(bytes)),
            (vault(1), "acme#user#1", "short".into()),
            (vault(1), "acme#user#1", "no base64!".into()),
        ] {
            assert!(vault.open(place, &sealed).is_err());
        }
    }

    #[test]
    fn a_secret_is_read_and_has_purposes() {
        let secret = Secret::parse("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").unwrap();
        assert_eq!(Secret::parse(&secret.text()).unwrap().0, [7; 32]);
        assert_ne!(secret.derive("one").0, secret.derive("two").0);
        assert!(Secret::parse("c2hvcnQ").is_err() && !format!("{secret:?}").contains('7'));
    }
}
