//! What a deleted tag leaves: nothing.

use std::collections::BTreeSet;

use serde_json::json;
use shared::{
    ids::TagId,
    models::{Tag, tag::TagInput},
    storage::Key,
};
use tests::{Stack, Tenant, shared};
use tokio::task::JoinSet;

use super::{CALLS, TAGS, at, bear, left, names, on, put, tag, tree, usage};
use crate::scene::{Scene, act, ids, list};

#[tokio::test]
async fn a_deleted_tag_takes_what_lies_under_it_off_all_calls() {
    let scene = Scene::new(shared()).await;
    let manager = &scene.tenant.manager;
    let root = tag(manager, "Root", None).await;
    let child = tag(manager, "Child", Some(&root)).await;
    let grandchild = tag(manager, "Grandchild", Some(&child)).await;
    let kept = tag(manager, "Kept", None).await;
    let mut calls = Vec::new();
    for n in 0..60 {
        let call =
            if n < 15 { scene.join(&format!("Customer {n}")).await } else { scene.completed(&format!("Customer {n}")).await };
        for tag in [Some(&grandchild), (n % 2 == 0).then_some(&root), (n % 3 == 0).then_some(&kept)].into_iter().flatten() {
            assert_eq!(bear(&scene.agent, &call, tag).await, 201);
        }
        calls.push(call);
    }
    assert_eq!((usage(manager, &grandchild).await, usage(manager, &root).await, usage(manager, &kept).await), (60, 30, 20));
    let _ = manager.delete(&at(&root)).await.expect(204);
    // From now on nobody sees it, before the clean-up as after it.
    for when in ["before", "after"] {
        for id in [&root, &child, &grandchild] {
            let _ = manager.get(&at(id)).await.expect(404);
            assert_eq!(put(manager, id, json!({ "color": "#000000" })).await, 404, "{when}");
            let _ = manager.delete(&at(id)).await.expect(404);
            let _ = manager.get(&format!("{CALLS}?tag_id={id}")).await.expect(422);
            let _ = manager.get(&format!("{TAGS}?parent_id={id}")).await.expect(422);
            assert_eq!(bear(manager, &calls[1], id).await, 422, "{when}");
            let _ = manager.delete(&format!("{}/{id}", on(&calls[0]))).await.expect(404);
            let under = json!({ "tag": { "name": "Under", "parent_id": id } });
            let _ = manager.post(TAGS, under).await.expect(422);
        }
        assert_eq!(tree(manager).await, json!([["Kept", []]]), "{when}");
        assert_eq!(names(&list(manager, TAGS).await), ["Kept"], "{when}");
        for n in [0, 1, 30, 59] {
            let tags = names(scene.call(&calls[n]).await["tags"].as_array().unwrap());
            assert_eq!(tags, if n % 3 == 0 { vec!["Kept"] } else { vec![] }, "{when} {n}");
        }
        scene.tenant.drain().await;
    }
    assert_eq!(usage(manager, &kept).await, 20);
    assert_eq!(ids(manager, &format!("{CALLS}?tag_id={kept}")).await.len(), 20);
    // Nothing is left of it; a call's own item has forgotten it, too.
    let all = left(shared(), &scene.tenant).await;
    let id: TagId = kept.parse().unwrap();
    let own = [Key::tag_tree(&scene.tenant.slug), Key::tag(&scene.tenant.slug, &shared::ids::Id::key(id))];
    assert!(own.iter().chain([&Key::tag_desk(&scene.tenant.slug, id)]).all(|key| all.contains(key)));
    assert_eq!(all.len(), 3 + 1 + 20, "{all:?}");
    // The name can be had again, and what bears it is another tag.
    let again = tag(manager, "root", None).await;
    assert_eq!(usage(manager, &again).await, 0);
}

#[tokio::test]
async fn no_race_of_deletion_and_application_leaves_anything_behind() {
    let scene = Scene::new(shared()).await;
    let mut calls = Vec::new();
    for n in 0..4 {
        calls.push(scene.join(&format!("Customer {n}")).await);
    }
    for round in 0..6 {
        let root = tag(&scene.agent, &format!("Root {round}"), None).await;
        let child = tag(&scene.agent, "Child", Some(&root)).await;
        let mut racers = JoinSet::new();
        for n in 0..12_usize {
            let (client, call) = (scene.agent.clone(), calls[n % 4].clone());
            let tag = if n % 2 == 0 { root.clone() } else { child.clone() };
            racers.spawn(async move { bear(&client, &call, &tag).await });
        }
        let (client, path) = (scene.tenant.manager.clone(), at(&root));
        racers.spawn(async move { client.delete(&path).await.status.as_u16() });
        let statuses = racers.join_all().await;
        assert!(statuses.iter().all(|status| [200, 201, 204, 422].contains(status)), "{statuses:?}");
        for call in &calls {
            assert_eq!(scene.call(call).await["tags"], json!([]));
        }
    }
    scene.tenant.drain().await;
    assert_eq!(left(shared(), &scene.tenant).await, BTreeSet::from([Key::tag_tree(&scene.tenant.slug)]));
}

#[tokio::test]
async fn a_tenant_has_a_thousand_tags_and_deletes_them_at_once() {
    let stack = shared();
    let tenant = Tenant::new(stack).await;
    let root = tag(&tenant.manager, "Root", None).await;
    let store = stack.app().store(&tenant.slug);
    let mut made = Vec::new();
    for n in 0..998 {
        let input = TagInput { name: format!("Tag {n}"), color: "#000000".into(), parent_id: root.parse().ok() };
        made.push(Tag::new(store.mint().unwrap(), input, stack.app().clock().now()));
    }
    for tags in made.chunks(30) {
        let write = tags
            .iter()
            .fold(store.write(), |write, tag| write.create(tag).tally(&Key::tag_desk(&tenant.slug, tag.id), Tag::open));
        write.commit(()).await.unwrap();
    }
    let _ = tag(&tenant.manager, "The last", Some(&root)).await;
    let refused = tenant.manager.post(TAGS, json!({ "tag": { "name": "One more" } })).await.expect(422).json();
    assert_eq!(refused, json!({ "errors": { "detail": "There are 1000 tags already" } }));
    assert_eq!(tenant.manager.get(TAGS).await.expect(200).json()["meta"]["total_count"], json!(1000));
    let _ = tenant.manager.delete(&at(&root)).await.expect(204);
    assert_eq!(tree(&tenant.manager).await, json!([]));
    let _ = tag(&tenant.manager, "A new beginning", None).await;
    tenant.drain().await;
    assert_eq!(left(stack, &tenant).await.len(), 4);
    assert_eq!(tree(&tenant.manager).await, json!([["A new beginning", []]]));
}

#[tokio::test]
async fn the_clock_brings_the_clean_up() {
    let stack = Stack::start(tests::Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let id = tag(&scene.agent, "Gone", None).await;
    let (waiting, done) = (scene.join("Carlos").await, scene.completed("Beatriz").await);
    for call in [&waiting, &done] {
        assert_eq!(bear(&scene.agent, call, &id).await, 201);
    }
    let _ = scene.tenant.manager.delete(&at(&id)).await.expect(204);
    // The waiting one is missed by the clock, with its dead tag or without.
    scene.tenant.advance(400).await;
    scene.tenant.drain().await;
    let manager = scene.manager().await;
    for (call, status) in [(&waiting, "missed"), (&done, "completed")] {
        let call = manager.get(&format!("{CALLS}/{call}")).await.expect(200).data();
        assert_eq!((&call["status"], &call["tags"]), (&json!(status), &json!([])));
    }
    assert_eq!(left(&stack, &scene.tenant).await, BTreeSet::from([Key::tag_tree(&scene.tenant.slug)]));
    let _ = act(&manager, &done, "start", json!({})).await.expect(422);
    stack.shutdown().await;
}
