//! Whom an e-mail stands for.

use serde_json::json;
use tests::{Settings, Stack, shared};
use tokio::task::JoinSet;

use super::{CUSTOMERS, change, joins, made};
use crate::scene::Scene;

#[tokio::test]
async fn an_email_stands_for_who_was_active_last() {
    let scene = Scene::new(shared()).await;
    let manager = &scene.tenant.manager;
    let first = made(manager, json!({ "name": "Ana", "email": "Ana@example.com" })).await;
    assert_eq!(joins(&scene, json!({ "name": "A.", "email": "ana@EXAMPLE.com", "phone": "(11) 99999-0001" })).await, first);
    let known = manager.get(&format!("{CUSTOMERS}/{first}")).await.expect(200).data();
    assert_eq!((&known["name"], &known["phone"], &known["call_count"]), (&json!("Ana"), &json!("+5511999990001"), &json!(1)));
    assert!(known["last_call_at"].is_string());
    // Two may share an e-mail; who was made last is whom it stands for.
    let second = made(manager, json!({ "name": "Ana B.", "email": "ana@example.com" })).await;
    assert_eq!(joins(&scene, json!({ "name": "Ana", "email": "ana@example.com" })).await, second);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "phone": "+5511999990001" })).await, first);
    // Who gives the e-mail up, or goes, leaves it to the other.
    let _ = change(manager, &second, json!({ "email": "b@example.com" })).await.expect(200);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "email": "ana@example.com" })).await, first);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "email": "b@example.com" })).await, second);
    let third = made(manager, json!({ "name": "Ana C.", "email": "ana@example.com", "phone": "+5511999990001" })).await;
    let _ = manager.delete(&format!("{CUSTOMERS}/{third}")).await.expect(204);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "email": "ana@example.com" })).await, first);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "phone": "+5511999990001" })).await, first);
    // An e-mail that one takes over in a change stays with whom it stood for, who was active no earlier.
    let _ = change(manager, &second, json!({ "email": "ana@example.com" })).await.expect(200);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "email": "ana@example.com" })).await, first);
    let _ = change(manager, &first, json!({ "email": null })).await.expect(200);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "email": "ana@example.com" })).await, second);
}

/// An e-mail is the same in whatever case: who writes theirs otherwise is still whom it stands for.
#[tokio::test]
async fn an_email_that_is_written_otherwise_stays_whose_it_is() {
    let scene = Scene::new(shared()).await;
    let manager = &scene.tenant.manager;
    let ana = made(manager, json!({ "name": "Ana", "email": "Ana@example.com" })).await;
    for email in ["ana@example.com", "ANA@example.com"] {
        let _ = change(manager, &ana, json!({ "email": email })).await.expect(200);
        assert_eq!(joins(&scene, json!({ "name": "A.", "email": "ana@Example.com" })).await, ana);
    }
}

/// Who was active later takes an e-mail over, by a change as by a merge.
#[tokio::test]
async fn an_email_comes_to_who_was_active_later() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::with(&stack, json!({ "name": "Support" })).await;
    let manager = &scene.tenant.manager;
    let first = made(manager, json!({ "name": "Ana", "email": "ana@example.com", "phone": "+5511999990001" })).await;
    scene.tenant.advance(60).await;
    let second = joins(&scene, json!({ "name": "Ana B.", "email": "b@example.com" })).await;
    let _ = change(manager, &second, json!({ "email": "ANA@example.com" })).await.expect(200);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "email": "ana@example.com" })).await, second);
    let third = made(manager, json!({ "name": "Ana C." })).await;
    let _ = change(manager, &third, json!({ "phone": "+5511999990001" })).await.expect(200);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "phone": "+5511999990001" })).await, third);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "phone": "+5511999990001", "email": "new@example.com" })).await, third);
    let _ = manager.delete(&format!("{CUSTOMERS}/{third}")).await.expect(204);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "phone": "+5511999990001" })).await, first);
    stack.shutdown().await;
}

/// Who joins is active, by whatever they are known: from then on all that is theirs stands for them.
#[tokio::test]
async fn who_joins_is_who_was_active_last() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::with(&stack, json!({ "name": "Support" })).await;
    let manager = &scene.tenant.manager;
    let first = made(manager, json!({ "name": "Ana", "email": "ana@example.com", "phone": "+5511999990001" })).await;
    let second = made(manager, json!({ "name": "Ana B.", "email": "Ana@example.com" })).await;
    let by_email = json!({ "name": "A.", "email": "ana@example.com" });
    assert_eq!(joins(&scene, by_email.clone()).await, second);
    assert_eq!(joins(&scene, json!({ "name": "A.", "phone": "+5511999990001" })).await, first);
    assert_eq!(joins(&scene, by_email.clone()).await, first);
    let link = json!({ "access_link": { "department_id": scene.department, "customer_id": second } });
    let link = manager.post("/api/v1/access-links", link).await.expect(201).data();
    let path = format!("/api/v1/call/{}/join", link["token"].as_str().unwrap());
    let _ = scene.tenant.anonymous.post(&path, json!({ "name": "A." })).await.expect(200);
    assert_eq!(joins(&scene, by_email.clone()).await, second);
    // Who turns out to be one was active when either was.
    scene.tenant.advance(60).await;
    let third = joins(&scene, json!({ "name": "Ana C.", "email": "c@example.com" })).await;
    let merge = json!({ "primary_id": first, "duplicate_ids": [third] });
    let _ = manager.post(&format!("{CUSTOMERS}/merge"), merge).await.expect(200);
    assert_eq!(joins(&scene, by_email).await, first);
    stack.shutdown().await;
}

/// Two who share an e-mail and a phone go at the same moment: what stood for one of them stands for nobody.
#[tokio::test]
async fn of_two_who_are_removed_at_once_neither_inherits() {
    let scene = Scene::new(shared()).await;
    let manager = &scene.tenant.manager;
    let store = shared().app().store(&scene.tenant.slug);
    for round in 0..16 {
        let contact = json!({ "name": "Ana", "email": format!("ana{round}@example.com"), "phone": "+5511999990001" });
        let (one, other) = (made(manager, contact.clone()).await, made(manager, contact).await);
        let remove = async |id: &str| manager.delete(&format!("{CUSTOMERS}/{id}")).await.expect(204);
        let _ = tokio::join!(remove(&one), remove(&other));
        let email = ::shared::models::Customer::by_email(store.tenant(), &format!("ana{round}@example.com"));
        let phone = ::shared::models::Customer::by_phone(store.tenant(), "+5511999990001");
        for key in [email, phone] {
            assert!(store.db().item(&key).await.unwrap().is_none(), "{round}: {key:?}");
        }
    }
}

/// Whom an e-mail names may have given it up meanwhile: the phone, and who has the e-mail now, are looked at all the same.
#[tokio::test]
async fn who_has_given_an_email_up_is_in_nobodys_way() {
    let scene = Scene::new(shared()).await;
    let manager = &scene.tenant.manager;
    let ana = made(manager, json!({ "name": "Ana", "email": "ana@example.com", "phone": "+5511999990001" })).await;
    let bia = made(manager, json!({ "name": "Bia", "phone": "+5511999990002" })).await;
    let store = shared().app().store(&scene.tenant.slug);
    let gone: ::shared::ids::CustomerId = store.mint().unwrap();
    for holder in [ana.parse().unwrap(), gone] {
        let values = ::shared::storage::entity::texts([("id", ::shared::ids::Id::key(holder))]);
        let key = ::shared::models::Customer::by_email(store.tenant(), "old@example.com");
        store.write().put_over(&key, values).commit(()).await.unwrap();
        let joined = joins(&scene, json!({ "name": "B.", "email": "old@example.com", "phone": "+5511999990002" })).await;
        assert_eq!(joined, bia);
        let _ = change(manager, &bia, json!({ "email": null })).await.expect(200);
    }
    // Who has it now, though the item names another.
    let carla = made(manager, json!({ "name": "Carla", "email": "carla@example.com" })).await;
    let values = ::shared::storage::entity::texts([("id", ::shared::ids::Id::key(gone))]);
    let key = ::shared::models::Customer::by_email(store.tenant(), "carla@example.com");
    store.write().put_over(&key, values).commit(()).await.unwrap();
    assert_eq!(joins(&scene, json!({ "name": "C.", "email": "carla@example.com", "phone": "+5511999990003" })).await, carla);
    // A phone that somebody gives who is known by e-mail and has another stays with whom it stands for.
    assert_eq!(joins(&scene, json!({ "name": "A.", "email": "ana@example.com", "phone": "+5511999990002" })).await, ana);
    assert_eq!(joins(&scene, json!({ "name": "B.", "phone": "+5511999990002" })).await, bia);
}

#[tokio::test]
async fn of_many_who_come_with_one_new_email_one_is_made() {
    let scene = Scene::new(shared()).await;
    let mut racers = JoinSet::new();
    for n in 0..12 {
        let (client, path) = (scene.tenant.anonymous.elsewhere(), format!("/api/v1/call/{}/join", scene.token));
        let body = json!({ "name": format!("N {n}"), "email": "same@example.com" });
        racers.spawn(async move { client.post(&path, body).await.expect(200) });
    }
    let _ = racers.join_all().await;
    let list = scene.tenant.manager.get(&format!("{CUSTOMERS}?search=same@example.com")).await.expect(200).json();
    assert_eq!((&list["meta"]["total_count"], &list["data"][0]["call_count"]), (&json!(1), &json!(12)));
}
