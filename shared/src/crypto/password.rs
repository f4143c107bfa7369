//! Passwords: Argon2id (19 MiB, 2 passes, 1 lane; OWASP), bounded so that a login storm cannot exhaust memory.

use std::sync::Arc;

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier, password_hash::SaltString};
use tokio::sync::Semaphore;

use crate::{
    chance::Chance,
    error::{Error, Result},
};

/// Hashes at the same time; each takes 19 MiB.
const AT_ONCE: usize = 4;

/// A hash of nobody's password, with the parameters of all others: who does not exist takes as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$OsfvpeJgC2buY4OY8XjWlg$xnUG+ePkPNiktn//gG2dj1gNNwICx4W6HrBfNPJIllE";

/// Password hashing; cheap to clone.
#[derive(Debug, Clone)]
pub struct Passwords {
    at_once: Arc<Semaphore>,
    chance: Chance,
}

impl Passwords {
    /// Hashing with salts from there.
    #[must_use]
    pub fn new(chance: Chance) -> Self {
        Self { at_once: Arc::new(Semaphore::new(AT_ONCE)), chance }
    }

    /// The hash of a password, PHC format.
    ///
    /// # Errors
    /// [`Error::Internal`] when there is no randomness.
    pub async fn hash(&self, password: &str) -> Result<String> {
        let (password, salt) = (password.to_owned(), self.chance.draw::<16>()?);
        self.run(move || {
            let salt = SaltString::encode_b64(&salt).map_err(|e| Error::internal("salt", e))?;
            let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
            Ok(hash.map_err(|e| Error::internal("hash", e))?.to_string())
        })
        .await
    }

    /// Whether the password has this hash; without one (nobody has that name) it is as slow and false.
    ///
    /// # Errors
    /// [`Error::Internal`] when the work is cut off.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool> {
        let (password, hash, known) = (password.to_owned(), hash.unwrap_or(NOBODY).to_owned(), hash.is_some());
        self.run(move || {
            let hash = PasswordHash::new(&hash).map_err(|e| Error::internal("hash", e))?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && known)
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let _permit = self.at_once.acquire().await.map_err(|e| Error::internal("password", e))?;
        tokio::task::spawn_blocking(work).await.map_err(|e| Error::internal("password", e))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_has_its_own_hash_alone() {
        let passwords = Passwords::new(Chance::default());
        let hash = passwords.hash("correct horse battery").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse battery", Some(&hash)).await.unwrap());
        assert!(!passwords.verify("correct horse batterz", Some(&hash)).await.unwrap());
        assert_ne!(hash, passwords.hash("correct horse battery").await.unwrap());
    }

    #[tokio::test]
    async fn nobody_has_no_password() {
        assert!(!Passwords::new(Chance::default()).verify("nobody's password", None).await.unwrap());
        let (nobody, somebody) = (PasswordHash::new(NOBODY).unwrap(), Passwords::new(Chance::default()).hash("x").await.unwrap());
        let somebody = PasswordHash::new(&somebody).unwrap();
        assert_eq!(
            (nobody.algorithm, nobody.version, nobody.params),
            (somebody.algorithm, somebody.version, somebody.params.clone())
        );
        assert_eq!(nobody.hash.map(|hash| hash.len()), somebody.hash.map(|hash| hash.len()));
    }
}
