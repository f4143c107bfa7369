//! Codes of an authenticator: TOTP (RFC 6238) with SHA-1, 30 seconds, 6 digits, which is what all of them take.

use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::clock::Time;

/// Seconds of a step.
const STEP: i64 = 30;
/// Steps that a clock may be wrong by, either way.
const DRIFT: i64 = 1;

/// A seed, 160 bits.
#[derive(Clone)]
pub struct Seed([u8; 20]);

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed")
    }
}

impl Seed {
    /// The seed of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// What is typed into an authenticator: base32 (RFC 4648) without padding.
    #[must_use]
    pub fn text(&self) -> String {
        const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let groups = self.0.chunks(5).map(|group| group.iter().fold(0u64, |bits, byte| (bits << 8) | u64::from(*byte)));
        groups.flat_map(|bits| (0..8).rev().map(move |place| char::from(DIGITS[(bits >> (place * 5) & 31) as usize]))).collect()
    }

    /// The step whose code this is, if it is that of the present one or of a neighbour, and later than one that was used.
    #[must_use]
    pub fn step_of(&self, code: &str, now: Time, used: i64) -> Option<i64> {
        let present = now.epoch().div_euclid(STEP);
        (present - DRIFT..=present + DRIFT).filter(|step| *step > used).find(|step| same(&self.code(*step), code))
    }

    /// The code of a moment.
    #[must_use]
    pub fn code_at(&self, at: Time) -> String {
        self.code(at.epoch().div_euclid(STEP))
    }

    fn code(&self, step: i64) -> String {
        let Ok(mac) = Hmac::<Sha1>::new_from_slice(&self.0) else { return String::new() };
        let hash = mac.chain_update(step.to_be_bytes()).finalize().into_bytes();
        let offset = usize::from(hash[19] & 15);
        let bits = hash[offset..offset + 4].iter().fold(0u32, |bits, byte| (bits << 8) | u32::from(*byte));
        format!("{:06}", (bits & 0x7fff_ffff) % 1_000_000)
    }
}

/// Compares without telling by the time how much agrees.
fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: Seed = Seed::new(*b"12345678901234567890");

    /// RFC 6238, appendix B, the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        for (at, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(SEED.code_at(Time::from_epoch(at)), code);
        }
        assert_eq!(SEED.text(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn a_code_is_good_for_its_step_and_its_neighbours_and_once() {
        let code = SEED.code_at(Time::from_epoch(59));
        let step = |at, used| SEED.step_of(&code, Time::from_epoch(at), used);
        for at in [0, 29, 30, 59, 60, 89] {
            assert_eq!(step(at, 0), Some(1), "{at}");
        }
        assert_eq!((step(90, 0), step(59, 1), step(59, 2)), (None, None, None));
        for wrong in ["287083", "28708", "2870822", "", "28708a", "２87082"] {
            assert_eq!(SEED.step_of(wrong, Time::from_epoch(59), 0), None, "{wrong}");
        }
    }
}
