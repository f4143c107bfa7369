//! Second factors.

use serde_json::{Value, json};
use shared::clock::Time;
use tests::{Authenticator, Client, PASSWORD, Settings, Stack, Tenant};
use tokio::task::JoinSet;

const ME: &str = "/api/v1/users/me";
const MFA: &str = "/api/v1/users/me/mfa";

/// Somebody with a second factor.
struct Guarded {
    tenant: Tenant,
    email: String,
    authenticator: Authenticator,
    recovery: Vec<String>,
}

impl Guarded {
    async fn new(tenant: &Tenant, stack: &Stack, name: &str) -> (Self, Client) {
        let (client, _) = tenant.user(name, "attendant").await;
        let begun = client.post(&format!("{MFA}/setup"), json!({})).await.expect(200).data();
        let authenticator = Authenticator::new(begun["secret"].as_str().unwrap());
        let code = json!({ "code": authenticator.code(now(stack)) });
        let codes = client.post(&format!("{MFA}/enable"), code).await.expect(200).data();
        let recovery = codes["recovery_codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned());
        let email = format!("{name}@example.com");
        tenant.advance(60).await;
        (Self { tenant: tenant.clone(), email, authenticator, recovery: recovery.collect() }, client)
    }

    /// The first step of logging in.
    async fn half(&self) -> Value {
        let half = self.tenant.login(&self.email, PASSWORD).await;
        assert_eq!(
            (&half["mfa_required"], &half["access_token"], &half["data"]["mfa_token"]),
            (&json!(true), &json!(null), &half["mfa_token"])
        );
        half["mfa_token"].clone()
    }

    async fn verify(&self, ticket: &Value, code: &str) -> tests::Answer {
        let body = json!({ "mfa_token": ticket, "code": code });
        self.tenant.anonymous.elsewhere().post("/api/auth/mfa/verify", body).await
    }
}

fn now(stack: &Stack) -> Time {
    stack.app().clock().now()
}

#[tokio::test]
async fn logging_in_takes_a_code_and_each_code_once() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let (guarded, _) = Guarded::new(&tenant, &stack, "gil").await;
    let ticket = guarded.half().await;
    let code = guarded.authenticator.code(now(&stack));
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for bad in [wrong, "12345", "abcdef", "aaaaa-aaaaa", "１２３４５６"] {
        assert_eq!(guarded.verify(&ticket, bad).await.expect(401).json(), json!({ "errors": { "detail": "Invalid code" } }));
    }
    for (body, fields) in
        [(json!({}), vec!["code", "mfa_token"]), (json!({ "mfa_token": ticket, "code": "x".repeat(41) }), vec!["code"])]
    {
        let errors = tenant.anonymous.elsewhere().post("/api/auth/mfa/verify", body).await.expect(422).errors();
        assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), fields);
    }
    let opened = guarded.verify(&ticket, &code).await.expect(200).json();
    assert_eq!((&opened["user"]["mfa_enabled"], &opened["user"]["email"]), (&json!(true), &json!("gil@example.com")));
    assert_eq!(opened["data"]["access_token"], opened["access_token"]);
    let client = tenant.anonymous.bearer(opened["access_token"].as_str().unwrap());
    assert_eq!(client.get(ME).await.expect(200).data()["mfa_enabled"], json!(true));
    // The same code again, with the same ticket or another.
    let _ = guarded.verify(&ticket, &code).await.expect(401);
    let other = guarded.half().await;
    let _ = guarded.verify(&other, &code).await.expect(401);
    tenant.advance(30).await;
    let _ = guarded.verify(&other, &guarded.authenticator.code(now(&stack))).await.expect(200);
    // A ticket lives for five minutes.
    tenant.advance(300).await;
    let _ = guarded.verify(&other, &guarded.authenticator.code(now(&stack))).await.expect(401);
    stack.shutdown().await;
}

#[tokio::test]
async fn of_many_with_one_code_one_comes_in() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let (guarded, _) = Guarded::new(&tenant, &stack, "gil").await;
    let ticket = guarded.half().await;
    for code in [guarded.authenticator.code(now(&stack) + std::time::Duration::from_secs(60)), guarded.recovery[0].clone()] {
        // Ten a minute may guess, from wherever.
        tenant.advance(60).await;
        let mut racers = JoinSet::new();
        for _ in 0..16 {
            let body = json!({ "mfa_token": ticket, "code": code });
            let client = tenant.anonymous.elsewhere();
            racers.spawn(async move { client.post("/api/auth/mfa/verify", body).await.status.as_u16() });
        }
        let statuses = racers.join_all().await;
        let count = |status| statuses.iter().filter(|known| **known == status).count();
        assert_eq!((count(200), count(401), count(429)), (1, 9, 6), "{code}: {statuses:?}");
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn a_recovery_code_is_good_once_in_whatever_writing() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let (guarded, _) = Guarded::new(&tenant, &stack, "gil").await;
    assert_eq!(guarded.recovery.len(), 10);
    let ticket = guarded.half().await;
    let code = &guarded.recovery[7];
    let _ = guarded.verify(&ticket, &format!(" {} ", code.to_uppercase().replace('-', " "))).await.expect(200);
    let _ = guarded.verify(&ticket, code).await.expect(401);
    let _ = guarded.verify(&ticket, &guarded.recovery[6]).await.expect(200);
    stack.shutdown().await;
}

#[tokio::test]
async fn setting_up_shows_a_seed_and_its_picture_and_enables_nothing() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let (client, _) = tenant.user("ana", "attendant").await;
    let _ = client.post(&format!("{MFA}/enable"), json!({ "code": "123456" })).await.expect(422);
    let first = client.post(&format!("{MFA}/setup"), json!({})).await.expect(200).data();
    let begun = client.post(&format!("{MFA}/setup"), json!({})).await.expect(200).data();
    let secret = begun["secret"].as_str().unwrap();
    assert!(secret.len() == 32 && first["secret"] != begun["secret"]);
    let expected = format!("otpauth://totp/Voki%20{0}:ana%40example.com?secret={secret}&issuer=Voki%20{0}", tenant.slug);
    assert_eq!(begun["otpauth_url"], json!(expected));
    assert!(begun["qr_svg"].as_str().unwrap().contains("<svg"));
    assert_eq!(tenant.login("ana@example.com", PASSWORD).await["user"]["mfa_enabled"], json!(false));
    // The seed of before is forgotten, and a code of another moment is none.
    let at = now(&stack);
    let old = Authenticator::new(first["secret"].as_str().unwrap()).code(at);
    let late = Authenticator::new(secret).code(at + std::time::Duration::from_secs(120));
    for code in [old, late] {
        let errors = client.post(&format!("{MFA}/enable"), json!({ "code": code })).await.expect(422).errors();
        assert_eq!(errors, json!({ "code": ["is not right"] }));
    }
    // Shown once: a replay has it masked.
    let keyed = client.with("idempotency-key", "one");
    let shown = keyed.post(&format!("{MFA}/setup"), json!({})).await.expect(200).data();
    let again = keyed.post(&format!("{MFA}/setup"), json!({})).await.expect(200);
    assert_eq!((again.header("idempotent-replayed"), &again.data()["secret"]), (Some("true"), &json!("••••")));
    assert_ne!(shown["secret"], json!("••••"));
    stack.shutdown().await;
}

#[tokio::test]
async fn enabling_and_disabling_end_the_other_sessions() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let (other, _) = tenant.user("gil", "attendant").await;
    let login = tenant.login("gil@example.com", PASSWORD).await;
    let here = tenant.anonymous.bearer(login["access_token"].as_str().unwrap());
    let begun = here.post(&format!("{MFA}/setup"), json!({})).await.expect(200).data();
    let authenticator = Authenticator::new(begun["secret"].as_str().unwrap());
    let code = json!({ "code": authenticator.code(now(&stack)) });
    let _ = here.post(&format!("{MFA}/enable"), code).await.expect(200);
    let _ = other.put(ME, json!({ "user": {} })).await.expect(401);
    let _ = here.put(ME, json!({ "user": {} })).await.expect(200);
    // It cannot be replaced by who has a session alone.
    let _ = here.post(&format!("{MFA}/setup"), json!({})).await.expect(422);
    tenant.advance(60).await;
    let remove = |body: Value| {
        let here = here.clone();
        async move { here.send(axum::http::Method::DELETE, MFA, body.to_string()).await }
    };
    let here_typed = here.with("content-type", "application/json");
    let remove_typed = |body: Value| {
        let here = here_typed.clone();
        async move { here.send(axum::http::Method::DELETE, MFA, body.to_string()).await }
    };
    let _ = remove(json!({ "password": PASSWORD })).await.expect(400);
    let right = authenticator.code(now(&stack));
    for (body, field) in [
        (json!({ "password": "not this one at all", "code": right }), "password"),
        (json!({ "password": PASSWORD, "code": "abc" }), "code"),
        (json!({ "password": PASSWORD }), "code"),
    ] {
        let errors = remove_typed(body).await.expect(422).errors();
        assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), [field]);
    }
    let half = tenant.login("gil@example.com", PASSWORD).await;
    let whole = json!({ "mfa_token": half["mfa_token"], "code": right });
    let whole = tenant.anonymous.elsewhere().post("/api/auth/mfa/verify", whole).await.expect(200).json();
    let third = tenant.anonymous.elsewhere().bearer(whole["access_token"].as_str().unwrap());
    tenant.advance(60).await;
    let right = authenticator.code(now(&stack));
    let _ = remove_typed(json!({ "password": PASSWORD, "code": right })).await.expect(204);
    let _ = third.put(ME, json!({ "user": {} })).await.expect(401);
    let _ = remove_typed(json!({ "password": PASSWORD, "code": right })).await.expect(422);
    assert_eq!(tenant.login("gil@example.com", PASSWORD).await["user"]["mfa_enabled"], json!(false));
    stack.shutdown().await;
}

#[tokio::test]
async fn a_ticket_dies_with_the_sessions_and_is_nobody_elses() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let (guarded, _) = Guarded::new(&tenant, &stack, "gil").await;
    let (other, _) = Guarded::new(&tenant, &stack, "eva").await;
    let (ticket, others) = (guarded.half().await, other.half().await);
    let code = guarded.authenticator.code(now(&stack));
    let text = ticket.as_str().unwrap();
    let parts: Vec<&str> = text.split('.').collect();
    let their: Vec<&str> = others.as_str().unwrap().split('.').collect();
    let forged = [
        [parts[0], their[1], parts[2], parts[3]].join("."),
        [parts[0], parts[1], "9999999999", parts[3]].join("."),
        ["elsewhere", parts[1], parts[2], parts[3]].join("."),
        [parts[0], parts[1], parts[2], their[3]].join("."),
        format!("{text}.x"),
        text.trim_end_matches(parts[3]).to_owned(),
        "x".into(),
    ];
    for forged in forged {
        let _ = guarded.verify(&json!(forged), &code).await.expect(401);
    }
    let _ = guarded.verify(&others, &code).await.expect(401);
    let users = tenant.manager.get("/api/v1/users?search=gil").await.expect(200).json();
    let id = users["data"][0]["id"].as_str().unwrap();
    let _ = tenant
        .manager
        .put(&format!("/api/v1/users/{id}"), json!({ "user": { "password": "nine green bottles" } }))
        .await
        .expect(200);
    let _ = guarded.verify(&ticket, &code).await.expect(401);
    stack.shutdown().await;
}

/// What the first step answers is good for the second, and for nothing else.
#[tokio::test]
async fn a_ticket_is_no_token() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let (guarded, _) = Guarded::new(&tenant, &stack, "gil").await;
    let ticket = guarded.half().await;
    let _ = tenant.anonymous.elsewhere().bearer(ticket.as_str().unwrap()).get(ME).await.expect(401);
    let _ = tenant.anonymous.elsewhere().post("/api/auth/refresh", json!({ "refresh_token": ticket })).await.expect(401);
    stack.shutdown().await;
}

/// Another password by mail does not take the second factor away.
#[tokio::test]
async fn a_reset_password_still_takes_a_code() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let (guarded, _) = Guarded::new(&tenant, &stack, "gil").await;
    let forgot = json!({ "email": guarded.email, "tenant": tenant.slug });
    let _ = tenant.anonymous.elsewhere().post("/api/auth/forgot-password", forgot).await.expect(200);
    let _ = tenant.drain().await;
    let mails = tenant.anonymous.get("/local/mails").await.expect(200).data();
    let (_, token) = mails[0]["text"].as_str().unwrap().split_once("?token=").unwrap();
    let chosen = json!({ "token": token.trim(), "password": "nine green bottles" });
    let _ = tenant.anonymous.elsewhere().post("/api/auth/reset-password", chosen).await.expect(200);
    let login = tenant.login(&guarded.email, "nine green bottles").await;
    assert_eq!((&login["mfa_required"], &login["access_token"]), (&json!(true), &json!(null)));
    stack.shutdown().await;
}

#[tokio::test]
async fn a_manager_takes_a_lost_factor_away() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let (guarded, client) = Guarded::new(&tenant, &stack, "gil").await;
    let id = client.get(ME).await.expect(200).data()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{id}/mfa");
    let (attendant, _) = tenant.user("eva", "attendant").await;
    let _ = attendant.delete(&path).await.expect(403);
    // The own one takes password and code.
    let own = tenant.manager.get(ME).await.expect(200).data()["id"].as_str().unwrap().to_owned();
    let _ = tenant.manager.delete(&format!("/api/v1/users/{own}/mfa")).await.expect(422);
    let _ = tenant.manager.delete(&path).await.expect(204);
    let _ = tenant.manager.delete(&path).await.expect(204);
    let _ = client.put(ME, json!({ "user": {} })).await.expect(401);
    assert_eq!(tenant.login(&guarded.email, PASSWORD).await["user"]["mfa_enabled"], json!(false));
    stack.shutdown().await;
}

#[tokio::test]
async fn where_the_company_requires_it_nothing_goes_before_it_is_set_up() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let (before, _) = tenant.user("ana", "attendant").await;
    let _ = tenant.manager.put("/api/v1/company", json!({ "company": { "mfa_required": true } })).await.expect(200);
    let login = tenant.login("ana@example.com", PASSWORD).await;
    let client = tenant.anonymous.elsewhere().bearer(login["access_token"].as_str().unwrap());
    for path in ["/api/v1/departments", "/api/v1/calls", "/api/v1/users/me/sessions"] {
        let refused = client.get(path).await.expect(403).json();
        let detail = "The company requires multi-factor authentication; set it up first";
        assert_eq!(refused, json!({ "errors": { "detail": detail } }));
    }
    let _ = client.put(ME, json!({ "user": {} })).await.expect(403);
    // Who was in is asked for it from the next pair of tokens on.
    let _ = before.get("/api/v1/departments").await.expect(200);
    let _ = client.get(ME).await.expect(200);
    let begun = client.post(&format!("{MFA}/setup"), json!({})).await.expect(200).data();
    let code = Authenticator::new(begun["secret"].as_str().unwrap()).code(now(&stack));
    let _ = client.post(&format!("{MFA}/enable"), json!({ "code": code })).await.expect(200);
    let _ = client.get("/api/v1/departments").await.expect(403);
    let refresh = json!({ "refresh_token": login["refresh_token"] });
    let next = client.elsewhere().post("/api/auth/refresh", refresh).await.expect(200).json();
    let client = client.bearer(next["access_token"].as_str().unwrap());
    let _ = client.get("/api/v1/departments").await.expect(200);
    let _ = client.post("/api/auth/logout", json!({})).await.expect(204);
    stack.shutdown().await;
}
