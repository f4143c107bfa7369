//! Times and days: RFC 3339 in, whole seconds of UTC out.

use chrono::{DateTime, Datelike, MappedLocalTime, NaiveDate, NaiveTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

/// A bare date, which means a whole day of the company's, or a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrTime {
    /// `2026-02-20`.
    Date(NaiveDate),
    /// `2026-02-20T10:00:00Z`.
    Time(DateTime<Utc>),
}

/// Parses an RFC 3339 time with any offset; a fraction of a second is cut off.
///
/// # Errors
/// It is not in that form, or not in the years 0 to 9999 of UTC, outside of which its text would
/// not sort.
pub fn time(text: &str) -> Result<DateTime<Utc>, &'static str> {
    DateTime::parse_from_rfc3339(text.trim())
        .ok()
        .and_then(|time| DateTime::from_timestamp(time.timestamp(), 0))
        .filter(|time| (0..=9999).contains(&time.year()))
        .ok_or("must be an RFC 3339 time such as 2026-02-20T10:00:00Z")
}

/// Parses a bare date or a time.
///
/// # Errors
/// It is neither.
pub fn date_or_time(text: &str) -> Result<DateOrTime, &'static str> {
    let text = text.trim();
    date(text)
        .map(DateOrTime::Date)
        .or_else(|| time(text).ok().map(DateOrTime::Time))
        .ok_or("must be a date such as 2026-02-20 or an RFC 3339 time such as 2026-02-20T10:00:00Z")
}

/// The one form in which times are shown: `2026-02-20T10:00:00Z`.
#[must_use]
pub fn format_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The points in time at which a day begins (inclusive) and the next one begins (exclusive).
///
/// Consecutive days touch, whatever the clocks do. A day that was skipped (the one that Samoa
/// dropped in 2011) is empty.
#[must_use]
pub fn day_range(date: NaiveDate, tz: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    let next = date.succ_opt().unwrap_or(date);
    (start_of(date, tz), start_of(next, tz))
}

/// The first moment of a day: midnight, the earlier of two midnights, or the end of the gap that
/// swallowed midnight.
fn start_of(date: NaiveDate, tz: Tz) -> DateTime<Utc> {
    let midnight = date.and_time(NaiveTime::MIN);
    let start = match tz.from_local_datetime(&midnight) {
        MappedLocalTime::Single(start) | MappedLocalTime::Ambiguous(start, _) => Some(start),
        MappedLocalTime::None => GapInfo::new(&midnight, &tz).and_then(|gap| gap.end),
    };
    start.map_or_else(|| midnight.and_utc(), |start| start.to_utc())
}

/// Four, two and two digits: chrono alone would also take `+2026-2-3`.
fn date(text: &str) -> Option<NaiveDate> {
    let shape = text.bytes().enumerate().all(|(index, b)| match index {
        4 | 7 => b == b'-',
        _ => b.is_ascii_digit(),
    });
    if text.len() != 10 || !shape {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, expected) in [
            ("2026-02-20T10:00:00Z", "2026-02-20T10:00:00Z"),
            (" 2026-02-20t07:00:00-03:00 ", "2026-02-20T10:00:00Z"),
            ("2026-02-20T15:45:00.999999999+05:45", "2026-02-20T10:00:00Z"),
            ("2026-02-20T10:00:00.5z", "2026-02-20T10:00:00Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(time(text).map(format_time).as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "",
            "now",
            "2026-02-20",
            "2026-02-20T10:00:00",
            "2026-02-20T10:00Z",
            "2026-02-30T10:00:00Z",
            "2026-02-20T24:00:00Z",
            "2026-02-20T10:00:00+25:00",
            "0000-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-00:01",
            "20260220T100000Z",
            "1771581600",
            "２026-02-20T10:00:00Z",
            "2026-02-20T10:00:00Z\0",
        ] {
            assert!(time(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn dates() {
        let day = NaiveDate::from_ymd_opt(2026, 2, 20).unwrap();
        assert_eq!(date_or_time("2026-02-20"), Ok(DateOrTime::Date(day)));
        let ten = Utc.with_ymd_and_hms(2026, 2, 20, 10, 0, 0).unwrap();
        assert_eq!(date_or_time("2026-02-20T07:00:00-03:00"), Ok(DateOrTime::Time(ten)));
        for text in [
            "",
            "2026-2-3",
            "+026-02-20",
            "2026-02-29",
            "2026-13-01",
            "26-02-20",
            "2026/02/20",
            "20-02-2026",
            "２-02-20",
            "today",
        ] {
            assert!(date_or_time(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn days() {
        use chrono_tz::America::{Havana, Sao_Paulo};
        use chrono_tz::{Asia::Kathmandu, Atlantic::Azores, Pacific::Apia, UTC};
        for (tz, day, start, end) in [
            (UTC, "2026-02-20", "2026-02-20T00:00:00Z", "2026-02-21T00:00:00Z"),
            (Sao_Paulo, "2026-02-20", "2026-02-20T03:00:00Z", "2026-02-21T03:00:00Z"),
            (Kathmandu, "2026-02-20", "2026-02-19T18:15:00Z", "2026-02-20T18:15:00Z"),
            // Midnight does not exist: the day begins at 01:00 and has 23 hours.
            (Sao_Paulo, "2018-11-03", "2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z"),
            (Sao_Paulo, "2018-11-04", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"),
            // The last hour of the day before occurs twice.
            (Sao_Paulo, "2018-02-17", "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z"),
            // Midnight occurs twice: at 01:00 it is 00:00 again.
            (Havana, "2025-11-02", "2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z"),
            (Azores, "2025-10-26", "2025-10-26T00:00:00Z", "2025-10-27T01:00:00Z"),
            // The day that did not happen.
            (Apia, "2011-12-29", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"),
            (Apia, "2011-12-30", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"),
            (Apia, "2011-12-31", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"),
        ] {
            let (from, to) = day_range(day.parse().unwrap(), tz);
            assert_eq!((format_time(from), format_time(to)), (start.into(), end.into()), "{tz} {day}");
        }
    }

    #[test]
    fn days_touch_in_every_zone() {
        let first = NaiveDate::from_ymd_opt(2010, 1, 1).unwrap();
        for tz in chrono_tz::TZ_VARIANTS {
            let mut end = day_range(first, tz).0;
            for day in first.iter_days().take(365 * 10) {
                let (start, next) = day_range(day, tz);
                assert_eq!(start, end, "{tz} {day}");
                assert!(next >= start, "{tz} {day}");
                end = next;
            }
        }
    }

    #[test]
    fn the_last_day_of_all_does_not_panic() {
        let _ = day_range(NaiveDate::MAX, chrono_tz::America::Sao_Paulo);
        let _ = day_range(NaiveDate::MIN, chrono_tz::Asia::Tokyo);
    }
}
