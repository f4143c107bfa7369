//! Invitations and forgotten passwords, by the mails that were captured.

use serde_json::{Value, json};
use tests::{Client, PASSWORD, Receiver, Reply, Settings, Stack, Tenant};
use tokio::task::JoinSet;

use crate::scene::{Scene, text};

const FORGOT: &str = "/api/auth/forgot-password";
const RESET: &str = "/api/auth/reset-password";
const NEXT: &str = "nine green bottles, one wall";

async fn forget(tenant: &Tenant, email: &str) -> tests::Answer {
    tenant.anonymous.elsewhere().post(FORGOT, json!({ "email": email, "tenant": tenant.slug })).await
}

async fn reset(tenant: &Tenant, token: &str, password: &str) -> tests::Answer {
    tenant.anonymous.elsewhere().post(RESET, json!({ "token": token, "password": password })).await
}

async fn login(tenant: &Tenant, email: &str, password: &str) -> u16 {
    let body = json!({ "email": email, "password": password, "tenant": tenant.slug });
    tenant.anonymous.elsewhere().post("/api/auth/login", body).await.status.as_u16()
}

/// The mails that were sent, newest first.
async fn mails(tenant: &Tenant) -> Vec<Value> {
    let _ = tenant.drain().await;
    tenant.anonymous.get("/local/mails").await.expect(200).data().as_array().unwrap().clone()
}

/// The token of a mail's link.
fn token(mail: &Value) -> String {
    let words = mail["text"].as_str().unwrap();
    let (_, token) = words.split_once("?token=").unwrap_or_else(|| panic!("no link: {words}"));
    assert!(mail["html"].as_str().unwrap().contains(&format!("?token={}\"", token.trim())));
    token.trim().to_owned()
}

async fn client_of(tenant: &Tenant, email: &str, password: &str) -> Client {
    let login = tenant.login(email, password).await;
    tenant.anonymous.elsewhere().bearer(login["access_token"].as_str().unwrap())
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_mail() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let _ = tenant.user("ana", "attendant").await;
    let before = client_of(&tenant, "ana@example.com", PASSWORD).await;
    let said = forget(&tenant, "ANA@example.com").await.expect(200).json();
    assert_eq!(said, json!({ "data": { "message": "If there is such an account, a mail is on its way" } }));
    let mails = mails(&tenant).await;
    let [mail] = &mails[..] else { panic!("one mail: {mails:?}") };
    assert_eq!((&mail["to"], &mail["subject"]), (&json!("ana@example.com"), &json!("Escolha outra senha")));
    assert!(text(&mail["text"]).contains("/reset-password?token=") && text(&mail["text"]).contains("Test Company"));
    let token = token(mail);
    for (password, field) in [("short", "password"), ("Ana@Example.com", "password"), ("password123", "password")] {
        let errors = reset(&tenant, &token, password).await.expect(422).errors();
        assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), [field]);
    }
    let _ = reset(&tenant, &token, NEXT).await.expect(200);
    let _ = before.put("/api/v1/users/me", json!({ "user": {} })).await.expect(401);
    assert_eq!((login(&tenant, "ana@example.com", PASSWORD).await, login(&tenant, "ana@example.com", NEXT).await), (401, 200));
    let errors = reset(&tenant, &token, "another green bottle").await.expect(422).errors();
    assert_eq!(errors, json!({ "token": ["is invalid or has expired"] }));
    stack.shutdown().await;
}

#[tokio::test]
async fn nobody_learns_whether_an_account_exists() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let (_, id) = tenant.user("ana", "attendant").await;
    let off = json!({ "user": { "active": false } });
    let _ = tenant.manager.put(&format!("/api/v1/users/{id}"), off).await.expect(200);
    let there = forget(&tenant, "manager@example.com").await.expect(200);
    let mut answers = vec![];
    for (email, slug) in [
        ("nobody@example.com", tenant.slug.as_str()),
        ("ana@example.com", &tenant.slug),
        ("manager@example.com", "no-such-tenant"),
        ("manager@example.com", "No Slug"),
        ("no e-mail", &tenant.slug),
    ] {
        let body = json!({ "email": email, "tenant": slug });
        answers.push(tenant.anonymous.elsewhere().post(FORGOT, body).await.expect(200));
    }
    let headers = |answer: &tests::Answer| {
        ["content-type", "content-length", "ratelimit"].map(|name| answer.header(name).map(ToOwned::to_owned))
    };
    for answer in answers {
        assert_eq!((answer.json(), headers(&answer)), (there.json(), headers(&there)));
    }
    let mails = mails(&tenant).await;
    assert_eq!(mails.iter().map(|mail| text(&mail["to"])).collect::<Vec<_>>(), ["manager@example.com"]);
    for body in [json!({}), json!({ "email": "", "tenant": null })] {
        let errors = tenant.anonymous.elsewhere().post(FORGOT, body).await.expect(422).errors();
        assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), ["email", "tenant"]);
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn a_link_lives_an_hour_and_dies_with_the_next_password() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let mut tokens = Vec::new();
    for _ in 0..2 {
        for _ in 0..3 {
            let _ = forget(&tenant, "manager@example.com").await.expect(200);
        }
        tokens.push(token(&mails(&tenant).await[0]));
        // One mail a minute.
        assert_eq!(mails(&tenant).await.len(), tokens.len());
        tenant.advance(60).await;
    }
    assert_ne!(tokens[0], tokens[1]);
    let _ = reset(&tenant, &tokens[1], NEXT).await.expect(200);
    let _ = reset(&tenant, &tokens[0], "another green bottle").await.expect(422);
    let _ = forget(&tenant, "manager@example.com").await.expect(200);
    let late = token(&mails(&tenant).await[0]);
    tenant.advance(3600).await;
    for bad in [late.as_str(), "nothing", "x.y.z", &"é".repeat(200)] {
        let errors = reset(&tenant, bad, "another green bottle").await.expect(422).errors();
        assert_eq!(errors, json!({ "token": ["is invalid or has expired"] }));
    }
    assert_eq!(login(&tenant, "manager@example.com", NEXT).await, 200);
    stack.shutdown().await;
}

#[tokio::test]
async fn of_many_with_one_link_one_chooses() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let _ = forget(&tenant, "manager@example.com").await.expect(200);
    let token = token(&mails(&tenant).await[0]);
    let mut racers = JoinSet::new();
    for n in 0..4 {
        let (tenant, token) = (tenant.clone(), token.clone());
        racers.spawn(async move { reset(&tenant, &token, &format!("{NEXT} {n}")).await.status.as_u16() });
    }
    let mut statuses = racers.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422, 422, 422]);
    stack.shutdown().await;
}

#[tokio::test]
async fn who_is_made_without_a_password_is_invited_to_choose_one() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let user = json!({ "user": { "name": "Zoé <b>", "email": "zoe@example.com", "locale": "en" } });
    let made = tenant.manager.post("/api/v1/users", user).await.expect(201).data();
    assert_eq!(login(&tenant, "zoe@example.com", "").await, 422);
    assert_eq!(login(&tenant, "zoe@example.com", PASSWORD).await, 401);
    let mails_now = mails(&tenant).await;
    let mail = &mails_now[0];
    assert_eq!(
        (mails_now.len(), &mail["to"], &mail["subject"]),
        (1, &json!("zoe@example.com"), &json!("Your account at Test Company"))
    );
    assert!(text(&mail["html"]).contains("Zoé &lt;b&gt;") && text(&mail["text"]).contains("/invitation?token="));
    // An invitation is good for a week.
    tenant.advance(7 * 86_400 - 60).await;
    let _ = reset(&tenant, &token(mail), NEXT).await.expect(200);
    assert_eq!(login(&tenant, "zoe@example.com", NEXT).await, 200);
    let zoe = client_of(&tenant, "zoe@example.com", NEXT).await;
    assert_eq!(zoe.get("/api/v1/users/me").await.expect(200).data()["id"], made["id"]);
    // One who may not log in is not invited.
    let manager = client_of(&tenant, "manager@example.com", PASSWORD).await;
    let idle = json!({ "user": { "name": "Idle", "email": "idle@example.com", "active": false } });
    let _ = manager.post("/api/v1/users", idle).await.expect(201);
    assert_eq!(mails(&tenant).await.len(), 1);
    stack.shutdown().await;
}

#[tokio::test]
async fn managers_hear_of_a_webhook_that_was_disabled() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let _ = scene.tenant.user("boss", "manager").await;
    let receiver = Receiver::start().await;
    receiver.reply(Reply::Status(410));
    let _ = scene.webhook(&receiver, &["call.created"]).await;
    let _ = scene.join("Carlos").await;
    let told = mails(&scene.tenant).await;
    let mut to: Vec<_> = told.iter().map(|mail| text(&mail["to"])).collect();
    to.sort_unstable();
    assert_eq!(to, ["boss@example.com", "manager@example.com"]);
    assert!(text(&told[0]["text"]).contains(&receiver.url) && text(&told[0]["text"]).contains("410"));
    stack.shutdown().await;
}
