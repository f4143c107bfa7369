//! `/api/auth`: logging in, refreshing, logging out, and what an access token is.

use ::shared::{
    auth::token::verify,
    clock::Time,
    crypto::keys::{Jwks, Keys},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Method;
use serde_json::{Value, json};
use tests::{Answer, Client, PASSWORD, Settings, Stack, Tenant, shared};
use tokio::task::JoinSet;

const ME: &str = "/api/v1/users/me";
const REFRESH: &str = "/api/auth/refresh";
const EMAIL: &str = "manager@example.com";

async fn login(client: &Client, email: &str, password: &str, tenant: &str) -> Answer {
    client.post("/api/auth/login", json!({ "email": email, "password": password, "tenant": tenant })).await
}

async fn refresh(client: &Client, token: &Value) -> Answer {
    client.post(REFRESH, json!({ "refresh_token": token })).await
}

/// Something that writes, with this access token.
async fn write(tenant: &Tenant, access: &Value) -> Answer {
    let client = tenant.anonymous.bearer(access.as_str().unwrap_or_default());
    client.post("/api/v1/departments", json!({ "department": { "name": "Written" } })).await
}

#[tokio::test]
async fn logging_in_answers_at_the_top_level_and_under_data() {
    let tenant = Tenant::new(shared()).await;
    let answer = login(&tenant.anonymous, EMAIL, PASSWORD, &tenant.slug).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let mut top = answer.json();
    let data = top.as_object_mut().unwrap().remove("data").unwrap();
    assert_eq!(top, data);
    let me = tenant.manager.get(ME).await.expect(200).data();
    let user = json!({
        "id": me["id"], "name": "Maria Manager", "email": EMAIL, "role": "manager", "avatar_url": null, "mfa_enabled": false,
    });
    let expected = json!({
        "access_token": top["access_token"], "refresh_token": top["refresh_token"], "user": user, "token_type": "Bearer",
        "expires_in": 900,
    });
    assert_eq!(top, expected);
    let session = tenant.anonymous.bearer(top["access_token"].as_str().unwrap());
    assert_eq!(session.get(ME).await.expect(200).data()["id"], me["id"]);
    let again = login(&tenant.anonymous, " Manager@EXAMPLE.com ", PASSWORD, &tenant.slug).await.expect(200).json();
    assert_ne!((&again["access_token"], &again["refresh_token"]), (&top["access_token"], &top["refresh_token"]));
}

/// However long or wrong what is sent is, it is refused and not hashed; however an e-mail is composed, it is the same.
#[tokio::test]
async fn long_passwords_and_composed_emails() {
    let tenant = Tenant::new(shared()).await;
    let errors = login(&tenant.anonymous, EMAIL, &"x".repeat(1_000_000), &tenant.slug).await.expect(422).errors();
    assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), ["password"]);
    let user = json!({ "user": { "name": "João", "email": "João@exemplo.com.br", "password": PASSWORD } });
    let _ = tenant.manager.post("/api/v1/users", user).await.expect(201);
    for email in ["joão@EXEMPLO.com.br", "joa\u{303}o@exemplo.com.br"] {
        let _ = login(&tenant.anonymous.elsewhere(), email, PASSWORD, &tenant.slug).await.expect(200);
    }
    let _ = login(&tenant.anonymous.elsewhere(), "joao@exemplo.com.br", PASSWORD, &tenant.slug).await.expect(401);
    let longer = format!("{PASSWORD}{}", "x".repeat(900));
    let _ = login(&tenant.anonymous.elsewhere(), EMAIL, &longer, &tenant.slug).await.expect(401);
}

#[tokio::test]
async fn whatever_is_wrong_the_refusal_is_the_same() {
    let tenant = Tenant::new(shared()).await;
    let other = Tenant::new(shared()).await;
    let gone = json!({ "user": { "name": "Gone", "email": "gone@example.com", "password": PASSWORD, "active": false } });
    let _ = tenant.manager.post("/api/v1/users", gone).await.expect(201);
    let only_here = json!({ "user": { "name": "Here", "email": "here@example.com", "password": PASSWORD } });
    let _ = tenant.manager.post("/api/v1/users", only_here).await.expect(201);
    let _ = login(&tenant.anonymous, "here@example.com", PASSWORD, &tenant.slug).await.expect(200);
    for (email, password, slug) in [
        (EMAIL, "another quiet street", tenant.slug.as_str()),
        (EMAIL, "A QUIET STREET AT NOON", &tenant.slug),
        (EMAIL, " a quiet street at noon ", &tenant.slug),
        ("nobody@example.com", PASSWORD, &tenant.slug),
        (EMAIL, PASSWORD, "no-such-tenant"),
        (EMAIL, PASSWORD, "../*#|no slug"),
        ("here@example.com", PASSWORD, &other.slug),
        ("gone@example.com", PASSWORD, &tenant.slug),
        ("not an e-mail", PASSWORD, &tenant.slug),
    ] {
        let answer = login(&tenant.anonymous.elsewhere(), email, password, slug).await.expect(401);
        assert_eq!(answer.json(), json!({ "errors": { "detail": "Invalid credentials" } }));
    }
}

#[tokio::test]
async fn an_access_token_is_verified_by_the_public_keys() {
    let tenant = Tenant::new(shared()).await;
    let signed_in = tenant.login(EMAIL, PASSWORD).await;
    let token = signed_in["access_token"].as_str().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let part = |n: usize| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(parts[n]).unwrap()).unwrap();
    let (header, claims) = (part(0), part(1));
    assert_eq!((parts.len(), &header["alg"]), (3, &json!("EdDSA")));
    assert_eq!(
        (&claims["sub"], &claims["tenant"], &claims["role"]),
        (&signed_in["user"]["id"], &json!(tenant.slug), &json!("manager"))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    assert!(["sid", "iss", "aud"].iter().all(|name| claims[name].is_string()), "{claims}");

    let jwks = tenant.anonymous.get("/api/auth/.well-known/jwks.json").await.expect(200).json();
    let keys = jwks["keys"].as_array().unwrap();
    assert!(keys.iter().any(|key| key["kid"] == header["kid"]), "{jwks}");
    assert!(keys.iter().all(|key| key.get("d").is_none()), "a private key is not public");
    let public: Jwks = serde_json::from_value(jwks.clone()).unwrap();
    let now = Time::from_epoch(claims["iat"].as_i64().unwrap());
    let keys = Keys::new(None, public, &[]).unwrap();
    assert_eq!(verify(&keys, token, now).unwrap().tenant, tenant.slug);
    let forged = format!("{}.{}.{}", parts[0], parts[1], URL_SAFE_NO_PAD.encode([7; 64]));
    assert!(verify(&keys, &forged, now).is_none());
}

#[tokio::test]
async fn what_is_no_access_token_is_401() {
    let tenant = Tenant::new(shared()).await;
    let signed_in = tenant.login(EMAIL, PASSWORD).await;
    let token = signed_in["access_token"].as_str().unwrap();
    let refresh = signed_in["refresh_token"].as_str().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    let altered = URL_SAFE_NO_PAD.encode(claims.replace("manager", "manages"));
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let wrong = [
        String::new(),
        "Bearer".into(),
        "Bearer ".into(),
        "Bearer null".into(),
        token.into(),
        format!("Basic {token}"),
        format!("Token {token}"),
        format!("Bearer{token}"),
        format!("Bearer {refresh}"),
        format!("Bearer {token}x"),
        format!("Bearer {token}.x"),
        format!("Bearer {}.{}", parts[0], parts[1]),
        format!("Bearer {}.{}.", parts[0], parts[1]),
        format!("Bearer {}.{altered}.{}", parts[0], parts[2]),
        format!("Bearer {none}.{}.", parts[1]),
        format!("Bearer {token}, Bearer {token}"),
    ];
    let refused = async |client: &Client, form: &str| {
        for (method, path) in [(Method::GET, ME), (Method::POST, "/api/v1/departments"), (Method::POST, "/api/auth/logout")] {
            let answer = client.send(method, path, "").await;
            assert_eq!(answer.status, 401, "{form:?} {path}");
            assert!(answer.errors()["detail"].is_string());
            assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
        }
    };
    refused(&tenant.anonymous, "none").await;
    for form in wrong {
        refused(&tenant.anonymous.with("authorization", &form), &form).await;
    }
    let _ = tenant.anonymous.with("authorization", &format!("bearer {token}")).get(ME).await.expect(200);
    let query = format!("{ME}?access_token={token}&token={token}");
    let _ = tenant.anonymous.get(&query).await.expect(401);
}

#[tokio::test]
async fn an_access_token_lives_fifteen_minutes() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    tenant.advance(14 * 60).await;
    let _ = tenant.manager.get(ME).await.expect(200);
    tenant.advance(60).await;
    let _ = tenant.manager.get(ME).await.expect(401);
    let _ = tenant.manager.post("/api/v1/departments", json!({})).await.expect(401);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_refresh_gives_a_new_pair_and_its_repetition_the_same() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let first = tenant.login(EMAIL, PASSWORD).await;
    tenant.advance(600).await;
    let answer = refresh(&tenant.anonymous, &first["refresh_token"]).await.expect(200);
    let mut second = answer.json();
    assert_eq!(second.as_object_mut().unwrap().remove("data").unwrap(), second);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!((&second["user"], &second["expires_in"]), (&first["user"], &json!(900)));
    let _ = write(&tenant, &second["access_token"]).await.expect(201);
    tenant.advance(20).await;
    let repeated = refresh(&tenant.anonymous, &first["refresh_token"]).await.expect(200).json();
    assert_eq!(repeated["refresh_token"], second["refresh_token"]);
    let _ = write(&tenant, &repeated["access_token"]).await.expect(201);
    let third = refresh(&tenant.anonymous, &second["refresh_token"]).await.expect(200).json();
    assert_ne!(third["refresh_token"], second["refresh_token"]);
    // The first is no longer the one before the present one: somebody has a copy.
    let _ = refresh(&tenant.anonymous, &first["refresh_token"]).await.expect(401);
    let _ = refresh(&tenant.anonymous, &third["refresh_token"]).await.expect(401);
    stack.shutdown().await;
}

#[tokio::test]
async fn an_old_refresh_token_revokes_the_whole_session() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let (stolen, other) = (tenant.login(EMAIL, PASSWORD).await, tenant.login(EMAIL, PASSWORD).await);
    let present = refresh(&tenant.anonymous, &stolen["refresh_token"]).await.expect(200).json();
    let _ = write(&tenant, &present["access_token"]).await.expect(201);
    tenant.advance(40).await;
    let refused = refresh(&tenant.anonymous, &stolen["refresh_token"]).await.expect(401);
    assert!(refused.errors()["detail"].is_string());
    let _ = refresh(&tenant.anonymous, &present["refresh_token"]).await.expect(401);
    let _ = write(&tenant, &present["access_token"]).await.expect(401);
    let _ = write(&tenant, &other["access_token"]).await.expect(201);
    let _ = refresh(&tenant.anonymous, &other["refresh_token"]).await.expect(200);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_refresh_token_lives_seven_days() {
    const DAY: u32 = 86_400;
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let (used, idle) = (tenant.login(EMAIL, PASSWORD).await, tenant.login(EMAIL, PASSWORD).await);
    tenant.advance(6 * DAY).await;
    let next = refresh(&tenant.anonymous, &used["refresh_token"]).await.expect(200).json();
    tenant.advance(DAY).await;
    let _ = refresh(&tenant.anonymous, &idle["refresh_token"]).await.expect(401);
    let _ = refresh(&tenant.anonymous, &next["refresh_token"]).await.expect(200);
    stack.shutdown().await;
}

#[tokio::test]
async fn tabs_that_refresh_at_once_agree() {
    let tenant = Tenant::new(shared()).await;
    let first = tenant.login(EMAIL, PASSWORD).await;
    let mut tabs = JoinSet::new();
    for _ in 0..5 {
        let (client, token) = (tenant.anonymous.clone(), first["refresh_token"].clone());
        tabs.spawn(async move { refresh(&client, &token).await });
    }
    let answers: Vec<Value> = tabs.join_all().await.into_iter().map(|answer| answer.expect(200).json()).collect();
    assert_ne!(answers[0]["refresh_token"], first["refresh_token"]);
    assert!(answers.iter().all(|answer| answer["refresh_token"] == answers[0]["refresh_token"]));
}

#[tokio::test]
async fn what_is_no_refresh_token_is_401() {
    let tenant = Tenant::new(shared()).await;
    let signed_in = tenant.login(EMAIL, PASSWORD).await;
    let token = signed_in["refresh_token"].as_str().unwrap();
    let wrong =
        [signed_in["access_token"].clone(), json!("x"), json!("a.b.c.d.e"), json!(format!("{token}x")), json!(&token[1..])];
    for wrong in wrong {
        let answer = refresh(&tenant.anonymous.elsewhere(), &wrong).await.expect(401);
        assert!(answer.errors()["detail"].is_string());
    }
    for missing in [json!({}), json!({ "refresh_token": null }), json!({ "refresh_token": 7 })] {
        let errors = tenant.anonymous.elsewhere().post(REFRESH, missing).await.expect(422).errors();
        assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), ["refresh_token"]);
    }
    let _ = refresh(&tenant.anonymous, &json!(token)).await.expect(200);
}

#[tokio::test]
async fn logging_out_ends_the_session_at_once() {
    let tenant = Tenant::new(shared()).await;
    let (here, there) = (tenant.login(EMAIL, PASSWORD).await, tenant.login(EMAIL, PASSWORD).await);
    let client = tenant.anonymous.bearer(here["access_token"].as_str().unwrap());
    let _ = write(&tenant, &here["access_token"]).await.expect(201);
    let out = client.send(Method::POST, "/api/auth/logout", "no body is documented").await.expect(204);
    assert!(out.bytes.is_empty());
    let _ = write(&tenant, &here["access_token"]).await.expect(401);
    let _ = client.get("/api/v1/export/calls.csv").await.expect(401);
    let _ = client.post("/api/auth/logout", json!({})).await.expect(401);
    let _ = refresh(&tenant.anonymous, &here["refresh_token"]).await.expect(401);
    let list = tenant.manager.get("/api/v1/departments").await.expect(200).json();
    assert_eq!(list["meta"]["total_count"], json!(1));
    let _ = write(&tenant, &there["access_token"]).await.expect(201);
    let _ = refresh(&tenant.anonymous, &there["refresh_token"]).await.expect(200);
}
