//! Feeds: an agent's appointments for the calendars that subscribe to them.

use serde::{Deserialize, Serialize};

use crate::{
    clock::Time,
    ids::{Id, UserId},
    storage::{Audited, Entity, Facets, Key},
};

/// That a user's appointments are read by a URL, which is the only key to them. A user has one such URL at a time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Feed {
    /// Whose appointments.
    pub user_id: UserId,
    /// The digest of the token that the URL bears.
    pub digest: [u8; 32],
    /// When the URL was made.
    pub inserted_at: Time,
}

impl Entity for Feed {
    const KIND: &'static str = "feed";
    type Id = UserId;

    fn id(&self) -> UserId {
        self.user_id
    }

    fn key(tenant: &str, user: UserId) -> Key {
        Key::feed(tenant, user)
    }

    fn audited(&self) -> Option<Audited> {
        Some(Audited::of("calendar", self.user_id, serde_json::json!({ "token": Audited::secret(&self.digest) })))
    }

    fn facets(&self, tenant: &str) -> Facets {
        use aws_sdk_dynamodb::types::AttributeValue::S;
        let lead = [("tenant", S(tenant.to_owned())), ("user", S(self.user_id.key()))];
        Facets::of::<Self>(tenant, self.user_id).row(Key::feed_token(&self.digest), lead)
    }
}
