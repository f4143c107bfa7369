//! `/tags`, and the tags of calls.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt;
use serde_json::{Value, json};
use shared::{
    ids::TagId,
    models::{Tag, tag::TagInput},
    storage::{Key, key_of},
};
use tests::{Client, Receiver, Stack, Tenant, shared};
use tokio::task::JoinSet;

use crate::scene::{Scene, act, ids, list, text};

const TAGS: &str = "/api/v1/tags";
const TREE: &str = "/api/v1/tags/tree";
const CALLS: &str = "/api/v1/calls";
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

fn at(id: &str) -> String {
    format!("{TAGS}/{id}")
}

fn on(call: &str) -> String {
    format!("{CALLS}/{call}/tags")
}

/// Makes a tag; answers its identifier.
async fn tag(client: &Client, name: &str, parent: Option<&str>) -> String {
    let body = json!({ "tag": { "name": name, "parent_id": parent } });
    text(&client.post(TAGS, body).await.expect(201).data()["id"])
}

async fn get(client: &Client, id: &str) -> Value {
    client.get(&at(id)).await.expect(200).data()
}

async fn usage(client: &Client, id: &str) -> u64 {
    get(client, id).await["usage_count"].as_u64().unwrap()
}

/// What a move comes to.
async fn put(client: &Client, id: &str, fields: Value) -> u16 {
    client.put(&at(id), json!({ "tag": fields })).await.status.as_u16()
}

async fn bear(client: &Client, call: &str, tag: &str) -> u16 {
    client.post(&on(call), json!({ "tag_id": tag })).await.status.as_u16()
}

fn names(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| text(&row["name"])).collect()
}

/// The tree as nested names.
fn outline(branches: &Value) -> Value {
    let rows = branches.as_array().unwrap().iter();
    rows.map(|branch| json!([branch["name"], outline(&branch["children"])])).collect::<Vec<_>>().into()
}

async fn tree(client: &Client) -> Value {
    outline(&client.get(TREE).await.expect(200).data())
}

/// The keys of everything that lies in the table of a tenant's tags.
async fn left(stack: &Stack, tenant: &Tenant) -> BTreeSet<Key> {
    let items: Vec<_> = stack.app().db().whole(&tenant.slug).try_collect().await.unwrap();
    let partitions = ["#tag", "#tag#", "#call#tag_id#", "#untag#"].map(|part| format!("{}{part}", tenant.slug));
    let [own, others @ ..] = partitions;
    let of_tags = |key: &Key| key.pk == own || others.iter().any(|part| key.pk.starts_with(part));
    items.iter().filter_map(key_of).filter(of_tags).collect()
}

#[tokio::test]
async fn a_tag_begins_with_defaults_and_changes_field_by_field() {
    let tenant = Tenant::new(shared()).await;
    let answer = tenant.manager.post(TAGS, json!({ "tag": { "name": " Support " } })).await.expect(201);
    let root = answer.data();
    assert_eq!(answer.header("etag"), Some("\"1\""));
    assert_eq!(
        root,
        json!({
            "id": root["id"], "name": "Support", "color": "#6b7280", "parent_id": null, "usage_count": 0,
            "inserted_at": root["inserted_at"], "updated_at": root["inserted_at"],
        })
    );
    let root = text(&root["id"]);
    let fields = json!({ "name": "Bug", "color": "#EF4444", "parent_id": root, "usage_count": 7, "id": NOBODY });
    let bug = tenant.manager.post(TAGS, json!({ "tag": fields })).await.expect(201).data();
    assert_eq!((&bug["color"], &bug["parent_id"], &bug["usage_count"]), (&json!("#ef4444"), &json!(root), &json!(0)));
    let path = at(&text(&bug["id"]));
    assert_eq!(tenant.manager.get(&path).await.expect(200).data(), bug);
    let (client, tag) = (&tenant.manager, &path);
    let change = |fields: Value| async move { client.put(tag, json!({ "tag": fields })).await.expect(200).data() };
    let changed = change(json!({ "color": "#2563eb" })).await;
    assert_eq!((&changed["name"], &changed["color"], &changed["parent_id"]), (&json!("Bug"), &json!("#2563eb"), &json!(root)));
    let changed = change(json!({ "name": "Defect", "color": null, "parent_id": null })).await;
    assert_eq!((&changed["name"], &changed["color"], &changed["parent_id"]), (&json!("Defect"), &json!("#6b7280"), &json!(null)));
    assert_eq!(tenant.manager.get(&path).await.expect(200).data(), changed);
    assert_eq!(tree(&tenant.manager).await, json!([["Defect", []], ["Support", []]]));
    // A version that has passed is refused, whatever is asked.
    let stale = tenant.manager.with("if-match", "\"1\"");
    let _ = stale.put(&path, json!({ "tag": { "name": "X" } })).await.expect(412);
    let _ = stale.delete(&path).await.expect(412);
    let etag = tenant.manager.get(&path).await.header("etag").unwrap().to_owned();
    let _ = tenant.manager.with("if-match", &etag).delete(&path).await.expect(204);
    for answer in [tenant.manager.get(&path).await, tenant.manager.delete(&path).await] {
        let _ = answer.expect(404);
    }
    let _ = tenant.manager.put(&path, json!({ "tag": { "name": "X" } })).await.expect(404);
}

#[tokio::test]
async fn what_is_wrong_with_a_tag_is_named() {
    let tenant = Tenant::new(shared()).await;
    let id = tag(&tenant.manager, "Support", None).await;
    for (field, values) in [
        ("name", vec![json!(null), json!(""), json!("  "), json!(7), json!("x".repeat(201)), json!("a\u{7}b")]),
        ("color", vec![json!("red"), json!("#12345"), json!("#1234567"), json!("#ggg000"), json!(7), json!("")]),
        ("parent_id", vec![json!("nonsense"), json!(7), json!(NOBODY)]),
    ] {
        for value in values {
            let mut fields = json!({ "name": "Other" });
            fields[field] = value.clone();
            let created = tenant.manager.post(TAGS, json!({ "tag": fields })).await.expect(422).errors();
            let changed = tenant.manager.put(&at(&id), json!({ "tag": { field: value } })).await.expect(422).errors();
            for errors in [created, changed] {
                assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), [field], "{value}");
            }
        }
    }
    let errors = tenant.manager.post(TAGS, json!({ "tag": { "color": "red" } })).await.expect(422).errors();
    assert_eq!(errors["name"], json!(["can't be blank"]));
    assert!(errors["color"].is_array());
    let _ = tenant.manager.post(TAGS, json!({ "name": "X" })).await.expect(400);
    let long = "ç".repeat(200);
    assert_eq!(get(&tenant.manager, &tag(&tenant.manager, &long, None).await).await["name"], json!(long));
    for query in ["sort_by=color", "sort_order=up", "page_size=101", "page=0", "parent_id=x", &format!("parent_id={NOBODY}")] {
        let errors = tenant.manager.get(&format!("{TAGS}?{query}")).await.expect(422).errors();
        assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), [query.split_once('=').unwrap().0]);
    }
}

#[tokio::test]
async fn agents_keep_tags_and_supervisors_delete_them() {
    let (tenant, other) = (Tenant::new(shared()).await, Tenant::new(shared()).await);
    let (agent, _) = tenant.user("agent", "attendant").await;
    let (supervisor, _) = tenant.user("supervisor", "supervisor").await;
    let id = tag(&agent, "Support", None).await;
    assert_eq!(put(&agent, &id, json!({ "name": "Help" })).await, 200);
    let _ = agent.delete(&at(&id)).await.expect(403);
    let _ = other.manager.get(&at(&id)).await.expect(404);
    let _ = other.manager.delete(&at(&id)).await.expect(404);
    let foreign = json!({ "tag": { "name": "Under a stranger", "parent_id": id } });
    let errors = other.manager.post(TAGS, foreign).await.expect(422).errors();
    assert_eq!(errors, json!({ "parent_id": ["does not exist"] }));
    assert_eq!(tree(&other.manager).await, json!([]));
    let _ = supervisor.delete(&at(&id)).await.expect(204);
    let audit = format!("/api/v1/audit-log?object_type=tag&object_id={id}");
    let actions: Vec<_> = list(&tenant.manager, &audit).await.iter().map(|entry| text(&entry["action"])).collect();
    assert_eq!(actions, ["tag.deleted", "tag.updated", "tag.created"]);
}

#[tokio::test]
async fn tags_are_listed_found_and_nested() {
    let tenant = Tenant::new(shared()).await;
    let client = &tenant.manager;
    let support = tag(client, "suporte", None).await;
    for name in ["Bug", "Água fria", "água quente", "Zoo"] {
        let _ = tag(client, name, Some(&support)).await;
    }
    let sales = tag(client, "Vendas", None).await;
    let _ = tag(client, "Bug", Some(&sales)).await;
    let all = ["Água fria", "água quente", "Bug", "Bug", "suporte", "Vendas", "Zoo"];
    assert_eq!(names(&list(client, TAGS).await), all);
    let reversed: Vec<_> = all.iter().rev().copied().collect();
    assert_eq!(names(&list(client, &format!("{TAGS}?sort_order=desc")).await), reversed);
    let made = ["suporte", "Bug", "Água fria", "água quente", "Zoo", "Vendas", "Bug"];
    assert_eq!(names(&list(client, &format!("{TAGS}?sort_by=inserted_at")).await), made);
    assert_eq!(names(&list(client, &format!("{TAGS}?search=agu")).await), all[..2]);
    assert_eq!(names(&list(client, &format!("{TAGS}?search=QUENTE%20agua")).await), ["água quente"]);
    assert!(list(client, &format!("{TAGS}?search=ria")).await.is_empty());
    assert_eq!(names(&list(client, &format!("{TAGS}?parent_id={sales}")).await), ["Bug"]);
    assert_eq!(
        tree(client).await,
        json!([["suporte", [["Água fria", []], ["água quente", []], ["Bug", []], ["Zoo", []]]], ["Vendas", [["Bug", []]]],])
    );
    let keys = |branch: &Value| branch.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let branches = client.get(TREE).await.expect(200).data();
    assert_eq!(keys(&branches[0]), ["children", "color", "id", "name", "usage_count"]);
    let first = client.get(&format!("{TAGS}?page_size=3")).await.expect(200).json();
    assert_eq!((&first["meta"]["total_count"], &first["meta"]["total_pages"]), (&json!(7), &json!(3)));
    let cursor = text(&first["meta"]["next_cursor"]);
    let second = client.get(&format!("{TAGS}?page_size=3&cursor={cursor}")).await.expect(200).data();
    assert_eq!(names(second.as_array().unwrap()), all[3..6]);
    let page = client.get(&format!("{TAGS}?page=3&page_size=3")).await.expect(200).data();
    assert_eq!(names(page.as_array().unwrap()), all[6..]);
    assert_eq!(client.get(TAGS).await.json()["meta"]["page_size"], json!(50));
}

#[tokio::test]
async fn a_name_is_taken_once_under_a_parent_whatever_its_case() {
    let tenant = Tenant::new(shared()).await;
    let client = &tenant.manager;
    let (a, b) = (tag(client, "Ação", None).await, tag(client, "B", None).await);
    let under = tag(client, "Ação", Some(&a)).await;
    let taken = json!({ "name": ["has already been taken"] });
    let body = json!({ "tag": { "name": "AÇÃO" } });
    assert_eq!(client.post(TAGS, body).await.expect(422).errors(), taken);
    // Other accents are another name.
    let plain = tag(client, "acao", None).await;
    assert_eq!(client.put(&at(&plain), json!({ "tag": { "name": "aÇão" } })).await.expect(422).errors(), taken);
    assert_eq!(client.put(&at(&under), json!({ "tag": { "parent_id": null } })).await.expect(422).errors(), taken);
    assert_eq!(put(client, &under, json!({ "parent_id": b })).await, 200);
    // Its own name in another case is free, and so is one that was given up or deleted.
    assert_eq!(put(client, &a, json!({ "name": "AÇÃO" })).await, 200);
    assert_eq!(put(client, &a, json!({ "name": "Other" })).await, 200);
    let again = tag(client, "ação", None).await;
    let _ = client.delete(&at(&again)).await.expect(204);
    let _ = tag(client, "Ação", None).await;
}

#[tokio::test]
async fn of_many_who_make_one_name_one_wins() {
    let tenant = Tenant::new(shared()).await;
    let parent = tag(&tenant.manager, "Parent", None).await;
    for round in 0..4 {
        let mut racers = JoinSet::new();
        for n in 0..16 {
            let (client, name) = (tenant.manager.clone(), if n % 2 == 0 { "one NAME" } else { "One name" });
            let parent = (round % 2 == 0).then(|| parent.clone());
            let body = json!({ "tag": { "name": format!("{name} {round}"), "parent_id": parent } });
            racers.spawn(async move { client.post(TAGS, body).await.status.as_u16() });
        }
        let statuses = racers.join_all().await;
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [201, 422].contains(status)), "{statuses:?}");
    }
    assert_eq!(list(&tenant.manager, TAGS).await.len(), 5);
}

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

/// A tree as somebody would draw it: names by identifiers, each with its parent.
#[derive(Default)]
struct Drawn(BTreeMap<String, (String, Option<String>)>);

impl Drawn {
    /// From a tag up to its root.
    fn path(&self, id: &str) -> Vec<String> {
        let parent = self.0[id].1.clone();
        std::iter::once(id.to_owned()).chain(parent.map(|parent| self.path(&parent)).unwrap_or_default()).collect()
    }

    fn under(&self, parent: Option<&str>) -> Vec<&String> {
        self.0.iter().filter(|(_, (_, known))| known.as_deref() == parent).map(|(id, _)| id).collect()
    }

    fn height(&self, id: &str) -> usize {
        1 + self.under(Some(id)).into_iter().map(|child| self.height(child)).max().unwrap_or(0)
    }

    fn free(&self, id: &str, name: &str, parent: Option<&str>) -> bool {
        self.under(parent).into_iter().all(|other| other == id || self.0[other].0.to_lowercase() != name.to_lowercase())
    }

    fn fits(&self, id: Option<&str>, parent: Option<&str>) -> bool {
        let above = parent.map(|parent| self.path(parent)).unwrap_or_default();
        id.is_none_or(|id| !above.contains(&id.to_owned())) && above.len() + id.map_or(1, |id| self.height(id)) <= 8
    }

    fn remove(&mut self, id: &str) {
        for child in self.under(Some(id)).into_iter().cloned().collect::<Vec<_>>() {
            self.remove(&child);
        }
        self.0.remove(id);
    }

    fn outline(&self, parent: Option<&str>) -> Value {
        let mut children = self.under(parent);
        children.sort_by_key(|id| (self.0[*id].0.to_lowercase(), (*id).clone()));
        children.into_iter().map(|id| json!([self.0[id].0, self.outline(Some(id))])).collect::<Vec<_>>().into()
    }
}

/// Numbers that look drawn and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn one(&mut self, drawn: &Drawn) -> Option<String> {
        let all: Vec<_> = drawn.0.keys().collect();
        let n = self.below(all.len() + 1);
        all.get(n).map(|id| (*id).clone())
    }
}

#[tokio::test]
async fn whatever_is_done_to_a_tree_it_is_as_somebody_would_draw_it() {
    let tenant = Tenant::new(shared()).await;
    let client = &tenant.manager;
    for seed in [1, 2] {
        let (mut dice, mut drawn) = (Dice(seed), Drawn::default());
        let mut done = BTreeMap::<(&str, u16), usize>::new();
        for _ in 0..220 {
            let (name, parent) = (["a", "B", "b", "c", "C", "d"][dice.below(6)].to_owned(), dice.one(&drawn));
            let (what, status, wanted) = match (dice.below(20), dice.one(&drawn)) {
                (0, Some(id)) => {
                    let status = client.delete(&at(&id)).await.status.as_u16();
                    drawn.remove(&id);
                    ("delete", status, 204)
                }
                (1..=8, Some(id)) => {
                    let (old, place) = drawn.0[&id].clone();
                    let name = if dice.below(2) == 0 { old } else { name };
                    let parent = if dice.below(3) == 0 { place } else { parent };
                    let right = drawn.fits(Some(&id), parent.as_deref()) && drawn.free(&id, &name, parent.as_deref());
                    let status = put(client, &id, json!({ "name": name, "parent_id": parent })).await;
                    if right {
                        drawn.0.insert(id, (name, parent));
                    }
                    ("change", status, if right { 200 } else { 422 })
                }
                _ => {
                    let right = drawn.fits(None, parent.as_deref()) && drawn.free("", &name, parent.as_deref());
                    let answer = client.post(TAGS, json!({ "tag": { "name": name, "parent_id": parent } })).await;
                    if right {
                        drawn.0.insert(text(&answer.data()["id"]), (name, parent));
                    }
                    ("create", answer.status.as_u16(), if right { 201 } else { 422 })
                }
            };
            assert_eq!(status, wanted, "{what}");
            assert_eq!(tree(client).await, drawn.outline(None), "{what}");
            *done.entry((what, status)).or_default() += 1;
        }
        assert_eq!(done.len(), 5, "{done:?}");
        for root in drawn.under(None) {
            let _ = client.delete(&at(root)).await.expect(204);
        }
        tenant.drain().await;
    }
    assert_eq!(left(shared(), &tenant).await, BTreeSet::from([Key::tag_tree(&tenant.slug)]));
}
