//! Batches whose requests died: what was decided is made, what was not is given back.

use ::shared::{
    batch,
    clock::days,
    ids::CustomerId,
    models::{AccessLink, LinkHold, access_link::LinkStatus},
    storage::Store,
    text::token,
};
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use tests::{Receiver, Settings, Stack, Tenant, shared};

use super::{LINKS, path, total};
use crate::scene::text;

const SITE: &str = "https://example.com";

fn store(stack: &Stack, tenant: &Tenant) -> Store {
    stack.app().store(&tenant.slug)
}

/// So many links, as a request would make them.
fn links(stack: &Stack, store: &Store, department: &str, count: usize) -> Vec<AccessLink> {
    let link = |n: usize| AccessLink {
        id: store.mint().unwrap(),
        token: token(stack.app().chance()).unwrap(),
        status: LinkStatus::Active,
        department_id: department.parse().unwrap(),
        department_name: "Support".into(),
        customer_id: None,
        customer_name: Some(format!("Maria Souza {n}")),
        customer_email: Some(format!("maria.souza.{n}@example.com")),
        customer_phone: None,
        expires_at: store.clock().now() + days(7),
        used_at: None,
        max_uses: 1,
        use_count: 0,
        inserted_at: store.clock().now(),
    };
    (0..count).map(link).collect()
}

/// What of a batch lies in the table beside its links.
async fn left(stack: &Stack, tenant: &Tenant) -> usize {
    let items: Vec<_> = stack.app().db().whole(&tenant.slug).try_collect().await.unwrap();
    let kinds = items.iter().filter_map(::shared::storage::entity::kind);
    kinds.filter(|kind| ["batch", "hold"].contains(kind)).count()
}

#[tokio::test]
async fn a_list_makes_what_was_decided() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let store = store(shared(), &tenant);
    let links = links(shared(), &store, &department, 100);
    let ((), parts) = batch::decide(&store, SITE, &links, ()).await.unwrap();
    assert!(parts.len() > 1);
    // The request had begun.
    batch::make(&store, parts[..1].to_vec()).await.unwrap();
    for query in ["", "status=active", &format!("department_id={department}"), "search=souza", "sort_by=expires_at"] {
        assert_eq!(total(&tenant, query).await, json!(100), "{query}");
    }
    assert_eq!(left(shared(), &tenant).await, 0);
    for link in &links {
        let shown = tenant.manager.get(&format!("{LINKS}/{}", link.id)).await.expect(200).data();
        assert_eq!(shown["token"], json!(link.token));
    }
    // Whoever comes late finds it done.
    batch::make(&store, parts).await.unwrap();
    assert_eq!(total(&tenant, "").await, json!(100));
}

#[tokio::test]
async fn the_schedule_makes_what_was_decided_and_tells_of_it_once() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let receiver = Receiver::start().await;
    let webhook = json!({ "webhook": { "url": receiver.url, "events": ["access_link.created"] } });
    let _ = tenant.manager.post("/api/v1/webhooks", webhook).await.expect(201);
    let store = store(&stack, &tenant);
    let links = links(&stack, &store, &department, 40);
    let ((), parts) = batch::decide(&store, SITE, &links, ()).await.unwrap();
    batch::make(&store, parts[..2].to_vec()).await.unwrap();
    tenant.advance(61).await;
    let done = tenant.drain().await;
    assert_eq!(done["linked"], json!(parts[2..].iter().map(|part| part.links.len()).sum::<usize>()));
    let _ = tenant.drain().await;
    assert_eq!((receiver.received().len(), left(&stack, &tenant).await), (40, 0));
    let path = format!("/api/v1/call/{}/validate", links[39].token);
    let _ = tenant.anonymous.get(&path).await.expect(200);
    assert_eq!(total(&tenant, "status=active").await, json!(40));
    stack.shutdown().await;
}

#[tokio::test]
async fn a_department_is_not_deleted_that_waits_for_links() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let store = store(shared(), &tenant);
    let links = links(shared(), &store, &department, 40);
    let ((), parts) = batch::decide(&store, SITE, &links, ()).await.unwrap();
    assert!(!parts.is_empty());
    let at = format!("/api/v1/departments/{department}");
    let _ = tenant.manager.delete(&at).await.expect(422);
    assert_eq!(total(&tenant, "").await, json!(40));
    for link in tenant.manager.get(&format!("{LINKS}?page_size=100")).await.expect(200).data().as_array().unwrap() {
        let _ = tenant.manager.post(&format!("{}/cancel", path(link)), json!({})).await.expect(200);
    }
    let _ = tenant.manager.delete(&at).await.expect(204);
    // To one that is gone nothing is decided.
    assert!(batch::decide(&store, SITE, &links, ()).await.is_err());
    assert_eq!(left(shared(), &tenant).await, 0);
}

#[tokio::test]
async fn who_was_removed_meanwhile_is_not_named() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let mut ids = Vec::new();
    for name in ["Carlos", "Ana"] {
        let customer = json!({ "customer": { "name": name } });
        ids.push(text(&tenant.manager.post("/api/v1/customers", customer).await.expect(201).data()["id"]));
    }
    let store = store(shared(), &tenant);
    let mut links = links(shared(), &store, &department, 40);
    for (n, link) in links.iter_mut().enumerate() {
        let id: CustomerId = ids[n % 2].parse().unwrap();
        link.customer_id = Some(id);
    }
    let ((), parts) = batch::decide(&store, SITE, &links, ()).await.unwrap();
    let _ = tenant.manager.delete(&format!("/api/v1/customers/{}", ids[0])).await.expect(204);
    batch::make(&store, parts).await.unwrap();
    for (n, link) in links.iter().enumerate() {
        let shown = tenant.manager.get(&format!("{LINKS}/{}", link.id)).await.expect(200).data();
        let named = [&shown["customer_id"], &shown["customer_name"], &shown["customer_email"]].map(Value::is_null);
        assert_eq!(named, [n % 2 == 0; 3], "{n}");
    }
    assert_eq!(total(&tenant, "search=souza").await, json!(20));
}

#[tokio::test]
async fn departments_held_for_nothing_are_given_back() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let store = store(&stack, &tenant);
    let department_ids = vec![department.parse().unwrap(); 3];
    let hold = LinkHold { id: store.mint().unwrap(), department_ids, inserted_at: store.clock().now() };
    store.write().create(&hold).commit(()).await.unwrap();
    let at = format!("/api/v1/departments/{department}");
    let _ = tenant.manager.delete(&at).await.expect(422);
    tenant.advance(61).await;
    let _ = tenant.drain().await;
    assert_eq!(left(&stack, &tenant).await, 0);
    let _ = tenant.manager.delete(&at).await.expect(204);
    stack.shutdown().await;
}
