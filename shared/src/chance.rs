//! Randomness. Nothing else draws what is kept or shown, so that tests can say what comes.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The system's randomness, or draws that follow from a seed; clones go on together.
#[derive(Debug, Clone, Default)]
pub struct Chance(Option<Arc<Seeded>>);

#[derive(Debug)]
struct Seeded {
    seed: String,
    drawn: AtomicU64,
}

impl Chance {
    /// Draws that follow from a seed and their number alone; for tests.
    #[must_use]
    pub fn seeded(seed: &str) -> Self {
        Self(Some(Arc::new(Seeded { seed: seed.into(), drawn: AtomicU64::new(0) })))
    }

    /// The next draw.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system has no randomness.
    #[expect(clippy::disallowed_methods, reason = "the one place that draws")]
    pub fn draw<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        match &self.0 {
            None => getrandom::fill(&mut bytes).map_err(|e| Error::internal("randomness", e))?,
            Some(seeded) => seeded.fill(&mut bytes),
        }
        Ok(bytes)
    }
}

impl Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        let number = self.drawn.fetch_add(1, Ordering::SeqCst);
        for (block, chunk) in (0u32..).zip(bytes.chunks_mut(32)) {
            let hash =
                Sha256::new().chain_update(&self.seed).chain_update(number.to_be_bytes()).chain_update(block.to_be_bytes());
            chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_what_comes() {
        let (one, same, other) = (Chance::seeded("a"), Chance::seeded("a"), Chance::seeded("b"));
        let draws: Vec<[u8; 40]> = (0..3).map(|_| one.draw().unwrap()).collect();
        assert_eq!(draws, (0..3).map(|_| same.clone().draw().unwrap()).collect::<Vec<[u8; 40]>>());
        assert_ne!(draws[0], draws[1]);
        assert_ne!(draws[0], other.draw::<40>().unwrap());
    }

    #[test]
    fn without_one_nobody_knows() {
        assert_ne!(Chance::default().draw::<16>().unwrap(), Chance::default().draw::<16>().unwrap());
    }
}
