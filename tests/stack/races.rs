//! Races through two processes on one engine: one wins, nobody gets more than there is, and the figures are exact.

use std::{collections::BTreeMap, future::Future};

use serde_json::{Value, json};
use tests::{Answer, Client, PASSWORD, Receiver, Settings, Tenant};

use crate::process::{Engine, Process};

/// How many race.
pub const RACERS: usize = 32;

/// Two processes on one engine.
pub struct Pair {
    processes: [Process; 2],
    _engine: Engine,
}

impl Pair {
    pub async fn start(adjust: impl Fn(Settings) -> Settings) -> Self {
        let engine = Engine::start().await;
        let settings = adjust(engine.settings());
        // One after the other: the first makes the table and the keys.
        let processes = [Process::start(&settings).await, Process::start(&settings).await];
        Self { processes, _engine: engine }
    }

    pub async fn tenant(&self) -> Tenant {
        Tenant::on(self.processes[0].client()).await
    }

    /// The site of the nth racer.
    pub fn site(&self, n: usize) -> &str {
        &self.processes[n % 2].site
    }

    /// Lets all of them run at once, half through each process.
    pub async fn race<F: Future<Output = Answer> + Send + 'static>(
        &self,
        racers: usize,
        mut racer: impl FnMut(usize, &str) -> F,
    ) -> Vec<Answer> {
        let tasks: Vec<_> = (0..racers).map(|n| tokio::spawn(racer(n, self.site(n)))).collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        answers
    }

    pub async fn end(self) {
        for process in self.processes {
            assert_eq!(process.end().await.status.code(), Some(0));
        }
    }
}

/// How many answers have each status.
pub fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    answers.iter().fold(BTreeMap::new(), |mut counts, answer| {
        *counts.entry(answer.status.as_u16()).or_default() += 1;
        counts
    })
}

pub async fn total(client: &Client, path: &str) -> Value {
    client.get(path).await.expect(200).json()["meta"]["total_count"].clone()
}

pub async fn post(client: Client, path: String, body: Value) -> Answer {
    client.post(&path, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_joins_on_a_single_use_link_one_wins() {
    let pair = Pair::start(|settings| settings).await;
    let tenant = pair.tenant().await;
    let receiver = Receiver::start().await;
    let webhook =
        json!({ "webhook": { "url": receiver.url, "events": ["call.created", "customer.created", "access_link.used"] } });
    let _ = tenant.manager.post("/api/v1/webhooks", webhook).await.expect(201);
    let department = tenant.department(json!({ "name": "Support" })).await;
    let (token, other) = (tenant.link(&department, 1).await, tenant.link(&department, 1).await);

    let answers = pair
        .race(RACERS, |n, site| {
            let body = json!({ "name": format!("Customer {n}"), "email": format!("c{n}@example.com") });
            post(tenant.anonymous.at(site).elsewhere(), format!("/api/v1/call/{token}/join"), body)
        })
        .await;
    assert_eq!(statuses(&answers), BTreeMap::from([(200, 1), (404, RACERS - 1)]));
    let call = answers.iter().find(|answer| answer.status == 200).unwrap().data();
    assert_eq!(call["position"], 1);
    for lost in answers.iter().filter(|answer| answer.status == 404) {
        assert_eq!(lost.errors()["detail"], "Invalid or expired access link");
    }

    for site in [pair.site(0), pair.site(1)] {
        let tenant = tenant.at(site);
        let links = tenant.manager.get("/api/v1/access-links?status=used").await.expect(200).json();
        assert_eq!(links["meta"]["total_count"], 1);
        assert_eq!((&links["data"][0]["token"], &links["data"][0]["use_count"]), (&json!(token), &json!(1)));
        let calls = tenant.manager.get("/api/v1/calls").await.expect(200).json();
        assert_eq!((&calls["meta"]["total_count"], &calls["data"][0]["id"]), (&json!(1), &call["call_id"]));
        let seen = tenant.anonymous.elsewhere().get(&format!("/api/v1/call/{other}/validate")).await.expect(200).data();
        assert_eq!(seen["queue_size"], 1);
        let _ = tenant.drain().await;
    }
    let mut events = receiver.events();
    events.sort_unstable();
    assert_eq!(events, ["access_link.used", "call.created", "customer.created"]);
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_joins_into_a_queue_of_five_five_get_in_and_the_others_use_nothing_up() {
    let pair = Pair::start(|settings| settings).await;
    let tenant = pair.tenant().await;
    let department = tenant.department(json!({ "name": "Support", "max_queue_size": 5 })).await;
    let token = tenant.link(&department, 100).await;
    let answers = pair
        .race(RACERS, |n, site| {
            // All are one customer, whom the first makes.
            let body = json!({ "name": format!("Customer {n}"), "email": "one@example.com" });
            post(tenant.anonymous.at(site).elsewhere(), format!("/api/v1/call/{token}/join"), body)
        })
        .await;
    assert_eq!(statuses(&answers), BTreeMap::from([(200, 5), (422, RACERS - 5)]));

    let calls = tenant.manager.at(pair.site(1)).get("/api/v1/calls?status=queued").await.expect(200).json();
    assert_eq!(calls["meta"]["total_count"], 5);
    let mut positions: Vec<u64> =
        calls["data"].as_array().unwrap().iter().map(|call| call["position"].as_u64().unwrap()).collect();
    positions.sort_unstable();
    assert_eq!(positions, [1, 2, 3, 4, 5]);
    let customers: Vec<&Value> = calls["data"].as_array().unwrap().iter().map(|call| &call["customer_id"]).collect();
    assert!(customers.iter().all(|customer| customer.is_string() && *customer == customers[0]), "{customers:?}");
    let link = &tenant.manager.get("/api/v1/access-links").await.expect(200).json()["data"][0];
    assert_eq!((&link["use_count"], &link["status"]), (&json!(5), &json!("active")));
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_assigns_of_one_call_one_agent_wins() {
    let pair = Pair::start(|settings| settings).await;
    let tenant = pair.tenant().await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let mut agents = Vec::new();
    for n in 0..RACERS / 2 {
        let (agent, id) = tenant.user(&format!("agent{n}"), "attendant").await;
        tenant.member(&department, &id).await;
        agents.push(agent);
    }
    let read = tenant.manager.get(&format!("/api/v1/departments/{department}")).await.expect(200).data();
    assert_eq!(read["user_count"], RACERS / 2);
    let receiver = Receiver::start().await;
    let webhook = json!({ "webhook": { "url": receiver.url, "events": ["call.assigned"] } });
    let _ = tenant.manager.post("/api/v1/webhooks", webhook).await.expect(201);
    let call = tenant.join(&tenant.link(&department, 1).await, "Carlos").await;

    // Each agent asks twice, once through each process.
    let answers =
        pair.race(RACERS, |n, site| post(agents[n / 2].at(site), format!("/api/v1/calls/{call}/assign"), json!({}))).await;
    assert_eq!(statuses(&answers), BTreeMap::from([(200, 2), (422, RACERS - 2)]));
    let winner = answers.iter().position(|answer| answer.status == 200).unwrap() / 2;
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer.status == 200, n / 2 == winner, "{n} {}", answer.text());
    }
    let read = tenant.manager.at(pair.site(1)).get(&format!("/api/v1/calls/{call}")).await.expect(200).data();
    assert_eq!((&read["user_name"], &read["status"]), (&json!(format!("agent{winner}")), &json!("queued")));
    let by_agent = format!("/api/v1/calls?user_id={}", read["user_id"].as_str().unwrap());
    assert_eq!(total(&tenant.manager, &by_agent).await, 1);
    let _ = tenant.drain().await;
    assert_eq!(receiver.events(), ["call.assigned"]);
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_holds_exactly_when_many_race() {
    let pair = Pair::start(|settings| settings.with("VOKI_DEFAULT_PLAN", "basic")).await;
    let tenant = pair.tenant().await;
    let support = tenant.department(json!({ "name": "Support" })).await;
    let _ = tenant.department(json!({ "name": "Sales" })).await;
    let answers = pair
        .race(RACERS, |n, site| {
            let body = json!({ "department": { "name": format!("Department {n}") } });
            post(tenant.manager.at(site), "/api/v1/departments".into(), body)
        })
        .await;
    assert_eq!(statuses(&answers), BTreeMap::from([(201, 1), (403, RACERS - 1)]));
    for refused in answers.iter().filter(|answer| answer.status == 403) {
        assert_eq!(refused.errors()["detail"], "Plan limit reached: departments (3 of 3)");
    }
    assert_eq!(total(&tenant.manager.at(pair.site(1)), "/api/v1/departments").await, 3);
    assert_eq!(total(&tenant.manager, "/api/v1/departments?active=true").await, 3);

    // Three calls at a time: of eight starts three win.
    let me = tenant.manager.get("/api/v1/users/me").await.expect(200).data();
    tenant.member(&support, me["id"].as_str().unwrap()).await;
    let token = tenant.link(&support, 8).await;
    let mut calls = Vec::new();
    for n in 0..8 {
        calls.push(tenant.join(&token, &format!("Customer {n}")).await);
    }
    let answers =
        pair.race(8, |n, site| post(tenant.manager.at(site), format!("/api/v1/calls/{}/start", calls[n]), json!({}))).await;
    assert_eq!(statuses(&answers), BTreeMap::from([(200, 3), (403, 5)]));
    for refused in answers.iter().filter(|answer| answer.status == 403) {
        assert_eq!(refused.errors()["detail"], "Plan limit reached: calls (3 of 3)");
    }
    for (status, count) in [("active", 3), ("queued", 5)] {
        assert_eq!(total(&tenant.manager, &format!("/api/v1/calls?status={status}")).await, count, "{status}");
    }
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_admits_exactly_its_number_through_both() {
    let pair = Pair::start(|settings| settings).await;
    let tenant = pair.tenant().await;
    let client = tenant.anonymous.elsewhere();
    let body = json!({ "tenant": tenant.slug, "email": "manager@example.com", "password": PASSWORD });
    let answers = pair.race(RACERS, |_, site| post(client.at(site), "/api/auth/login".into(), body.clone())).await;
    assert_eq!(statuses(&answers), BTreeMap::from([(200, 5), (429, RACERS - 5)]));
    for refused in answers.iter().filter(|answer| answer.status == 429) {
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        assert!(refused.errors()["detail"].is_string());
    }
    // Another address is another window.
    let _ = tenant.login("manager@example.com", PASSWORD).await;

    // Validating: thirty a minute and address.
    let department = tenant.department(json!({ "name": "Support" })).await;
    let path = format!("/api/v1/call/{}/validate", tenant.link(&department, 1).await);
    let client = tenant.anonymous.elsewhere();
    let answers = pair
        .race(RACERS, |_, site| {
            let (client, path) = (client.at(site), path.clone());
            async move { client.get(&path).await }
        })
        .await;
    assert_eq!(statuses(&answers), BTreeMap::from([(200, 30), (429, RACERS - 30)]));
    pair.end().await;
}
