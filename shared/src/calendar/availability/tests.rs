use super::*;
use crate::calendar::lcg::Lcg;

fn at(minute: i64) -> Time {
    Time::from_epoch(minute * 60)
}

fn spans(spans: &[(i64, i64)]) -> Vec<Interval> {
    spans.iter().map(|(start, end)| (at(*start), at(*end))).collect()
}

fn minutes(minutes: i64) -> Duration {
    Duration::minutes(minutes)
}

/// Slots as plain minutes.
fn plain(slots: &[Slot<u8>]) -> Vec<(i64, i64, Vec<u8>)> {
    slots.iter().map(|slot| (slot.start.epoch() / 60, slot.end.epoch() / 60, slot.user_ids.clone())).collect()
}

#[test]
fn slots_lie_on_the_grid_of_their_opening() {
    let windows = spans(&[(10, 50), (100, 125)]);
    let found = slots(&windows, &[(7, Vec::new())], minutes(20), minutes(15), at(0));
    assert_eq!(plain(&found), [(10, 30, vec![7]), (25, 45, vec![7]), (100, 120, vec![7])]);
    let found = slots(&windows, &[(7, Vec::new())], minutes(20), minutes(15), at(11));
    assert_eq!(plain(&found), [(25, 45, vec![7]), (100, 120, vec![7])]);
    assert_eq!(slots(&windows, &[(7, Vec::new())], minutes(20), minutes(15), at(101)), []);
}

#[test]
fn the_grid_begins_anew_with_an_opening() {
    let openings = spans(&[(0, 50), (50, 100), (95, 120)]);
    let found = slots(&openings, &[(7, Vec::new())], minutes(20), minutes(15), at(0));
    let starts: Vec<i64> = found.iter().map(|slot| slot.start.epoch() / 60).collect();
    assert_eq!(starts, [0, 15, 30, 45, 50, 65, 80, 95]);
}

#[test]
fn who_is_busy_is_left_out_and_ends_do_not_collide() {
    let busy = [(1, spans(&[(60, 120)])), (2, spans(&[(119, 121), (0, 59)])), (3, spans(&[(90, 90), (100, 80)]))];
    let found = slots(&spans(&[(0, 180)]), &busy, minutes(60), minutes(60), at(0));
    assert_eq!(plain(&found), [(0, 60, vec![1, 3]), (60, 120, vec![3]), (120, 180, vec![1, 3])]);
    assert_eq!(slots(&spans(&[(60, 120)]), &busy[..1], minutes(60), minutes(60), at(0)), []);
}

#[test]
fn a_long_appointment_hides_short_ones_within_it() {
    let busy = [(1, spans(&[(0, 100), (10, 20), (30, 130)]))];
    let found = slots(&spans(&[(0, 160)]), &busy, minutes(10), minutes(10), at(0));
    assert_eq!(found.first().map(|slot| slot.start), Some(at(130)));
}

#[test]
fn lengths_that_make_no_sense_give_nothing() {
    let (windows, busy) = (spans(&[(0, 100)]), [(1, Vec::new())]);
    for bad in [Duration::zero(), minutes(-5), Duration::milliseconds(999), Duration::MIN] {
        assert_eq!(slots(&windows, &busy, bad, minutes(5), at(0)), []);
        assert_eq!(slots(&windows, &busy, minutes(5), bad, at(0)), []);
    }
    assert_eq!(slots(&windows, &busy, Duration::MAX, minutes(5), at(0)), []);
    assert_eq!(slots(&windows, &busy, minutes(5), Duration::MAX, at(0)).len(), 1);
}

#[test]
fn json() {
    let slot = Slot { start: at(0), end: at(1), user_ids: vec![7] };
    let json = r#"{"start":"1970-01-01T00:00:00Z","end":"1970-01-01T00:01:00Z","user_ids":[7]}"#;
    assert_eq!(serde_json::to_string(&slot).unwrap(), json);
}

/// A second opinion that knows minutes alone: whoever is busy is so minute by minute.
mod naive {
    pub type Spans = Vec<(i64, i64)>;

    fn free(busy: &[(i64, i64)], start: i64, end: i64) -> bool {
        (start..end).all(|minute| !busy.iter().any(|(from, to)| (*from..*to).contains(&minute)))
    }

    pub fn slots(openings: &Spans, busy: &[(u8, Spans)], duration: i64, step: i64, not_before: i64) -> Vec<(i64, i64, Vec<u8>)> {
        let open = |minute: i64| openings.iter().any(|(opens, closes)| (*opens..*closes).contains(&minute));
        let mut found = Vec::new();
        for start in -100..2_000 {
            let Some((begun, _)) = openings.iter().rfind(|(opens, _)| *opens <= start) else { continue };
            let end = start + duration;
            let ids: Vec<u8> = busy.iter().filter(|(_, busy)| free(busy, start, end)).map(|(id, _)| *id).collect();
            if (start - begun) % step == 0 && start >= not_before && (start..end).all(open) && !ids.is_empty() {
                found.push((start, end, ids));
            }
        }
        found
    }
}

/// So many intervals in any order; some overlap, some touch, some are empty.
fn random_spans(random: &mut Lcg, at_most: u32) -> naive::Spans {
    let unit = [1, 5, 15][random.below(3) as usize];
    (0..random.below(at_most + 1))
        .map(|_| {
            let start = i64::from(random.below(600 / unit) * unit) - 60;
            let longest = if random.once_in(8) { 300 } else { 60 };
            (start, start + i64::from(random.below(longest / unit) * unit))
        })
        .collect()
}

/// Openings in order; some touch, some overlap.
fn random_openings(random: &mut Lcg) -> naive::Spans {
    let mut from = i64::from(random.below(60)) - 60;
    (0..random.below(4))
        .map(|_| {
            let opening = (from, from + 1 + i64::from(random.below(200)));
            from = match random.below(4) {
                0 => opening.1,
                1 => i64::midpoint(opening.0, opening.1),
                _ => opening.1 + 1 + i64::from(random.below(100)),
            };
            opening
        })
        .collect()
}

#[test]
fn slots_agree_with_the_second_opinion() {
    let mut random = Lcg(7);
    for case in 0..4000 {
        let openings = random_openings(&mut random);
        let agents: u8 = u8::try_from(random.below(5)).unwrap();
        let busy: Vec<_> = (0..agents).map(|id| (id, random_spans(&mut random, 8))).collect();
        let (duration, step) = (i64::from(1 + random.below(60)), i64::from(1 + random.below(45)));
        let not_before = i64::from(random.below(400)) - 100;
        let ours: Vec<_> = busy.iter().map(|(id, busy)| (*id, spans(busy))).collect();
        let found = slots(&spans(&openings), &ours, minutes(duration), minutes(step), at(not_before));
        let expected = naive::slots(&openings, &busy, duration, step, not_before);
        assert_eq!(plain(&found), expected, "case {case}: {openings:?} {busy:?} {duration} {step} {not_before}");
    }
}

#[test]
fn a_year_of_many_agents_takes_no_time() {
    let year = spans(&[(0, 365 * 1440)]);
    let agenda: Vec<_> = (0..5000).map(|index| (index * 100, index * 100 + 40)).collect();
    let busy: Vec<_> = (0..20u8).map(|id| (id, spans(&agenda))).collect();
    let started = std::time::Instant::now();
    assert!(slots(&year, &busy, minutes(30), minutes(15), at(0)).len() > 10_000);
    assert!(started.elapsed().as_secs() < 5);
}
