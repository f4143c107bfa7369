//! Working hours: a weekly plan, and the dates that differ from it.
//!
//! They are meant by the clock on the wall, which sometimes skips an hour and sometimes shows it twice. So one rule says
//! it all: a row is open from the first to the last moment at which that clock shows a time of its own.
//!
//! * A time that does not exist stands for the first instant after the gap. A row that lies in a gap is never open.
//! * A time that occurs twice is the earlier one when it opens, the later one when it closes: who is at work from 01:00
//!   to 03:00 is at work for the whole repeated hour.
//! * `to` itself is no longer open. Who closes at 01:00, where 01:00 to 02:00 occurs twice, closes at the first 01:00:
//!   a day that ends at midnight does not take the first hour of the next.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::{GapInfo, Tz};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Time;

/// The days of a week, Monday first as in ISO 8601.
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// How times are written, as a pattern of the documentation.
const OPENING: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";
const CLOSING: &str = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$";
/// The minutes of a day on the wall.
const MIDNIGHT: u16 = 24 * 60;

const BLANK: &str = "can't be blank";
const BAD_ZONE: &str = "must be an IANA time zone such as America/Sao_Paulo";
const BAD_DAY: &str = "must be one of: monday, tuesday, wednesday, thursday, friday, saturday, sunday";
const BAD_DATE: &str = "must be a date such as 2026-02-20";
const BAD_FROM: &str = "must be a time from 00:00 to 23:59";
const BAD_TO: &str = "must be a time from 00:01 to 24:00";
const BACKWARDS: &str = "must be after from";
const CLOSED_WITH_TIMES: &str = "must not be true beside from or to";

/// Working hours as somebody wrote them; [`Hours::problems`] says whether they make sense.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "HoursInput")]
pub struct Hours {
    /// The IANA time zone whose clock is meant.
    #[schemars(extend("format" = "time-zone"))]
    pub time_zone: String,
    /// The rows of every week; a day without one is closed.
    pub weekly: Vec<Shift>,
    /// The dates on which the weekly plan does not hold.
    pub exceptions: Vec<Exception>,
}

/// A row of the weekly plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["day", "from", "to"]))]
pub struct Shift {
    /// `monday` to `sunday`.
    #[schemars(extend("enum" = DAYS))]
    pub day: String,
    /// When it opens, `HH:MM`.
    #[schemars(extend("pattern" = OPENING, "examples" = ["09:00"]))]
    pub from: String,
    /// When it closes, `HH:MM`, at most `24:00`.
    #[schemars(extend("pattern" = CLOSING, "examples" = ["18:00"]))]
    pub to: String,
}

/// What holds on a date instead of its weekly plan: closed, or one row of perhaps several.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "HoursException", extend("required" = ["date"], "anyOf" = [{ "required": ["closed"] }, { "required": ["from", "to"] }]))]
pub struct Exception {
    /// The date, `2026-12-24`.
    #[schemars(extend("format" = "date"))]
    pub date: String,
    /// Whether it is closed all day; null is as good as false.
    #[schemars(extend("type" = ["boolean", "null"]))]
    pub closed: bool,
    /// When it opens, `HH:MM`.
    #[schemars(extend("pattern" = OPENING, "examples" = ["09:00"]))]
    pub from: Option<String>,
    /// When it closes, `HH:MM`, at most `24:00`.
    #[schemars(extend("pattern" = CLOSING, "examples" = ["18:00"]))]
    pub to: Option<String>,
}

impl Hours {
    /// Everything that is wrong, as paths such as `weekly[2].to` with a message each.
    #[must_use]
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found = Problems::default();
        found.read("time_zone".into(), &self.time_zone, zone, BAD_ZONE);
        self.check_weekly(&mut found);
        self.check_exceptions(&mut found);
        found.0
    }

    fn check_weekly(&self, found: &mut Problems) {
        let mut rows = Vec::new();
        for (index, shift) in self.weekly.iter().enumerate() {
            let path = format!("weekly[{index}]");
            let day = found.read(format!("{path}.day"), &shift.day, day, BAD_DAY);
            let row = found.row(&path, &shift.from, &shift.to);
            rows.extend(day.zip(row).map(|(day, row)| (day, row, path)));
        }
        found.overlaps(rows);
    }

    fn check_exceptions(&self, found: &mut Problems) {
        let mut rows = Vec::new();
        for (index, exception) in self.exceptions.iter().enumerate() {
            let path = format!("exceptions[{index}]");
            let date = found.read(format!("{path}.date"), &exception.date, date, BAD_DATE);
            let (from, to) = exception.times();
            let row = match exception.closed {
                false => found.row(&path, from, to),
                true if from.is_empty() && to.is_empty() => Some(Row { from: 0, to: MIDNIGHT }),
                true => found.note(format!("{path}.closed"), CLOSED_WITH_TIMES),
            };
            rows.extend(date.zip(row).map(|(date, row)| (date, row, path)));
        }
        found.overlaps(rows);
    }

    /// The open intervals within `[from, to)`, in order and apart from one another. What [`Hours::problems`] complains of
    /// is left out: without a known zone it is always closed.
    #[must_use]
    pub fn windows(&self, from: Time, to: Time) -> Vec<(Time, Time)> {
        merged(self.openings(from, to))
    }

    /// The same row by row, in order: one may begin where the last one ends, or earlier, where an hour occurs twice.
    #[must_use]
    pub fn openings(&self, from: Time, to: Time) -> Vec<(Time, Time)> {
        let Some(zone) = zone(&self.time_zone) else { return Vec::new() };
        let plan = Plan::of(self);
        let open = |date| plan.on(date).iter().map(move |row| (row.opens(date, zone), row.closes(date, zone)));
        let clipped = |(opens, closes): (Time, Time)| (opens.max(from), closes.min(to));
        let mut openings: Vec<_> = dates(from, to).flat_map(open).map(clipped).filter(|(opens, closes)| opens < closes).collect();
        openings.sort_unstable();
        openings
    }
}

impl Exception {
    fn times(&self) -> (&str, &str) {
        (self.from.as_deref().unwrap_or_default(), self.to.as_deref().unwrap_or_default())
    }
}

/// Hours that were read: the rows of each day of the week and of each exceptional date.
#[derive(Default)]
struct Plan {
    weekly: [Vec<Row>; 7],
    exceptions: BTreeMap<NaiveDate, Vec<Row>>,
}

impl Plan {
    fn of(hours: &Hours) -> Self {
        let mut plan = Self::default();
        for shift in &hours.weekly {
            if let Some(rows) = day(&shift.day).and_then(|day| plan.weekly.get_mut(day)) {
                rows.extend(Row::read(&shift.from, &shift.to));
            }
        }
        for exception in &hours.exceptions {
            let (from, to) = exception.times();
            if let Some(date) = date(&exception.date) {
                plan.exceptions.entry(date).or_default().extend(Row::read(from, to).filter(|_| !exception.closed));
            }
        }
        plan
    }

    fn on(&self, date: NaiveDate) -> &[Row] {
        let weekly = || self.weekly.get(date.weekday().num_days_from_monday() as usize);
        self.exceptions.get(&date).or_else(weekly).map_or(&[], Vec::as_slice)
    }
}

/// From one minute of a day on the wall to a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    from: u16,
    to: u16,
}

impl Row {
    fn read(from: &str, to: &str) -> Option<Self> {
        opening(from).zip(closing(to)).map(|(from, to)| Self { from, to }).filter(|row| row.from < row.to)
    }

    /// The first moment at which the wall shows a time of this row.
    fn opens(self, date: NaiveDate, zone: Tz) -> Time {
        let wall = wall(date, self.from);
        zone.from_local_datetime(&wall).earliest().map_or_else(|| after_gap(wall, zone), |opens| opens.to_utc().into())
    }

    /// The end of the last second at which the wall shows a time of this row.
    fn closes(self, date: NaiveDate, zone: Tz) -> Time {
        let second = TimeDelta::seconds(1);
        let wall = wall(date, self.to) - second;
        let last = zone.from_local_datetime(&wall).latest();
        last.map_or_else(|| after_gap(wall, zone), |last| (last.to_utc() + second).into())
    }
}

/// What the clock on the wall shows so many minutes into a date.
fn wall(date: NaiveDate, minute: u16) -> NaiveDateTime {
    let midnight = date.and_time(NaiveTime::MIN);
    midnight.checked_add_signed(TimeDelta::minutes(minute.into())).unwrap_or(midnight)
}

/// The first instant after the gap that swallowed a time.
fn after_gap(wall: NaiveDateTime, zone: Tz) -> Time {
    let end = GapInfo::new(&wall, &zone).and_then(|gap| gap.end);
    end.map_or_else(|| wall.and_utc(), |end| end.to_utc()).into()
}

/// The dates that some clock shows within `[from, to)`: no zone is a whole day away from UTC.
fn dates(from: Time, to: Time) -> impl Iterator<Item = NaiveDate> {
    let (first, last) = (from.utc().date_naive(), to.utc().date_naive());
    let (first, last) = (first.pred_opt().unwrap_or(first), last.succ_opt().unwrap_or(last));
    first.iter_days().take_while(move |date| *date <= last)
}

/// Makes one of those intervals, in order, that overlap or touch.
pub(super) fn merged(mut intervals: Vec<(Time, Time)>) -> Vec<(Time, Time)> {
    intervals.dedup_by(|next, last| {
        let touches = next.0 <= last.1;
        if touches {
            last.1 = last.1.max(next.1);
        }
        touches
    });
    intervals
}

fn zone(text: &str) -> Option<Tz> {
    text.parse().ok()
}

fn day(text: &str) -> Option<usize> {
    DAYS.iter().position(|day| *day == text)
}

/// Four, two and two digits: chrono alone would also take `2026-2-3`.
fn date(text: &str) -> Option<NaiveDate> {
    text.parse().ok().filter(|date: &NaiveDate| text.len() == 10 && date.to_string() == text)
}

fn opening(text: &str) -> Option<u16> {
    minute(text).filter(|minute| *minute < MIDNIGHT)
}

fn closing(text: &str) -> Option<u16> {
    minute(text).filter(|minute| *minute > 0)
}

/// The minute of the day of `00:00` to `24:00`.
fn minute(text: &str) -> Option<u16> {
    let &[h1, h2, b':', m1, m2] = text.as_bytes() else { return None };
    let two = |tens: u8, ones: u8| {
        let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        digits.then(|| u16::from(tens - b'0') * 10 + u16::from(ones - b'0'))
    };
    let minutes = two(m1, m2).filter(|minutes| *minutes < 60)?;
    Some(two(h1, h2)? * 60 + minutes).filter(|minute| *minute <= MIDNIGHT)
}

/// The problems so far. What notes one has no value to give back.
#[derive(Default)]
struct Problems(Vec<(String, String)>);

impl Problems {
    fn note<T>(&mut self, path: String, message: impl Into<String>) -> Option<T> {
        self.0.push((path, message.into()));
        None
    }

    fn read<T>(&mut self, path: String, text: &str, parse: fn(&str) -> Option<T>, message: &str) -> Option<T> {
        parse(text).or_else(|| self.note(path, if text.is_empty() { BLANK } else { message }))
    }

    fn row(&mut self, path: &str, from: &str, to: &str) -> Option<Row> {
        let opens = self.read(format!("{path}.from"), from, opening, BAD_FROM);
        let closes = self.read(format!("{path}.to"), to, closing, BAD_TO);
        opens.zip(closes)?;
        Row::read(from, to).or_else(|| self.note(format!("{path}.to"), BACKWARDS))
    }

    /// Notes every row that begins before an earlier one of its day has ended.
    fn overlaps<D: Ord>(&mut self, mut rows: Vec<(D, Row, String)>) {
        rows.sort_by(|(day, row, _), (other_day, other, _)| (day, row).cmp(&(other_day, other)));
        let mut rows = rows.into_iter();
        let Some(mut longest) = rows.next() else { return };
        for next in rows {
            let same_day = next.0 == longest.0;
            if same_day && next.1.from < longest.1.to {
                self.0.push((next.2.clone(), format!("overlaps {}", longest.2)));
            }
            if !same_day || next.1.to > longest.1.to {
                longest = next;
            }
        }
    }
}

#[cfg(test)]
mod tests;
