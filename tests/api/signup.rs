//! `/api/signup`: how a company begins.

use serde_json::{Value, json};
use tests::{Answer, Client, PASSWORD, Settings, Stack, Tenant, shared};
use tokio::task::JoinSet;
use uuid::Uuid;

const REGISTER: &str = "/api/signup/register";

fn slug() -> String {
    format!("s{}", &Uuid::new_v4().simple().to_string()[..12])
}

/// A sign-up that is right, under a slug of its own.
fn right() -> Value {
    json!({
        "company": { "name": "Acme", "slug": slug() },
        "user": { "name": "Ana", "email": "ana@example.com", "password": PASSWORD },
    })
}

/// The same with another value in one place.
fn with(pointer: &str, value: Value) -> Value {
    let mut body = right();
    if let Some(place) = body.pointer_mut(pointer) {
        *place = value;
    }
    body
}

/// Signs up from an address of its own.
async fn register(client: &Client, body: Value) -> Answer {
    client.elsewhere().post(REGISTER, body).await
}

fn keys(errors: &Value) -> Vec<&str> {
    errors.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

#[tokio::test]
async fn it_answers_as_login_does_and_makes_a_manager() {
    let client = shared().client();
    let body = right();
    let answer = register(&client, body.clone()).await.expect(201);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let mut top = answer.json();
    let data = top.as_object_mut().unwrap().remove("data").unwrap();
    assert_eq!(top, data);
    let user = &top["user"];
    let expected = json!({
        "access_token": top["access_token"], "refresh_token": top["refresh_token"], "token_type": "Bearer", "expires_in": 900,
        "user": {
            "id": user["id"], "name": "Ana", "email": "ana@example.com", "role": "manager", "avatar_url": null,
            "mfa_enabled": false,
        },
    });
    assert_eq!(top, expected);
    let manager = client.bearer(top["access_token"].as_str().unwrap());
    let users = manager.get("/api/v1/users").await.expect(200).json();
    assert_eq!((&users["meta"]["total_count"], &users["data"][0]["id"]), (&json!(1), &user["id"]));
    let login = json!({ "email": "ana@example.com", "password": PASSWORD, "tenant": body["company"]["slug"] });
    let _ = client.post("/api/auth/login", login).await.expect(200);
    let refresh = json!({ "refresh_token": top["refresh_token"] });
    let _ = client.post("/api/auth/refresh", refresh).await.expect(200);
}

#[tokio::test]
async fn the_first_user_is_an_active_manager_whatever_the_body_says() {
    let client = shared().client();
    let mut body = right();
    body["user"]["role"] = json!("attendant");
    body["user"]["active"] = json!(false);
    let answer = register(&client, body).await.expect(201).json();
    let me = client.bearer(answer["access_token"].as_str().unwrap()).get("/api/v1/users/me").await.expect(200).data();
    assert_eq!((&me["role"], &me["active"]), (&json!("manager"), &json!(true)));
}

#[tokio::test]
async fn errors_name_the_field_in_its_object() {
    let client = shared().client();
    let all = ["company.name", "company.slug", "user.email", "user.name", "user.password"];
    for body in [json!({}), json!({ "company": {}, "user": {} }), json!({ "company": null, "user": { "name": " " } })] {
        let errors = register(&client, body).await.expect(422).errors();
        assert_eq!(keys(&errors), all);
        assert!(all.iter().all(|key| errors[key] == json!(["can't be blank"])), "{errors}");
    }
    for (pointer, value, key) in [
        ("/company/name", json!("x".repeat(201)), "company.name"),
        ("/company/name", json!(7), "company.name"),
        ("/company/slug", json!("No Slug"), "company.slug"),
        ("/user/name", json!("a\u{0}"), "user.name"),
        ("/user/email", json!("ana@"), "user.email"),
        ("/user/email", json!(["ana@example.com"]), "user.email"),
        ("/user/password", json!("short"), "user.password"),
    ] {
        let errors = register(&client, with(pointer, value)).await.expect(422).errors();
        assert_eq!(keys(&errors), [key]);
    }
    let errors = register(&client, with("/company", json!("Acme"))).await.expect(422).errors();
    assert!(keys(&errors).iter().all(|key| key.starts_with("company")), "{errors}");
}

#[tokio::test]
async fn a_slug_is_3_to_40_of_lower_case_letters_digits_and_dashes() {
    let client = shared().client();
    let unique = slug();
    let longest = format!("{unique}{}", "x".repeat(40 - unique.len()));
    for good in [longest.clone(), format!("{unique}-2"), unique[1..4].to_owned()] {
        let _ = register(&client, with("/company/slug", json!(good))).await.expect(201);
    }
    for bad in [
        "ab",
        "",
        "a",
        &format!("{longest}x"),
        "Acme",
        "acme corp",
        "acme_corp",
        "acme.corp",
        "açme",
        "acme/",
        "acme#1",
        "a\u{0}me",
    ] {
        let errors = register(&client, with("/company/slug", json!(bad))).await.expect(422).errors();
        assert_eq!(keys(&errors), ["company.slug"], "{bad:?}");
    }
}

#[tokio::test]
async fn a_password_has_10_to_128_characters_and_is_neither_common_nor_the_email() {
    let client = shared().client();
    let longest = "é".repeat(128);
    for good in ["ten chars!", longest.as_str(), "  spaces at both ends  "] {
        let body = with("/user/password", json!(good));
        let login =
            |password: &str| json!({ "email": "ana@example.com", "password": password, "tenant": body["company"]["slug"] });
        let _ = register(&client, body.clone()).await.expect(201);
        let _ = client.elsewhere().post("/api/auth/login", login(good)).await.expect(200);
        let shorter: String = good.chars().skip(1).collect();
        let _ = client.elsewhere().post("/api/auth/login", login(&shorter)).await.expect(401);
    }
    for bad in [
        "nine char",
        "",
        &"x".repeat(129),
        &"x".repeat(1_000_000),
        "password123",
        "1234567890",
        "PASSWORD123",
        "ana@example.com",
        "ANA@Example.com",
    ] {
        let errors = register(&client, with("/user/password", json!(bad))).await.expect(422).errors();
        assert_eq!(keys(&errors), ["user.password"], "{bad:?}");
    }
}

#[tokio::test]
async fn a_taken_slug_is_refused_and_a_failed_sign_up_takes_none() {
    let client = shared().client();
    let mut body = right();
    let good = body.clone();
    body["user"]["password"] = json!("short");
    let _ = register(&client, body).await.expect(422);
    let first = register(&client, good.clone()).await.expect(201).json();
    let mut second = good.clone();
    second["user"]["email"] = json!("bob@example.com");
    for body in [second, good] {
        let errors = register(&client, body).await.expect(422).errors();
        assert_eq!(errors, json!({ "company.slug": ["has already been taken"] }));
    }
    let users = client.bearer(first["access_token"].as_str().unwrap()).get("/api/v1/users").await.expect(200).json();
    assert_eq!((&users["meta"]["total_count"], &users["data"][0]["email"]), (&json!(1), &json!("ana@example.com")));
}

#[tokio::test]
async fn of_many_at_once_one_gets_the_slug_and_nothing_is_left_of_the_others() {
    let client = shared().client();
    for _ in 0..3 {
        let slug = slug();
        let mut racers = JoinSet::new();
        for n in 0..6 {
            let (client, mut body) = (client.clone(), with("/company/slug", json!(slug)));
            body["user"]["email"] = json!(format!("racer{n}@example.com"));
            racers.spawn(async move { (n, register(&client, body).await) });
        }
        let (mut winners, mut losers) = (Vec::new(), Vec::new());
        for (n, answer) in racers.join_all().await {
            if answer.status == 201 {
                winners.push((n, answer.json()));
            } else {
                assert_eq!(answer.expect(422).errors(), json!({ "company.slug": ["has already been taken"] }));
                losers.push(n);
            }
        }
        assert_eq!((winners.len(), losers.len()), (1, 5));
        let (winner, answer) = &winners[0];
        let users = client.bearer(answer["access_token"].as_str().unwrap()).get("/api/v1/users").await.expect(200).json();
        assert_eq!(users["meta"]["total_count"], json!(1));
        assert_eq!(users["data"][0]["email"], json!(format!("racer{winner}@example.com")));
        for n in losers {
            let login = json!({ "email": format!("racer{n}@example.com"), "password": PASSWORD, "tenant": slug });
            let _ = client.elsewhere().post("/api/auth/login", login).await.expect(401);
        }
    }
}

#[tokio::test]
async fn closed_it_is_403_whatever_comes() {
    let stack = Stack::start(Settings::default().with("VOKI_SIGNUP", "closed")).await;
    let client = stack.client();
    for body in [right(), json!({}), json!([])] {
        let answer = register(&client.with("x-signup-token", "closed"), body).await.expect(403);
        assert!(answer.errors()["detail"].is_string());
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn by_token_it_is_open_to_who_has_it() {
    let stack = Stack::start(Settings::default().with("VOKI_SIGNUP", "token:a long secret")).await;
    let client = stack.client();
    let _ = register(&client, right()).await.expect(403);
    for wrong in ["", "a long", "a long secret2", "A long secret", "token:a long secret"] {
        let _ = register(&client.with("x-signup-token", wrong), right()).await.expect(403);
    }
    let _ = register(&client.with("x-signup-token", "a long secret"), json!({})).await.expect(422);
    let _ = register(&client.with("x-signup-token", "a long secret"), right()).await.expect(201);
    stack.shutdown().await;
}

#[tokio::test]
async fn the_plan_of_a_new_tenant_is_a_setting() {
    let stack = Stack::start(Settings::default().with("VOKI_DEFAULT_PLAN", "basic")).await;
    let tenant = Tenant::new(&stack).await;
    for n in 0..3 {
        let _ = tenant.department(json!({ "name": format!("Department {n}") })).await;
    }
    let fourth = json!({ "department": { "name": "Department 3" } });
    let refused = tenant.manager.post("/api/v1/departments", fourth).await.expect(403);
    assert_eq!(refused.json(), json!({ "errors": { "detail": "Plan limit reached: departments (3 of 3)" } }));
    let hook = json!({ "webhook": { "url": "https://example.com/hook", "events": ["*"] } });
    let _ = tenant.manager.post("/api/v1/webhooks", hook).await.expect(403);
    stack.shutdown().await;
}
