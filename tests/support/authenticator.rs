//! An authenticator, as somebody has it on a phone.

use hmac::{Hmac, Mac};
use sha1::Sha1;
use shared::clock::Time;

/// An authenticator with a seed.
#[derive(Debug, Clone)]
pub struct Authenticator(Vec<u8>);

impl Authenticator {
    /// With a seed as it is typed in (RFC 4648, base32).
    #[must_use]
    pub fn new(secret: &str) -> Self {
        let (mut bytes, mut bits, mut held) = (Vec::new(), 0u32, 0);
        for letter in secret.chars() {
            let digit = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).unwrap();
            (bits, held) = ((bits << 5) | u32::try_from(digit).unwrap(), held + 5);
            if held >= 8 {
                held -= 8;
                bytes.push(u8::try_from((bits >> held) & 255).unwrap());
            }
        }
        Self(bytes)
    }

    /// What it shows at a moment (RFC 6238).
    #[must_use]
    pub fn code(&self, at: Time) -> String {
        let step = u64::try_from(at.epoch() / 30).unwrap();
        let hash = Hmac::<Sha1>::new_from_slice(&self.0).unwrap().chain_update(step.to_be_bytes()).finalize().into_bytes();
        let at = usize::from(hash[19] & 15);
        let word = u32::from_be_bytes([hash[at] & 127, hash[at + 1], hash[at + 2], hash[at + 3]]);
        format!("{:06}", word % 1_000_000)
    }
}
