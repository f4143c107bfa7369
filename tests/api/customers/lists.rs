//! How customers are found.

use serde_json::json;
use tests::{Tenant, shared};

use super::{CUSTOMERS, change, create, made, names};
use crate::scene::text;

#[tokio::test]
async fn customers_are_found_by_what_is_known() {
    let tenant = Tenant::new(shared()).await;
    for fields in [
        json!({ "name": "João Ângelo da Silva", "email": "joao@example.com", "phone": "+5511999998888" }),
        json!({ "name": "Joana Prado", "email": "joana@empresa.com.br", "document": "529.982.247-25" }),
        json!({ "name": "Maria José", "phone": "+351912345678", "document": "12.ABC.345/01DE-35" }),
    ] {
        let _ = create(&tenant.manager, fields).await.expect(201);
    }
    for (query, expected) in [
        ("joa", vec!["Joana Prado", "João Ângelo da Silva"]),
        ("JOÃO", vec!["João Ângelo da Silva"]),
        ("silva joao", vec!["João Ângelo da Silva"]),
        ("jose", vec!["Maria José"]),
        ("joana@empresa.com.br", vec!["Joana Prado"]),
        ("joao@", vec!["João Ângelo da Silva"]),
        ("11 99999-8888", vec!["João Ângelo da Silva"]),
        ("(11) 99999", vec!["João Ângelo da Silva"]),
        ("99999 8888", vec!["João Ângelo da Silva"]),
        ("(011) 99999-8888", vec!["João Ângelo da Silva"]),
        ("0055 11 99999-8888", vec!["João Ângelo da Silva"]),
        ("+55 (0) 11 99999–8888", vec!["João Ângelo da Silva"]),
        ("00351 912 345", vec!["Maria José"]),
        ("+351 912 345", vec!["Maria José"]),
        ("912345678", vec!["Maria José"]),
        ("529982247", vec!["Joana Prado"]),
        ("529.982", vec!["Joana Prado"]),
        ("12.abc.345", vec!["Maria José"]),
        ("12.ab", vec!["Maria José"]),
        ("silva maria", vec![]),
        ("angel 21", vec![]),
        ("!!", vec![]),
    ] {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let (found, total) = names(&tenant.manager, &format!("search={query}")).await;
        assert_eq!(
            (found.clone(), total),
            (expected.iter().map(ToString::to_string).collect(), expected.len() as u64),
            "{query}"
        );
    }
    // What is no longer so is no longer found.
    let id = text(&tenant.manager.get(&format!("{CUSTOMERS}?search=joana")).await.expect(200).data()[0]["id"]);
    let fields = json!({ "name": "Paula Prado", "email": "paula@empresa.com.br", "document": null });
    let _ = change(&tenant.manager, &id, fields).await.expect(200);
    assert_eq!(names(&tenant.manager, "search=joana+prado").await.1, 0);
    assert_eq!(names(&tenant.manager, "search=529982247").await.1, 0);
    assert_eq!(names(&tenant.manager, "search=paula").await.1, 1);
}

/// Whatever a name looks like, a number, a document, it is found by itself and by how it begins.
#[tokio::test]
async fn a_name_is_found_by_itself() {
    let tenant = Tenant::new(shared()).await;
    for name in ["Test-1234567", "Lote 12 345", "Cliente 550e8400-e29b-41d4-a716-446655440000"] {
        let _ = made(&tenant.manager, json!({ "name": name, "email": "someone.1234@example.com" })).await;
        for query in [name, &name[..name.len() - 2]] {
            let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
            assert_eq!(names(&tenant.manager, &format!("search={query}")).await, (vec![name.to_owned()], 1), "{query}");
        }
    }
    assert_eq!(names(&tenant.manager, "search=someone.1234").await.1, 3);
    // All of a long name is known, and its longest words lead to it.
    let name = "Maria Aparecida da Conceição dos Santos de Oliveira Souza";
    let contact = json!({ "name": name, "email": "mas@example.com", "phone": "+5511970010002", "document": "529.982.247-25" });
    let _ = made(&tenant.manager, contact).await;
    for query in [&*name.replace(' ', "+"), "oliveira", "maria+souza", "conceic+da"] {
        assert_eq!(names(&tenant.manager, &format!("search={query}")).await, (vec![name.to_owned()], 1), "{query}");
    }
    // Every word counts, however many there are.
    let name = ('a'..='z').map(|c| format!("{c}{c}{c}")).collect::<Vec<_>>().join(" ");
    let _ = made(&tenant.manager, json!({ "name": name })).await;
    let query = name.replace(' ', "+");
    assert_eq!(names(&tenant.manager, &format!("search={query}")).await, (vec![name], 1));
    assert_eq!(names(&tenant.manager, &format!("search={query}+other")).await.1, 0);
}

#[tokio::test]
async fn the_list_sorts_as_people_expect() {
    let tenant = Tenant::new(shared()).await;
    for (name, email) in
        [("Óscar", "b@example.com"), ("ana", "c@example.com"), ("Zoé", "a@example.com"), ("Ângela", "d@example.com")]
    {
        let _ = create(&tenant.manager, json!({ "name": name, "email": email })).await.expect(201);
    }
    let all = |names: [&str; 4]| (names.map(ToOwned::to_owned).to_vec(), 4);
    assert_eq!(names(&tenant.manager, "").await, all(["ana", "Ângela", "Óscar", "Zoé"]));
    assert_eq!(names(&tenant.manager, "sort_order=desc").await, all(["Zoé", "Óscar", "Ângela", "ana"]));
    assert_eq!(names(&tenant.manager, "sort_by=email").await, all(["Zoé", "Óscar", "ana", "Ângela"]));
    assert_eq!(names(&tenant.manager, "sort_by=inserted_at").await, all(["Óscar", "ana", "Zoé", "Ângela"]));
    assert_eq!(names(&tenant.manager, "page_size=3&page=2").await, (vec!["Zoé".to_owned()], 4));
    let first = tenant.manager.get(&format!("{CUSTOMERS}?page_size=3")).await.expect(200).json();
    let cursor = text(&first["meta"]["next_cursor"]);
    assert_eq!(names(&tenant.manager, &format!("page_size=3&cursor={cursor}")).await, (vec!["Zoé".to_owned()], 4));
    let _ = tenant.manager.get(&format!("{CUSTOMERS}?sort_by=phone")).await.expect(422);
}

/// What a search finds is paged and sorted as everything is, by number and by cursor.
#[tokio::test]
async fn what_is_found_has_pages() {
    let tenant = Tenant::new(shared()).await;
    for n in 0..13 {
        let fields = json!({ "name": format!("Souza {:02}", (n * 5) % 13), "email": format!("{n:02}@example.com") });
        let _ = create(&tenant.manager, fields).await.expect(201);
    }
    let _ = create(&tenant.manager, json!({ "name": "Somebody else" })).await.expect(201);
    let all: Vec<String> = (0..13).map(|n| format!("Souza {n:02}")).collect();
    for (sort, expected) in [
        ("", all.clone()),
        ("&sort_order=desc", all.iter().rev().cloned().collect()),
        ("&sort_by=email", (0..13).map(|n| format!("Souza {:02}", (n * 5) % 13)).collect()),
        ("&sort_by=inserted_at&sort_order=desc", (0..13).rev().map(|n| format!("Souza {:02}", (n * 5) % 13)).collect()),
    ] {
        let mut numbered = Vec::new();
        for page in 1..=4 {
            let (rows, total) = names(&tenant.manager, &format!("search=souza{sort}&page_size=4&page={page}")).await;
            assert_eq!((rows.len(), total), (if page == 4 { 1 } else { 4 }, 13));
            numbered.extend(rows);
        }
        assert_eq!(numbered, expected, "{sort}");
        let (mut followed, mut cursor) = (Vec::new(), String::new());
        while followed.len() < 20 {
            let page =
                tenant.manager.get(&format!("{CUSTOMERS}?search=souza{sort}&page_size=4{cursor}")).await.expect(200).json();
            followed.extend(page["data"].as_array().unwrap().iter().map(|customer| text(&customer["name"])));
            match page["meta"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(followed, expected, "{sort}");
    }
    assert_eq!(names(&tenant.manager, "search=souza&page=5&page_size=4").await, (vec![], 13));
    // Who is renamed moves within what is found.
    let id = text(&tenant.manager.get(&format!("{CUSTOMERS}?search=souza&page_size=1")).await.expect(200).data()[0]["id"]);
    let _ = change(&tenant.manager, &id, json!({ "name": "Souza 99" })).await.expect(200);
    assert_eq!(names(&tenant.manager, "search=souza&sort_order=desc&page_size=1").await, (vec!["Souza 99".to_owned()], 13));
}

/// While others come in, a reader with cursors sees everybody who was there exactly once.
#[tokio::test]
async fn a_reader_meets_everybody_once() {
    let tenant = Tenant::new(shared()).await;
    for n in 0..25 {
        let _ = create(&tenant.manager, json!({ "name": format!("Customer {n:02}") })).await.expect(201);
    }
    let (mut seen, mut cursor, mut n) = (Vec::new(), String::new(), 0);
    loop {
        let page = tenant.manager.get(&format!("{CUSTOMERS}?page_size=4{cursor}")).await.expect(200).json();
        seen.extend(page["data"].as_array().unwrap().iter().map(|customer| text(&customer["name"])));
        for letter in ["A", "Customer 10 and a half", "Z"] {
            let _ = create(&tenant.manager, json!({ "name": format!("{letter} {n}") })).await.expect(201);
        }
        n += 1;
        match page["meta"]["next_cursor"].as_str() {
            Some(next) if n < 40 => cursor = format!("&cursor={next}"),
            _ => break,
        }
        if seen.iter().any(|name| name.starts_with('Z')) {
            break;
        }
    }
    for n in 0..25 {
        assert_eq!(seen.iter().filter(|name| **name == format!("Customer {n:02}")).count(), 1, "{n}: {seen:?}");
    }
}
