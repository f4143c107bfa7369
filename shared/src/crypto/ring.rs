//! Where the keys lie: in the table, the ones that sign sealed under a secret that the `auth` function alone is given.
//!
//! A new key is published a while before it signs, and stays for a while after the next one does; a process that meets a
//! key it does not know reads them anew. So nobody is logged out when keys change.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{
    keys::{Jwk, Jwks, Keys},
    secret::{Secret, Vault},
};
use crate::{
    chance::Chance,
    clock::{Clock, Time},
    error::{Error, Result},
    storage::{Db, Key, entity, made},
};

/// How long a key is public before it signs. Longer than [`PATIENCE`].
const AHEAD: Duration = Duration::from_secs(60);
/// How often, at most, keys are read anew because of one that is not known.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a process that signs goes by what it read.
const FRESH: Duration = Duration::from_secs(300);
/// How long a key stays public after the next one signs. Longer than [`FRESH`] and the life of an access token.
const KEPT: Duration = Duration::from_secs(3600);

/// The keys as they lie in the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stored {
    /// Those that sign, by their beginnings; the last that has begun does.
    keys: Vec<Pair>,
    /// Signs cursors, base64url: it keeps clients from making them up, and is no secret from who reads the table.
    cursor: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Pair {
    public: Jwk,
    /// The private half, sealed.
    private: String,
    /// From when on it signs.
    from: Time,
}

impl Stored {
    fn holds(&self, key: &Jwk) -> bool {
        self.keys.iter().any(|pair| pair.public.kid == key.kid)
    }
}

/// The keys as this process knows them.
#[derive(Debug)]
pub struct KeyRing {
    db: Db,
    clock: Clock,
    chance: Chance,
    /// Opens the keys that sign, where this process does.
    vault: Option<Vault>,
    known: Mutex<Option<(Keys, Time)>>,
}

impl KeyRing {
    /// The keys in a table; with the secret of `auth` this process signs.
    #[must_use]
    pub fn new(db: Db, clock: Clock, chance: Chance, secret: Option<&Secret>) -> Self {
        let vault = secret.map(|secret| Vault::new(secret, chance.clone()));
        Self { db, clock, chance, vault, known: Mutex::default() }
    }

    /// Goes by these keys, without a look at the table; for tests.
    pub fn assume(&self, keys: Keys) {
        self.know(keys);
    }

    /// The keys, among them this one if there is such a one.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn knowing(&self, kid: &str) -> Result<Keys> {
        match self.known() {
            Some((keys, at)) if keys.verifying(kid).is_some() || self.clock.now() < at + PATIENCE => Ok(keys),
            _ => self.load().await,
        }
    }

    /// The keys as they are known here.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn current(&self) -> Result<Keys> {
        match self.known() {
            Some((keys, _)) if !keys.jwks().keys.is_empty() => Ok(keys),
            _ => self.load().await,
        }
    }

    /// The keys, with the one that signs; the first is made by whoever needs it first.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer, or this process may not sign.
    pub async fn signing(&self) -> Result<Keys> {
        if let Some((keys, _)) = self.known().filter(|(keys, at)| keys.signing().is_some() && self.clock.now() < *at + FRESH) {
            return Ok(keys);
        }
        let keys = self.load().await?;
        if keys.signing().is_some() {
            return Ok(keys);
        }
        let vault = self.vault.as_ref().ok_or_else(|| Error::Internal("this function makes no tokens".into()))?;
        let cursor = URL_SAFE_NO_PAD.encode(self.chance.draw::<32>()?);
        let first = Stored { keys: vec![self.pair(vault, self.clock.now())?], cursor };
        // Another may be first: then theirs it is.
        let _ = self.write(&first, 0).await?;
        self.load().await
    }

    /// Publishes another key, which signs soon; those that have not signed for long go. Answers the new key and when it begins.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer; [`Error::Conflict`] when another did the same at once.
    pub async fn rotate(&self) -> Result<(Jwk, Time)> {
        self.signing().await?;
        let vault = self.vault.as_ref().ok_or_else(|| Error::Internal("this function makes no tokens".into()))?;
        let (mut stored, version) = self.read().await?.ok_or_else(|| Error::Internal("there are no keys".into()))?;
        let now = self.clock.now();
        let next = self.pair(vault, now + AHEAD)?;
        let outdated = stored.keys.iter().skip(1).filter(|pair| pair.from + KEPT <= now).count();
        stored.keys.drain(..outdated);
        stored.keys.push(next.clone());
        // An answer that was lost is asked for again, and refused: the key is there all the same.
        let published = |stored: Option<(Stored, u64)>| stored.is_some_and(|(stored, _)| stored.holds(&next.public));
        if self.write(&stored, version).await? || published(self.read().await?) {
            return Ok((next.public, next.from));
        }
        Err(Error::Conflict)
    }

    fn pair(&self, vault: &Vault, from: Time) -> Result<Pair> {
        let seed = self.chance.draw::<32>()?;
        let public = Jwk::of(&seed);
        let private = vault.seal(&public.kid, &seed)?;
        Ok(Pair { public, private, from })
    }

    fn known(&self) -> Option<(Keys, Time)> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn know(&self, keys: Keys) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((keys, self.clock.now()));
    }

    async fn load(&self) -> Result<Keys> {
        let keys = match self.read().await? {
            Some((stored, _)) => self.opened(&stored)?,
            None => Keys::new(None, Jwks::default(), &[])?,
        };
        self.know(keys.clone());
        Ok(keys)
    }

    fn opened(&self, stored: &Stored) -> Result<Keys> {
        let now = self.clock.now();
        let present = stored.keys.iter().rfind(|pair| pair.from <= now);
        let seed = match (&self.vault, present) {
            (Some(vault), Some(pair)) => Some(vault.open(&pair.public.kid, &pair.private)?),
            _ => None,
        };
        let seed = seed.and_then(|seed| <[u8; 32]>::try_from(seed).ok());
        let jwks = Jwks { keys: stored.keys.iter().rev().map(|pair| pair.public.clone()).collect() };
        let cursor = URL_SAFE_NO_PAD.decode(&stored.cursor).map_err(|e| Error::internal("cursor key", e))?;
        Keys::new(seed.as_ref(), jwks, &cursor)
    }

    async fn read(&self) -> Result<Option<(Stored, u64)>> {
        let Some(mut item) = self.db.item(&Key::signing_keys()).await? else { return Ok(None) };
        let version = entity::number(&item, "v").and_then(|version| u64::try_from(version).ok()).unwrap_or(0);
        let data = item.remove("d").ok_or_else(|| Error::Internal("keys without data".into()))?;
        serde_dynamo::from_attribute_value(data).map(|stored| Some((stored, version))).map_err(|e| Error::internal("keys", e))
    }

    /// Writes the keys over a version of them; says whether that still was the present one.
    async fn write(&self, stored: &Stored, version: u64) -> Result<bool> {
        let data = serde_dynamo::to_attribute_value(stored).map_err(|e| Error::internal("keys", e))?;
        let key = Key::signing_keys();
        let number = |value: u64| AttributeValue::N(value.to_string());
        let written = self
            .db
            .client()
            .put_item()
            .table_name(self.db.table())
            .item("PK", AttributeValue::S(key.pk))
            .item("SK", AttributeValue::S(key.sk))
            .item("d", data)
            .item("v", number(version + 1))
            .condition_expression("attribute_not_exists(PK) OR v = :seen")
            .expression_attribute_values(":seen", number(version))
            .send()
            .await;
        made("PutItem", written)
    }
}
