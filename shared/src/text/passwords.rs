//! The passwords that everybody tries first.
//!
//! Not a measure of strength: NIST SP 800-63B §3.1.1.2 asks for a length and a list of what is
//! commonly used, and for nothing else. The list holds passwords of ten characters and more, ours
//! having to be that long; it was written for this product and copied from no breach.

use std::sync::LazyLock;

/// One password a line, in lower case, sorted by bytes.
static COMMON: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("passwords_common.txt").lines().collect());

/// Whether a password is one of the most common, in any case.
#[must_use]
pub fn is_common(password: &str) -> bool {
    COMMON.binary_search(&password.to_lowercase().as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_searched() {
        assert!(COMMON.len() > 300);
        assert!(COMMON.is_sorted_by(|a, b| a < b), "sorted, each once");
        for password in COMMON.iter() {
            assert!(password.chars().count() >= 10, "{password}");
            assert_eq!(*password, password.trim().to_lowercase());
            assert!(is_common(password) && is_common(&password.to_uppercase()), "{password}");
        }
    }

    #[test]
    fn common_and_not() {
        for password in ["Password123", "1234567890", "QWERTYUIOP", "Senha123456", "1q2w3e4r5t", "Corinthians"] {
            assert!(is_common(password), "{password}");
        }
        for password in ["", "password", "v9#kTz!m2Lq8", "Senha123456 ", "brisa calma no telhado azul"] {
            assert!(!is_common(password), "{password}");
        }
    }
}
