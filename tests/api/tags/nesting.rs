//! The tree that tags stand in.

use serde_json::json;
use tests::{Tenant, shared};
use tokio::task::JoinSet;

use super::{TAGS, at, put, tag, tree};
use crate::scene::list;

#[tokio::test]
async fn a_tree_is_eight_deep_and_has_no_cycle() {
    let tenant = Tenant::new(shared()).await;
    let client = &tenant.manager;
    let mut chain = vec![tag(client, "1", None).await];
    for n in 2..=8 {
        let parent = chain.last().unwrap().clone();
        chain.push(tag(client, &n.to_string(), Some(&parent)).await);
    }
    let body = json!({ "tag": { "name": "9", "parent_id": chain[7] } });
    let errors = client.post(TAGS, body).await.expect(422).errors();
    assert_eq!(errors, json!({ "parent_id": ["must leave the tree at most 8 deep"] }));
    for below in [0, 1, 7] {
        let errors = client.put(&at(&chain[0]), json!({ "tag": { "parent_id": chain[below] } })).await.expect(422).errors();
        assert_eq!(errors, json!({ "parent_id": ["must not lie below the tag itself"] }));
    }
    // Two levels fit under the sixth, three do not.
    let (a, b, c) = (tag(client, "a", None).await, tag(client, "b", None).await, tag(client, "c", None).await);
    assert_eq!(put(client, &b, json!({ "parent_id": a })).await, 200);
    assert_eq!(put(client, &a, json!({ "parent_id": chain[5] })).await, 200);
    assert_eq!(put(client, &c, json!({ "parent_id": b })).await, 422);
    assert_eq!(put(client, &a, json!({ "parent_id": null })).await, 200);
    assert_eq!(put(client, &c, json!({ "parent_id": b })).await, 200);
    assert_eq!(put(client, &a, json!({ "parent_id": chain[5] })).await, 422);
    assert_eq!(put(client, &a, json!({ "parent_id": chain[4] })).await, 200);
}

#[tokio::test]
async fn crossing_moves_never_make_a_cycle() {
    let tenant = Tenant::new(shared()).await;
    for round in 0..8 {
        let (a, b) = (format!("a{round}"), format!("b{round}"));
        let (a, b) = (tag(&tenant.manager, &a, None).await, tag(&tenant.manager, &b, None).await);
        let mut racers = JoinSet::new();
        for (id, parent) in [(a.clone(), b.clone()), (b, a)] {
            let client = tenant.manager.clone();
            racers.spawn(async move { put(&client, &id, json!({ "parent_id": parent })).await });
        }
        let mut statuses = racers.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422]);
    }
    let branches = tree(&tenant.manager).await;
    assert!(branches.as_array().unwrap().iter().all(|root| root[1].as_array().unwrap().len() == 1), "{branches}");
}

#[tokio::test]
async fn a_tag_gets_a_child_or_is_deleted_never_both() {
    let tenant = Tenant::new(shared()).await;
    for round in 0..8 {
        let parent = tag(&tenant.manager, &format!("Parent {round}"), None).await;
        let mut racers = JoinSet::new();
        let (client, path) = (tenant.manager.clone(), at(&parent));
        racers.spawn(async move { client.delete(&path).await.status.as_u16() });
        let (client, body) = (tenant.manager.clone(), json!({ "tag": { "name": "Child", "parent_id": parent } }));
        racers.spawn(async move { client.post(TAGS, body).await.status.as_u16() });
        let mut statuses = racers.join_all().await;
        statuses.sort_unstable();
        assert!([[201, 204], [204, 422]].contains(&[statuses[0], statuses[1]]), "{statuses:?}");
    }
    assert_eq!(tree(&tenant.manager).await, json!([]));
    assert!(list(&tenant.manager, TAGS).await.is_empty());
}
