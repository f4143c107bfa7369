//! Whether the time of a login tells who has an account. Logins of every kind take turns, in a drawn order, so that whatever
//! else the machine does slows all of them alike; what is compared is ranks, not seconds.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shared::chance::Chance;
use tests::{Client, PASSWORD, Settings, Stack, Tenant};

/// How far from one half the probability may be that a login of one kind takes longer than one of another. With 150 of each
/// it is 0.033 off by chance alone, once in three times; this is more than four times as much.
const SLACK: f64 = 0.15;

/// Somebody who tries to log in, in vain.
struct Kind {
    name: &'static str,
    body: Value,
    times: Vec<Duration>,
}

/// Prints how each kind compares with a wrong password; whether all are alike.
pub async fn run(rounds: usize) -> bool {
    let stack = Stack::start(Settings::default().with("VOKI_RATE_LIMIT_AUTH", "off")).await;
    let tenant = Tenant::new(&stack).await;
    let gone = json!({ "name": "Gone", "email": "gone@example.com", "password": PASSWORD, "active": false });
    let invited = json!({ "name": "Nina", "email": "nina@example.com" });
    for user in [gone, invited] {
        let _ = tenant.manager.post("/api/v1/users", json!({ "user": user })).await.expect(201);
    }
    let _ = tenant.drain().await;
    let kind = |name, email: &str, slug: &str| {
        let body = json!({ "email": email, "password": "not the password", "tenant": slug });
        Kind { name, body, times: Vec::new() }
    };
    let mut kinds = [
        kind("a wrong password", "manager@example.com", &tenant.slug),
        kind("nobody's e-mail", "manaker@example.com", &tenant.slug),
        kind("nobody's tenant", "manager@example.com", "t0000000000000000"),
        kind("who was deactivated", "gone@example.com", &tenant.slug),
        kind("who has no password yet", "nina@example.com", &tenant.slug),
    ];
    let (client, chance) = (stack.client(), Chance::seeded("timing"));
    for round in 0..rounds + 10 {
        let mut order: Vec<usize> = (0..kinds.len()).collect();
        order.sort_by_cached_key(|_| chance.draw::<8>().unwrap());
        for n in order {
            let took = refused(&client, &kinds[n].body).await;
            // The first are not counted: connections open, caches fill.
            if round >= 10 {
                kinds[n].times.push(took);
            }
        }
    }
    stack.shutdown().await;
    let (known, others) = kinds.split_first_mut().unwrap();
    known.times.sort_unstable();
    println!("| Login | Median, ms | Longer than {}, of 100 |\n|---|---:|---:|", known.name);
    println!("| {} | {:.2} | 50.0 |", known.name, median(&known.times));
    let mut alike = true;
    for other in others {
        other.times.sort_unstable();
        let share = longer(&other.times, &known.times);
        println!("| {} | {:.2} | {:.1} |", other.name, median(&other.times), share * 100.0);
        alike &= (share - 0.5).abs() <= SLACK;
    }
    alike
}

async fn refused(client: &Client, body: &Value) -> Duration {
    let began = Instant::now();
    let answer = client.post("/api/auth/login", body.clone()).await;
    let took = began.elapsed();
    let _ = answer.expect(401);
    took
}

fn median(sorted: &[Duration]) -> f64 {
    sorted[sorted.len() / 2].as_secs_f64() * 1000.0
}

/// The probability that one of the first takes longer than one of the second (Mann and Whitney's U over its greatest value).
#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
fn longer(first: &[Duration], second: &[Duration]) -> f64 {
    let before = |time: &Duration| second.partition_point(|other| other < time);
    let wins: usize = first.iter().map(before).sum();
    wins as f64 / (first.len() * second.len()) as f64
}
