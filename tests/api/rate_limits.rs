//! Rate limits: who is counted by what, what a limited answer says, and that the limit is exact.

use http::Method;
use serde_json::{Value, json};
use tests::{Answer, Client, PASSWORD, Settings, Stack, Tenant, shared};
use tokio::task::JoinSet;
use uuid::Uuid;

const LOGIN: &str = "/api/auth/login";

/// A login without a password: it is counted, and answers 422 without any work.
fn blank(tenant: &str, email: &str) -> Value {
    json!({ "tenant": tenant, "email": email })
}

/// The parameters of the items of `RateLimit` or `RateLimit-Policy`: `"name";q=5;w=60, …`.
fn items(answer: &Answer, header: &str) -> Vec<Vec<(String, u64)>> {
    let parameter = |text: &str| text.split_once('=').and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
    let item = |text: &str| {
        let (name, parameters) = text.trim().split_once(';')?;
        let quoted = name.len() > 2 && name.starts_with('"') && name.ends_with('"');
        quoted.then(|| parameters.split(';').filter_map(parameter).collect())
    };
    answer.header(header).unwrap_or_default().split(',').filter_map(item).collect()
}

/// The first item's parameter.
fn first(answer: &Answer, header: &str, name: &str) -> Option<u64> {
    let items = items(answer, header);
    items.first()?.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
}

/// The answer is 429 as the contract has it; says after how many seconds it may work.
#[track_caller]
fn too_many(answer: Answer) -> u64 {
    let answer = answer.expect(429);
    let errors = answer.errors();
    assert_eq!(errors.as_object().map(serde_json::Map::len), Some(1));
    assert!(errors["detail"].as_str().is_some_and(|text| !text.is_empty()));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.header("retry-after").and_then(|seconds| seconds.parse().ok()).unwrap_or_default()
}

#[tokio::test]
async fn logins_are_five_a_minute_per_address_and_account() {
    let tenant = Tenant::new(shared()).await;
    let office = tenant.anonymous.elsewhere();
    let wrong = json!({ "tenant": tenant.slug, "email": "manager@example.com", "password": "not the password" });
    let right = json!({ "tenant": tenant.slug, "email": " MANAGER@example.com", "password": PASSWORD });
    for left in (0..5).rev() {
        let answer = office.post(LOGIN, wrong.clone()).await.expect(401);
        assert_eq!(first(&answer, "ratelimit", "r"), Some(left));
        assert_eq!((first(&answer, "ratelimit-policy", "q"), first(&answer, "ratelimit-policy", "w")), (Some(5), Some(60)));
        assert!((1..=60).contains(&first(&answer, "ratelimit", "t").unwrap()));
    }
    let refused = office.post(LOGIN, right.clone()).await;
    assert_eq!(first(&refused, "ratelimit", "r"), Some(0));
    assert_eq!(first(&refused, "ratelimit-policy", "q"), Some(5));
    assert_eq!(first(&refused, "ratelimit", "t"), refused.header("retry-after").and_then(|text| text.parse().ok()));
    assert!((1..=60).contains(&too_many(refused)));
    // Whatever else is wrong comes after the limit.
    let _ = too_many(office.post(LOGIN, blank(&tenant.slug, "manager@example.com")).await);

    let _ = office.post(LOGIN, blank(&tenant.slug, "other@example.com")).await.expect(422);
    let _ = office.post(LOGIN, blank("another-tenant", "manager@example.com")).await.expect(422);
    let _ = tenant.anonymous.elsewhere().post(LOGIN, right).await.expect(200);
}

/// What stands for an account is read as its handler reads it: another writing opens no other window.
#[tokio::test]
async fn codes_and_links_are_five_a_minute_however_they_are_written() {
    let tenant = Tenant::new(shared()).await;
    for (path, field) in [("/api/auth/mfa/verify", "mfa_token"), ("/api/auth/reset-password", "token")] {
        let office = tenant.anonymous.elsewhere();
        let body = |n: usize| json!({ field: format!("{}acme.somebody.1.x{}", " ".repeat(n), " ".repeat(n)) });
        for n in 0..5 {
            let _ = office.post(path, body(n)).await.expect(422);
        }
        let _ = too_many(office.post(path, body(7)).await);
    }
}

#[tokio::test]
async fn an_address_has_ten_times_as_much() {
    let stack = Stack::start(Settings::default().with("VOKI_RATE_LIMIT_AUTH", "2/60")).await;
    let office = stack.client();
    for n in 0..20 {
        let answer = office.post(LOGIN, blank("acme", &format!("user{n}@example.com"))).await.expect(422);
        assert_eq!(first(&answer, "ratelimit", "r"), Some(1));
    }
    let _ = too_many(office.post(LOGIN, blank("acme", "user20@example.com")).await);
    let _ = office.elsewhere().post(LOGIN, blank("acme", "user20@example.com")).await.expect(422);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_refused_request_uses_nothing_up() {
    let stack = Stack::start(Settings::default().with("VOKI_RATE_LIMIT_AUTH", "2/60")).await;
    let office = stack.client();
    for _ in 0..30 {
        let _ = office.post(LOGIN, blank("acme", "busy@example.com")).await;
    }
    // Two of the address's twenty are gone, not thirty.
    for n in 0..18 {
        let _ = office.post(LOGIN, blank("acme", &format!("user{n}@example.com"))).await.expect(422);
    }
    let _ = too_many(office.post(LOGIN, blank("acme", "late@example.com")).await);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_window_opens_with_its_first_request_and_ends_by_the_clock() {
    let stack = Stack::start(Settings::default().with("VOKI_RATE_LIMIT_AUTH", "5/600")).await;
    let (client, control) = (stack.client(), stack.client());
    let advance = async |seconds: u32| {
        let _ = control.post("/local/clock", json!({ "advance_seconds": seconds })).await.expect(200);
    };
    for _ in 0..5 {
        let _ = client.post(LOGIN, blank("acme", "a@example.com")).await.expect(422);
        advance(50).await;
    }
    // The window is that of the first request, 250 seconds ago.
    let wait = too_many(client.post(LOGIN, blank("acme", "a@example.com")).await);
    assert!((250..=350).contains(&wait), "{wait}");
    advance(200).await;
    assert!(too_many(client.post(LOGIN, blank("acme", "a@example.com")).await) <= 150);
    advance(150).await;
    for left in (0..5).rev() {
        let answer = client.post(LOGIN, blank("acme", "a@example.com")).await.expect(422);
        assert_eq!(first(&answer, "ratelimit", "r"), Some(left));
    }
    let _ = too_many(client.post(LOGIN, blank("acme", "a@example.com")).await);
    stack.shutdown().await;
}

#[tokio::test]
async fn of_many_at_once_exactly_the_limit_is_admitted() {
    let office = shared().client();
    for round in 0..3 {
        let mut crowd = JoinSet::new();
        for _ in 0..32 {
            let (office, body) = (office.clone(), blank("acme", &format!("crowd{round}@example.com")));
            crowd.spawn(async move { office.post(LOGIN, body).await });
        }
        let answers = crowd.join_all().await;
        let (admitted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 422);
        assert_eq!((admitted.len(), refused.len()), (5, 27));
        for answer in refused {
            assert!((1..=60).contains(&too_many(answer)));
        }
        let mut left: Vec<_> = admitted.iter().map(|answer| first(answer, "ratelimit", "r")).collect();
        left.sort_unstable();
        assert_eq!(left, [0, 1, 2, 3, 4].map(Some));
    }
}

#[tokio::test]
async fn sign_ups_count_by_address_and_refreshes_by_session() {
    let client = shared().client();
    for _ in 0..5 {
        let _ = client.post("/api/signup/register", json!({})).await.expect(422);
    }
    let _ = too_many(client.post("/api/signup/register", json!({})).await);
    let _ = client.elsewhere().post("/api/signup/register", json!({})).await.expect(422);

    let tenant = Tenant::new(shared()).await;
    let sessions = [tenant.login("manager@example.com", PASSWORD).await, tenant.login("manager@example.com", PASSWORD).await];
    let refresh = async |client: &Client, session: &Value| {
        client.post("/api/auth/refresh", json!({ "refresh_token": session["refresh_token"] })).await
    };
    for _ in 0..5 {
        let _ = refresh(&tenant.anonymous.elsewhere(), &sessions[0]).await.expect(200);
    }
    let _ = too_many(refresh(&tenant.anonymous.elsewhere(), &sessions[0]).await);
    let _ = refresh(&tenant.anonymous, &sessions[1]).await.expect(200);
}

#[tokio::test]
async fn the_public_pages_have_thirty_a_minute_per_address() {
    let client = shared().client();
    let validate = "/api/v1/call/nobody/validate";
    for n in 0..30 {
        let method = if n % 10 == 0 { Method::HEAD } else { Method::GET };
        let answer = client.send(method, validate, "").await.expect(404);
        assert_eq!((first(&answer, "ratelimit", "r"), first(&answer, "ratelimit-policy", "q")), (Some(29 - n), Some(30)));
    }
    assert!((1..=60).contains(&too_many(client.get(validate).await)));
    // One address, whatever the link.
    let _ = too_many(client.get("/api/v1/call/another/validate").await);
    let _ = client.elsewhere().get(validate).await.expect(404);

    let client = shared().client();
    for (path, body) in
        [("/api/v1/call/nobody/join", json!({})), (&format!("/api/v1/call/evaluate/{}", Uuid::new_v4()), json!({}))]
    {
        for _ in 0..30 {
            let _ = client.post(path, body.clone()).await.expect(422);
        }
        let refused = client.with("idempotency-key", "key").post(path, body.clone()).await;
        let _ = too_many(refused);
        let _ = client.elsewhere().post(path, body).await.expect(422);
    }
}

#[tokio::test]
async fn a_calls_status_counts_by_the_call() {
    let client = shared().client();
    let [one, other] = [Uuid::new_v4(), Uuid::new_v4()].map(|id| format!("/api/v1/call/status/{id}"));
    for n in 0..30 {
        let answer = client.elsewhere().get(&one).await.expect(404);
        assert_eq!(first(&answer, "ratelimit", "r"), Some(29 - n));
    }
    let _ = too_many(client.elsewhere().get(&one).await);
    let _ = client.get(&other).await.expect(404);
    let leave = format!("/api/v1/call/leave/{}", Uuid::new_v4());
    for _ in 0..30 {
        let _ = client.elsewhere().post(&leave, json!({})).await.expect(404);
    }
    let _ = too_many(client.elsewhere().post(&leave, json!({})).await);
}

#[tokio::test]
async fn a_limited_endpoint_says_so_on_every_answer_and_others_never() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let token = tenant.link(&department, 1).await;
    let (join, validate) = (format!("/api/v1/call/{token}/join"), format!("/api/v1/call/{token}/validate"));
    let client = tenant.anonymous.elsewhere();
    let keyed = client.with("idempotency-key", "key");
    let carlos = json!({ "name": "Carlos" });
    let answers = [
        client.get(&validate).await.expect(200),
        keyed.post(&join, carlos.clone()).await.expect(200),
        keyed.post(&join, carlos.clone()).await.expect(200),
        keyed.post(&join, json!({ "name": "Other" })).await.expect(422),
        client.with("idempotency-key", &"k".repeat(256)).post(&join, carlos.clone()).await.expect(400),
        client.post(&join, carlos).await.expect(404),
        client.send(Method::POST, LOGIN, "{").await.expect(400),
    ];
    for answer in &answers {
        assert!(first(answer, "ratelimit", "r").is_some() && first(answer, "ratelimit-policy", "w") == Some(60), "{answer:?}");
    }
    for path in ["/api/auth/.well-known/jwks.json", "/api/health", "/api/v1/users/me", "/api/v1/nothing"] {
        for _ in 0..6 {
            let answer = tenant.manager.get(path).await;
            assert_ne!(answer.status, 429);
            assert_eq!((answer.header("ratelimit"), answer.header("ratelimit-policy")), (None, None), "{path}");
        }
    }
}

#[tokio::test]
async fn limits_are_settings_that_can_be_off() {
    let settings = Settings::default().with("VOKI_RATE_LIMIT_AUTH", "off").with("VOKI_RATE_LIMIT_PUBLIC", "3/10");
    let stack = Stack::start(settings).await;
    let client = stack.client();
    for _ in 0..60 {
        let answer = client.post(LOGIN, blank("acme", "a@example.com")).await.expect(422);
        assert_eq!(answer.header("ratelimit"), None);
    }
    for _ in 0..3 {
        let answer = client.get("/api/v1/call/nobody/validate").await.expect(404);
        assert_eq!((first(&answer, "ratelimit-policy", "q"), first(&answer, "ratelimit-policy", "w")), (Some(3), Some(10)));
    }
    assert!(too_many(client.get("/api/v1/call/nobody/validate").await) <= 10);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_forwarded_address_is_believed_from_trusted_proxies_alone() {
    let stack = Stack::start(Settings::default().with("VOKI_TRUSTED_PROXIES", "10.0.0.0/8")).await;
    for _ in 0..5 {
        let _ = stack.client().post(LOGIN, blank("acme", "a@example.com")).await.expect(422);
    }
    let _ = too_many(stack.client().post(LOGIN, blank("acme", "a@example.com")).await);
    stack.shutdown().await;

    let from = |chain: &str| shared().client().with("x-forwarded-for", chain);
    let email = format!("{}@example.com", Uuid::new_v4());
    // Clients can write what they like to the left of what the nearest proxy saw.
    for n in 0..5 {
        let _ = from(&format!("203.0.113.{n}, 192.0.2.77, 127.0.0.9")).post(LOGIN, blank("acme", &email)).await.expect(422);
    }
    let _ = too_many(from("192.0.2.77").post(LOGIN, blank("acme", &email)).await);
    let _ = from("192.0.2.78").post(LOGIN, blank("acme", &email)).await.expect(422);
}

#[tokio::test]
async fn addresses_of_ipv6_count_by_their_64() {
    let from = |address: &str| shared().client().with("x-forwarded-for", address);
    let email = format!("{}@example.com", Uuid::new_v4());
    for n in 1..=5 {
        let _ = from(&format!("2001:db8:7:1::{n:x}")).post(LOGIN, blank("acme", &email)).await.expect(422);
    }
    let _ = too_many(from("2001:0db8:0007:0001:ffff:ffff:ffff:ffff").post(LOGIN, blank("acme", &email)).await);
    let _ = from("2001:db8:7:2::1").post(LOGIN, blank("acme", &email)).await.expect(422);
}

/// Who has a session, or the first factor, guesses ten times a minute, from wherever.
#[tokio::test]
async fn guesses_of_ones_own_password_are_counted() {
    let tenant = Tenant::new(shared()).await;
    let (client, _) = tenant.user("ana", "attendant").await;
    let path = "/api/v1/users/me/password";
    let wanted = |current: &str| json!({ "current_password": current, "password": "nine green bottles" });
    for _ in 0..3 {
        // What is no guess is not counted.
        let _ = client.put(path, json!({ "current_password": "x", "password": "short" })).await.expect(422);
    }
    let mut guesses = JoinSet::new();
    for _ in 0..16 {
        let client = client.elsewhere();
        guesses.spawn(async move { client.put(path, wanted("not the password")).await.status.as_u16() });
    }
    let statuses = guesses.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 10, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 6, "{statuses:?}");
    assert!((1..=60).contains(&too_many(client.put(path, wanted(PASSWORD)).await)));
    // Codes count in the same window; everybody has one of their own.
    let _ = too_many(client.post("/api/v1/users/me/mfa/enable", json!({ "code": "000000" })).await);
    let removal = json!({ "password": PASSWORD, "code": "000000" }).to_string();
    let _ = too_many(client.with("content-type", "application/json").send(Method::DELETE, "/api/v1/users/me/mfa", removal).await);
    let _ = tenant.manager.put(path, wanted("not the password")).await.expect(422);
}
