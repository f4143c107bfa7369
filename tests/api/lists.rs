//! What every list does alike: pages, cursors, sorts, filters, exact totals, search.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Client, Receiver, Settings, Stack, Tenant, shared};
use uuid::Uuid;

const DEPARTMENTS: &str = "/api/v1/departments";
const LINKS: &str = "/api/v1/access-links";
const USERS: &str = "/api/v1/users";

/// The whole answer of a list.
async fn list(client: &Client, path: &str, query: &str) -> Value {
    client.get(&format!("{path}?{query}")).await.expect(200).json()
}

/// One column of the rows.
fn column(list: &Value, name: &str) -> Vec<String> {
    let rows = list["data"].as_array().into_iter().flatten();
    rows.map(|row| row[name].as_str().map_or_else(|| row[name].to_string(), ToOwned::to_owned)).collect()
}

/// One column of all rows, read on by cursor; each page but the last is full and says the same total.
async fn walk(client: &Client, path: &str, query: &str, size: usize, name: &str) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = list(client, path, &format!("{query}&page_size={size}{cursor}")).await;
        let rows = column(&page, name);
        let total = page["meta"]["total_count"].as_u64().unwrap_or_default();
        all.extend(rows.clone());
        let Some(next) = page["meta"]["next_cursor"].as_str() else {
            assert_eq!(all.len() as u64, total, "{query}");
            return all;
        };
        assert_eq!(rows.len(), size, "{query}");
        assert!((all.len() as u64) < total, "{query}: a cursor behind the last row");
        cursor = format!("&cursor={next}");
    }
}

async fn departments(tenant: &Tenant, names: &[&str]) {
    for (n, name) in names.iter().enumerate() {
        let _ = tenant.department(json!({ "name": name, "active": n % 3 != 0 })).await;
    }
}

const NAMES: [&str; 7] = ["delta", "Alfa", "charlie", "Árvore", "alfa", "Zulu", "bravo"];

#[tokio::test]
async fn pages_say_where_they_stand() {
    let tenant = Tenant::new(shared()).await;
    let empty = list(&tenant.manager, DEPARTMENTS, "").await;
    let meta = json!({ "current_page": 1, "page_size": 20, "total_pages": 0, "total_count": 0, "next_cursor": null });
    assert_eq!(empty, json!({ "data": [], "meta": meta }));
    departments(&tenant, &NAMES).await;
    let mut seen = Vec::new();
    for (page, rows) in [(1, 3), (2, 3), (3, 1), (4, 0)] {
        let answer = list(&tenant.manager, DEPARTMENTS, &format!("page={page}&page_size=3")).await;
        let meta = &answer["meta"];
        assert_eq!(
            (&meta["current_page"], &meta["page_size"], &meta["total_pages"], &meta["total_count"]),
            (&json!(page), &json!(3), &json!(3), &json!(7))
        );
        assert_eq!(meta["next_cursor"].is_string(), page < 3);
        assert_eq!(column(&answer, "id").len(), rows);
        seen.extend(column(&answer, "name"));
    }
    assert_eq!(seen, column(&list(&tenant.manager, DEPARTMENTS, "page_size=100").await, "name"));
    assert_eq!(list(&tenant.manager, DEPARTMENTS, "page_size=7").await["meta"]["next_cursor"], json!(null));
}

#[tokio::test]
async fn names_sort_without_regard_to_case_and_accents() {
    let tenant = Tenant::new(shared()).await;
    departments(&tenant, &NAMES).await;
    let fold = |names: Vec<String>| names.into_iter().map(|name| name.to_lowercase().replace('á', "a")).collect::<Vec<_>>();
    let up = ["alfa", "alfa", "arvore", "bravo", "charlie", "delta", "zulu"];
    let mut down = up;
    down.reverse();
    for (query, expected) in [("", up), ("sort_by=name", up), ("sort_order=asc", up), ("sort_by=name&sort_order=desc", down)] {
        assert_eq!(fold(column(&list(&tenant.manager, DEPARTMENTS, query).await, "name")), expected, "{query}");
    }
    let made = column(&list(&tenant.manager, DEPARTMENTS, "sort_by=inserted_at").await, "inserted_at");
    assert!(made.is_sorted());
    let made = column(&list(&tenant.manager, DEPARTMENTS, "sort_by=inserted_at&sort_order=desc").await, "inserted_at");
    assert!(made.is_sorted_by(|a, b| a >= b));
}

#[tokio::test]
async fn a_bad_parameter_is_422_and_named_with_what_it_accepts() {
    let tenant = Tenant::new(shared()).await;
    let cases = [
        (DEPARTMENTS, "page", vec!["0", "-1", "x", "1.5", "99999999999999999999"], vec!["1"]),
        (DEPARTMENTS, "page_size", vec!["0", "101", "-1", "x"], vec!["1", "100"]),
        (DEPARTMENTS, "sort_by", vec!["nope", "active", "Name"], vec!["name", "inserted_at"]),
        (DEPARTMENTS, "sort_order", vec!["up", "ASC"], vec!["asc", "desc"]),
        (DEPARTMENTS, "active", vec!["maybe", "1"], vec!["true", "false"]),
        (USERS, "sort_by", vec!["nope"], vec!["name", "email", "role", "inserted_at"]),
        (USERS, "role", vec!["king", "Manager"], vec!["attendant", "supervisor", "manager"]),
        (LINKS, "sort_by", vec!["name"], vec!["inserted_at", "expires_at"]),
        (LINKS, "status", vec!["open"], vec!["active", "used", "expired", "cancelled"]),
        (LINKS, "department_id", vec!["x"], vec![]),
        ("/api/v1/calls", "status", vec!["x"], vec!["queued", "active", "completed", "missed", "cancelled"]),
        ("/api/v1/calls", "date_from", vec!["yesterday", "2026-02-30", "2026-2-3"], vec!["2026"]),
        ("/api/v1/calls", "date_to", vec!["20260101"], vec!["2026"]),
    ];
    for (path, name, values, accepted) in cases {
        for value in values {
            let answer = tenant.manager.get(&format!("{path}?{name}={value}")).await.expect(422).errors();
            assert_eq!(answer.as_object().unwrap().keys().collect::<Vec<_>>(), [name], "{value}: {answer}");
            let message = answer[name][0].as_str().unwrap();
            assert!(accepted.iter().all(|word| message.contains(word)), "{path} {name}: {message}");
        }
    }
    let all = tenant
        .manager
        .get(&format!("{DEPARTMENTS}?page=0&page_size=0&sort_by=x&sort_order=x&active=x"))
        .await
        .expect(422)
        .errors();
    assert_eq!(all.as_object().unwrap().len(), 5, "{all}");
}

#[tokio::test]
async fn page_numbers_end_at_ten_thousand_rows() {
    let tenant = Tenant::new(shared()).await;
    for query in ["page=100&page_size=100", "page=10000&page_size=1", "page=500", "page=334&page_size=30"] {
        let _ = list(&tenant.manager, DEPARTMENTS, query).await;
    }
    for query in
        ["page=101&page_size=100", "page=10001&page_size=1", "page=501", "page=335&page_size=30", "page=9223372036854775807"]
    {
        let errors = tenant.manager.get(&format!("{DEPARTMENTS}?{query}")).await.expect(422).errors();
        assert!(errors["page"][0].as_str().unwrap().contains("cursor"), "{query}: {errors}");
    }
}

#[tokio::test]
async fn cursors_lead_past_every_row_once() {
    let tenant = Tenant::new(shared()).await;
    departments(&tenant, &NAMES).await;
    for sort in ["name", "inserted_at"] {
        for order in ["asc", "desc"] {
            for filter in ["", "&active=true", "&active=false", "&search=al", "&search=al&active=true"] {
                let query = format!("sort_by={sort}&sort_order={order}{filter}");
                let whole = column(&list(&tenant.manager, DEPARTMENTS, &format!("{query}&page_size=100")).await, "id");
                assert!(!whole.is_empty(), "{query}");
                for size in [1, 2, 3, 7] {
                    assert_eq!(walk(&tenant.manager, DEPARTMENTS, &query, size, "id").await, whole, "{query}, {size} a page");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_cursor_goes_on_where_it_was_while_rows_come_and_go() {
    let tenant = Tenant::new(shared()).await;
    departments(&tenant, &["b", "d", "f", "h"]).await;
    let page = list(&tenant.manager, DEPARTMENTS, "page_size=2").await;
    let cursor = page["meta"]["next_cursor"].as_str().unwrap().to_owned();
    let _ = tenant.department(json!({ "name": "a" })).await;
    let _ = tenant.department(json!({ "name": "g" })).await;
    let _ = tenant.manager.delete(&format!("{DEPARTMENTS}/{}", page["data"][1]["id"].as_str().unwrap())).await.expect(204);
    let rest = list(&tenant.manager, DEPARTMENTS, &format!("page_size=50&cursor={cursor}")).await;
    assert_eq!(column(&rest, "name"), ["f", "g", "h"]);
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_alone() {
    let (tenant, other) = (Tenant::new(shared()).await, Tenant::new(shared()).await);
    departments(&tenant, &NAMES).await;
    departments(&other, &NAMES).await;
    for n in 0..2 {
        let _ = tenant.user(&format!("agent{n}"), "attendant").await;
    }
    let page = list(&tenant.manager, DEPARTMENTS, "page_size=2").await;
    let cursor = page["meta"]["next_cursor"].as_str().unwrap().to_owned();
    let refused = async |client: &Client, path: &str, query: &str, cursor: &str| {
        let errors = client.get(&format!("{path}?page_size=2&cursor={cursor}{query}")).await.expect(422).errors();
        assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), ["cursor"], "{path} {query} {cursor}");
    };
    let _ = list(&tenant.manager, DEPARTMENTS, &format!("page_size=2&sort_by=name&sort_order=asc&cursor={cursor}")).await;
    for query in ["&active=true", "&sort_by=inserted_at", "&sort_order=desc", "&search=alfa"] {
        refused(&tenant.manager, DEPARTMENTS, query, &cursor).await;
    }
    refused(&tenant.manager, USERS, "", &cursor).await;
    refused(&other.manager, DEPARTMENTS, "", &cursor).await;
    let flipped = |at: usize| {
        let mut bytes = cursor.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let shorter = &cursor[..cursor.len() - 4];
    for tampered in [&flipped(0), &flipped(cursor.len() / 2), &flipped(cursor.len() - 5), shorter, "x", "AAAA", "%2F%2F"] {
        refused(&tenant.manager, DEPARTMENTS, "", tampered).await;
    }
}

#[tokio::test]
async fn totals_are_exact_with_every_filter_and_both() {
    let tenant = Tenant::new(shared()).await;
    let mut ids = Vec::new();
    for name in ["One", "Two", "Three"] {
        ids.push(tenant.department(json!({ "name": name })).await);
    }
    // One: 3 links, 1 of them cancelled and 1 used; Two: 2, 1 cancelled; Three: none.
    for (n, cancelled) in [(0, true), (0, false), (0, false), (1, true), (1, false)] {
        let body = json!({ "access_link": { "department_id": ids[n] } });
        let link = tenant.manager.post(LINKS, body).await.expect(201).data();
        if cancelled {
            let path = format!("{LINKS}/{}/cancel", link["id"].as_str().unwrap());
            let _ = tenant.manager.post(&path, json!({})).await.expect(200);
        }
    }
    let used = list(&tenant.manager, LINKS, &format!("department_id={}&status=active", ids[0])).await;
    let _ = tenant.join(used["data"][0]["token"].as_str().unwrap(), "Carlos").await;
    let [one, two, three] = [&ids[0], &ids[1], &ids[2]].map(|id| format!("department_id={id}"));
    for (query, total) in [
        (String::new(), 5),
        ("status=active".into(), 2),
        ("status=cancelled".into(), 2),
        ("status=used".into(), 1),
        ("status=expired".into(), 0),
        (one.clone(), 3),
        (two.clone(), 2),
        (three.clone(), 0),
        (format!("{one}&status=active"), 1),
        (format!("{one}&status=used"), 1),
        (format!("{two}&status=cancelled"), 1),
        (format!("{two}&status=used"), 0),
        (format!("{three}&status=active"), 0),
    ] {
        for sort in ["", "&sort_by=expires_at&sort_order=asc"] {
            let query = format!("{query}{sort}");
            let answer = list(&tenant.manager, LINKS, &format!("{query}&page_size=2")).await;
            assert_eq!(answer["meta"]["total_count"], json!(total), "{query}");
            assert_eq!(answer["meta"]["total_pages"], json!(u64::div_ceil(total, 2)), "{query}");
            let rows = walk(&tenant.manager, LINKS, &query, 2, "id").await;
            assert_eq!(rows.iter().collect::<BTreeSet<_>>().len() as u64, total, "{query}");
        }
    }
    let _ = tenant.manager.get(&format!("{LINKS}?department_id={}", Uuid::new_v4())).await.expect(422);
}

#[tokio::test]
async fn totals_follow_what_changes() {
    let tenant = Tenant::new(shared()).await;
    departments(&tenant, &["a", "b", "c", "d"]).await;
    let totals = async || {
        let mut totals = Vec::new();
        for query in ["", "active=true", "active=false"] {
            totals.push(list(&tenant.manager, DEPARTMENTS, query).await["meta"]["total_count"].as_u64().unwrap());
        }
        totals
    };
    assert_eq!(totals().await, [4, 2, 2]);
    let rows = list(&tenant.manager, DEPARTMENTS, "active=true").await;
    let path = |n: usize| format!("{DEPARTMENTS}/{}", rows["data"][n]["id"].as_str().unwrap());
    let _ = tenant.manager.put(&path(0), json!({ "department": { "active": false, "name": "z" } })).await.expect(200);
    assert_eq!(totals().await, [4, 1, 3]);
    assert_eq!(column(&list(&tenant.manager, DEPARTMENTS, "sort_order=desc").await, "name"), ["z", "d", "c", "a"]);
    let _ = tenant.manager.delete(&path(1)).await.expect(204);
    assert_eq!(totals().await, [3, 0, 3]);
}

#[tokio::test]
async fn search_finds_words_by_their_beginning_without_accents() {
    let tenant = Tenant::new(shared()).await;
    let names = ["João Ângelo da Silva", "Joana Prado", "Maria José", "Ana-Luísa Souza"];
    for (n, name) in names.iter().enumerate() {
        let _ = tenant.department(json!({ "name": name, "active": n != 1 })).await;
    }
    for (query, expected) in [
        ("joao", vec![0]),
        ("JO", vec![0, 1, 2]),
        ("jo%C3%A3o", vec![0]),
        ("angelo+jo", vec![0]),
        ("jo+pra", vec![1]),
        ("luisa", vec![3]),
        ("sou+ana", vec![3]),
        ("jo&active=true", vec![0, 2]),
        ("jo&active=false", vec![1]),
        ("oao", vec![]),
        ("joao+prado", vec![]),
        ("nobody", vec![]),
        ("+joana+", vec![1]),
    ] {
        let answer = list(&tenant.manager, DEPARTMENTS, &format!("search={query}")).await;
        let found: BTreeSet<String> = column(&answer, "name").into_iter().collect();
        assert_eq!(found, expected.iter().map(|n| names[*n].to_owned()).collect(), "{query}");
        assert_eq!(answer["meta"]["total_count"], json!(expected.len()), "{query}");
    }
    let sorted = list(&tenant.manager, DEPARTMENTS, "search=jo&sort_order=desc").await;
    assert_eq!(column(&sorted, "name"), [names[2], names[0], names[1]]);
    let other = Tenant::new(shared()).await;
    assert_eq!(list(&other.manager, DEPARTMENTS, "search=jo").await["meta"]["total_count"], json!(0));
}

#[tokio::test]
async fn a_cursor_goes_on_while_the_clock_does() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let receiver = Receiver::start().await;
    let hook = json!({ "webhook": { "url": receiver.url, "events": ["access_link.created"] } });
    let hook = tenant.manager.post("/api/v1/webhooks", hook).await.expect(201).data();
    let department = tenant.department(json!({ "name": "Support" })).await;
    for _ in 0..3 {
        let _ = tenant.link(&department, 1).await;
    }
    let _ = tenant.drain().await;
    let deliveries = format!("/api/v1/webhooks/{}/deliveries", hook["id"].as_str().unwrap());
    for path in [LINKS, &deliveries] {
        let first = list(&tenant.manager, path, "page_size=1").await;
        assert_eq!(first["meta"]["total_count"], json!(3), "{path}");
        tenant.advance(60).await;
        let cursor = first["meta"]["next_cursor"].as_str().unwrap();
        let rest = list(&tenant.manager, path, &format!("page_size=5&cursor={cursor}")).await;
        let ids: BTreeSet<String> = column(&rest, "id").into_iter().chain(column(&first, "id")).collect();
        assert_eq!((column(&rest, "id").len(), ids.len()), (2, 3), "{path}");
    }
    stack.shutdown().await;
}

/// A name comes before those that begin with it, wherever names are sorted and however they are read.
#[tokio::test]
async fn a_name_sorts_before_those_that_begin_with_it() {
    let tenant = Tenant::new(shared()).await;
    let names = ["Ana", "Ana \"Nina\" Luz", "Ána & Filhas", "ana maria", "Ana-B", "Anabela"];
    for (path, key) in [("departments", "department"), ("tags", "tag"), ("customers", "customer"), ("sectors", "sector")] {
        let path = format!("/api/v1/{path}");
        for name in names.iter().rev() {
            let _ = tenant.manager.post(&path, json!({ key: { "name": name } })).await.expect(201);
        }
        for query in ["sort_by=name", "sort_by=name&search=ana"] {
            assert_eq!(column(&list(&tenant.manager, &path, query).await, "name"), names, "{path}?{query}");
            assert_eq!(walk(&tenant.manager, &path, query, 2, "name").await, names, "{path}?{query}");
            let mut backwards = walk(&tenant.manager, &path, &format!("{query}&sort_order=desc"), 2, "name").await;
            backwards.reverse();
            assert_eq!(backwards, names, "{path}?{query}");
        }
    }
    assert_eq!(column(&list(&tenant.manager, "/api/v1/tags/tree", "").await, "name"), names);
}
