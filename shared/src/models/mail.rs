//! Mails that are to be sent: written with the change that they tell of, sent behind it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::delivery::SLACK;
use crate::{
    clock::{Time, days},
    ids::{AppointmentId, MailId, UserId, WebhookId},
    storage::{Entity, Facets, Key},
};

/// Attempts at a mail that SES does not take.
const ATTEMPTS: u32 = 10;
/// How long the table remembers a mail.
const KEPT: Duration = days(7);

/// What is to be said, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Letter {
    /// To a new user: choose a password.
    Invitation {
        /// The user.
        user_id: UserId,
    },
    /// To whoever has this e-mail, if anybody: choose another password.
    PasswordReset {
        /// The e-mail, in any case.
        email: String,
    },
    /// To the customer: an appointment is near.
    Reminder {
        /// The appointment.
        appointment_id: AppointmentId,
        /// The beginning that is told; of another there is another letter.
        scheduled_at: Time,
    },
    /// To the managers: a webhook was disabled by itself.
    WebhookDisabled {
        /// The webhook.
        webhook_id: WebhookId,
        /// Where it led.
        url: String,
        /// Why.
        reason: String,
    },
}

/// A mail that is to be sent. It is due until it is: what a lost stream leaves behind, the schedule finds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mail {
    /// Its identifier.
    pub id: MailId,
    /// What is to be said.
    pub letter: Letter,
    /// How often it was tried.
    pub attempts: u32,
    /// When the schedule tries it; none when it was sent, or given up.
    pub due_at: Option<Time>,
    /// When it was written.
    pub inserted_at: Time,
}

impl Mail {
    /// A mail that is to be sent at once.
    #[must_use]
    pub fn new(id: MailId, letter: Letter, now: Time) -> Self {
        Self { id, letter, attempts: 0, due_at: Some(now + SLACK), inserted_at: now }
    }

    /// The mail while somebody is at it: due again when that fails, later each time, and given up in the end.
    #[must_use]
    pub fn held(&self, now: Time) -> Self {
        let pause = SLACK * 2_u32.pow(self.attempts.min(ATTEMPTS));
        let attempts = self.attempts + 1;
        Self { attempts, due_at: (attempts < ATTEMPTS).then_some(now + pause), ..self.clone() }
    }

    /// The mail after it was sent.
    #[must_use]
    pub fn done(&self) -> Self {
        Self { due_at: None, ..self.clone() }
    }
}

impl Entity for Mail {
    const KIND: &'static str = "mail";
    type Id = MailId;

    fn id(&self) -> MailId {
        self.id
    }

    fn key(tenant: &str, id: MailId) -> Key {
        Key::object(tenant, Self::KIND, id)
    }

    fn facets(&self, tenant: &str) -> Facets {
        Facets::of::<Self>(tenant, self.id).due(self.due_at).ttl(self.inserted_at + KEPT)
    }
}

/// What a mail's link is good for: a password of the user's choice, once. It dies with the user's sessions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pass {
    /// The digest of the token that the link bears.
    pub digest: [u8; 32],
    /// The tenant.
    pub tenant: String,
    /// The user.
    pub user_id: UserId,
    /// The user's epoch for which it was made.
    pub epoch: u64,
    /// When it lapses.
    pub expires_at: Time,
}

impl Entity for Pass {
    const KIND: &'static str = "pass";
    type Id = [u8; 32];

    fn id(&self) -> Self::Id {
        self.digest
    }

    fn key(_: &str, digest: Self::Id) -> Key {
        Key::pass(&digest)
    }

    fn facets(&self, tenant: &str) -> Facets {
        Facets::of::<Self>(tenant, self.user_id).ttl(self.expires_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_tried_later_each_time_and_given_up() {
        let start = Time::from_epoch(1_700_000_000);
        let mut mail = Mail::new(MailId::default(), Letter::PasswordReset { email: "a@b.test".into() }, start);
        let mut pauses = Vec::new();
        while let Some(due) = mail.held(start).due_at {
            pauses.push(due.since(start) / 60);
            mail = mail.held(start);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256]);
        assert_eq!(mail.done().due_at, None);
    }
}
