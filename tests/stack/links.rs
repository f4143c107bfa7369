//! Access links through two processes, and batches of them whose process dies.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::{Value, json};
use tests::{Receiver, Tenant};

use crate::{
    process::{Engine, Process},
    proxy::Fault,
    races::{Pair, RACERS, post, statuses, total},
};

const LINKS: &str = "/api/v1/access-links";
const BATCH: &str = "/api/v1/access-links/batch";

/// The body of a batch of so many links.
fn batch(department: &str, count: usize) -> Value {
    let link = |n| json!({ "department_id": department, "customer_name": format!("Maria Souza {n}") });
    json!({ "access_links": (0..count).map(link).collect::<Vec<_>>() })
}

async fn link(tenant: &Tenant, department: &str, max_uses: usize) -> Value {
    let link = json!({ "access_link": { "department_id": department, "max_uses": max_uses } });
    tenant.manager.post(LINKS, link).await.expect(201).data()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_joins_on_a_link_for_three_three_win() {
    let pair = Pair::start(|settings| settings).await;
    let tenant = pair.tenant().await;
    let department = tenant.department(json!({ "name": "Support", "max_queue_size": 100 })).await;
    let link = link(&tenant, &department, 3).await;
    let join = format!("/api/v1/call/{}/join", link["token"].as_str().unwrap());
    let answers = pair
        .race(RACERS, |n, site| {
            post(tenant.anonymous.at(site).elsewhere(), join.clone(), json!({ "name": format!("Customer {n}") }))
        })
        .await;
    assert_eq!(statuses(&answers), BTreeMap::from([(200, 3), (404, RACERS - 3)]));
    let shown =
        tenant.manager.at(pair.site(1)).get(&format!("{LINKS}/{}", link["id"].as_str().unwrap())).await.expect(200).data();
    assert_eq!((&shown["status"], &shown["use_count"]), (&json!("used"), &json!(3)));
    assert_eq!(total(&tenant.manager, "/api/v1/calls?status=queued").await, 3);
    assert_eq!(total(&tenant.manager, &format!("{LINKS}?status=active")).await, 0);
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_who_cancel_and_join_nobody_joins_after_the_one_who_cancels() {
    let pair = Pair::start(|settings| settings).await;
    let tenant = pair.tenant().await;
    let department = tenant.department(json!({ "name": "Support", "max_queue_size": 100 })).await;
    for max_uses in [1, 6] {
        let before = total(&tenant.manager, "/api/v1/calls").await.as_u64().unwrap();
        let link = link(&tenant, &department, max_uses).await;
        let at = format!("{LINKS}/{}", link["id"].as_str().unwrap());
        let join = format!("/api/v1/call/{}/join", link["token"].as_str().unwrap());
        let answers = pair
            .race(RACERS, |n, site| {
                if n % 4 < 2 {
                    post(tenant.manager.at(site), format!("{at}/cancel"), json!({}))
                } else {
                    post(tenant.anonymous.at(site).elsewhere(), join.clone(), json!({ "name": "Carlos" }))
                }
            })
            .await;
        let won = |cancels: bool| {
            answers.iter().enumerate().filter(|(n, answer)| (n % 4 < 2) == cancels && answer.status == 200).count()
        };
        let (cancelled, joined) = (won(true), won(false));
        assert!(cancelled == 1 || (cancelled == 0 && joined == max_uses), "{cancelled} cancelled, {joined} joined");
        assert!(answers.iter().all(|answer| [200, 404, 422].contains(&answer.status.as_u16())));
        let shown = tenant.manager.get(&at).await.expect(200).data();
        let status = if cancelled == 1 { "cancelled" } else { "used" };
        assert_eq!((&shown["status"], &shown["use_count"]), (&json!(status), &json!(joined)));
        assert_eq!(total(&tenant.manager, "/api/v1/calls").await, before + joined as u64);
    }
    assert_eq!(total(&tenant.manager, &format!("{LINKS}?status=active")).await, 0);
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_is_deleted_or_has_all_links_of_the_batches_beside_it() {
    let pair = Pair::start(|settings| settings).await;
    let tenant = pair.tenant().await;
    for round in 0..4 {
        let department = tenant.department(json!({ "name": format!("Department {round}") })).await;
        let at = format!("/api/v1/departments/{department}");
        let answers = pair
            .race(RACERS, |n, site| {
                let (client, at, body) = (tenant.manager.at(site), at.clone(), batch(&department, 20));
                async move { if n % 8 == 2 * round { client.post(BATCH, body).await } else { client.delete(&at).await } }
            })
            .await;
        let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
        let (made, deleted) = (count(201), count(204));
        assert!(matches!((made, deleted), (0, 1) | (4, 0)), "{:?}", statuses(&answers));
        if deleted == 1 {
            let _ = tenant.manager.get(&format!("{LINKS}?department_id={department}")).await.expect(422);
        } else {
            assert_eq!(total(&tenant.manager, &format!("{LINKS}?department_id={department}&status=active")).await, 80);
        }
    }
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_with_one_key_one_makes_the_batch() {
    let pair = Pair::start(|settings| settings).await;
    let tenant = pair.tenant().await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let keyed = tenant.manager.with("idempotency-key", "one");
    let answers = pair.race(8, |_, site| post(keyed.at(site), BATCH.into(), batch(&department, 60))).await;
    let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert!(!made.is_empty() && answers.iter().all(|answer| [201, 409].contains(&answer.status.as_u16())));
    assert!(made.iter().all(|answer| answer.bytes == made[0].bytes));
    let again = post(keyed.at(pair.site(1)), BATCH.into(), batch(&department, 60)).await.expect(201);
    assert_eq!((again.header("idempotent-replayed"), &again.bytes), (Some("true"), &made[0].bytes));
    assert_eq!(total(&tenant.manager, LINKS).await, 60);
    pair.end().await;
}

/// A process is killed when so many of a batch's transactions have happened.
async fn killed_after(transactions: usize) {
    let engine = Engine::start().await;
    let process = Process::start(&engine.settings()).await;
    let tenant = Tenant::on(process.client()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let receiver = Receiver::start().await;
    let webhook = json!({ "webhook": { "url": receiver.url, "events": ["access_link.created"] } });
    let _ = tenant.manager.post("/api/v1/webhooks", webhook).await.expect(201);
    let _ = tenant.drain().await;
    let body = batch(&department, 60);
    let keyed = tenant.manager.with("idempotency-key", "one").with("content-type", "application/json");
    engine.proxy.fault(Fault::Stuck("TransactWriteItems", transactions));
    let request = tokio::spawn({
        let (keyed, body) = (keyed.clone(), body.to_string());
        async move { keyed.attempt(Method::POST, BATCH, body).await }
    });
    engine.proxy.stuck().await;
    process.kill().await;
    engine.proxy.fault(Fault::None);
    assert!(request.await.unwrap().is_none());

    let process = Process::start(&engine.settings()).await;
    let (tenant, keyed) = (tenant.at(&process.site), keyed.at(&process.site));
    let decided = transactions > 0;
    // A process that starts does what others left: what was decided may be made by now.
    let early = keyed.post(BATCH, body.clone()).await.status;
    assert!(early == 409 || (decided && early == 201), "{early}");
    if decided {
        // Whoever looks sees all of them, and then the key has its answer.
        assert_eq!(total(&tenant.manager, &format!("{LINKS}?status=active")).await, 60);
    } else {
        assert_eq!(total(&tenant.manager, LINKS).await, 0);
        tenant.advance(60).await;
    }
    let answer = keyed.post(BATCH, body).await.expect(201);
    assert_eq!(answer.header("idempotent-replayed"), decided.then_some("true"));
    assert_eq!(total(&tenant.manager, LINKS).await, 60);
    let links = answer.data();
    for link in links.as_array().unwrap() {
        let validate = format!("/api/v1/call/{}/validate", link["token"].as_str().unwrap());
        let _ = tenant.anonymous.elsewhere().get(&validate).await.expect(200);
    }
    tenant.advance(120).await;
    let _ = tenant.drain().await;
    let told: BTreeSet<String> = receiver.received().iter().map(|received| received.json()["data"].to_string()).collect();
    assert_eq!(told, links.as_array().unwrap().iter().map(ToString::to_string).collect());
    let ids: BTreeSet<_> = receiver.received().iter().map(|received| received.json()["id"].to_string()).collect();
    assert_eq!(ids.len(), 60);
    assert_eq!(process.end().await.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_decision_nothing_is_made() {
    killed_after(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_decision_all_are_made() {
    killed_after(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_all_are_made() {
    killed_after(4).await;
}
