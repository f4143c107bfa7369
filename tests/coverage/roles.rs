//! Who may call: 401 without a token that stands, 403 below the least role, success at it.

use serde_json::{Value, json};
use shared::{
    ids::{ApiKeyId, Id},
    models::{
        ApiKey,
        api_key::{ApiKeyInput, RESOURCES, scope_of, token},
    },
};
use tests::{NOW, Operation, World, gateway::Ask};

use crate::{Misses, answer, brief, called, refused, rows::role, said, unchanged};

/// Who has which role, lowest first.
const USERS: [(&str, &str); 3] =
    [("attendant", "acme.attendant"), ("supervisor", "acme.supervisor"), ("manager", "acme.manager")];

/// Every operation that wants a token, with its least role.
pub fn guarded(world: &World) -> impl Iterator<Item = (Operation, Ask, &'static str)> {
    let with_role = called(world).into_iter().filter_map(|(operation, ask)| role(&operation).map(|role| (operation, ask, role)));
    with_role.filter(|(.., role)| *role != "public")
}

/// 401 as the contract has it.
pub fn unauthenticated(answer: &Value) -> bool {
    refused(answer, 401) && answer["headers"]["www-authenticate"] == json!("Bearer")
}

#[tokio::test]
async fn without_a_token_that_stands_it_is_401() {
    let (world, mut misses) = (World::start().await, Misses::default());
    for (operation, ask, _) in guarded(&world) {
        let event = world.event(&operation, &ask);
        let with = |token: Option<&str>| {
            let mut event = event.clone();
            event["headers"].as_object_mut().unwrap().remove("authorization");
            if let Some(token) = token {
                event["headers"]["authorization"] = token.into();
            }
            event
        };
        let mut late = event.clone();
        late["requestContext"]["timeEpoch"] = (event["requestContext"]["timeEpoch"].as_i64().unwrap() + 900_000).into();
        let mut elsewhere = event.clone();
        elsewhere["headers"]["x-tenant"] = "globex".into();
        let (header, rest) = event["headers"]["authorization"].as_str().unwrap().split_once('.').unwrap();
        let forged = format!("{header}.{}", rest.replace(['A', 'a'], "b"));
        for (why, event) in [
            ("without a token", with(None)),
            ("with an empty token", with(Some(""))),
            ("with a broken token", with(Some("Bearer x.y.z"))),
            ("with a forged token", with(Some(&forged))),
            ("with Basic credentials", with(Some("Basic YW5hOnNlY3JldA=="))),
            ("with a token whose time is over", late),
            ("with a token of another tenant than X-Tenant", elsewhere),
        ] {
            let answer = said(&world, operation.function, event).await;
            misses.unless(unauthenticated(&answer), || {
                format!("{operation} {why} must be 401 in the envelope: {}", brief(&answer))
            });
        }
    }
    unchanged(&world, &mut misses).await;
    misses.none();
}

#[tokio::test]
async fn below_the_least_role_it_is_403() {
    let (world, mut misses) = (World::start().await, Misses::default());
    for (operation, mut ask, least) in guarded(&world) {
        for (name, user) in USERS.into_iter().take_while(|(name, _)| *name != least) {
            ask.caller = Some(user);
            let answer = answer(&world, &operation, &ask).await;
            misses.unless(refused(&answer, 403), || {
                format!("{operation} takes the role {least}: {name} must get 403: {}", brief(&answer))
            });
        }
    }
    unchanged(&world, &mut misses).await;
    misses.none();
}

#[tokio::test]
async fn the_least_who_may_succeeds() {
    let (world, mut misses) = (World::start().await, Misses::default());
    for (operation, ask) in called(&world) {
        let Some(least) = role(&operation) else { continue };
        let caller = ask.caller.map(|caller| match caller.rsplit('.').next().unwrap() {
            "colleague" | "guarded" => "attendant",
            named => named,
        });
        misses.unless(caller.unwrap_or("public") == least, || {
            format!("tests/support/samples.rs: {:?} must be called as {least}, the least who may", operation.id)
        });
        let answer = answer(&world, &operation, &ask).await;
        let status = answer["statusCode"].as_u64().unwrap_or_default();
        misses.unless((200..400).contains(&status), || format!("{operation} must succeed as {least}: {}", brief(&answer)));
        world.reset().await;
    }
    misses.none();
}

/// What changes something, or hands out files, looks the session up: one that has ended is refused at once.
#[tokio::test]
async fn an_ended_session_changes_nothing() {
    let (world, mut misses) = (World::start().await, Misses::default());
    let logout = world.operations.named("logout").clone();
    for (operation, ask, _) in guarded(&world) {
        let reads = operation.method == "GET" && operation.function != "export";
        if reads || operation.id == logout.id {
            continue;
        }
        let ended = answer(&world, &logout, &Ask { caller: ask.caller, ..Ask::default() }).await;
        assert_eq!(ended["statusCode"], json!(204));
        let answer = answer(&world, &operation, &ask).await;
        misses.unless(unauthenticated(&answer), || format!("{operation} after logging out must be 401: {}", brief(&answer)));
        world.reset().await;
    }
    misses.none();
}

/// A key of a caller's tenant with these scopes, as a header bears it. It was used just now, so that using it writes nothing.
async fn key(world: &World, ask: &Ask, scopes: Vec<String>) -> String {
    let (app, id) = (world.app(), ApiKeyId::of(0, [7; 10]));
    let tenant = ask.caller.and_then(|caller| caller.split('.').next()).unwrap();
    let (text, store) = (token(tenant, id, "a-secret-of-the-test"), app.store(tenant));
    let input = ApiKeyInput { name: "Test".into(), scopes, expires_at: None, address_ranges: Vec::new() };
    let made = ApiKey { last_used_at: Some(NOW), ..ApiKey::new(id, input, &text, NOW) };
    store.write().create(&made).commit(()).await.unwrap();
    format!("Bearer {text}")
}

/// What a key is refused that has every scope but the one: that, and whatever is people's alone.
#[tokio::test]
async fn a_key_without_the_scope_is_refused() {
    let (world, mut misses) = (World::start().await, Misses::default());
    for (operation, ask, _) in guarded(&world) {
        let needed = scope_of(operation.path, operation.method == "GET");
        let scopes = RESOURCES.iter().flat_map(|name| [format!("{name}:read"), format!("{name}:write")]);
        let bearer = key(&world, &ask, scopes.filter(|scope| Some(scope) != needed.as_ref()).collect()).await;
        let before = world.differences().await;
        let mut event = world.event(&operation, &ask);
        event["headers"]["authorization"] = bearer.into();
        let answer = said(&world, operation.function, event).await;
        let detail = needed.map_or("An API key cannot do this".to_owned(), |scope| format!("Requires the scope {scope}"));
        let named = answer["body"]["errors"]["detail"] == json!(detail);
        misses.unless(refused(&answer, 403) && named, || {
            format!("{operation} must be 403 for a key, {detail:?}: {}", brief(&answer))
        });
        misses.unless(world.differences().await == before, || format!("{operation} was refused to a key and changed something"));
        world.reset().await;
    }
    misses.none();
}

/// What a key with the one scope may: all that it names, but what would let it become somebody.
#[tokio::test]
async fn a_key_with_the_scope_succeeds() {
    const IN_PERSON: [&str; 2] = ["createUser", "resetMfa"];
    let (world, mut misses) = (World::start().await, Misses::default());
    for (operation, ask, _) in guarded(&world) {
        let Some(scope) = scope_of(operation.path, operation.method == "GET") else { continue };
        let mut event = world.event(&operation, &ask);
        event["headers"]["authorization"] = key(&world, &ask, vec![scope]).await.into();
        let answer = said(&world, operation.function, event).await;
        let (status, person) = (answer["statusCode"].as_u64().unwrap_or_default(), IN_PERSON.contains(&operation.id));
        misses.unless(if person { status == 403 } else { (200..400).contains(&status) }, || {
            format!("{operation} with a key that has its scope: {}", brief(&answer))
        });
        world.reset().await;
    }
    misses.none();
}
