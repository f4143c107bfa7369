//! Free times by clocks on walls, which skip an hour and show one twice: against a model that counts minutes one by one, and
//! knows no more of the product than what its documentation says.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{APPOINTMENTS, Office, model::Random};
use crate::scene::text;

const DAY: i64 = 1440;
const WEEK: [&str; 7] = ["thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday"];

/// The day of a date, counted from 1970-01-01 (Howard Hinnant's `days_from_civil`).
fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// `2026-02-20`.
fn date(day: i64) -> String {
    let year = (1970..2100).find(|year| day_of(year + 1, 1, 1) > day).unwrap();
    let month = (1..=12).rev().find(|month| day_of(year, *month, 1) <= day).unwrap();
    format!("{year:04}-{month:02}-{:02}", day - day_of(year, month, 1) + 1)
}

/// A minute as a moment of UTC.
fn moment(minute: i64) -> String {
    let of_day = minute.rem_euclid(DAY);
    format!("{}T{:02}:{:02}:00Z", date(minute.div_euclid(DAY)), of_day / 60, of_day % 60)
}

/// The minute of a moment of UTC.
fn minute(text: &str) -> i64 {
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap();
    day_of(number(0, 4), number(5, 7), number(8, 10)) * DAY + number(11, 13) * 60 + number(14, 16)
}

/// A zone as the law has it: its clock in winter, and from when to when of a year it is an hour ahead of that.
struct Zone {
    name: &'static str,
    winter: i64,
    summer: fn(i64) -> (i64, i64),
}

/// The Sunday on a day, or the next.
fn sunday(day: i64) -> i64 {
    (day..day + 7).find(|day| WEEK[usize::try_from(day % 7).unwrap()] == "sunday").unwrap()
}

const ZONES: [Zone; 2] = [
    Zone {
        name: "Europe/Lisbon",
        winter: 0,
        summer: |year| (sunday(day_of(year, 3, 25)) * DAY + 60, sunday(day_of(year, 10, 25)) * DAY + 60),
    },
    Zone {
        name: "America/New_York",
        winter: -300,
        summer: |year| (sunday(day_of(year, 3, 8)) * DAY + 420, sunday(day_of(year, 11, 1)) * DAY + 360),
    },
];

impl Zone {
    /// What the wall shows at a minute of UTC: a day and its minute.
    fn wall(&self, minute: i64) -> (i64, i64) {
        let year = date(minute.div_euclid(DAY))[..4].parse().unwrap();
        let (from, to) = (self.summer)(year);
        let shown = minute + self.winter + if (from..to).contains(&minute) { 60 } else { 0 };
        (shown.div_euclid(DAY), shown.rem_euclid(DAY))
    }

    /// The first minute of a day on the wall.
    fn begins(&self, day: i64) -> i64 {
        (day * DAY - DAY..day * DAY + DAY).find(|minute| self.wall(*minute).0 == day).unwrap()
    }
}

/// When a department is open on which day: from and to, minutes on the wall.
type Plan = BTreeMap<i64, Vec<(i64, i64)>>;

/// When the rows are open: from the first to the last minute at which the wall shows one of theirs.
fn openings(zone: &Zone, plan: &Plan) -> Vec<(i64, i64)> {
    let mut openings: Vec<(i64, i64)> = Vec::new();
    for (day, rows) in plan {
        for (from, to) in rows {
            let of_row = |minute: &i64| {
                let (shown, at) = zone.wall(*minute);
                shown == *day && (*from..*to).contains(&at)
            };
            let open: Vec<i64> = (zone.begins(*day)..zone.begins(day + 1)).filter(of_row).collect();
            openings.extend(open.first().zip(open.last()).map(|(first, last)| (*first, last + 1)));
        }
    }
    openings
}

/// One or two rows of a day.
fn rows(random: &mut Random) -> Vec<(i64, i64)> {
    let mut edges: Vec<i64> = (0..4).map(|_| random.one_of(&[0, 30, 60, 75, 90, 120, 150, 180, 300, 725, 1380, DAY])).collect();
    edges.sort_unstable();
    let pairs = [(edges[0], edges[1]), (edges[2], edges[3])];
    pairs.into_iter().filter(|(from, to)| from < to).collect()
}

fn on_wall(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// The hours of a plan: all of it as exceptions, or as the days of a week.
fn hours(zone: &Zone, plan: &Plan, weekly: bool) -> Value {
    let row = |(from, to): &(i64, i64)| json!({ "from": on_wall(*from), "to": on_wall(*to) });
    let (mut week, mut exceptions) = (Vec::new(), Vec::new());
    for (day, rows) in plan {
        if !weekly && rows.is_empty() {
            exceptions.push(json!({ "date": date(*day), "closed": true }));
        }
        for mut row in rows.iter().map(row) {
            if weekly {
                row["day"] = json!(WEEK[usize::try_from(day % 7).unwrap()]);
                week.push(row);
            } else {
                row["date"] = json!(date(*day));
                exceptions.push(row);
            }
        }
    }
    json!({ "hours": { "time_zone": zone.name, "weekly": week, "exceptions": exceptions } })
}

/// Who is free, by the minute, from one day to another.
async fn available(office: &Office, zone: &Zone, [from, to]: [i64; 2], length: i64) -> BTreeMap<i64, Vec<String>> {
    let (department, tz) = (&office.department, zone.name);
    let query = format!("department_id={department}&from={}&to={}&tz={tz}&duration_minutes={length}", date(from), date(to));
    let found = office.agent.get(&format!("{APPOINTMENTS}/availability?{query}")).await.expect(200).data();
    let slots = found.as_array().unwrap().iter().map(|slot| {
        assert_eq!(minute(&text(&slot["end"])) - minute(&text(&slot["start"])), length);
        let mut ids: Vec<String> = slot["user_ids"].as_array().unwrap().iter().map(text).collect();
        ids.sort_unstable();
        (minute(&text(&slot["start"])), ids)
    });
    slots.collect()
}

#[tokio::test]
async fn what_is_offered_is_what_the_wall_and_the_agents_leave() {
    let office = Office::new().await;
    let agents = [&office.agent_id, &office.other_id];
    for agent in agents {
        office.tenant.member(&office.department, agent).await;
    }
    let (mut random, mut offered, mut withheld) = (Random(11), 0, 0);
    let next = office.at(0)[..4].parse::<i64>().unwrap() + 1;
    for zone in &ZONES {
        let (spring, autumn) = (zone.summer)(next);
        for change in [spring, autumn] {
            let first = zone.wall(change).0 - 1;
            let mut taken: Vec<(usize, i64, i64)> = Vec::new();
            for round in 0..5 {
                let plan: Plan = (first..first + 3).map(|day| (day, rows(&mut random))).collect();
                let path = format!("/api/v1/departments/{}/hours", office.department);
                let _ = office.tenant.manager.put(&path, hours(zone, &plan, round % 2 == 0)).await.expect(200);
                for (agent, id) in agents.iter().enumerate() {
                    let start = zone.begins(first) - 300 + random.below(900) * 5;
                    let length = random.one_of(&[5, 25, 60, 95, 240, DAY]);
                    let fields = json!({ "scheduled_at": moment(start), "duration_minutes": length, "user_id": id });
                    let _ = office.book(fields).await.expect(201);
                    taken.push((agent, start, start + length));
                }
                let length = random.one_of(&[5, 20, 45, 60, 180]);
                let days = random.below(2) + 2;
                let mut expected = BTreeMap::new();
                let end = zone.begins(first + days);
                let openings = openings(zone, &plan);
                let open = |minute: i64| openings.iter().any(|(from, to)| (*from..*to).contains(&minute));
                for (begun, _) in &openings {
                    let anew = openings.iter().map(|(from, _)| *from).filter(|from| from > begun).min().unwrap_or(end);
                    let fits = |start: &i64| start + length <= end && (*start..start + length).all(open);
                    for start in (*begun..anew).step_by(15).filter(fits) {
                        let free = (0..2).filter(|agent| {
                            taken.iter().all(|(whose, from, to)| whose != agent || start + length <= *from || *to <= start)
                        });
                        let mut free: Vec<String> = free.map(|agent| agents[agent].clone()).collect();
                        free.sort_unstable();
                        withheld += 2 - free.len();
                        if !free.is_empty() {
                            expected.insert(start, free);
                        }
                    }
                }
                let found = available(&office, zone, [first, first + days - 1], length).await;
                assert_eq!(found, expected, "{} {} {plan:?} {length} {taken:?}", zone.name, date(first));
                // A day offers by itself what it offers among others.
                let (begins, ends) = (zone.begins(first + 1), zone.begins(first + 2));
                expected.retain(|start, _| *start >= begins && start + length <= ends);
                assert_eq!(available(&office, zone, [first + 1; 2], length).await, expected, "{} {plan:?} {length}", zone.name);
                offered += found.len();
            }
        }
    }
    assert!(offered > 300 && withheld > 100, "{offered} {withheld}");
}
