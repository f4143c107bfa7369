//! Calls that bear tags.

use std::collections::BTreeMap;

use serde_json::json;
use tests::{Receiver, shared};
use tokio::task::JoinSet;

use super::{CALLS, NOBODY, TAGS, at, bear, names, on, put, tag, usage};
use crate::scene::{Scene, ids, list, text};

#[tokio::test]
async fn a_call_shows_its_tags_as_they_are_now() {
    let scene = Scene::new(shared()).await;
    let agent = &scene.agent;
    let receiver = Receiver::start().await;
    let _ = scene.webhook(&receiver, &["call.completed", "call.rated"]).await;
    let call = scene.join("Carlos").await;
    let (bug, sale) = (tag(agent, "Bug", None).await, tag(agent, "Sale", None).await);
    assert!(list(agent, &on(&call)).await.is_empty());
    let body = json!({ "tag_id": bug });
    let label = json!({ "id": bug, "name": "Bug", "color": "#6b7280" });
    assert_eq!(agent.post(&on(&call), body.clone()).await.expect(201).data(), label);
    assert_eq!(agent.post(&on(&call), body).await.expect(200).data(), label);
    assert_eq!(bear(agent, &call, &sale).await, 201);
    assert_eq!(put(agent, &bug, json!({ "name": "Defect", "color": "#ef4444" })).await, 200);
    let tags = json!([
        { "id": bug, "name": "Defect", "color": "#ef4444" },
        { "id": sale, "name": "Sale", "color": "#6b7280" },
    ]);
    assert_eq!(json!(list(agent, &on(&call)).await), tags);
    assert_eq!(list(agent, CALLS).await[0]["tags"], tags);
    for action in ["assign", "assign", "start", "complete"] {
        assert_eq!(scene.act(&call, action).await.expect(200).data()["tags"], tags, "{action}");
        assert_eq!(scene.call(&call).await["tags"], tags, "{action}");
    }
    let rating = json!({ "rating": 5 });
    let _ = scene.tenant.anonymous.post(&format!("/api/v1/call/evaluate/{call}"), rating).await.expect(201);
    scene.tenant.drain().await;
    let deliveries = receiver.received();
    assert_eq!(deliveries.len(), 2);
    for delivery in deliveries {
        assert_eq!(delivery.json()["data"]["tags"], tags);
    }
    assert_eq!((usage(agent, &bug).await, usage(agent, &sale).await), (1, 1));
    let _ = agent.delete(&format!("{}/{bug}", on(&call))).await.expect(204);
    let _ = agent.delete(&format!("{}/{bug}", on(&call))).await.expect(404);
    assert_eq!(scene.call(&call).await["tags"], json!([tags[1]]));
    assert_eq!((usage(agent, &bug).await, usage(agent, &sale).await), (0, 1));
    let most_used = names(&list(agent, &format!("{TAGS}?sort_by=usage_count&sort_order=desc")).await);
    assert_eq!(most_used, ["Sale", "Defect"]);
}

#[tokio::test]
async fn what_is_not_there_is_borne_by_no_call() {
    let (scene, other) = (Scene::new(shared()).await, Scene::new(shared()).await);
    let (call, foreign) = (scene.join("Carlos").await, tag(&other.agent, "Foreign", None).await);
    let own = tag(&scene.agent, "Own", None).await;
    for (body, message) in [
        (json!({ "tag_id": foreign }), "does not exist"),
        (json!({ "tag_id": NOBODY }), "does not exist"),
        (json!({ "tag_id": "x" }), "is not a valid id"),
        (json!({}), "can't be blank"),
    ] {
        let errors = scene.agent.post(&on(&call), body).await.expect(422).errors();
        assert_eq!(errors, json!({ "tag_id": [message] }));
    }
    for call in [NOBODY, "nonsense"] {
        let _ = scene.agent.get(&on(call)).await.expect(404);
        let _ = scene.agent.post(&on(call), json!({ "tag_id": own })).await.expect(404);
    }
    let _ = other.agent.get(&on(&call)).await.expect(404);
    for tag in [own.as_str(), &foreign, NOBODY, "nonsense"] {
        let _ = scene.agent.delete(&format!("{}/{tag}", on(&call))).await.expect(404);
    }
    let errors = scene.agent.get(&format!("{CALLS}?tag_id={foreign}")).await.expect(422).errors();
    assert_eq!(errors, json!({ "tag_id": ["does not exist"] }));
}

#[tokio::test]
async fn a_call_bears_fifty_tags_and_those_that_are_gone_do_not_count() {
    let scene = Scene::new(shared()).await;
    let call = scene.join("Carlos").await;
    let parent = tag(&scene.agent, "Parent", None).await;
    for n in 0..49 {
        let id = tag(&scene.agent, &format!("Tag {n}"), (n < 10).then_some(parent.as_str())).await;
        assert_eq!(bear(&scene.agent, &call, &id).await, 201);
    }
    let (last, more) = (tag(&scene.agent, "Last", None).await, tag(&scene.agent, "More", None).await);
    assert_eq!(bear(&scene.agent, &call, &last).await, 201);
    let errors = scene.agent.post(&on(&call), json!({ "tag_id": more })).await.expect(422).errors();
    assert_eq!(errors, json!({ "tag_id": ["is one too many: a call bears at most 50"] }));
    assert_eq!(bear(&scene.agent, &call, &last).await, 200);
    // The call ends with all of them.
    for action in ["assign", "start", "complete"] {
        assert_eq!(scene.act(&call, action).await.expect(200).data()["tags"].as_array().unwrap().len(), 50);
    }
    let _ = scene.tenant.manager.delete(&at(&parent)).await.expect(204);
    assert_eq!(bear(&scene.agent, &call, &more).await, 201);
    assert_eq!(scene.call(&call).await["tags"].as_array().unwrap().len(), 41);
    assert_eq!(usage(&scene.agent, &more).await, 1);
}

#[tokio::test]
async fn usage_is_exact_however_many_apply_and_remove_at_once() {
    let scene = Scene::new(shared()).await;
    let (mut calls, mut tags) = (Vec::new(), Vec::new());
    for n in 0..4 {
        calls.push(scene.join(&format!("Customer {n}")).await);
        tags.push(tag(&scene.agent, &format!("Tag {n}"), None).await);
    }
    for round in 0..4 {
        let mut racers = JoinSet::new();
        for n in 0..32_usize {
            let (client, call, tag) = (scene.agent.clone(), calls[n % 4].clone(), tags[n / 4 % 4].clone());
            racers.spawn(async move {
                if (n + round) % 3 == 0 {
                    client.delete(&format!("{}/{tag}", on(&call))).await.status.as_u16()
                } else {
                    bear(&client, &call, &tag).await
                }
            });
        }
        let statuses = racers.join_all().await;
        assert!(statuses.iter().all(|status| [200, 201, 204, 404].contains(status)), "{statuses:?}");
        let mut borne = BTreeMap::<String, u64>::new();
        for call in list(&scene.agent, CALLS).await {
            for tag in call["tags"].as_array().unwrap() {
                *borne.entry(text(&tag["id"])).or_default() += 1;
            }
        }
        for tag in &tags {
            let count = borne.get(tag).copied().unwrap_or(0);
            assert_eq!(usage(&scene.agent, tag).await, count);
            assert_eq!(ids(&scene.agent, &format!("{CALLS}?tag_id={tag}")).await.len() as u64, count);
        }
    }
}

#[tokio::test]
async fn calls_are_found_by_tag_and_whatever_else() {
    let scene = Scene::new(shared()).await;
    let (vip, bug) = (tag(&scene.agent, "VIP", None).await, tag(&scene.agent, "Bug", None).await);
    let mut calls = Vec::new();
    for n in 0..6 {
        let call = scene.join(&format!("Customer{n} Silva")).await;
        if n % 2 == 0 {
            let _ = scene.act(&call, "assign").await.expect(200);
        }
        if n != 5 {
            assert_eq!(bear(&scene.agent, &call, &vip).await, 201);
        }
        if n < 2 {
            assert_eq!(bear(&scene.agent, &call, &bug).await, 201);
        }
        calls.push(call);
    }
    let _ = scene.act(&calls[0], "start").await.expect(200);
    let agent = &scene.agent;
    let find = |query: String| async move { ids(agent, &format!("{CALLS}?{query}")).await };
    let latest = |of: &[usize]| of.iter().rev().map(|n| calls[*n].clone()).collect::<Vec<_>>();
    assert_eq!(find(format!("tag_id={vip}")).await, latest(&[0, 1, 2, 3, 4]));
    assert_eq!(find(format!("tag_id={vip}&sort_order=asc")).await, calls[..5]);
    assert_eq!(find(format!("tag_id={bug}")).await, latest(&[0, 1]));
    // A row follows its call.
    assert_eq!(find(format!("tag_id={vip}&status=active")).await, latest(&[0]));
    assert_eq!(find(format!("tag_id={vip}&status=queued")).await, latest(&[1, 2, 3, 4]));
    assert_eq!(find(format!("tag_id={vip}&user_id={}&status=queued", scene.agent_id)).await, latest(&[2, 4]));
    assert_eq!(find(format!("tag_id={vip}&search=customer3")).await, latest(&[3]));
    assert_eq!(find(format!("tag_id={bug}&search=customer3")).await, Vec::<String>::new());
    assert_eq!(find(format!("tag_id={vip}&date_from=2000-01-01&date_to=2100-01-01")).await, latest(&[0, 1, 2, 3, 4]));
    assert_eq!(find(format!("tag_id={vip}&date_to=2000-01-01")).await, Vec::<String>::new());
    for query in ["", "&status=queued", "&sort_order=asc"] {
        let all = find(format!("tag_id={vip}{query}")).await;
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = scene.agent.get(&format!("{CALLS}?tag_id={vip}{query}&page_size=2{cursor}")).await.expect(200).json();
            assert_eq!(page["meta"]["total_count"], all.len());
            found.extend(page["data"].as_array().unwrap().iter().map(|call| text(&call["id"])));
            let Some(next) = page["meta"]["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(found, all);
        let second = scene.agent.get(&format!("{CALLS}?tag_id={vip}{query}&page_size=2&page=2")).await.expect(200).data();
        assert_eq!(second.as_array().unwrap().iter().map(|call| text(&call["id"])).collect::<Vec<_>>(), all[2..4]);
    }
}
