//! Sessions: who is logged in where, and which refresh token is the present one.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::User;
use crate::{
    clock::{Time, days},
    ids::{SessionId, UserId},
    storage::{Entity, Facets, Key, Listing, Sort, entity::MEMORY},
};

/// How long a session lasts without a refresh.
pub const LIFE: Duration = days(7);
/// How long a session lasts at most.
pub const END: Duration = days(90);
/// How long a refresh token that was just replaced still gives the same successor: two tabs are honest.
pub const GRACE: Duration = Duration::from_secs(30);

/// A session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// Its identifier, the `sid` of access tokens.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The user's epoch in which it began; with a later one it has ended.
    pub epoch: u64,
    /// Random bytes that its refresh tokens are made from, base64.
    pub nonce: String,
    /// How often its refresh token was replaced.
    pub generation: u64,
    /// When it was last replaced.
    pub rotated_at: Time,
    /// When it lapses.
    pub expires_at: Time,
    /// The address that logged in.
    pub ip: Option<String>,
    /// What it calls itself.
    pub user_agent: Option<String>,
    /// When it began.
    pub inserted_at: Time,
}

/// What becomes of a session when a refresh token comes.
#[derive(Debug, PartialEq, Eq)]
pub enum Refresh {
    /// The present token: it is replaced by the next generation.
    Rotate,
    /// The one just replaced, by an honest second tab: the same successor again.
    Repeat,
    /// An older one: somebody has a copy, the session ends.
    Revoke,
    /// Nothing to refresh.
    Lapsed,
}

impl Session {
    /// A new session.
    #[must_use]
    pub fn new(id: SessionId, user: &User, nonce: String, now: Time) -> Self {
        Self {
            id,
            user_id: user.id,
            epoch: user.epoch,
            nonce,
            generation: 1,
            rotated_at: now,
            expires_at: now + LIFE,
            ip: None,
            user_agent: None,
            inserted_at: now,
        }
    }

    /// It has not ended: neither by itself, nor with all of its user's, nor with the user.
    #[must_use]
    pub fn stands(&self, user: &User, now: Time) -> bool {
        self.expires_at > now && self.epoch == user.epoch && user.input.active
    }

    /// The session as its user sees it.
    #[must_use]
    pub fn view(&self, current: bool) -> SessionView {
        SessionView {
            id: self.id,
            ip: self.ip.clone(),
            user_agent: self.user_agent.clone(),
            inserted_at: self.inserted_at,
            last_used_at: self.rotated_at,
            current,
        }
    }

    /// What a refresh token of this generation brings about now.
    #[must_use]
    pub fn refresh(&self, generation: u64, now: Time) -> Refresh {
        if self.expires_at <= now {
            Refresh::Lapsed
        } else if generation == self.generation {
            Refresh::Rotate
        } else if generation + 1 == self.generation && now <= self.rotated_at + GRACE {
            Refresh::Repeat
        } else {
            Refresh::Revoke
        }
    }

    /// The session with its next refresh token.
    #[must_use]
    pub fn rotated(&self, now: Time) -> Self {
        let expires_at = (now + LIFE).min(self.inserted_at + END);
        Self { generation: self.generation + 1, rotated_at: now, expires_at, ..self.clone() }
    }
}

/// A session as its user sees it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Session")]
pub struct SessionView {
    /// Its identifier, the `sid` of access tokens.
    pub id: SessionId,
    /// The address that logged in.
    pub ip: Option<String>,
    /// What it calls itself.
    pub user_agent: Option<String>,
    /// When it began.
    pub inserted_at: Time,
    /// When it last got a new pair of tokens.
    pub last_used_at: Time,
    /// It is the one that asks.
    pub current: bool,
}

impl Entity for Session {
    const KIND: &'static str = "session";
    const LISTING: Listing =
        Listing { sorts: &[Sort { name: "inserted_at", all: MEMORY, by: &[] }], filters: &[], counted: false };
    type Id = (UserId, SessionId);

    fn id(&self) -> Self::Id {
        (self.user_id, self.id)
    }

    fn key(tenant: &str, (user, session): Self::Id) -> Key {
        Key::session(tenant, user, session)
    }

    fn facets(&self, tenant: &str) -> Facets {
        Facets::of::<Self>(tenant, self.id).sort("inserted_at", self.inserted_at.key()).ttl(self.expires_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_rotates_repeats_or_revokes() {
        let start = Time::from_epoch(1_700_000_000);
        let first = Session::new(SessionId::default(), &crate::models::user::sample(), String::new(), start);
        let second = first.rotated(start + Duration::from_secs(100));
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(first.refresh(1, at(10)), Refresh::Rotate);
        assert_eq!(second.refresh(2, at(101)), Refresh::Rotate);
        assert_eq!(second.refresh(1, at(130)), Refresh::Repeat);
        assert_eq!(second.refresh(1, at(131)), Refresh::Revoke);
        assert_eq!(second.rotated(at(105)).refresh(1, at(106)), Refresh::Revoke);
        assert_eq!(second.refresh(3, at(101)), Refresh::Revoke);
        assert_eq!(first.refresh(1, start + LIFE), Refresh::Lapsed);
    }

    #[test]
    fn a_session_ends_however_often_it_is_refreshed() {
        let start = Time::from_epoch(1_700_000_000);
        let first = Session::new(SessionId::default(), &crate::models::user::sample(), String::new(), start);
        assert_eq!(first.rotated(start + days(5)).expires_at, start + days(12));
        assert_eq!(first.rotated(start + days(89)).expires_at, start + days(90));
    }
}
