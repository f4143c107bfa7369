//! Second factors: an authenticator's codes, each good once, and recovery codes, each good once.

use serde::{Deserialize, Serialize};

use super::User;
use crate::{
    clock::Time,
    crypto::{secret::Vault, totp::Seed},
    error::{Error, Result},
};

/// How many recovery codes there are.
const RECOVERY: usize = 10;

/// A user's second factor; none is asked for before it is enabled.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mfa {
    /// The authenticator's seed, sealed.
    sealed: String,
    /// Codes are asked for at login.
    pub enabled: bool,
    /// The step of the last code that was used.
    step: i64,
    /// Digests of the recovery codes that are left.
    recovery: Vec<String>,
}

impl Mfa {
    /// A seed that is to be enabled by its first code.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be sealed.
    pub fn begin(tenant: &str, user: &User, seed: &Seed, vault: &Vault) -> Result<Self> {
        let sealed = vault.seal(&place(tenant, user), seed.bytes())?;
        Ok(Self { sealed, enabled: false, step: 0, recovery: Vec::new() })
    }

    /// The factor after its first code, with fresh recovery codes; none when it is not the right one.
    ///
    /// # Errors
    /// [`Error::Internal`] when its seed was sealed under another secret.
    pub fn enable(
        &self,
        tenant: &str,
        user: &User,
        code: &str,
        recovery: &[String],
        vault: &Vault,
        now: Time,
    ) -> Result<Option<Self>> {
        let step = self.seed(tenant, user, vault)?.step_of(code.trim(), now, self.step);
        let recovery = recovery.iter().map(|code| digest(tenant, user, code, vault)).collect();
        Ok(step.map(|step| Self { enabled: true, step, recovery, ..self.clone() }))
    }

    /// The factor after a code was used: the authenticator's, or a recovery code; none when it is neither.
    ///
    /// # Errors
    /// [`Error::Internal`] when its seed was sealed under another secret.
    pub fn used(&self, tenant: &str, user: &User, code: &str, vault: &Vault, now: Time) -> Result<Option<Self>> {
        if let Some(step) = self.seed(tenant, user, vault)?.step_of(code.trim(), now, self.step) {
            return Ok(Some(Self { step, ..self.clone() }));
        }
        let digest = digest(tenant, user, code, vault);
        let mut left = self.recovery.clone();
        left.retain(|known| *known != digest);
        Ok((left.len() < self.recovery.len()).then(|| Self { recovery: left, ..self.clone() }))
    }

    fn seed(&self, tenant: &str, user: &User, vault: &Vault) -> Result<Seed> {
        let bytes = vault.open(&place(tenant, user), &self.sealed)?;
        bytes.try_into().map(Seed::new).map_err(|_| Error::Internal("a seed of another length".into()))
    }
}

/// Fresh recovery codes: 50 random bits each, as `xxxxx-xxxxx`.
///
/// # Errors
/// [`Error::Internal`] without randomness.
pub fn recovery_codes(chance: &crate::chance::Chance) -> Result<Vec<String>> {
    const DIGITS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let code = || {
        let random = chance.draw::<10>()?;
        let text: String = random.iter().map(|byte| char::from(DIGITS[usize::from(byte & 31)])).collect();
        Ok(format!("{}-{}", &text[..5], &text[5..]))
    };
    (0..RECOVERY).map(|_| code()).collect()
}

/// The digest of a recovery code in whatever writing.
fn digest(tenant: &str, user: &User, code: &str, vault: &Vault) -> String {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    vault.digest(&place(tenant, user), plain.as_bytes())
}

fn place(tenant: &str, user: &User) -> String {
    format!("{tenant}#mfa#{}", user.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chance::Chance, crypto::secret::Secret, models::user::sample};

    const NOW: Time = Time::from_epoch(1_700_000_000);
    const SEED: Seed = Seed::new([7; 20]);

    fn vault() -> Vault {
        Vault::new(&Secret::new([1; 32]), Chance::default())
    }

    fn enabled(codes: &[String]) -> Mfa {
        let begun = Mfa::begin("acme", &sample(), &SEED, &vault()).unwrap();
        assert!(begun.enable("acme", &sample(), "000000", codes, &vault(), NOW).unwrap().is_none());
        begun.enable("acme", &sample(), &SEED.code_at(NOW), codes, &vault(), NOW).unwrap().unwrap()
    }

    #[test]
    fn every_code_is_good_once() {
        let codes = recovery_codes(&Chance::default()).unwrap();
        let (mfa, later) = (enabled(&codes), NOW + std::time::Duration::from_secs(30));
        let using = |mfa: &Mfa, code: &str, at| mfa.used("acme", &sample(), code, &vault(), at).unwrap();
        // The one that enabled it is spent.
        assert!(using(&mfa, &SEED.code_at(NOW), NOW).is_none());
        let after = using(&mfa, &SEED.code_at(later), later).unwrap();
        assert!(using(&after, &SEED.code_at(later), later).is_none());
        let written = format!(" {} ", codes[3].to_uppercase().replace('-', " "));
        let after = using(&mfa, &written, NOW).unwrap();
        assert!(using(&after, &codes[3], NOW).is_none() && using(&after, &codes[4], NOW).is_some());
        for wrong in ["", "-", "aaaaa-aaaaa"] {
            assert!(using(&mfa, wrong, NOW).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn nothing_of_it_is_readable() {
        let codes = recovery_codes(&Chance::default()).unwrap();
        let stored = serde_json::to_string(&enabled(&codes)).unwrap();
        assert!(!stored.contains(&SEED.text()) && codes.iter().all(|code| !stored.contains(code)), "{stored}");
        assert!(codes.iter().all(|code| code.len() == 11) && codes[0] != codes[1]);
        let other = Vault::new(&Secret::new([2; 32]), Chance::default());
        assert!(enabled(&codes).used("acme", &sample(), &codes[0], &other, NOW).is_err());
    }
}
