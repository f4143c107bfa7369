//! `/customers/duplicates`: who may be one.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Client, Tenant, shared};

use super::{CUSTOMERS, made, merge};
use crate::scene::text;

/// All groups, read in pages of this size: what they have in common, and their names.
async fn groups(client: &Client, size: usize) -> Vec<(String, Vec<String>)> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("{CUSTOMERS}/duplicates?page_size={size}{cursor}")).await.expect(200).json();
        let rows = page["data"].as_array().unwrap();
        assert!(rows.len() <= size && page["meta"]["page_size"] == json!(size));
        let names = |row: &Value| row["customers"].as_array().unwrap().iter().map(|one| text(&one["name"])).collect();
        all.extend(rows.iter().map(|row| (text(&row["reason"]), names(row))));
        match page["meta"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

#[tokio::test]
async fn who_has_something_in_common_is_named_once() {
    let tenant = Tenant::new(shared()).await;
    let client = &tenant.manager;
    for (name, email, phone, document) in [
        ("Ana", "ana@example.com", "+5511999990001", "529.982.247-25"),
        ("Ana Souza", "ana@EXAMPLE.com", "+5511999990001", "52998224725"),
        ("Bia", "bia@example.com", "", ""),
        ("B. Prado", "Bia@example.com", "+5511999990002", ""),
        ("Bia Prado", "", "+5511999990002", ""),
        ("João da Silva", "", "", ""),
        ("joao da  silva", "", "", "MG-1"),
        ("Joana", "", "", "MG-2"),
        ("Joana Silva", "", "", ""),
    ] {
        let _ = made(client, json!({ "name": name, "email": email, "phone": phone, "document": document })).await;
    }
    let group = |reason: &str, names: [&str; 2]| (reason.to_owned(), names.map(ToOwned::to_owned).to_vec());
    let wanted = [
        // They share e-mail and phone as well, which is not told again.
        group("document", ["Ana", "Ana Souza"]),
        group("email", ["Bia", "B. Prado"]),
        group("phone", ["B. Prado", "Bia Prado"]),
        group("name", ["João da Silva", "joao da  silva"]),
    ];
    for size in [1, 2, 3, 100] {
        assert_eq!(groups(client, size).await, wanted, "{size}");
    }
    let page = client.get(&format!("{CUSTOMERS}/duplicates")).await.expect(200).json();
    let meta = json!({ "current_page": null, "page_size": 20, "total_pages": null, "total_count": null, "next_cursor": null });
    assert_eq!(page["meta"], meta, "it is read along, and not counted");
    let scores: Vec<_> = page["data"].as_array().unwrap().iter().map(|row| row["score"].as_f64().unwrap()).collect();
    assert_eq!(scores, [0.95, 0.9, 0.8, 0.5]);
    let first = page["data"][0]["customers"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect::<Vec<_>>();
    let _ = merge(client, &first[0], &[&first[1]]).await.expect(200);
    assert_eq!(groups(client, 100).await, wanted[1..]);
    let (agent, _) = tenant.user("agent", "attendant").await;
    assert_eq!(groups(&agent, 100).await, wanted[1..]);
    for query in ["page_size=0", "page_size=101", "cursor=x"] {
        let _ = client.get(&format!("{CUSTOMERS}/duplicates?{query}")).await.expect(422);
    }
    let other = Tenant::new(shared()).await;
    assert_eq!(groups(&other.manager, 20).await, vec![]);
}

/// More than one stretch of the index, and one that is longer than a stretch: nobody is passed over.
#[tokio::test]
async fn reading_goes_on_where_it_stopped() {
    let tenant = Tenant::new(shared()).await;
    let store = shared().app().store(&tenant.slug);
    for n in 0..1_300 {
        let name = if n < 1_030 { "Same Name".to_owned() } else { format!("Zoe {}", n / 2) };
        let input = ::shared::models::customer::CustomerInput { name, ..Default::default() };
        let customer = ::shared::models::Customer::new(store.mint().unwrap(), input, store.clock().now());
        store.write().create(&customer).commit(()).await.unwrap();
    }
    let groups = groups(&tenant.manager, 20).await;
    let names: BTreeSet<&String> = groups.iter().flat_map(|(_, names)| names).collect();
    assert_eq!(names.len(), 1 + 270 / 2);
    assert!(groups.iter().all(|(reason, names)| reason == "name" && (2..=51).contains(&names.len())));
}
