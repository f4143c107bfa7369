//! Deciding anew when a concurrent write won.

use std::time::Duration;

use crate::{
    chance::Chance,
    error::{Error, Result},
};

/// How often a lost race is run again before it is given up; with the pauses below this is some eight seconds.
pub(super) const ATTEMPTS: u32 = 60;

/// Runs `attempt` until it does not end in [`Error::Conflict`]: it reads, decides and writes again. Between two attempts
/// lies a random pause that grows to 200 ms.
///
/// # Errors
/// What the attempt says; [`Error::Conflict`] when the race is hopeless.
pub async fn contend<T, F>(mut attempt: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    for round in 0..ATTEMPTS {
        match attempt().await {
            Err(Error::Conflict) => pause(round).await,
            done => return done,
        }
    }
    Err(Error::Conflict)
}

/// A random pause that grows with the rounds to 200 ms.
pub(super) async fn pause(round: u32) {
    let ceiling = (1u64 << round.min(5)) * 6;
    let jitter = Chance::default().draw().map_or(128, |[byte]| u64::from(byte));
    tokio::time::sleep(Duration::from_millis(ceiling * jitter / 255)).await;
}
