//! Who can take an appointment when. Intervals are half-open: one that ends at 10:00 does not hinder one at 10:00.

use std::{iter::Peekable, time, vec};

use chrono::Duration;
use schemars::JsonSchema;
use serde::Serialize;

use super::hours::merged;
use crate::clock::Time;

/// From a moment to a later one, which does not belong to it.
type Interval = (Time, Time);

/// A time for an appointment, and who could take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "FreeTime")]
pub struct Slot<Id> {
    /// When it starts.
    pub start: Time,
    /// When it ends.
    pub end: Time,
    /// The users who are free for the whole of it, in the order in which they were given.
    pub user_ids: Vec<Id>,
}

/// The slots within what is open in which somebody is free, in order. They start every `step` from the last opening, none
/// before `not_before`: what a day offers does not depend on the days before it. A slot may last into the next opening where
/// that one begins at once. There are none unless duration and step are at least a second.
///
/// The openings are as `Hours::openings` gives them, the appointments of each user in any order.
#[must_use]
pub fn slots<Id: Copy>(
    openings: &[Interval],
    busy: &[(Id, Vec<Interval>)],
    duration: Duration,
    step: Duration,
    not_before: Time,
) -> Vec<Slot<Id>> {
    let (Some(duration), Some(step)) = (length(duration), length(step)) else { return Vec::new() };
    let slot = |start| Slot { start, end: start + duration, user_ids: Vec::new() };
    let windows = merged(openings.to_vec());
    let starts = openings.iter().map(|(opens, _)| *opens);
    let nexts = starts.clone().skip(1).map(Some).chain([None]);
    let after = |(opens, next): (Time, Option<Time>)| {
        let closes = windows.iter().map(|(_, closes)| *closes).find(|closes| opens < *closes).unwrap_or(opens);
        let fits = move |slot: &Slot<Id>| slot.end <= closes && next.is_none_or(|next| slot.start < next);
        grid(opens, step, not_before).map(slot).take_while(fits)
    };
    let mut slots: Vec<_> = starts.zip(nexts).flat_map(after).collect();
    for (id, appointments) in busy {
        let mut agenda = Agenda::of(appointments);
        let free = |slot: &&mut Slot<Id>| agenda.is_free(slot.start, slot.end);
        slots.iter_mut().filter(free).for_each(|slot| slot.user_ids.push(*id));
    }
    slots.retain(|slot| !slot.user_ids.is_empty());
    slots
}

/// A length in whole seconds, unless it is less than one.
fn length(duration: Duration) -> Option<time::Duration> {
    let seconds = u64::try_from(duration.num_seconds()).ok()?;
    (seconds > 0).then(|| time::Duration::from_secs(seconds))
}

/// The moments every `step` from `start` that are not before another one.
fn grid(start: Time, step: time::Duration, not_before: Time) -> impl Iterator<Item = Time> {
    let step = step.as_secs();
    let skipped = not_before.since(start).div_ceil(step);
    (skipped..).map(move |index| start + time::Duration::from_secs(index.saturating_mul(step)))
}

/// The appointments of one user, leafed through once from the first to the last.
struct Agenda(Peekable<vec::IntoIter<Interval>>);

impl Agenda {
    fn of(appointments: &[Interval]) -> Self {
        let mut ahead: Vec<_> = appointments.iter().copied().filter(|(start, end)| start < end).collect();
        ahead.sort_unstable();
        Self(ahead.into_iter().peekable())
    }

    /// Nothing is in the way. No question may start before the one asked last: what has ended by then is forgotten. Of what
    /// is left, the first has the earliest start, so that it alone decides.
    fn is_free(&mut self, start: Time, end: Time) -> bool {
        while self.0.next_if(|(_, ends)| *ends <= start).is_some() {}
        self.0.peek().is_none_or(|(starts, _)| *starts >= end)
    }
}

#[cfg(test)]
mod tests;
