//! The time. Nothing else reads it, so that tests and the local stack can move it.

use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, SecondsFormat, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The system's time, or one that stands still, plus an offset that all clones share.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    stopped: Option<Time>,
    offset_seconds: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that moves by its offset alone; for tests.
    #[must_use]
    pub fn stopped(at: Time) -> Self {
        Self { stopped: Some(at), ..Self::default() }
    }

    /// The time, in whole seconds.
    #[must_use]
    pub fn now(&self) -> Time {
        Time(self.now_millis().div_euclid(1000))
    }

    /// The time, in milliseconds since the epoch; for ordering, never shown.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's time")]
    pub fn now_millis(&self) -> i64 {
        let base = self.stopped.map_or_else(|| Utc::now().timestamp_millis(), |at| at.epoch() * 1000);
        base + self.offset() * 1000
    }

    /// How far this clock is ahead of the system's, in seconds.
    #[must_use]
    pub fn offset(&self) -> i64 {
        self.offset_seconds.load(Ordering::SeqCst)
    }

    /// Sets how far this clock is ahead of the system's, in seconds.
    pub fn set_offset(&self, seconds: i64) {
        self.offset_seconds.store(seconds, Ordering::SeqCst);
    }
}

/// A moment in whole seconds; reads and writes as RFC 3339 in UTC with `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(i64);

impl Time {
    /// A moment from seconds since the epoch.
    #[must_use]
    pub const fn from_epoch(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn epoch(self) -> i64 {
        self.0
    }

    /// The same moment in chrono's terms.
    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0, 0).unwrap_or_default()
    }

    /// Whole seconds from an earlier moment to this one; 0 when it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0 - earlier.0).unwrap_or(0)
    }

    /// The first moment of its month and of the next, UTC.
    #[must_use]
    pub fn month(self) -> (Self, Self) {
        let day = self.utc().date_naive();
        let first = day.with_day(1).unwrap_or(day);
        let next = first.checked_add_months(Months::new(1)).unwrap_or(first);
        let start = |day: NaiveDate| Self::from(day.and_time(NaiveTime::MIN).and_utc());
        (start(first), start(next))
    }

    /// The same day and time so many years on; of 29 February the day before.
    #[must_use]
    pub fn years_on(self, years: u32) -> Self {
        self.utc().checked_add_months(Months::new(12 * years)).map_or(self, Self::from)
    }

    /// Ten characters whose order is the order of time, for keys (years 1970 to 2286).
    #[must_use]
    pub fn key(self) -> String {
        format!("{:010}", self.0.clamp(0, 9_999_999_999))
    }
}

impl From<DateTime<Utc>> for Time {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment.timestamp())
    }
}

impl std::ops::Add<Duration> for Time {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)))
    }
}

impl std::ops::Sub<Duration> for Time {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl FromStr for Time {
    type Err = chrono::ParseError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        DateTime::parse_from_rfc3339(text).map(|moment| moment.to_utc().into())
    }
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// So many days.
#[must_use]
pub const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_any_offset_and_writes_utc_in_whole_seconds() {
        let time: Time = "2026-02-20T07:00:00.987-03:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-02-20T10:00:00Z");
        assert_eq!(serde_json::to_string(&time).unwrap(), r#""2026-02-20T10:00:00Z""#);
    }

    #[test]
    fn keys_sort_as_time_does() {
        let (early, late) = (Time::from_epoch(999_999_999), Time::from_epoch(1_000_000_000));
        assert!(early.key() < late.key());
        assert_eq!(late.since(early), 1);
        assert_eq!(early.since(late), 0);
    }

    #[test]
    fn clones_of_a_clock_move_together() {
        let clock = Clock::default();
        let other = clock.clone();
        clock.set_offset(3600);
        assert!(other.now().since(Clock::default().now()) >= 3599);
    }
}
