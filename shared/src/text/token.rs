//! Secrets that stand in URLs.

use crate::{chance::Chance, error::Result};

/// 22 base-62 digits, each drawn evenly: 131 bits.
///
/// # Errors
/// [`crate::Error::Internal`] without randomness.
pub fn token(chance: &Chance) -> Result<String> {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut token = String::with_capacity(22);
    while token.len() < 22 {
        let bytes = chance.draw::<32>()?;
        // 248 is the largest multiple of 62 that a byte holds; what lies above would favour the first digits.
        let even = bytes.into_iter().filter(|byte| *byte < 248).map(|byte| char::from(DIGITS[usize::from(byte % 62)]));
        token.extend(even.take(22 - token.len()));
    }
    Ok(token)
}

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::{Chance, hex, token};

    #[test]
    fn bytes_in_hexadecimal() {
        assert_eq!(hex(&[0, 15, 16, 255]), "000f10ff");
    }

    #[test]
    fn tokens_are_22_base_62_digits_and_differ() {
        let tokens: std::collections::HashSet<String> = (0..1000).map(|_| token(&Chance::default()).unwrap()).collect();
        assert_eq!(tokens.len(), 1000);
        assert!(tokens.iter().all(|token| token.len() == 22 && token.chars().all(|c| c.is_ascii_alphanumeric())));
    }
}
