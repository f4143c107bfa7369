//! Lists of appointments.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{APPOINTMENTS, Office, wrong};
use crate::scene::text;

/// Twenty appointments on six days, of all kinds.
async fn filled(office: &Office) -> (String, Vec<Value>) {
    let sales = office.tenant.department(json!({ "name": "Sales" })).await;
    let mut all = Vec::new();
    for n in 0..20_i64 {
        let (department, user) =
            (if n % 3 == 0 { &sales } else { &office.department }, if n % 4 == 0 { &office.other_id } else { &office.agent_id });
        let fields = json!({
            "title": if n % 2 == 0 { format!("Review {n}") } else { format!("Visita técnica {n}") },
            "scheduled_at": office.at((n * 7 % 20) * 400), "department_id": department, "user_id": user,
            "customer_name": format!("Customer {}", n % 5), "customer_email": format!("customer{}@example.com", n % 5),
        });
        let made = office.book(fields).await.expect(201).data();
        let action = ["", "confirm", "cancel", "complete", "no-show"][usize::try_from(n % 5).unwrap()];
        all.push(if action.is_empty() { made } else { office.act(&made, action, json!({})).await.expect(200).data() });
    }
    (sales, all)
}

/// All rows of a query, by cursor, three a page; each page says the same total.
async fn walk(office: &Office, query: &str) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = office.agent.get(&format!("{APPOINTMENTS}?page_size=3&{query}{cursor}")).await.expect(200).json();
        rows.extend(page["data"].as_array().unwrap().clone());
        let Some(next) = page["meta"]["next_cursor"].as_str() else {
            assert_eq!(page["meta"]["total_count"], json!(rows.len()), "{query}");
            return rows;
        };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn every_filter_goes_with_every_sort() {
    let office = Office::new().await;
    let (sales, all) = filled(&office).await;
    let customer = text(&all[3]["customer_id"]);
    let filters = [
        ("status", "scheduled".to_owned()),
        ("department_id", sales),
        ("user_id", office.agent_id.clone()),
        ("customer_id", customer),
        ("date_from", office.at(1200)),
        ("date_to", office.at(6000)),
    ];
    for chosen in 0..1_usize << filters.len() {
        let chosen: Vec<_> = filters.iter().enumerate().filter(|(n, _)| chosen >> n & 1 == 1).map(|(_, filter)| filter).collect();
        // Each alone, and a part of the combinations.
        if chosen.len() > 1 && chosen.len() % 2 == 1 {
            continue;
        }
        let fits = |row: &&Value| {
            chosen.iter().all(|(name, value)| match *name {
                "date_from" => text(&row["scheduled_at"]) >= *value,
                "date_to" => text(&row["scheduled_at"]) <= *value,
                name => row[name] == json!(value),
            })
        };
        let query: Vec<String> = chosen.iter().map(|(name, value)| format!("{name}={value}")).collect();
        for (sort, order) in [("scheduled_at", "asc"), ("scheduled_at", "desc"), ("inserted_at", "asc"), ("inserted_at", "desc")]
        {
            let mut expected: Vec<&Value> = all.iter().filter(fits).collect();
            expected.sort_by_key(|row| (text(&row[sort]), text(&row["id"])));
            if order == "desc" {
                expected.reverse();
            }
            let found = walk(&office, &format!("sort_by={sort}&sort_order={order}&{}", query.join("&"))).await;
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query:?} by {sort} {order}");
        }
    }
    assert_eq!(walk(&office, "").await, walk(&office, "sort_by=scheduled_at&sort_order=asc").await);
    let page = office.agent.get(&format!("{APPOINTMENTS}?page=4&page_size=6")).await.expect(200).json();
    let meta = json!({ "current_page": 4, "page_size": 6, "total_pages": 4, "total_count": 20, "next_cursor": null });
    assert_eq!((page["data"].as_array().unwrap().len(), &page["meta"]), (2, &meta));
}

#[tokio::test]
async fn words_find_titles_names_and_addresses() {
    let office = Office::new().await;
    let (_, all) = filled(&office).await;
    let found =
        async |query: &str| -> BTreeSet<String> { walk(&office, query).await.iter().map(|row| text(&row["id"])).collect() };
    let of = |fits: &dyn Fn(i64) -> bool| -> BTreeSet<String> {
        (0..20).filter(|n| fits(*n)).map(|n| text(&all[usize::try_from(n).unwrap()]["id"])).collect()
    };
    assert_eq!(found("search=tecnica").await, of(&|n| n % 2 == 1));
    assert_eq!(found("search=REV").await, of(&|n| n % 2 == 0));
    assert_eq!(found("search=customer3%40example.com").await, of(&|n| n % 5 == 3));
    assert_eq!(found("search=visita+customer3").await, of(&|n| n % 2 == 1 && n % 5 == 3));
    assert_eq!(found("search=visita&status=completed").await, of(&|n| n % 2 == 1 && n % 5 == 3));
    assert_eq!(found("search=visita&sort_by=inserted_at&sort_order=desc").await, of(&|n| n % 2 == 1));
    assert!(found("search=isita").await.is_empty());
    let _ = office.agent.put(&super::path(&all[1]), json!({ "appointment": { "title": "Nothing" } })).await.expect(200);
    assert_eq!(found("search=visita").await, of(&|n| n % 2 == 1 && n != 1));
    assert_eq!(found("search=nothing").await, of(&|n| n == 1));
}

#[tokio::test]
async fn a_date_is_a_day_of_the_companys() {
    let office = Office::new().await;
    let zone = json!({ "company": { "time_zone": "America/Sao_Paulo" } });
    let _ = office.tenant.manager.put("/api/v1/company", zone).await.expect(200);
    // Three hours behind: the day begins at 03:00Z.
    for minute in [179, 180, 1619, 1620] {
        let _ = office.booked(minute, 5).await;
    }
    let day = &office.at(0)[..10];
    let minutes = async |query: &str| -> Vec<i64> {
        walk(&office, query).await.iter().map(|row| office.minutes(&row["scheduled_at"])).collect()
    };
    assert_eq!(minutes(&format!("date_from={day}&date_to={day}")).await, [180, 1619]);
    assert_eq!(minutes(&format!("date_from={day}")).await, [180, 1619, 1620]);
    assert_eq!(minutes(&format!("date_to={day}&sort_order=desc")).await, [1619, 180, 179]);
    assert_eq!(minutes(&format!("date_to={day}&sort_by=inserted_at")).await, [179, 180, 1619]);
    assert_eq!(minutes(&format!("date_from={}&date_to={}", office.at(180), office.at(180))).await, [180]);
}

#[tokio::test]
async fn what_is_asked_wrongly_is_named() {
    let office = Office::new().await;
    let get = async |query: &str| office.agent.get(&format!("{APPOINTMENTS}?{query}")).await;
    for (query, field) in [
        ("status=open", "status"),
        ("department_id=x", "department_id"),
        ("user_id=0190f5fe-7c00-7a00-8000-000000000000", "user_id"),
        ("customer_id=0190f5fe-7c00-7a00-8000-000000000000", "customer_id"),
        ("sort_by=title", "sort_by"),
        ("sort_order=up", "sort_order"),
        ("date_from=soon", "date_from"),
        ("date_from=2026-02-21&date_to=2026-02-20", "date_to"),
        ("page=0", "page"),
        ("page_size=101", "page_size"),
        ("cursor=x", "cursor"),
    ] {
        assert_eq!(wrong(get(query).await), [field], "{query}");
    }
    for n in 0..2 {
        let _ = office.booked(n, 5).await;
    }
    let first = get("page_size=1&date_from=2026-02-20").await.expect(200).json();
    let cursor = first["meta"]["next_cursor"].as_str().unwrap();
    let _ = get(&format!("page_size=1&date_from=2026-02-20&cursor={cursor}")).await.expect(200);
    for query in ["", "sort_by=inserted_at&date_from=2026-02-20", "status=scheduled&date_from=2026-02-20"] {
        assert_eq!(wrong(get(&format!("{query}&page_size=1&cursor={cursor}")).await), ["cursor"], "{query}");
    }
}
