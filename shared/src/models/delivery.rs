//! Deliveries: one event on its way to one webhook, with every attempt.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    clock::{Time, days},
    ids::{DeliveryId, EventId, Id, WebhookId},
    storage::{
        Count, Entity, Facets, Key, Listing, Sort,
        entity::{G1, G2, G3},
    },
    words,
};

/// How long an attempt may take.
pub const TIMEOUT: Duration = Duration::from_secs(15);
/// How long deliveries and events are kept.
pub const KEPT: Duration = days(30);
/// The longest delay that a queue carries (SQS); later attempts wait in the table.
pub const QUEUE_DELAY: Duration = Duration::from_secs(900);
/// What carries an attempt gets this long before the schedule does it again.
pub const SLACK: Duration = Duration::from_secs(60);

/// Pauses between attempts in seconds; the first attempt is at once, so there are ten in all.
const PAUSES: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// The longest pause, whatever a receiver asks for: one that asked for years would never get the event.
const LONGEST: Duration = days(1);

words! {
    /// Where a delivery stands.
    pub enum DeliveryStatus {
        /// Under way, or waiting for its next attempt.
        Pending = "pending",
        /// Received.
        Success = "success",
        /// Given up.
        Failed = "failed",
    }
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// When it was made.
    pub at: Time,
    /// What the receiver said.
    pub response_code: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// What came of an attempt.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The attempt.
    pub attempt: Attempt,
    /// The beginning of the answer, at most 4 KiB.
    pub response_body: Option<String>,
    /// Seconds for which the receiver asked us to wait.
    pub retry_after: Option<Duration>,
}

impl Outcome {
    /// 2xx is success, everything else a failure.
    #[must_use]
    pub fn delivered(&self) -> bool {
        self.attempt.response_code.is_some_and(|code| (200..300).contains(&code))
    }

    /// The receiver wants no more.
    #[must_use]
    pub fn gone(&self) -> bool {
        self.attempt.response_code == Some(410)
    }
}

/// One event on its way to one webhook.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Delivery {
    /// Its identifier; follows from event and webhook, so that a repeated fan-out finds it there.
    pub id: DeliveryId,
    /// The webhook.
    pub webhook_id: WebhookId,
    /// The event.
    pub event_id: EventId,
    /// The event's name.
    pub event: String,
    /// Whom the event is about; a receiver's answer may be as well.
    #[serde(default)]
    pub about: Option<String>,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// The answer to the latest attempt.
    pub response_body: Option<String>,
    /// Every attempt.
    pub attempts: Vec<Attempt>,
    /// When the next is made.
    pub next_attempt_at: Option<Time>,
    /// When the schedule last queued it.
    pub queued_at: Option<Time>,
    /// Somebody is at it until then.
    pub held_until: Option<Time>,
    /// When it was made.
    pub inserted_at: Time,
}

/// A delivery as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Delivery")]
pub struct DeliveryView {
    /// Its identifier.
    pub id: DeliveryId,
    /// The event's name.
    pub event: String,
    /// The event.
    pub event_id: EventId,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// What the receiver said to the latest attempt.
    pub response_code: Option<u16>,
    /// The beginning of its answer.
    pub response_body: Option<String>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// Every attempt.
    pub attempts: Vec<Attempt>,
    /// When the next is made.
    pub next_attempt_at: Option<Time>,
    /// How long the latest took, in milliseconds.
    pub duration_ms: Option<u64>,
    /// When it was made.
    pub inserted_at: Time,
}

impl Delivery {
    /// A delivery to be made at once, of an event about somebody.
    #[must_use]
    pub fn new(event_id: EventId, event: &str, about: Option<String>, webhook_id: WebhookId, now: Time) -> Self {
        Self {
            id: DeliveryId::derived(event_id.uuid(), &[event_id.uuid().as_bytes(), webhook_id.uuid().as_bytes()]),
            webhook_id,
            event_id,
            event: event.into(),
            about,
            status: DeliveryStatus::Pending,
            response_body: None,
            attempts: Vec::new(),
            next_attempt_at: Some(now),
            queued_at: None,
            held_until: None,
            inserted_at: now,
        }
    }

    /// An attempt is due and nobody is at it.
    #[must_use]
    pub fn ready(&self, now: Time) -> bool {
        self.status == DeliveryStatus::Pending
            && self.next_attempt_at.is_some_and(|at| at <= now)
            && self.held_until.is_none_or(|until| until <= now)
    }

    /// How long a message that came a little early has to wait: clocks differ.
    #[must_use]
    pub fn early(&self, now: Time) -> Option<Duration> {
        let next = self.next_attempt_at.filter(|next| self.held_until.is_none() && *next > now && *next <= now + SLACK)?;
        Some(Duration::from_secs(next.since(now)))
    }

    /// The delivery while somebody is at it: long enough for an attempt and its record.
    #[must_use]
    pub fn held(&self, now: Time) -> Self {
        Self { held_until: Some(now + TIMEOUT * 2), ..self.clone() }
    }

    /// The delivery that the schedule has queued.
    #[must_use]
    pub fn queued(&self, now: Time) -> Self {
        Self { queued_at: Some(now), held_until: None, ..self.clone() }
    }

    /// When the schedule looks at it: what carries it gets some time first.
    fn due(&self) -> Option<Time> {
        let next = self.next_attempt_at?;
        Some(self.held_until.unwrap_or_else(|| self.queued_at.map_or(next + SLACK, |at| at + QUEUE_DELAY)))
    }

    /// The delivery after an attempt; `jitter` in -1…1 spreads the next one by up to a fifth.
    #[must_use]
    pub fn after(&self, outcome: Outcome, jitter: f64, now: Time) -> Self {
        let delivered = outcome.delivered();
        let gone = outcome.gone();
        let pause = PAUSES.get(self.attempts.len()).filter(|_| !delivered && !gone);
        let next = pause.map(|seconds| {
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "at most two days"
            )]
            let spread = (*seconds as f64 * (1.0 + 0.2 * jitter.clamp(-1.0, 1.0))).round() as u64;
            now + Duration::from_secs(spread).max(outcome.retry_after.unwrap_or_default().min(LONGEST))
        });
        let mut attempts = self.attempts.clone();
        attempts.push(outcome.attempt);
        Self {
            status: match (delivered, next) {
                (true, _) => DeliveryStatus::Success,
                (false, Some(_)) => DeliveryStatus::Pending,
                (false, None) => DeliveryStatus::Failed,
            },
            response_body: outcome.response_body,
            attempts,
            next_attempt_at: next,
            queued_at: None,
            held_until: None,
            ..self.clone()
        }
    }

    /// The delivery given up without an attempt.
    #[must_use]
    pub fn given_up(&self) -> Self {
        Self { status: DeliveryStatus::Failed, next_attempt_at: None, held_until: None, ..self.clone() }
    }

    /// The delivery as the API shows it.
    #[must_use]
    pub fn view(&self) -> DeliveryView {
        let last = self.attempts.last();
        DeliveryView {
            id: self.id,
            event: self.event.clone(),
            event_id: self.event_id,
            status: self.status,
            response_code: last.and_then(|attempt| attempt.response_code),
            response_body: self.response_body.clone(),
            error: last.and_then(|attempt| attempt.error.clone()),
            attempts: self.attempts.clone(),
            next_attempt_at: self.next_attempt_at,
            duration_ms: last.map(|attempt| attempt.duration_ms),
            inserted_at: self.inserted_at,
        }
    }
}

impl Entity for Delivery {
    const KIND: &'static str = "delivery";
    /// Not counted: deliveries lapse after 30 days, which no counter sees.
    const LISTING: Listing = Listing {
        sorts: &[Sort { name: "inserted_at", all: G1, by: &[("webhook", G1), ("status", G2), ("event", G3)] }],
        filters: &[("event", Count::Along), ("status", Count::Along), ("webhook", Count::Along)],
        counted: false,
    };
    type Id = DeliveryId;

    fn id(&self) -> DeliveryId {
        self.id
    }

    fn key(tenant: &str, id: DeliveryId) -> Key {
        Key::object(tenant, Self::KIND, id)
    }

    /// Filters are within a webhook: their values begin with it. The index `webhook` takes the place of the whole list,
    /// which nobody asks for.
    fn facets(&self, tenant: &str) -> Facets {
        let webhook = self.webhook_id;
        Facets::of::<Self>(tenant, self.id)
            .sort("inserted_at", self.inserted_at.key())
            .filter("webhook", webhook.to_string())
            .filter("status", format!("{webhook}/{}", self.status))
            .filter("event", format!("{webhook}/{}", self.event))
            .due(self.due())
            .about(self.about.clone())
            .ttl(self.inserted_at + KEPT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(code: Option<u16>, at: Time) -> Outcome {
        let attempt = Attempt { at, response_code: code, error: code.is_none().then(|| "timed out".into()), duration_ms: 7 };
        Outcome { attempt, response_body: None, retry_after: None }
    }

    fn fresh() -> Delivery {
        Delivery::new(
            EventId::of(1_700_000_000_000, [0; 10]),
            "call.created",
            None,
            WebhookId::default(),
            Time::from_epoch(1_700_000_000),
        )
    }

    #[test]
    fn ten_attempts_at_the_published_pauses_then_failed() {
        let mut delivery = fresh();
        let mut now = delivery.inserted_at;
        let mut pauses = Vec::new();
        while delivery.status == DeliveryStatus::Pending {
            assert!(delivery.ready(now));
            delivery = delivery.held(now).after(outcome(Some(500), now), 0.0, now);
            if let Some(next) = delivery.next_attempt_at {
                pauses.push(next.since(now));
                assert!(!delivery.ready(now));
                now = next;
            }
        }
        assert_eq!(pauses, PAUSES);
        assert_eq!((delivery.status, delivery.attempts.len()), (DeliveryStatus::Failed, 10));
        assert_eq!(delivery.next_attempt_at, None);
    }

    #[test]
    fn the_pause_is_spread_by_a_fifth() {
        let now = fresh().inserted_at;
        let next = |jitter| fresh().after(outcome(None, now), jitter, now).next_attempt_at.unwrap().since(now);
        assert_eq!((next(-1.0), next(0.0), next(1.0), next(9.0)), (4, 5, 6, 6));
    }

    #[test]
    fn retry_after_is_honoured_and_410_ends_it() {
        let now = fresh().inserted_at;
        let asked = Outcome { retry_after: Some(Duration::from_secs(120)), ..outcome(Some(429), now) };
        assert_eq!(fresh().after(asked, 0.0, now).next_attempt_at, Some(now + Duration::from_secs(120)));
        let forever = Outcome { retry_after: Some(Duration::MAX), ..outcome(Some(429), now) };
        assert_eq!(fresh().after(forever, 0.0, now).next_attempt_at, Some(now + days(1)));
        let gone = fresh().after(outcome(Some(410), now), 0.0, now);
        assert_eq!((gone.status, gone.next_attempt_at), (DeliveryStatus::Failed, None));
    }

    #[test]
    fn two_hundred_something_is_success_and_nothing_else() {
        let now = fresh().inserted_at;
        for (code, status) in [
            (200, DeliveryStatus::Success),
            (204, DeliveryStatus::Success),
            (302, DeliveryStatus::Pending),
            (404, DeliveryStatus::Pending),
        ] {
            assert_eq!(fresh().after(outcome(Some(code), now), 0.0, now).status, status, "{code}");
        }
    }

    #[test]
    fn a_message_that_came_early_waits() {
        let delivery = fresh();
        assert_eq!(delivery.early(delivery.inserted_at), None);
        assert_eq!(delivery.early(delivery.inserted_at - Duration::from_secs(2)), Some(Duration::from_secs(2)));
        assert_eq!(delivery.early(delivery.inserted_at - Duration::from_secs(61)), None);
    }

    #[test]
    fn whoever_holds_it_keeps_others_away_until_the_hold_lapses() {
        let now = fresh().inserted_at;
        let held = fresh().held(now);
        assert!(!held.ready(now) && held.ready(now + TIMEOUT * 2));
    }
}
