//! The keys that sign access tokens: made by themselves, replaced without logging anybody out.

use serde_json::{Value, json};
use shared::{
    app::{App, settings::Secrets},
    auth::token::{key_of, verify},
    chance::Chance,
    crypto::secret::Secret,
};
use tests::{PASSWORD, Settings, Stack, Tenant};

const JWKS: &str = "/api/auth/.well-known/jwks.json";
const ME: &str = "/api/v1/users/me";

async fn published(tenant: &Tenant) -> Vec<Value> {
    tenant.anonymous.get(JWKS).await.expect(200).json()["keys"].as_array().unwrap().clone()
}

/// Another process on the same table, which verifies and cannot sign.
fn reader(stack: &Stack) -> App {
    let app = stack.app();
    App::new(app.settings().clone(), app.clock().clone(), Chance::default(), Secrets::default(), app.cloud().clone())
}

#[tokio::test]
async fn a_new_key_is_published_before_it_signs_and_nobody_is_logged_out() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let other = reader(&stack);
    let login = || async { tenant.login("manager@example.com", PASSWORD).await };
    let first = login().await;
    let kid = |login: &Value| key_of(login["access_token"].as_str().unwrap()).unwrap();
    let old = kid(&first);
    assert!(other.keys().knowing(&old).await.unwrap().jwks().keys.len() == 1);

    let (next, from) = stack.app().keys().rotate().await.unwrap();
    assert_eq!((next.kid == old, from.since(stack.app().clock().now())), (false, 60));
    tenant.advance(301).await;
    assert_eq!(published(&tenant).await.iter().map(|key| key["kid"].clone()).collect::<Vec<_>>(), [json!(next.kid), json!(old)]);
    let second = login().await;
    assert_eq!(kid(&second), next.kid);
    // The other process has never heard of the new key, and looks it up.
    for login in [&first, &second] {
        let token = login["access_token"].as_str().unwrap();
        let keys = other.keys().knowing(&key_of(token).unwrap()).await.unwrap();
        assert!(verify(&keys, token, stack.app().clock().now()).is_some());
        let _ = tenant.anonymous.bearer(token).get(ME).await.expect(200);
    }
    let refresh = json!({ "refresh_token": first["refresh_token"] });
    let _ = tenant.anonymous.elsewhere().post("/api/auth/refresh", refresh).await.expect(200);

    // An hour after its successor began, the oldest key goes with the next rotation.
    tenant.advance(3600).await;
    let _ = stack.app().keys().rotate().await.unwrap();
    tenant.advance(301).await;
    let now: Vec<_> = published(&tenant).await.iter().map(|key| key["kid"].clone()).collect();
    assert!(now.len() == 2 && !now.contains(&json!(old)), "{now:?}");
    stack.shutdown().await;
}

#[tokio::test]
async fn only_who_has_the_secret_signs() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let token = tenant.login("manager@example.com", PASSWORD).await["access_token"].as_str().unwrap().to_owned();
    let other = reader(&stack);
    assert!(other.keys().signing().await.is_err());
    assert!(verify(&other.keys().knowing(&key_of(&token).unwrap()).await.unwrap(), &token, stack.app().clock().now()).is_some());
    let app = stack.app();
    let wrong = Secrets::of(&Secret::new([1; 32]));
    let wrong = App::new(app.settings().clone(), app.clock().clone(), Chance::default(), wrong, app.cloud().clone());
    assert!(wrong.keys().signing().await.unwrap_err().to_string().contains("does not open"));
    stack.shutdown().await;
}

#[tokio::test]
async fn keys_that_nobody_knows_cost_one_look_in_ten_seconds() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let _ = tenant.manager.get(ME).await.expect(200);
    let other = reader(&stack);
    let before = other.keys().knowing("nobody's").await.unwrap();
    // What another process publishes meanwhile is not looked for at once.
    let (next, _) = stack.app().keys().rotate().await.unwrap();
    assert_eq!(other.keys().knowing(&next.kid).await.unwrap().jwks().keys.len(), before.jwks().keys.len());
    tenant.advance(10).await;
    assert_eq!(other.keys().knowing(&next.kid).await.unwrap().jwks().keys.len(), before.jwks().keys.len() + 1);
    stack.shutdown().await;
}
