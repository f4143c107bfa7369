//! The cryptography of access tokens: Ed25519 and no other, for `jsonwebtoken`, whose own brings RSA and two more curves
//! into every function.

use ed25519_dalek::{Signature, SignatureError, Signer, SigningKey, Verifier, VerifyingKey};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result},
};

static ED25519: CryptoProvider =
    CryptoProvider { signer_factory: signer, verifier_factory: verifier, key_utils: KeyUtils::new_unimplemented() };

/// Makes it the process's; what comes first stays.
pub(super) fn install() {
    let _ = ED25519.install_default();
}

/// Keys are the 32 bytes themselves: the seed to sign, the public key to verify.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the library's shape")]
fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    Ok(Box::new(Pen(SigningKey::from_bytes(bytes(*algorithm, key.as_bytes())?))))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the library's shape")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let key = VerifyingKey::from_bytes(bytes(*algorithm, key.try_get_as_bytes()?)?);
    Ok(Box::new(Lens(key.map_err(|_| ErrorKind::InvalidEddsaKey)?)))
}

fn bytes(algorithm: Algorithm, key: &[u8]) -> Result<&[u8; 32]> {
    if algorithm != Algorithm::EdDSA {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    key.try_into().map_err(|_| ErrorKind::InvalidEddsaKey.into())
}

struct Pen(SigningKey);

impl Signer<Vec<u8>> for Pen {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, SignatureError> {
        Ok(self.0.sign(message).to_bytes().to_vec())
    }
}

impl JwtSigner for Pen {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct Lens(VerifyingKey);

impl Verifier<Vec<u8>> for Lens {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), SignatureError> {
        self.0.verify_strict(message, &Signature::from_slice(signature)?)
    }
}

impl JwtVerifier for Lens {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}
