//! Typed identifiers: a department's cannot be passed for a user's.
//!
//! They are UUIDs; those we mint are version 7 (RFC 9562), so that their order is the order of creation.

use uuid::{Builder, Uuid};

use crate::{chance::Chance, error::Result};

/// What all typed identifiers share.
pub trait Id: Copy + Eq + std::fmt::Display + std::str::FromStr + From<Uuid> + Send + Sync + 'static {
    /// The UUID inside.
    fn uuid(self) -> Uuid;

    /// A new identifier, ordered by the given moment (milliseconds since the epoch).
    ///
    /// # Errors
    /// [`crate::Error::Internal`] without randomness.
    fn mint(millis: i64, chance: &Chance) -> Result<Self> {
        Ok(Self::of(millis, chance.draw()?))
    }

    /// The identifier of a moment and a draw.
    #[must_use]
    fn of(millis: i64, random: [u8; 10]) -> Self {
        Builder::from_unix_timestamp_millis(u64::try_from(millis).unwrap_or(0), &random).into_uuid().into()
    }

    /// An identifier that follows from its parts alone, ordered as `like` is: whoever repeats the work finds it done.
    #[must_use]
    fn derived(like: Uuid, parts: &[&[u8]]) -> Self {
        use sha2::{Digest, Sha256};
        let digest = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part).chain_update([0])).finalize();
        let mut bytes = *like.as_bytes();
        bytes[6..].copy_from_slice(&digest[..10]);
        bytes[6] = 0x70 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        Uuid::from_bytes(bytes).into()
    }

    /// The 22 characters that stand for it in keys; their order is the order of the bytes.
    #[must_use]
    fn key(self) -> String {
        encode(self.uuid().as_u128())
    }

    /// Reads what [`Id::key`] wrote.
    #[must_use]
    fn from_key(key: &str) -> Option<Self> {
        decode(key).map(|bits| Uuid::from_u128(bits).into())
    }
}

/// Base 64 with the digits in ASCII order, so that text sorts as numbers do.
const DIGITS: &[u8; 64] = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

fn encode(bits: u128) -> String {
    (0..22).rev().map(|place| char::from(DIGITS[((bits >> (place * 6)) & 63) as usize])).collect()
}

fn decode(key: &str) -> Option<u128> {
    if key.len() != 22 {
        return None;
    }
    key.bytes().try_fold(0u128, |bits, byte| {
        let digit = DIGITS.iter().position(|known| *known == byte)?;
        Some((bits << 6) | digit as u128)
    })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        #[schemars(inline, description = "The identifier.")]
        pub struct $name(Uuid);

        impl Id for $name {
            fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        /// Accepts the hyphenated form alone.
        impl std::str::FromStr for $name {
            type Err = &'static str;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if text.len() != 36 {
                    return Err("is not a UUID");
                }
                Uuid::try_parse(text).map(Self).map_err(|_| "is not a UUID")
            }
        }
    )* };
}

ids! {
    /// An entry of the audit trail.
    AuditId,
    /// An API key.
    ApiKeyId,
    /// A mail.
    MailId,
    /// A company's.
    CompanyId,
    /// A user's.
    UserId,
    /// A session's; the `sid` of access tokens.
    SessionId,
    /// A department's.
    DepartmentId,
    /// A sector's.
    SectorId,
    /// A tag's.
    TagId,
    /// A customer's.
    CustomerId,
    /// An appointment's.
    AppointmentId,
    /// An access link's.
    AccessLinkId,
    /// A batch of access links'.
    BatchId,
    /// A call's.
    CallId,
    /// A place in a queue: its order is the order of serving.
    TicketId,
    /// A webhook's.
    WebhookId,
    /// A domain event's.
    EventId,
    /// A delivery's.
    DeliveryId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_the_order_and_the_identity() {
        let mut minted: Vec<CallId> =
            (0..2000).map(|n| CallId::mint(1_700_000_000_000 + n * 977, &Chance::default()).unwrap()).collect();
        minted.sort_unstable();
        let keys: Vec<String> = minted.iter().map(|id| id.key()).collect();
        assert!(keys.is_sorted());
        assert!(minted.iter().zip(&keys).all(|(id, key)| CallId::from_key(key) == Some(*id)));
    }

    #[test]
    fn derived_ids_repeat_and_are_version_7() {
        let like = EventId::of(1_700_000_000_000, [0; 10]).uuid();
        let (one, same, other): (DeliveryId, DeliveryId, DeliveryId) =
            (Id::derived(like, &[b"a", b"b"]), Id::derived(like, &[b"a", b"b"]), Id::derived(like, &[b"ab"]));
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert_eq!(one.uuid().get_version_num(), 7);
    }

    #[test]
    fn only_the_hyphenated_form_is_read() {
        assert!("0190f5fe-7c00-7a00-8000-000000000000".parse::<CallId>().is_ok());
        for bad in [
            "",
            "0190f5fe7c007a008000000000000000",
            "{0190f5fe-7c00-7a00-8000-00000000000}",
            "t1a2b3c4-d5e6-7890-abcd-ef1234567890",
        ] {
            assert!(bad.parse::<CallId>().is_err(), "{bad}");
        }
    }
}
