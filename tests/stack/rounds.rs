//! Round after round through two processes: 32 want what only one can have. `ROUNDS` says how often; `tests/full.sh large` has
//! three hundred of each.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::{Answer, Client, PASSWORD, Tenant};

use crate::races::{Pair, RACERS, post, statuses, total};

/// How many joins one queue takes.
const QUEUE: usize = 10_000;
/// The minute at which the first appointment is: 2040-01-02T00:00:00Z.
const FIRST: i64 = 2_209_075_200 / 60;

/// How many rounds there are of each race.
#[expect(clippy::disallowed_methods, reason = "a setting of the test, not of the product")]
fn rounds() -> usize {
    std::env::var("ROUNDS").map_or(5, |rounds| rounds.parse().unwrap())
}

/// Two processes, and a tenant whose manager serves in a department.
struct Arena {
    pair: Pair,
    tenant: Tenant,
    me: String,
    department: String,
    token: String,
}

impl Arena {
    async fn new() -> Self {
        let pair = Pair::start(|settings| settings.with("VOKI_RATE_LIMIT_PUBLIC", "off")).await;
        let tenant = pair.tenant().await;
        let me = text(&tenant.manager.get("/api/v1/users/me").await.expect(200).data()["id"]);
        let mut arena = Self { pair, tenant, me, department: String::new(), token: String::new() };
        arena.another_queue().await;
        arena
    }

    /// A department whose queue is empty, and a link to it.
    async fn another_queue(&mut self) {
        self.department = self.tenant.department(json!({ "name": "Support", "max_queue_size": QUEUE })).await;
        self.token = self.tenant.link(&self.department, 10_000).await;
    }

    /// Before a round. Of many, the manager logs in at times: an access token lives fifteen minutes.
    async fn ready_for(&mut self, round: usize) {
        if round % 100 == 99 {
            let login = self.tenant.login("manager@example.com", PASSWORD).await;
            self.tenant.manager = self.tenant.anonymous.bearer(&text(&login["access_token"]));
        }
    }

    /// All ask the same, half of them through each process.
    async fn all_post(&self, path: &str, body: impl Fn(usize) -> Value) -> Vec<Answer> {
        self.pair.race(RACERS, |n, site| post(self.tenant.manager.at(site), path.to_owned(), body(n))).await
    }

    async fn call(&self, name: &str) -> String {
        self.tenant.join(&self.token, name).await
    }

    async fn get(&self, path: &str) -> Value {
        self.tenant.manager.at(self.pair.site(1)).get(path).await.expect(200).data()
    }
}

/// One slot of an agent: of 32 bookings that overlap one is taken, whatever minute each begins at.
#[tokio::test(flavor = "multi_thread")]
async fn one_slot_of_an_agent_is_taken_once() {
    let mut arena = Arena::new().await;
    let strict = json!({ "company": { "prevent_double_booking": true } });
    let _ = arena.tenant.manager.put("/api/v1/company", strict).await.expect(200);
    for round in 0..rounds() {
        arena.ready_for(round).await;
        let at =
            |n: usize| ::shared::clock::Time::from_epoch((FIRST + i64::try_from(round * 60 + n % 30).unwrap()) * 60).to_string();
        let body = |n: usize| {
            json!({ "appointment": {
                "title": format!("Talk {n}"), "scheduled_at": at(n), "duration_minutes": 30, "department_id": arena.department,
                "user_id": arena.me, "customer_name": "Carlos",
            } })
        };
        let answers = arena.all_post("/api/v1/appointments", body).await;
        assert_eq!(statuses(&answers), BTreeMap::from([(201, 1), (422, RACERS - 1)]), "{round}");
    }
    assert_eq!(total(&arena.tenant.manager, "/api/v1/appointments").await, rounds());
    arena.pair.end().await;
}

/// New e-mails: eight at once who join with one of them are one customer, four times over.
#[tokio::test(flavor = "multi_thread")]
async fn one_new_email_makes_one_customer() {
    const PEOPLE: usize = 4;
    let mut arena = Arena::new().await;
    for round in 0..rounds() {
        arena.ready_for(round).await;
        if round > 0 && round % (QUEUE / RACERS) == 0 {
            arena.another_queue().await;
        }
        let path = format!("/api/v1/call/{}/join", arena.token);
        let email = |n: usize| format!("new{round}x{}@example.com", n % PEOPLE);
        let written = |n: usize| if n < RACERS / 2 { email(n) } else { email(n).to_uppercase() };
        let answers = arena.all_post(&path, |n| json!({ "name": format!("Customer {n}"), "email": written(n) })).await;
        assert_eq!(statuses(&answers), BTreeMap::from([(200, RACERS)]), "{round}");
        let found = arena.get(&format!("/api/v1/customers?search=new{round}x")).await;
        assert_eq!(found.as_array().unwrap().len(), PEOPLE, "{round}");
        assert!(found.as_array().unwrap().iter().all(|customer| customer["call_count"] == RACERS / PEOPLE), "{round}: {found}");
    }
    assert_eq!(total(&arena.tenant.manager, "/api/v1/customers").await, rounds() * PEOPLE);
    assert_eq!(total(&arena.tenant.manager, "/api/v1/calls").await, rounds() * RACERS);
    arena.pair.end().await;
}

/// The last uses of a link: of 32 who join as many get in as it has uses left.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_used_as_often_as_it_may_be() {
    let mut arena = Arena::new().await;
    let mut calls = 0;
    for round in 0..rounds() {
        arena.ready_for(round).await;
        let uses = 1 + round % 3;
        let token = arena.tenant.link(&arena.department, u32::try_from(uses).unwrap()).await;
        let path = format!("/api/v1/call/{token}/join");
        let answers = arena.all_post(&path, |n| json!({ "name": format!("Customer {n}") })).await;
        assert_eq!(statuses(&answers), BTreeMap::from([(200, uses), (404, RACERS - uses)]), "{round}");
        calls += uses;
    }
    assert_eq!(total(&arena.tenant.manager, "/api/v1/access-links?status=used").await, rounds());
    assert_eq!(total(&arena.tenant.manager, "/api/v1/calls").await, calls);
    arena.pair.end().await;
}

/// How many calls bear a tag: as many as it says, however it is applied and taken off at once.
#[tokio::test(flavor = "multi_thread")]
async fn the_usage_of_a_tag_is_exact() {
    let mut arena = Arena::new().await;
    let tag = json!({ "tag": { "name": "Contested" } });
    let tag = text(&arena.tenant.manager.post("/api/v1/tags", tag).await.expect(201).data()["id"]);
    let mut calls = Vec::new();
    for n in 0..4 {
        calls.push(arena.call(&format!("Customer {n}")).await);
    }
    for round in 0..rounds() {
        arena.ready_for(round).await;
        let racer = |n: usize, site: &str| {
            let (client, path) = (arena.tenant.manager.at(site), format!("/api/v1/calls/{}/tags", calls[n % 4]));
            let (applies, tag) = (!(n / 4 + round).is_multiple_of(3), tag.clone());
            async move {
                if applies { client.post(&path, json!({ "tag_id": tag })).await } else { taken_off(&client, &path, &tag).await }
            }
        };
        let answers = arena.pair.race(RACERS, racer).await;
        let known = |answer: &Answer| [200, 201, 204, 404].contains(&answer.status.as_u16());
        assert!(answers.iter().all(known), "{round}: {:?}", statuses(&answers));
        let mut borne = 0;
        for call in &calls {
            borne += arena.get(&format!("/api/v1/calls/{call}")).await["tags"].as_array().unwrap().len();
        }
        assert_eq!(arena.get(&format!("/api/v1/tags/{tag}")).await["usage_count"], borne, "{round}");
        assert_eq!(total(&arena.tenant.manager, &format!("/api/v1/calls?tag_id={tag}")).await, borne, "{round}");
    }
    arena.pair.end().await;
}

async fn taken_off(client: &Client, path: &str, tag: &str) -> Answer {
    client.delete(&format!("{path}/{tag}")).await
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
