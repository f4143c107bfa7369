use std::collections::BTreeMap;

use chrono::{Datelike, Timelike};
use serde_json::json;

use super::*;
use crate::calendar::lcg::Lcg;

fn hours(json: serde_json::Value) -> Hours {
    serde_json::from_value(json).unwrap()
}

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn row(day: &str, from: &str, to: &str) -> Shift {
    Shift { day: day.into(), from: from.into(), to: to.into() }
}

fn every_day(zone: &str, from: &str, to: &str) -> Hours {
    Hours { time_zone: zone.into(), weekly: DAYS.map(|day| row(day, from, to)).into(), exceptions: Vec::new() }
}

/// Windows as text, without the date that they all have in common.
fn shown(hours: &Hours, from: &str, to: &str) -> Vec<String> {
    let windows = hours.windows(time(from), time(to));
    windows.iter().map(|(from, to)| format!("{} {}", &from.to_string()[5..16], &to.to_string()[5..16])).collect()
}

#[test]
fn json_there_and_back() {
    let json = json!({
        "time_zone": "America/Sao_Paulo",
        "weekly": [{ "day": "monday", "from": "08:00", "to": "12:00" }, { "day": "monday", "from": "13:00", "to": "24:00" }],
        "exceptions": [
            { "date": "2026-12-25", "closed": true, "from": null, "to": null },
            { "date": "2026-12-24", "closed": false, "from": "08:00", "to": "10:00" },
            { "date": "2026-12-24", "closed": false, "from": "10:00", "to": "12:00" }
        ]
    });
    let hours = hours(json.clone());
    assert_eq!(hours.problems(), []);
    assert_eq!(serde_json::to_value(&hours).unwrap(), json);
}

#[test]
fn every_problem_at_once() {
    let hours = hours(json!({
        "time_zone": "Sao_Paulo",
        "weekly": [
            { "day": "Monday", "from": "8:00", "to": "24:01" },
            { "day": "tuesday", "from": "24:00", "to": "00:00" },
            { "day": "tuesday", "from": "10:00", "to": "10:00" },
            { "from": "", "to": "１0:00" },
            { "day": "friday", "from": "10:00", "to": "12:00" },
            { "day": "friday", "from": "08:00", "to": "18:00" },
            { "day": "friday", "from": "17:59", "to": "19:00" },
            { "day": "saturday", "from": "17:59", "to": "19:00" },
            { "day": "saturday", "from": "19:00", "to": "20:00" }
        ],
        "exceptions": [
            { "date": "2026-2-03", "closed": true },
            { "date": "2026-02-29", "closed": true, "from": "08:00" },
            { "date": "2026-02-20", "from": null, "to": null },
            { "date": "2026-02-21", "closed": true },
            { "date": "2026-02-21", "closed": true },
            { "date": "2026-02-21", "from": "23:00", "to": "24:00" },
            { "date": "2026-02-22", "from": "10:00", "to": "09:00" },
            { "closed": true }
        ]
    }));
    let found = hours.problems();
    let found: Vec<_> = found.iter().map(|(path, message)| (path.as_str(), message.as_str())).collect();
    let expected = [
        ("time_zone", BAD_ZONE),
        ("weekly[0].day", BAD_DAY),
        ("weekly[0].from", BAD_FROM),
        ("weekly[0].to", BAD_TO),
        ("weekly[1].from", BAD_FROM),
        ("weekly[1].to", BAD_TO),
        ("weekly[2].to", BACKWARDS),
        ("weekly[3].day", BLANK),
        ("weekly[3].from", BLANK),
        ("weekly[3].to", BAD_TO),
        ("weekly[4]", "overlaps weekly[5]"),
        ("weekly[6]", "overlaps weekly[5]"),
        ("exceptions[0].date", BAD_DATE),
        ("exceptions[1].date", BAD_DATE),
        ("exceptions[1].closed", CLOSED_WITH_TIMES),
        ("exceptions[2].from", BLANK),
        ("exceptions[2].to", BLANK),
        ("exceptions[6].to", BACKWARDS),
        ("exceptions[7].date", BLANK),
        ("exceptions[4]", "overlaps exceptions[3]"),
        ("exceptions[5]", "overlaps exceptions[3]"),
    ];
    assert_eq!(found, expected);
    let paths: Vec<_> = Hours::default().problems();
    assert_eq!(paths, [("time_zone".to_owned(), BLANK.to_owned())]);
}

#[test]
fn times_and_dates_are_strict() {
    for (text, expected) in [("00:00", 0), ("09:05", 545), ("23:59", 1439), ("24:00", 1440)] {
        assert_eq!(minute(text), Some(expected), "{text}");
    }
    for text in
        ["", "9:05", "09:5", "09:60", "24:01", "25:00", "99:99", "-1:00", "+1:00", "09.05", "09:05:00", " 9:05", "0é:0", "/0:00"]
    {
        assert_eq!(minute(text), None, "{text:?}");
    }
    assert!(date("2024-02-29").is_some());
    for text in ["", "2026-2-03", "2026-02-29", "+026-02-20", "+12026-02-20", "-026-02-20", " 2026-2-20", "20260220"] {
        assert_eq!(date(text), None, "{text:?}");
    }
}

#[test]
fn windows_are_clipped_merged_and_in_order() {
    let hours = hours(json!({
        "time_zone": "America/Sao_Paulo",
        "weekly": [
            { "day": "tuesday", "from": "00:00", "to": "02:00" },
            { "day": "monday", "from": "22:00", "to": "24:00" },
            { "day": "monday", "from": "12:00", "to": "14:00" },
            { "day": "monday", "from": "08:00", "to": "12:00" }
        ],
        "exceptions": []
    }));
    // A Monday in March of 2026: UTC is three hours ahead.
    assert_eq!(
        shown(&hours, "2026-03-02T00:00:00Z", "2026-03-04T00:00:00Z"),
        ["03-02T11:00 03-02T17:00", "03-03T01:00 03-03T05:00"]
    );
    assert_eq!(shown(&hours, "2026-03-02T12:30:00Z", "2026-03-02T16:00:00Z"), ["03-02T12:30 03-02T16:00"]);
    for (from, to) in [("17:00", "20:00"), ("12:00", "12:00"), ("13:00", "12:00")] {
        let none = shown(&hours, &format!("2026-03-02T{from}:00Z"), &format!("2026-03-02T{to}:00Z"));
        assert!(none.is_empty(), "{from} {to}");
    }
}

#[test]
fn an_exception_replaces_the_plan_of_its_date() {
    let mut hours = every_day("UTC", "08:00", "18:00");
    hours.exceptions = serde_json::from_value(json!([
        { "date": "2026-12-25", "closed": true },
        { "date": "2026-12-24", "from": "09:00", "to": "10:00" },
        { "date": "2026-12-24", "from": "11:00", "to": "12:00" }
    ]))
    .unwrap();
    assert_eq!(
        shown(&hours, "2026-12-23T00:00:00Z", "2026-12-27T00:00:00Z"),
        ["12-23T08:00 12-23T18:00", "12-24T09:00 12-24T10:00", "12-24T11:00 12-24T12:00", "12-26T08:00 12-26T18:00"]
    );
}

#[test]
fn what_is_wrong_is_closed() {
    let (from, to) = (time("2026-03-02T00:00:00Z"), time("2026-03-09T00:00:00Z"));
    assert_eq!(every_day("Mars/Olympus", "08:00", "18:00").windows(from, to), []);
    assert_eq!(every_day("UTC", "18:00", "08:00").windows(from, to), []);
    assert_eq!(every_day("UTC", "8", "18:00").windows(from, to), []);
    assert_eq!(Hours::default().windows(from, to), []);
    let mut torn = every_day("UTC", "08:00", "18:00");
    let exception = |from: &str, to: &str| Exception {
        date: "2026-03-02".into(),
        closed: true,
        from: Some(from.into()),
        to: Some(to.into()),
    };
    torn.exceptions = vec![exception("08:00", "12:00")];
    assert_eq!(torn.windows(from, time("2026-03-03T00:00:00Z")), []);
}

#[test]
fn rows_that_overlap_all_the_same_are_one_window() {
    let mut hours = every_day("UTC", "08:00", "18:00");
    hours.weekly.push(row("monday", "09:00", "10:00"));
    assert_eq!(shown(&hours, "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"), ["03-02T08:00 03-02T18:00"]);
}

#[test]
fn times_that_do_not_exist_or_occur_twice() {
    for (zone, from, to, day, expected) in [
        // New York in spring: 02:00 to 03:00 does not exist.
        ("America/New_York", "02:30", "04:00", "2018-03-11", "03-11T07:00 03-11T08:00"),
        ("America/New_York", "01:00", "02:30", "2018-03-11", "03-11T06:00 03-11T07:00"),
        ("America/New_York", "02:00", "03:00", "2018-03-11", ""),
        // In autumn: 01:00 to 02:00 occurs twice.
        ("America/New_York", "01:00", "03:00", "2018-11-04", "11-04T05:00 11-04T08:00"),
        ("America/New_York", "01:30", "01:45", "2018-11-04", "11-04T05:30 11-04T06:45"),
        ("America/New_York", "00:00", "01:30", "2018-11-04", "11-04T04:00 11-04T06:30"),
        ("America/New_York", "00:00", "01:00", "2018-11-04", "11-04T04:00 11-04T05:00"),
        ("America/New_York", "02:00", "03:00", "2018-11-04", "11-04T07:00 11-04T08:00"),
        // São Paulo: midnight itself does not exist, or the hour before it occurs twice.
        ("America/Sao_Paulo", "00:00", "02:00", "2018-11-04", "11-04T03:00 11-04T04:00"),
        ("America/Sao_Paulo", "22:00", "24:00", "2018-11-03", "11-04T01:00 11-04T03:00"),
        ("America/Sao_Paulo", "23:00", "24:00", "2018-02-17", "02-18T01:00 02-18T03:00"),
        ("Europe/Lisbon", "01:00", "02:00", "2018-10-28", "10-28T00:00 10-28T02:00"),
        ("Europe/Lisbon", "01:00", "02:00", "2018-03-25", ""),
        ("Asia/Kolkata", "09:00", "17:30", "2018-10-28", "10-28T03:30 10-28T12:00"),
        // Lord Howe moves by half an hour.
        ("Australia/Lord_Howe", "01:30", "02:00", "2018-04-01", "03-31T14:30 03-31T15:30"),
        ("Australia/Lord_Howe", "02:00", "03:00", "2018-10-07", "10-06T15:30 10-06T16:00"),
        // The hour after midnight occurs twice: the day before ends at the first midnight.
        ("Atlantic/Azores", "00:00", "24:00", "2025-10-25", "10-25T00:00 10-26T00:00"),
        ("Atlantic/Azores", "00:00", "24:00", "2025-10-26", "10-26T00:00 10-27T01:00"),
        // The day that did not happen.
        ("Pacific/Apia", "00:00", "24:00", "2011-12-29", "12-29T10:00 12-30T10:00"),
        ("Pacific/Apia", "00:00", "24:00", "2011-12-30", ""),
        ("Pacific/Apia", "00:00", "24:00", "2011-12-31", "12-30T10:00 12-31T10:00"),
    ] {
        let exception = Exception { date: day.into(), from: Some(from.into()), to: Some(to.into()), ..Exception::default() };
        let hours = Hours { time_zone: zone.into(), weekly: Vec::new(), exceptions: vec![exception] };
        let year = &day[..4];
        let found = shown(&hours, &format!("{year}-01-01T00:00:00Z"), &format!("{year}-12-31T23:59:59Z"));
        assert_eq!(found.join(", "), expected, "{zone} {day} {from}-{to}");
    }
}

/// The rows that a date has, read from the texts as a child would.
fn rows_of(hours: &Hours, date: &str, weekday: &str) -> Vec<(String, String)> {
    let exceptions: Vec<_> = hours.exceptions.iter().filter(|exception| exception.date == date).collect();
    if exceptions.is_empty() {
        let rows = hours.weekly.iter().filter(|row| row.day == weekday);
        return rows.map(|row| (row.from.clone(), row.to.clone())).collect();
    }
    exceptions.iter().filter_map(|e| e.from.clone().zip(e.to.clone())).collect()
}

/// Walks through the minutes and looks at the wall at each: a row is open from the first minute that it holds to the last.
fn oracle(hours: &Hours, from: i64, to: i64) -> Vec<i64> {
    let zone: Tz = hours.time_zone.parse().unwrap();
    let mut seen: BTreeMap<(String, String, String), (i64, i64)> = BTreeMap::new();
    for minute in (from - 3 * 86_400..to + 3 * 86_400).step_by(60) {
        let local = Time::from_epoch(minute).utc().with_timezone(&zone);
        let weekday = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
            [local.weekday().num_days_from_monday() as usize];
        let (date, wall) = (local.date_naive().to_string(), format!("{:02}:{:02}", local.hour(), local.minute()));
        for (opens, closes) in rows_of(hours, &date, weekday) {
            if opens <= wall && wall < closes {
                seen.entry((date.clone(), opens, closes)).or_insert((minute, minute)).1 = minute;
            }
        }
    }
    let open = |minute: &i64| seen.values().any(|(first, last)| first <= minute && minute <= last);
    (from..to).step_by(60).filter(open).collect()
}

fn wall_text(minute: u32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Rows of a day that do not overlap, often with ends at the hours where clocks change.
fn random_rows(random: &mut Lcg) -> Vec<(String, String)> {
    let count = 2 * random.below(4) as usize;
    let mut ends: Vec<_> = (0..count)
        .map(|_| match random.below(4) {
            0 => random.below(1441),
            1 => random.below(9) * 30,
            2 => 1440 - random.below(5) * 30,
            _ => random.below(25) * 60,
        })
        .collect();
    ends.sort_unstable();
    ends.chunks(2).filter(|pair| pair[0] < pair[1]).map(|pair| (wall_text(pair[0]), wall_text(pair[1]))).collect()
}

fn random_hours(random: &mut Lcg, zone: &str, around: NaiveDate) -> Hours {
    let mut hours = Hours { time_zone: zone.into(), ..Hours::default() };
    for day in DAYS {
        hours.weekly.extend(random_rows(random).iter().map(|(from, to)| row(day, from, to)));
    }
    for date in (around - chrono::Days::new(2)).iter_days().take(5).filter(|_| random.once_in(3)).collect::<Vec<_>>() {
        let rows = random_rows(random);
        let date = date.to_string();
        if rows.is_empty() {
            hours.exceptions.push(Exception { date: date.clone(), closed: true, ..Exception::default() });
        }
        hours.exceptions.extend(rows.into_iter().map(|(from, to)| Exception {
            date: date.clone(),
            closed: false,
            from: Some(from),
            to: Some(to),
        }));
    }
    hours
}

#[test]
fn agrees_with_a_walk_through_the_minutes() {
    let mut random = Lcg(2026);
    for (zone, day) in [
        ("America/Sao_Paulo", "2018-02-18"),
        ("America/Sao_Paulo", "2018-11-04"),
        ("America/New_York", "2018-03-11"),
        ("America/New_York", "2018-11-04"),
        ("Europe/Lisbon", "2018-03-25"),
        ("Europe/Lisbon", "2018-10-28"),
        ("Asia/Kolkata", "2018-10-28"),
        ("Australia/Lord_Howe", "2018-04-01"),
        ("Australia/Lord_Howe", "2018-10-07"),
        ("Pacific/Apia", "2011-12-30"),
        ("Atlantic/Azores", "2025-10-26"),
        // At one minute past midnight it was 23:01 of the day before again.
        ("America/St_Johns", "2010-11-07"),
        ("America/St_Johns", "2010-03-14"),
    ] {
        for _ in 0..12 {
            let date: NaiveDate = day.parse().unwrap();
            let hours = random_hours(&mut random, zone, date);
            assert_eq!(hours.problems(), []);
            let middle = date.and_time(NaiveTime::MIN).and_utc().timestamp();
            let from = middle - i64::from(random.below(3000)) * 60;
            let to = middle + i64::from(random.below(3000)) * 60;
            let windows = hours.windows(Time::from_epoch(from), Time::from_epoch(to));
            assert!(windows.windows(2).all(|pair| pair[0].1 < pair[1].0), "{windows:?}");
            let minutes: Vec<_> = windows.iter().flat_map(|(a, b)| (a.epoch()..b.epoch()).step_by(60)).collect();
            assert_eq!(minutes, oracle(&hours, from, to), "{hours:?} {from} {to}");
        }
    }
}

#[test]
fn who_never_closes_is_always_open_in_every_zone() {
    let (from, to) = (time("2009-06-01T00:00:00Z"), time("2012-06-01T00:00:00Z"));
    for zone in chrono_tz::TZ_VARIANTS {
        assert_eq!(every_day(zone.name(), "00:00", "24:00").windows(from, to), [(from, to)], "{zone}");
    }
}

#[test]
fn the_ends_of_time_do_not_panic() {
    let hours = every_day("Asia/Tokyo", "00:00", "24:00");
    for epoch in [i64::MIN, -8_334_601_228_800, -62_167_219_200, 253_402_300_799, 8_210_266_876_799, i64::MAX] {
        let (from, to) = (Time::from_epoch(epoch.saturating_sub(1000)), Time::from_epoch(epoch));
        let _ = hours.windows(from, to);
    }
}
