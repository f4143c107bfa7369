//! Merges against each other and against whatever else changes customers.

use serde_json::{Value, json};
use tests::shared;
use tokio::task::JoinSet;

use super::{CUSTOMERS, link, made, shown, total};
use crate::scene::{Scene, list, text};

/// What must hold whoever won: every call is one customer's, who counts it, and every identifier leads to somebody listed.
async fn consistent(scene: &Scene, ids: &[String]) -> Vec<Value> {
    let client = &scene.tenant.manager;
    let customers = list(client, &format!("{CUSTOMERS}?page_size=100")).await;
    let mut calls = 0;
    for customer in &customers {
        let of = total(client, &format!("/api/v1/calls?customer_id={}", text(&customer["id"]))).await;
        assert_eq!(customer["call_count"], json!(of), "{customer}");
        calls += of;
    }
    assert_eq!(calls, total(client, "/api/v1/calls").await);
    for id in ids {
        let shown = shown(client, id).await;
        assert!(customers.contains(&shown), "{id} leads to {shown}, listed are {customers:?}");
    }
    customers
}

fn body(primary: &str, duplicates: &[&str]) -> Value {
    json!({ "primary_id": primary, "duplicate_ids": duplicates })
}

/// Many join as a customer who is merged meanwhile: each join counts, at the one who stays.
#[tokio::test(flavor = "multi_thread")]
async fn who_joins_during_a_merge_is_counted() {
    let scene = Scene::with(shared(), json!({ "name": "Support", "max_queue_size": 100 })).await;
    let client = &scene.tenant.manager;
    let stays = made(client, json!({ "name": "Ana", "email": "ana@example.com" })).await;
    let old = made(client, json!({ "name": "Anna", "email": "anna@example.com" })).await;
    let token = text(&link(&scene, &old).await["token"]);
    let mut racers = JoinSet::new();
    for n in 0..32 {
        let (client, anybody) = (client.clone(), scene.tenant.anonymous.elsewhere());
        let (path, token, body) = (format!("{CUSTOMERS}/merge"), token.clone(), body(&stays, &[&old]));
        let general = scene.token.clone();
        racers.spawn(async move {
            let person = json!({ "name": "Anna", "email": "anna@example.com" });
            let answer = match n % 8 {
                3 => client.post(&path, body).await,
                0 | 4 => anybody.post(&format!("/api/v1/call/{token}/join"), json!({ "name": "Anna" })).await,
                _ => anybody.post(&format!("/api/v1/call/{general}/join"), person).await,
            };
            assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
        });
    }
    let _ = racers.join_all().await;
    let customers = consistent(&scene, &[stays, old]).await;
    assert_eq!((customers.len(), &customers[0]["call_count"]), (1, &json!(28)));
}

/// Merges of overlapping sets, in circles too: all of them happen, one after the other.
#[tokio::test(flavor = "multi_thread")]
async fn merges_that_cross_come_one_after_the_other() {
    let scene = Scene::new(shared()).await;
    let client = &scene.tenant.manager;
    let mut ids = Vec::new();
    for n in 0..6 {
        ids.push(made(client, json!({ "name": format!("Ana {n}") })).await);
        let _ = super::join_by(&scene, &link(&scene, &ids[n]).await).await;
    }
    let mut racers = JoinSet::new();
    for n in 0..6 {
        let (client, body) = (client.clone(), body(&ids[n], &[&ids[(n + 1) % 6], &ids[(n + 3) % 6]]));
        racers.spawn(async move { client.post(&format!("{CUSTOMERS}/merge"), body).await.expect(200) });
    }
    let _ = racers.join_all().await;
    let customers = consistent(&scene, &ids).await;
    assert_eq!((customers.len(), &customers[0]["call_count"]), (1, &json!(6)));
}

/// Against changes and removals: who was removed first cannot be merged, who was merged first is removed with the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_merge_and_a_removal_do_not_mix() {
    for _ in 0..8 {
        let scene = Scene::new(shared()).await;
        let client = &scene.tenant.manager;
        let stays = made(client, json!({ "name": "Ana" })).await;
        let old = made(client, json!({ "name": "Anna", "email": "anna@example.com" })).await;
        let (merging, removing, changing) = (client.clone(), client.clone(), client.clone());
        let (body, path) = (body(&stays, &[&old]), format!("{CUSTOMERS}/{old}"));
        let changed = json!({ "customer": { "notes": "changed" } });
        let (merged, removed, changed) =
            tokio::join!(merging.post("/api/v1/customers/merge", body), removing.delete(&path), changing.put(&path, changed));
        assert_eq!(removed.status.as_u16(), 204);
        assert!([200, 404].contains(&changed.status.as_u16()), "{}", changed.text());
        let _ = client.get(&path).await.expect(404);
        match merged.status.as_u16() {
            // Merged, then removed under the old identifier.
            200 => assert_eq!(total(client, CUSTOMERS).await, 0),
            422 => assert_eq!(shown(client, &stays).await["email"], json!(null)),
            _ => panic!("{}", merged.text()),
        }
    }
}
