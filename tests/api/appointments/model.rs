//! Whatever is done in whatever order: who is taken when, against a model that knows nothing but minutes.

use serde_json::{Value, json};

use super::{APPOINTMENTS, Office, path};
use crate::scene::text;

/// Knuth's generator of MMIX; the same numbers at every run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap() % bound
    }

    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(i64::try_from(choices.len()).unwrap())).unwrap()]
    }
}

/// An appointment, as far as time goes.
#[derive(Debug, Clone)]
struct Taken {
    shown: Value,
    agent: usize,
    start: i64,
    length: i64,
    open: bool,
}

impl Taken {
    fn meets(&self, agent: usize, start: i64, length: i64) -> bool {
        self.open
            && self.agent == agent
            && (start..start + length).any(|minute| minute >= self.start && minute < self.start + self.length)
    }
}

/// Those in the way, in the order of their starts.
fn conflicts(all: &[Taken], but: Option<usize>, agent: usize, start: i64, length: i64) -> Vec<String> {
    let others = all.iter().enumerate().filter(|(n, taken)| Some(*n) != but && taken.meets(agent, start, length));
    let mut found: Vec<_> = others.map(|(_, taken)| (taken.start, taken.length, text(&taken.shown["id"]))).collect();
    found.sort_unstable();
    found.into_iter().map(|(.., id)| id).collect()
}

/// The first three starts from a minute on, none within another, minute by minute.
fn free(all: &[Taken], but: Option<usize>, agent: usize, start: i64, length: i64) -> Vec<i64> {
    let (mut starts, mut minute) = (Vec::new(), start);
    while starts.len() < 3 {
        if conflicts(all, but, agent, minute, length).is_empty() {
            starts.push(minute);
            minute += length;
        } else {
            minute += 1;
        }
    }
    starts
}

#[tokio::test]
async fn who_is_taken_when_is_what_follows_from_what_was_done() {
    const LENGTHS: [i64; 6] = [5, 20, 45, 600, 1439, 1440];
    let office = Office::new().await;
    let agents = [&office.agent_id, &office.other_id];
    let (mut random, mut all) = (Random(7), Vec::<Taken>::new());
    let (mut refused, mut done) = (0, 0);
    for _ in 0..160 {
        let (agent, start, length) = (usize::try_from(random.below(2)).unwrap(), random.below(700) * 5, random.one_of(&LENGTHS));
        let strict = random.below(2) == 0;
        let open: Vec<usize> = (0..all.len()).filter(|n| all[*n].open).collect();
        let target = if open.is_empty() || open.len() < 12 && random.below(2) == 0 { None } else { Some(random.one_of(&open)) };
        let times = json!({
            "scheduled_at": office.at(start), "duration_minutes": length, "user_id": agents[agent], "reject_conflicts": strict,
        });
        let Some(n) = target else {
            let wanted = conflicts(&all, None, agent, start, length);
            let answer = office.book(times).await;
            if strict && !wanted.is_empty() {
                check(&office, &answer.expect(422).json(), &wanted, &free(&all, None, agent, start, length));
                refused += 1;
            } else {
                all.push(Taken { shown: answer.expect(201).data(), agent, start, length, open: true });
            }
            continue;
        };
        let shown = all[n].shown.clone();
        match random.below(6) {
            0 | 1 => {
                let action = random.one_of(&["cancel", "complete", "no-show"]);
                let _ = office.act(&shown, action, json!({})).await.expect(200);
                all[n].open = false;
            }
            2 => drop(office.put(&shown, json!({ "title": "Other", "reject_conflicts": strict })).await.expect(200)),
            way => {
                let moved = (all[n].agent, all[n].start, all[n].length) != (agent, start, length);
                let wanted = conflicts(&all, Some(n), agent, start, length);
                let answer =
                    if way == 3 { office.put(&shown, times).await } else { office.act(&shown, "reschedule", times).await };
                if strict && moved && !wanted.is_empty() {
                    check(&office, &answer.expect(422).json(), &wanted, &free(&all, Some(n), agent, start, length));
                    refused += 1;
                } else {
                    let _ = answer.expect(200);
                    (all[n].agent, all[n].start, all[n].length) = (agent, start, length);
                    done += 1;
                }
            }
        }
        let (agent, start, length) =
            (usize::try_from(random.below(2)).unwrap(), random.below(900) * 4 - 200, random.one_of(&LENGTHS));
        let query = format!("user_id={}&scheduled_at={}&duration_minutes={length}", agents[agent], office.at(start));
        let found = office.agent.get(&format!("{APPOINTMENTS}/conflicts?{query}")).await.expect(200).data();
        assert_eq!(ids(&found), conflicts(&all, None, agent, start, length));
        let but = format!("{query}&exclude_id={}", text(&shown["id"]));
        let found = office.agent.get(&format!("{APPOINTMENTS}/conflicts?{but}")).await.expect(200).data();
        assert_eq!(ids(&found), conflicts(&all, Some(n), agent, start, length));
    }
    assert!(refused > 20 && done > 20 && all.len() > 30, "{refused} {done} {}", all.len());
    for taken in &all {
        let now = office.agent.get(&path(&taken.shown)).await.expect(200).data();
        assert_eq!((office.minutes(&now["scheduled_at"]), now["duration_minutes"].as_i64()), (taken.start, Some(taken.length)));
    }
}

#[track_caller]
fn check(office: &Office, refused: &Value, wanted: &[String], free: &[i64]) {
    assert_eq!(ids(refused), wanted);
    let next: Vec<i64> = refused["next_free"].as_array().unwrap().iter().map(|time| office.minutes(time)).collect();
    assert_eq!(next, free);
}

#[track_caller]
fn ids(found: &Value) -> Vec<String> {
    found["conflicts"].as_array().unwrap().iter().map(|entry| text(&entry["id"])).collect()
}
