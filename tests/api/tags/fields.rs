//! What a tag is made of, who may do what, and how tags are found.

use serde_json::{Value, json};
use tests::{Tenant, shared};
use tokio::task::JoinSet;

use super::{NOBODY, TAGS, TREE, at, get, names, put, tag, tree};
use crate::scene::{list, text};

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
    let errors = tenant.manager.post(TAGS, json!({ "tag": { "color": "red", "parent_id": NOBODY } })).await.expect(422).errors();
    assert_eq!((&errors["name"], &errors["parent_id"]), (&json!(["can't be blank"]), &json!(["does not exist"])));
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
    let _ = tag(client, "Two words", None).await;
    for name in ["AÇÃO", "Ac\u{327}a\u{303}o", "two  WORDS"] {
        let body = json!({ "tag": { "name": name } });
        assert_eq!(client.post(TAGS, body).await.expect(422).errors(), taken, "{name}");
    }
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
