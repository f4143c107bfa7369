//! When an agent is taken: an item for each of the agent's days (of UTC), with every open appointment that touches it.
//!
//! Two appointments that overlap share a moment, hence a day, hence an item. Whoever must not book over another reads the
//! days that the time touches and writes under the condition that nothing was entered there since; of many at once one
//! wins. Whoever may book over another enters without looking. An appointment's end takes its entry out, and gets in
//! nobody's way. See docs/decisions/0016.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::Appointment;
use crate::{
    calendar::hours::Hours,
    clock::{Time, days},
    error::{Error, Result},
    ids::{AppointmentId, Id, UserId},
    storage::{Item, Key, Snapshot, Store, Tallied, Write, entity, key_of, keys, tally::ENTERED},
};

/// A time that is taken: from its start, inclusive, to its end, exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// When it begins.
    pub start: Time,
    /// How long it is.
    pub minutes: u32,
}

impl Span {
    /// Minutes of an appointment, unless it says otherwise.
    pub const MINUTES: u32 = 30;

    /// When it is over.
    #[must_use]
    pub fn end(self) -> Time {
        self.start + std::time::Duration::from_secs(u64::from(self.minutes) * 60)
    }

    /// They share a moment.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end() && other.start < self.end()
    }

    /// The days that it touches: two at most, since none is longer than a day.
    fn days(self) -> BTreeSet<String> {
        BTreeSet::from([self.start, self.end() - std::time::Duration::from_secs(1)].map(day))
    }

    /// As it stands in a day's item.
    fn code(self) -> i64 {
        self.start.epoch() * CODE + i64::from(self.minutes)
    }

    fn of_code(code: i64) -> Self {
        let (start, minutes) = (Time::from_epoch(code.div_euclid(CODE)), code.rem_euclid(CODE));
        Self { start, minutes: u32::try_from(minutes).unwrap_or(0) }
    }
}

/// More than a duration's minutes.
const CODE: i64 = 10_000;

/// The count of a day's entries.
const ENTRIES: &str = "entries";

/// Entries of a day: 20 KB, far below what an item holds, far above what an agent does.
const MOST: i64 = 500;

/// A day of UTC; its order is that of time.
fn day(at: Time) -> String {
    at.utc().format("%Y-%m-%d").to_string()
}

/// The items of the days that a time touches.
#[must_use]
pub fn keys(tenant: &str, user: UserId, span: Span) -> Vec<Key> {
    span.days().iter().map(|day| Key::agenda(tenant, user, day)).collect()
}

/// An appointment's entries.
pub(super) fn taken(tenant: &str, user: UserId, id: AppointmentId, span: Span) -> Vec<Tallied> {
    let full = |item: Option<&Item>| match item.and_then(|item| entity::number(item, ENTRIES)) {
        Some(MOST..) => Error::invalid("scheduled_at", format!("is on a day on which the agent has {MOST} appointments")),
        _ => Error::Conflict,
    };
    let entry = |key| Tallied::new(key, ENTRIES).at_most(MOST).entry(id.key(), span.code()).or(full);
    keys(tenant, user, span).into_iter().map(entry).collect()
}

/// An agent's days around a time.
#[derive(Debug, Clone)]
pub struct Agenda {
    user: UserId,
    span: Span,
    taken: BTreeMap<AppointmentId, Span>,
    entered: Vec<(Key, i64)>,
}

impl Agenda {
    /// The days that a time touches, as they were read by their [`keys()`].
    #[must_use]
    pub fn of(tenant: &str, read: &Snapshot, user: UserId, span: Span) -> Self {
        let keys = keys(tenant, user, span);
        let taken = keys.iter().filter_map(|key| read.item(key)).flat_map(entries).collect();
        let entered = |key: Key| (read.item(&key).and_then(|item| entity::number(item, ENTERED)).unwrap_or(0), key);
        let entered = keys.into_iter().map(entered).map(|(entered, key)| (key, entered)).collect();
        Self { user, span, taken, entered }
    }

    /// Whose time it is then, but for one appointment; the earliest first.
    #[must_use]
    pub fn conflicts(&self, except: Option<AppointmentId>) -> Vec<AppointmentId> {
        let others = self.taken.iter().filter(|(id, span)| Some(**id) != except && span.overlaps(self.span));
        let mut others: Vec<_> = others.map(|(id, span)| (*span, *id)).collect();
        others.sort_unstable();
        others.into_iter().map(|(_, id)| id).collect()
    }

    /// An appointment is in the way.
    #[must_use]
    pub fn meets(&self, appointment: &Appointment) -> bool {
        appointment.user_id == self.user && appointment.status.is_open() && appointment.span().overlaps(self.span)
    }

    /// Nothing was entered since it was read, or the write does not happen.
    pub fn unchanged<'a>(&self, write: Write<'a>) -> Write<'a> {
        self.entered.iter().fold(write, |write, (key, entered)| {
            write.tally(key, |tally| {
                tally.as_read(*entered);
            })
        })
    }

    /// The first three times from then on at which the agent is free for so long, none within another; where there are hours,
    /// those of the next quarter of a year within them.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn next_free(&self, store: &Store, except: Option<AppointmentId>, hours: Option<&Hours>) -> Result<Vec<Time>> {
        /// Days with appointments that are read at once.
        const AHEAD: i32 = 10;
        /// How often that is done: whoever is taken for so long is offered less.
        const TIMES: usize = 10;
        /// How far hours are looked at.
        const QUARTER: std::time::Duration = days(92);
        let partition = keys::agenda(store.tenant(), self.user);
        let (mut taken, mut from) = (self.taken.clone(), day(self.span.start));
        let horizon = hours.map(|_| self.span.start + QUARTER);
        let closed = hours.zip(horizon).map_or_else(Vec::new, |(hours, horizon)| closed(hours, self.span.start, horizon));
        let mut starts = Vec::new();
        for _ in 0..TIMES {
            let items = store.db().from(&partition, &from, AHEAD).await?;
            taken.extend(items.iter().flat_map(entries));
            taken.retain(|id, _| Some(*id) != except);
            let last = items.last().filter(|_| items.len() >= AHEAD as usize).and_then(key_of);
            // What begins on days after the last that was read is not known yet.
            let read = last.and_then(|key| format!("{}T00:00:00Z", key.sk).parse::<Time>().ok()).map(|last| last + days(1));
            let until = read.into_iter().chain(horizon).min();
            let mut spans: Vec<_> = taken.values().map(|span| (span.start, span.end())).chain(closed.iter().copied()).collect();
            spans.sort_unstable();
            starts = free(&spans, self.span, until);
            match read {
                Some(read) if starts.len() < FREE && read == until.unwrap_or(read) => from = day(read),
                _ => break,
            }
        }
        Ok(starts)
    }
}

/// When it is closed within a range.
fn closed(hours: &Hours, from: Time, to: Time) -> Vec<(Time, Time)> {
    let mut open = hours.windows(from, to);
    open.push((to, to));
    let begins = std::iter::once(from).chain(open.iter().map(|(_, closes)| *closes));
    begins.zip(open.iter().map(|(opens, _)| *opens)).filter(|(closes, opens)| closes < opens).collect()
}

/// When agents are taken within a range. Of one day or two the days of all are read together, a hundred a request; of more
/// each agent's by themselves: of a day without appointments there is no item, and a query does not ask for it.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer.
pub async fn taken_within(store: &Store, users: &[UserId], from: Time, to: Time) -> Result<Vec<(UserId, Vec<(Time, Time)>)>> {
    /// Days that are asked for one by one.
    const FEW: usize = 2;
    /// Agents whose days are read at the same time.
    const AT_ONCE: usize = 8;
    let ahead = std::iter::successors(Some(from), |at| Some(*at + days(1)));
    let mut touched: Vec<String> = ahead.take_while(|at| *at < to).map(day).collect();
    // The last day's beginning may lie before the hour at which the first one was begun.
    touched.push(day(to - std::time::Duration::from_secs(1)));
    touched.dedup();
    if users.len() > 1 && touched.len() <= FEW {
        let keys = |user: UserId| touched.iter().map(move |day| Key::agenda(store.tenant(), user, day));
        let found = store.db().items(&users.iter().flat_map(|user| keys(*user)).collect::<Vec<_>>()).await?;
        let of = |user: &UserId| (*user, times(keys(*user).filter_map(|key| found.item(&key)).flat_map(entries)));
        return Ok(users.iter().map(of).collect());
    }
    let most = i32::try_from(touched.len()).unwrap_or(i32::MAX);
    let of = |user: UserId| {
        let first = touched[0].clone();
        async move {
            let items = store.db().from(&keys::agenda(store.tenant(), user), &first, most).await?;
            Ok((user, times(items.iter().flat_map(entries))))
        }
    };
    stream::iter(users.to_vec()).map(of).buffered(AT_ONCE).try_collect().await
}

/// From when to when entries last; one that touches two days stands in both.
fn times(entries: impl Iterator<Item = (AppointmentId, Span)>) -> Vec<(Time, Time)> {
    entries.collect::<BTreeMap<_, _>>().into_values().map(|span| (span.start, span.end())).collect()
}

/// How many free times are offered.
const FREE: usize = 3;

/// The entries of a day's item.
fn entries(item: &Item) -> impl Iterator<Item = (AppointmentId, Span)> + '_ {
    item.keys().filter_map(|name| Some((AppointmentId::from_key(name)?, Span::of_code(entity::number(item, name)?))))
}

/// The first free times as long as one, from its start on, between what is taken (in the order of the starts), which end before
/// what is not known.
fn free(taken: &[(Time, Time)], like: Span, until: Option<Time>) -> Vec<Time> {
    let mut starts = Vec::with_capacity(FREE);
    let mut next = like;
    for span in taken.iter().copied().map(Some).chain([until.map(|until| (until, until))]) {
        while starts.len() < FREE
            && span.is_none_or(|(start, _)| next.end() <= start)
            && until.is_none_or(|until| next.end() <= until)
        {
            starts.push(next.start);
            next.start = next.end();
        }
        if let Some((_, end)) = span {
            next.start = next.start.max(end);
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::hours::Shift;

    /// So many minutes after a midnight.
    fn span(start: i64, minutes: u32) -> Span {
        Span { start: Time::from_epoch(1_771_545_600 + start * 60), minutes }
    }

    #[test]
    fn a_span_touches_the_days_in_which_it_has_a_moment() {
        let touched = |start, minutes| span(start, minutes).days().into_iter().collect::<Vec<_>>();
        assert_eq!(touched(0, 1440), ["2026-02-20"]);
        assert_eq!(touched(1, 1440), ["2026-02-20", "2026-02-21"]);
        assert_eq!(touched(1410, 30), ["2026-02-20"]);
        assert_eq!(touched(1411, 30), ["2026-02-20", "2026-02-21"]);
    }

    #[test]
    fn what_only_touches_does_not_overlap() {
        let own = span(60, 30);
        for (start, minutes, overlaps) in
            [(30, 30, false), (90, 30, false), (31, 30, true), (89, 5, true), (0, 1440, true), (65, 5, true), (60, 30, true)]
        {
            assert_eq!(own.overlaps(span(start, minutes)), overlaps, "{start} {minutes}");
            assert_eq!(span(start, minutes).overlaps(own), overlaps, "{start} {minutes}");
        }
    }

    #[test]
    fn an_entry_says_when() {
        for span in [span(0, 5), span(1439, 1440), Span { start: Time::from_epoch(-1), minutes: 30 }] {
            assert_eq!(Span::of_code(span.code()), span);
        }
    }

    #[test]
    fn free_times_lie_between_what_is_taken() {
        let minutes = |taken: &[Span], until| {
            let taken: Vec<_> = taken.iter().map(|span| (span.start, span.end())).collect();
            let starts = free(&taken, span(60, 30), until);
            starts.iter().map(|start| (start.epoch() - span(0, 5).start.epoch()) / 60).collect::<Vec<_>>()
        };
        assert_eq!(minutes(&[], None), [60, 90, 120]);
        assert_eq!(minutes(&[span(0, 5), span(60, 30)], None), [90, 120, 150]);
        assert_eq!(minutes(&[span(50, 20), span(55, 5), span(100, 10), span(130, 5)], None), [70, 135, 165]);
        assert_eq!(minutes(&[span(0, 1440)], Some(span(1500, 5).start)), [1440, 1470]);
        assert_eq!(minutes(&[span(0, 1440), span(1470, 60)], Some(span(1500, 5).start)), [1440]);
        assert_eq!(minutes(&[span(0, 60), span(1600, 5)], Some(span(100, 5).start)), [60]);
    }

    #[test]
    fn it_is_closed_where_it_is_not_open() {
        let hours = |weekly: &[(&str, &str, &str)]| Hours {
            time_zone: "UTC".into(),
            weekly: weekly
                .iter()
                .map(|(day, from, to)| Shift { day: (*day).into(), from: (*from).into(), to: (*to).into() })
                .collect(),
            exceptions: Vec::new(),
        };
        let minutes = |hours: &Hours, from: i64, to: i64| -> Vec<(i64, i64)> {
            let minute = |at: Time| (at.epoch() - span(0, 5).start.epoch()) / 60;
            closed(hours, span(from, 5).start, span(to, 5).start).into_iter().map(|(a, b)| (minute(a), minute(b))).collect()
        };
        // The midnight is a Friday's.
        let week = hours(&[("friday", "08:00", "12:00"), ("friday", "13:00", "24:00"), ("saturday", "00:00", "01:00")]);
        assert_eq!(minutes(&week, 0, 2000), [(0, 480), (720, 780), (1500, 2000)]);
        assert_eq!(minutes(&week, 500, 1450), [(720, 780)]);
        assert_eq!(minutes(&hours(&[]), 0, 60), [(0, 60)]);
    }
}
