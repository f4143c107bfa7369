//! What a link shows of itself, and where it is found.

use serde_json::{Value, json};
use tests::{Tenant, shared};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{LINKS, ahead, create, keys, path, total};
use crate::scene::text;

#[tokio::test]
async fn a_link_is_a_picture_whatever_has_become_of_it() {
    let (tenant, other) = (Tenant::new(shared()).await, Tenant::new(shared()).await);
    let department = tenant.department(json!({ "name": "Support" })).await;
    let link = create(&tenant.manager, &department, json!({})).await.expect(201).data();
    let at = format!("{}/qr.svg", path(&link));
    let picture = tenant.manager.get(&at).await.expect(200);
    assert_eq!(picture.header("content-type"), Some("image/svg+xml"));
    assert!(picture.text().contains("<svg") && picture.text().ends_with("</svg>"), "{}", picture.text());
    let second = create(&tenant.manager, &department, json!({})).await.expect(201).data();
    let different = tenant.manager.get(&format!("{}/qr.svg", path(&second))).await.expect(200);
    assert_ne!(different.bytes, picture.bytes);
    let _ = tenant.manager.post(&format!("{}/cancel", path(&link)), json!({})).await.expect(200);
    assert_eq!(tenant.manager.get(&at).await.expect(200).bytes, picture.bytes);
    let _ = other.manager.get(&at).await.expect(404);
    let _ = tenant.anonymous.get(&at).await.expect(401);
    let (attendant, _) = tenant.user("attendant", "attendant").await;
    let _ = attendant.get(&at).await.expect(403);
    for unknown in [Uuid::new_v4().to_string(), "x".into()] {
        let _ = tenant.manager.get(&format!("{LINKS}/{unknown}/qr.svg")).await.expect(404);
    }
}

#[tokio::test]
async fn links_are_sorted_filtered_and_searched() {
    let (tenant, other) = (Tenant::new(shared()).await, Tenant::new(shared()).await);
    let (support, sales) =
        (tenant.department(json!({ "name": "Support" })).await, tenant.department(json!({ "name": "Sales" })).await);
    let mut made = Vec::new();
    for (department, days, name, email) in [
        (&support, 3, "João da Silva", "joao@example.com"),
        (&sales, 1, "Maria João", "maria@example.org"),
        (&support, 2, "Ana", "ana.silva@example.com"),
    ] {
        let expires_at = ahead(::shared::clock::days(days));
        let fields = json!({ "expires_at": expires_at, "customer_name": name, "customer_email": email });
        made.push(text(&create(&tenant.manager, department, fields).await.expect(201).data()["id"]));
    }
    let cancelled = format!("{LINKS}/{}/cancel", made[2]);
    let _ = tenant.manager.post(&cancelled, json!({})).await.expect(200);
    let of_support = format!("department_id={support}");
    for (query, expected) in [
        ("sort_by=expires_at&sort_order=asc", vec![1, 2, 0]),
        ("sort_by=expires_at", vec![0, 2, 1]),
        ("search=joao", vec![0, 1]),
        ("search=jo%C3%A3o%20sil", vec![0]),
        ("search=silva", vec![0, 2]),
        ("search=ana.silva%40example.com", vec![2]),
        ("search=example.org", vec![1]),
        ("search=silva&status=active", vec![0]),
        ("status=cancelled", vec![2]),
        ("status=used", vec![]),
        (of_support.as_str(), vec![0, 2]),
        (&format!("{of_support}&status=active&search=joao"), vec![0]),
        (&format!("{of_support}&sort_by=expires_at&sort_order=asc"), vec![2, 0]),
    ] {
        let list = tenant.manager.get(&format!("{LINKS}?{query}")).await.expect(200).json();
        let found: Vec<_> = list["data"].as_array().unwrap().iter().map(|link| text(&link["id"])).collect();
        let mut expected: Vec<_> = expected.iter().map(|n: &usize| made[*n].clone()).collect();
        let mut found = found;
        if !query.contains("sort_by") {
            // Links of one second have no order of their own.
            found.sort_unstable();
            expected.sort_unstable();
        }
        assert_eq!(found, expected, "{query}");
        assert_eq!(list["meta"]["total_count"], json!(expected.len()), "{query}");
    }
    for (query, field) in [
        ("status=gone", "status"),
        ("department_id=x", "department_id"),
        (&format!("department_id={}", Uuid::new_v4()), "department_id"),
        ("sort_by=token", "sort_by"),
        ("sort_order=up", "sort_order"),
        ("page=0", "page"),
        ("page_size=101", "page_size"),
        ("cursor=x", "cursor"),
    ] {
        let errors = tenant.manager.get(&format!("{LINKS}?{query}")).await.expect(422).errors();
        assert_eq!(keys(&errors), [field], "{query}");
    }
    assert_eq!(total(&other, "search=joao").await, json!(0));
    let _ = other.manager.get(&format!("{LINKS}?{of_support}")).await.expect(422);
}

#[tokio::test]
async fn validating_never_uses_a_link() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let link = create(&tenant.manager, &department, json!({})).await.expect(201).data();
    let validate = format!("/api/v1/call/{}/validate", text(&link["token"]));
    for _ in 0..20 {
        let _ = tenant.anonymous.get(&validate).await.expect(200);
    }
    assert_eq!(tenant.manager.get(&path(&link)).await.expect(200).data(), link);
    let _ = tenant.join(&text(&link["token"]), "Carlos").await;
}

#[tokio::test]
async fn a_customer_who_is_removed_beside_new_links_is_named_by_none() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    for _ in 0..4 {
        let customer = json!({ "customer": { "name": "Carlos Ferreira", "email": "carlos@example.com" } });
        let id = text(&tenant.manager.post("/api/v1/customers", customer).await.expect(201).data()["id"]);
        let mut racers = JoinSet::new();
        for n in 0..12 {
            let (client, id, department) = (tenant.manager.clone(), id.clone(), department.clone());
            racers.spawn(async move {
                let link = json!({ "department_id": department, "customer_id": id });
                match n {
                    5 => client.delete(&format!("/api/v1/customers/{id}")).await,
                    0 => client.post(&format!("{LINKS}/batch"), json!({ "access_links": vec![link; 12] })).await,
                    _ => client.post(LINKS, json!({ "access_link": link })).await,
                }
            });
        }
        for answer in racers.join_all().await {
            let refused = answer.status == 422 && answer.text().contains("customer_id");
            assert!([201, 204].contains(&answer.status.as_u16()) || refused, "{} {}", answer.status, answer.text());
        }
        // As many as go with the request, without the schedule's look.
        assert_eq!(total(&tenant, "search=carlos").await, json!(0));
    }
    let list = tenant.manager.get(&format!("{LINKS}?page_size=100")).await.expect(200).data();
    assert!(list.as_array().unwrap().iter().all(|link| link["customer_name"].is_null() && link["customer_id"] == Value::Null));
}
