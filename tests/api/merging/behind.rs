//! What goes on behind a merge, and what is seen meanwhile.

use serde_json::{Value, json};
use shared::{
    ids::{CallId, CustomerId},
    merging::Merge,
    models::{
        Call,
        customer::{Forgotten, Merged},
    },
    storage::Store,
};
use tests::{Client, Settings, Stack};

use super::{CUSTOMERS, book, join_by, link, made, merge, shown, total};
use crate::scene::{Scene, list, manager, text};

/// The merge alone, as if the process had died right after it.
async fn cut_short(store: &Store, primary: &str, duplicates: &[&str]) {
    let ids: Vec<CustomerId> = duplicates.iter().map(|id| id.parse().unwrap()).collect();
    let now = store.clock().now();
    let merge = Merge::read(store, primary.parse().unwrap(), &ids, now).await.unwrap();
    merge.write(store.write(), now).await.unwrap().commit(()).await.unwrap();
}

/// Gives a customer so many more calls than the first, as if they had joined.
async fn calls(store: &Store, first: &Value, count: i64) {
    let id: CallId = text(&first["id"]).parse().unwrap();
    let call = store.find::<Call>(id).await.unwrap().value;
    let customer = store.find::<::shared::models::Customer>(call.customer_id.unwrap()).await.unwrap();
    let more =
        ::shared::models::Customer { call_count: customer.call_count + u32::try_from(count).unwrap(), ..customer.value.clone() };
    store.write().update(&customer, &more).commit(()).await.unwrap();
    for n in 0..count {
        let inserted_at = ::shared::clock::Time::from_epoch(call.inserted_at.epoch() - n);
        let status = ::shared::models::call::CallStatus::Completed;
        let one = Call { id: store.mint().unwrap(), inserted_at, status, ..call.clone() };
        store.write().create(&one).commit(()).await.unwrap();
    }
}

async fn old_and_new(stack: &Stack, count: i64) -> (Scene, Store, [String; 2]) {
    let scene = Scene::new(stack).await;
    let client = &scene.tenant.manager;
    let ids = [made(client, json!({ "name": "Ana Prado" })).await, made(client, json!({ "name": "Anna Prado" })).await];
    let store = stack.app().store(&scene.tenant.slug);
    for id in &ids {
        let call = join_by(&scene, &link(&scene, id).await).await;
        calls(&store, &call, count).await;
        let _ = book(&scene, id).await.expect(201);
    }
    (scene, store, ids)
}

/// Pages by number and by cursor, in both orders: each call once, all as the survivor's.
async fn walked(client: &Client, query: &str, survivor: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client.get(&format!("{query}{cursor}")).await.expect(200).json();
        for row in page["data"].as_array().unwrap() {
            assert_eq!(row["customer_id"], json!(survivor));
            found.push(text(&row["id"]));
        }
        match page["meta"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let pages = found.len().div_ceil(7);
    let mut numbered = Vec::new();
    for page in 1..=pages {
        let rows = client.get(&format!("{query}&page={page}")).await.expect(200).data();
        numbered.extend(rows.as_array().unwrap().iter().map(|row| text(&row["id"])));
    }
    assert_eq!(numbered, found);
    found
}

#[tokio::test]
async fn what_has_not_gone_over_yet_is_seen_as_if_it_had() {
    let stack = Stack::start(Settings::default()).await;
    let (scene, store, [stays, old]) = old_and_new(&stack, 20).await;
    let client = &scene.tenant.manager;
    cut_short(&store, &stays, &[&old]).await;
    for round in 0..2 {
        for id in [&stays, &old] {
            for order in ["asc", "desc"] {
                let query = format!("/api/v1/calls?customer_id={id}&page_size=7&sort_order={order}");
                let mut found = walked(client, &query, &stays).await;
                assert!(found.len() == 42 && total(client, &query).await == 42);
                found.sort_unstable();
                found.dedup();
                assert_eq!(found.len(), 42);
            }
            for (filter, count) in [("status=completed", 40), ("status=queued", 2), ("search=whoever", 0), ("search=prado", 42)] {
                assert_eq!(total(client, &format!("/api/v1/calls?customer_id={id}&{filter}")).await, count, "{filter} {round}");
            }
            for sort in ["scheduled_at", "inserted_at"] {
                let booked = list(client, &format!("/api/v1/appointments?customer_id={id}&sort_by={sort}")).await;
                assert!(booked.len() == 2 && booked.iter().all(|one| one["customer_id"] == json!(stays)), "{booked:?}");
            }
        }
        assert_eq!(shown(client, &old).await["call_count"], json!(42));
        for query in ["", "?search=prado", "?search=pra&page_size=1"] {
            assert_eq!(total(client, &format!("{CUSTOMERS}{query}")).await, 1, "{query}");
        }
        assert_eq!(total(client, &format!("{CUSTOMERS}?search=anna")).await, 0);
        scene.tenant.advance(60).await;
        let _ = scene.tenant.drain().await;
    }
    let by_index =
        store.rows::<Call>(&::shared::storage::list::Query::of("customer_id", &old, "inserted_at", 100)).await.unwrap();
    assert!(by_index.0.is_empty());
    stack.shutdown().await;
}

/// Somebody who had read the customer before the merge books, or is given a link, after it.
#[tokio::test]
async fn who_comes_late_is_found() {
    let stack = Stack::start(Settings::default()).await;
    let (scene, store, [stays, old]) = old_and_new(&stack, 0).await;
    let client = &scene.tenant.manager;
    let stray =
        store.rows::<Call>(&::shared::storage::list::Query::of("customer_id", &old, "inserted_at", 1)).await.unwrap().0.remove(0);
    let _ = merge(client, &stays, &[&old]).await.expect(200);
    let late = Call { id: store.mint().unwrap(), ticket: store.mint().unwrap(), ..stray.value };
    store.write().create(&late).commit(()).await.unwrap();
    let seen = || async { list(client, &format!("/api/v1/calls?customer_id={stays}")).await.len() };
    assert_eq!(seen().await, 3);
    scene.tenant.advance(60).await;
    let _ = scene.tenant.drain().await;
    assert_eq!((seen().await, scene.call(&late.id.to_string()).await["customer_id"].clone()), (3, json!(stays)));
    // It looks once more, and is done: the identifier leads on, and nothing else is left.
    scene.tenant.advance(60).await;
    let _ = scene.tenant.drain().await;
    let merged = store.get::<Merged>(old.parse().unwrap()).await.unwrap().unwrap();
    assert!(merged.due_at.is_none() && merged.was.is_none(), "{merged:?}");
    assert_eq!(seen().await, 3);
    stack.shutdown().await;
}

/// A merge is cut short, who stays is merged and removed: nothing of any of them is left.
#[tokio::test]
async fn whatever_was_cut_short_ends() {
    let stack = Stack::start(Settings::default()).await;
    let (scene, store, [stays, old]) = old_and_new(&stack, 30).await;
    let client = &scene.tenant.manager;
    let last = made(client, json!({ "name": "Carla" })).await;
    cut_short(&store, &stays, &[&old]).await;
    cut_short(&store, &last, &[&stays]).await;
    for id in [&last, &stays, &old] {
        assert_eq!(total(client, &format!("/api/v1/calls?customer_id={id}")).await, 62);
        assert_eq!(shown(client, id).await["call_count"], json!(62));
    }
    let _ = client.delete(&format!("{CUSTOMERS}/{old}")).await.expect(204);
    for _ in 0..4 {
        scene.tenant.advance(60).await;
        let _ = scene.tenant.drain().await;
    }
    let client = manager(&scene.tenant).await;
    for path in ["/api/v1/calls", "/api/v1/appointments", "/api/v1/access-links"] {
        for row in client.get(&format!("{path}?page_size=100")).await.expect(200).data().as_array().unwrap() {
            assert_eq!((&row["customer_id"], &row["customer_name"]), (&json!(null), &json!(null)), "{path}");
        }
    }
    for id in [&last, &stays, &old] {
        let id: CustomerId = id.parse().unwrap();
        assert!(store.get::<Merged>(id).await.unwrap().is_none() && store.get::<Forgotten>(id).await.unwrap().is_none());
    }
    stack.shutdown().await;
}

/// Calls of each: more than go over with the request. `CALLS` says how many; `tests/full.sh large` has 20,000.
#[expect(clippy::disallowed_methods, reason = "a setting of the test, not of the product")]
fn many() -> i64 {
    std::env::var("CALLS").map_or(100, |calls| calls.parse().unwrap())
}

/// However many calls there are, the answer does not wait for them.
#[tokio::test]
async fn what_is_too_much_for_a_request_goes_over_behind() {
    let stack = Stack::start(Settings::default()).await;
    let (scene, store, [stays, old]) = old_and_new(&stack, many()).await;
    let client = &scene.tenant.manager;
    let _ = merge(client, &stays, &[&old]).await.expect(200);
    let all = u64::try_from(2 * many() + 2).unwrap();
    assert_eq!(total(client, &format!("/api/v1/calls?customer_id={stays}")).await, all);
    let left = async || {
        let query = ::shared::storage::list::Query::of("customer_id", &old, "inserted_at", 100);
        store.rows::<Call>(&query).await.unwrap().0.len()
    };
    assert!(left().await > 50);
    scene.tenant.advance(60).await;
    let _ = scene.tenant.drain().await;
    assert_eq!((left().await, total(&manager(&scene.tenant).await, &format!("/api/v1/calls?customer_id={old}")).await), (0, all));
    stack.shutdown().await;
}
