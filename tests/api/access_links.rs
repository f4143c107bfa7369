//! `/access-links`: how customers come in.

mod batch;
mod dead;
mod model;

use std::time::Duration;

use ::shared::clock::{Time, days};
use serde_json::{Value, json};
use tests::{Answer, Client, Settings, Stack, Tenant, shared};
use tokio::task::JoinSet;
use uuid::Uuid;

const LINKS: &str = "/api/v1/access-links";

async fn create(client: &Client, department: &str, fields: Value) -> Answer {
    let mut link = json!({ "department_id": department });
    if let (Some(link), Value::Object(fields)) = (link.as_object_mut(), fields) {
        link.extend(fields);
    }
    client.post(LINKS, json!({ "access_link": link })).await
}

async fn total(tenant: &Tenant, query: &str) -> Value {
    tenant.manager.get(&format!("{LINKS}?{query}")).await.expect(200).json()["meta"]["total_count"].clone()
}

fn keys(errors: &Value) -> Vec<&str> {
    errors.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

fn path(link: &Value) -> String {
    format!("{LINKS}/{}", link["id"].as_str().unwrap_or_default())
}

/// A moment from now, by the shared stack's clock.
fn ahead(duration: Duration) -> Value {
    json!(shared().app().clock().now() + duration)
}

#[tokio::test]
async fn a_link_is_made_with_defaults() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let made = create(&tenant.manager, &department, json!({})).await.expect(201);
    let link = made.data();
    let token = link["token"].as_str().unwrap();
    let expected = json!({
        "id": link["id"], "token": token, "url": link["url"], "status": "active", "department_id": department,
        "department_name": "Support", "customer_id": null, "customer_name": null, "customer_email": null,
        "customer_phone": null, "expires_at": link["expires_at"], "used_at": null, "inserted_at": link["inserted_at"],
        "max_uses": 1, "use_count": 0,
    });
    assert_eq!(link, expected);
    // 22 digits of base 62 are 131 bits, 21 are 125.
    assert!(token.len() >= 22 && token.chars().all(|c| c.is_ascii_alphanumeric()), "{token}");
    let url = link["url"].as_str().unwrap();
    assert!(url.starts_with("http") && url.contains(token), "{url}");
    let at = |name: &str| link[name].as_str().unwrap().parse::<Time>().unwrap().epoch();
    assert_eq!(at("expires_at") - at("inserted_at"), 7 * 86_400);
    let shown = tenant.manager.get(&path(&link)).await.expect(200);
    assert_eq!(shown.data(), link);
    assert_eq!(shown.header("etag"), made.header("etag"));
    assert_eq!(tenant.manager.get(LINKS).await.expect(200).data(), json!([link]));
    let other = create(&tenant.manager, &department, json!({})).await.expect(201).data();
    assert_ne!(other["token"], link["token"]);
}

#[tokio::test]
async fn a_link_keeps_what_is_known_of_its_customer() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let fields = json!({
        "customer_name": " João ", "customer_email": "Joao@Example.com", "customer_phone": "(11) 99999-8888", "max_uses": 10_000,
    });
    let link = create(&tenant.manager, &department, fields).await.expect(201).data();
    assert_eq!(
        (&link["customer_name"], &link["customer_email"], &link["customer_phone"], &link["customer_id"], &link["max_uses"]),
        (&json!("João"), &json!("Joao@Example.com"), &json!("+5511999998888"), &json!(null), &json!(10_000))
    );
    for (phone, kept) in [
        ("11999998888", "+5511999998888"),
        ("011 3333-4444", "+551133334444"),
        ("+1 (415) 555-2671", "+14155552671"),
        ("0044 20 7946 0958", "+442079460958"),
    ] {
        let link = create(&tenant.manager, &department, json!({ "customer_phone": phone })).await.expect(201).data();
        assert_eq!(link["customer_phone"], json!(kept), "{phone}");
    }
    for phone in
        [json!("abc"), json!("123"), json!("+1"), json!("+12345678901234567"), json!(11_999_998_888_u64), json!("9999-8888")]
    {
        let errors = create(&tenant.manager, &department, json!({ "customer_phone": phone })).await.expect(422).errors();
        assert_eq!(keys(&errors), ["customer_phone"], "{phone}");
    }
    for query in ["search=joao", "search=jo%C3%A3o", "search=joao%40ex", "search=JO"] {
        assert_eq!(total(&tenant, query).await, json!(1), "{query}");
    }
    assert_eq!(total(&tenant, "search=oao").await, json!(0));
}

#[tokio::test]
async fn a_known_customer_fills_in_what_is_absent() {
    let tenant = Tenant::new(shared()).await;
    let other = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let join = format!("/api/v1/call/{}/join", tenant.link(&department, 1).await);
    let carlos = json!({ "name": "Carlos", "email": "carlos@example.com", "phone": "11 99999-8888" });
    let _ = tenant.anonymous.elsewhere().post(&join, carlos).await.expect(200);
    let customer = tenant.manager.get("/api/v1/calls").await.expect(200).data()[0]["customer_id"].clone();
    let link = create(&tenant.manager, &department, json!({ "customer_id": customer, "customer_name": "Mr Carlos" })).await;
    let link = link.expect(201).data();
    assert_eq!(
        (&link["customer_id"], &link["customer_name"], &link["customer_email"], &link["customer_phone"]),
        (&customer, &json!("Mr Carlos"), &json!("carlos@example.com"), &json!("+5511999998888"))
    );
    let theirs = other.department(json!({ "name": "Support" })).await;
    let foreign = create(&other.manager, &theirs, json!({ "customer_id": customer })).await.expect(422).errors();
    assert_eq!(keys(&foreign), ["customer_id"]);
    for unknown in [json!(Uuid::new_v4()), json!("x"), json!(7)] {
        let errors = create(&tenant.manager, &department, json!({ "customer_id": unknown })).await.expect(422).errors();
        assert_eq!(keys(&errors), ["customer_id"]);
    }
}

#[tokio::test]
async fn what_is_wrong_is_named_together() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    for (field, values) in [
        ("department_id", vec![json!(null), json!("x"), json!(Uuid::new_v4()), json!(1)]),
        ("customer_name", vec![json!("x".repeat(201)), json!("a\u{0}b"), json!(1)]),
        ("customer_email", vec![json!("x"), json!(1)]),
        ("max_uses", vec![json!(0), json!(10_001), json!("1"), json!(1.5)]),
        ("expires_at", vec![json!("tomorrow"), json!("2026-02-20"), json!(1), json!("2020-01-01T00:00:00Z")]),
    ] {
        for value in values {
            let errors = create(&tenant.manager, &department, json!({ field: value })).await.expect(422).errors();
            assert_eq!(keys(&errors), [field], "{value}");
        }
    }
    let unknown = json!({ "customer_id": Uuid::new_v4(), "expires_at": "2020-01-01T00:00:00Z" });
    let errors = create(&tenant.manager, &Uuid::new_v4().to_string(), unknown).await.expect(422).errors();
    assert_eq!(keys(&errors), ["customer_id", "department_id", "expires_at"]);
    // What a field is and what it names, at once.
    let mixed = json!({ "customer_id": Uuid::new_v4(), "customer_email": "x", "customer_phone": "9999-8888", "max_uses": 0 });
    let errors = create(&tenant.manager, "x", mixed).await.expect(422).errors();
    assert_eq!(keys(&errors), ["customer_email", "customer_id", "customer_phone", "department_id", "max_uses"]);
    assert_eq!(errors["department_id"].as_array().unwrap().len(), 1);
    assert_eq!(total(&tenant, "").await, json!(0));
}

#[tokio::test]
async fn a_link_expires_in_the_future_and_within_a_year() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    for expires_at in [ahead(Duration::from_secs(60)), json!(shared().app().clock().now().years_on(1))] {
        let link = create(&tenant.manager, &department, json!({ "expires_at": expires_at })).await.expect(201).data();
        assert_eq!(link["expires_at"], expires_at);
    }
    let now = shared().app().clock().now();
    for expires_at in [json!(now - Duration::from_secs(60)), json!(now), json!(now.years_on(1) + Duration::from_secs(60))] {
        let errors = create(&tenant.manager, &department, json!({ "expires_at": expires_at })).await.expect(422).errors();
        assert_eq!(keys(&errors), ["expires_at"]);
    }
    let at = (now + days(2)).to_string();
    let local = format!("{}.5-03:00", &at[..19]);
    let link = create(&tenant.manager, &department, json!({ "expires_at": local })).await.expect(201).data();
    assert_eq!(link["expires_at"], json!(now + days(2) + Duration::from_secs(3 * 3600)));
}

#[tokio::test]
async fn a_link_is_expired_the_moment_its_time_passes() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let expires_at = stack.app().clock().now() + Duration::from_secs(600);
    let short = create(&tenant.manager, &department, json!({ "expires_at": expires_at, "max_uses": 2 })).await.expect(201).data();
    let long = create(&tenant.manager, &department, json!({})).await.expect(201).data();
    let validate = format!("/api/v1/call/{}/validate", short["token"].as_str().unwrap());
    let by_department = format!("department_id={department}");
    let totals = async || {
        let mut totals = Vec::new();
        for query in ["", "status=active", "status=expired", "status=used", &by_department] {
            totals.push(total(&tenant, query).await.as_u64().unwrap());
        }
        for status in ["active", "expired"] {
            totals.push(total(&tenant, &format!("{by_department}&status={status}")).await.as_u64().unwrap());
        }
        totals
    };
    let _ = tenant.join(short["token"].as_str().unwrap(), "Carlos").await;
    tenant.advance(300).await;
    assert_eq!(totals().await, [2, 2, 0, 0, 2, 2, 0]);
    let _ = tenant.anonymous.get(&validate).await.expect(200);
    tenant.advance(300).await;
    // Whoever looks first sees it so, and every other after it. It is nobody's doing: the trail has it made, and no more.
    assert_eq!(total(&tenant, "status=expired").await, json!(1));
    let trail = format!("/api/v1/audit-log?object_id={}", short["id"].as_str().unwrap());
    let told = tenant.manager.get(&trail).await.expect(200).data();
    assert_eq!(told.as_array().unwrap().iter().map(|entry| &entry["action"]).collect::<Vec<_>>(), ["access_link.created"]);
    let shown = tenant.manager.get(&path(&short)).await.expect(200).data();
    assert_eq!((&shown["status"], &shown["use_count"], &shown["expires_at"]), (&json!("expired"), &json!(1), &json!(expires_at)));
    assert_eq!(totals().await, [2, 1, 1, 0, 2, 1, 1]);
    let rows = tenant.manager.get(&format!("{LINKS}?sort_order=asc")).await.expect(200).data();
    assert_eq!(rows.as_array().unwrap().iter().map(|row| &row["status"]).collect::<Vec<_>>(), ["expired", "active"]);
    let active = tenant.manager.get(&format!("{LINKS}?status=active")).await.expect(200).data();
    assert_eq!(active[0]["id"], long["id"]);
    let _ = tenant.anonymous.get(&validate).await.expect(404);
    let join = validate.replace("validate", "join");
    let _ = tenant.anonymous.post(&join, json!({ "name": "Late" })).await.expect(404);
    let refused = tenant.manager.post(&format!("{}/cancel", path(&short)), json!({})).await.expect(422);
    assert_eq!(keys(&refused.errors()), ["status"]);
    stack.shutdown().await;
}

#[tokio::test]
async fn an_expired_link_is_shown_so_to_whoever_reads_it_first() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let mut links = Vec::new();
    for n in 0..3 {
        let expires_at = stack.app().clock().now() + Duration::from_secs(600);
        let fields = json!({ "expires_at": expires_at, "customer_name": format!("Customer {n}") });
        links.push(create(&tenant.manager, &department, fields).await.expect(201).data());
    }
    tenant.advance(600).await;
    let shown = tenant.manager.get(&path(&links[0])).await.expect(200).data();
    assert_eq!(shown["status"], json!("expired"));
    let _ = tenant.manager.post(&format!("{}/cancel", path(&links[1])), json!({})).await.expect(422);
    let found = tenant.manager.get(&format!("{LINKS}?search=customer&status=expired&page_size=2")).await.expect(200).json();
    assert_eq!((&found["meta"]["total_count"], &found["data"][0]["status"]), (&json!(3), &json!("expired")));
    assert_eq!(total(&tenant, "search=customer&status=active").await, json!(0));
    stack.shutdown().await;
}

#[tokio::test]
async fn only_an_active_link_is_cancelled() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let mut links = Vec::new();
    for max_uses in [1, 1, 2] {
        links.push(create(&tenant.manager, &department, json!({ "max_uses": max_uses })).await.expect(201).data());
    }
    let token = |n: usize| links[n]["token"].as_str().unwrap();
    let cancel = async |n: usize| tenant.manager.post(&format!("{}/cancel", path(&links[n])), json!({})).await;
    let cancelled = cancel(0).await.expect(200).data();
    let mut expected = links[0].clone();
    expected["status"] = json!("cancelled");
    assert_eq!(cancelled, expected);
    assert_eq!(keys(&cancel(0).await.expect(422).errors()), ["status"]);
    let validate = format!("/api/v1/call/{}/validate", token(0));
    let refused = tenant.anonymous.get(&validate).await.expect(404);
    assert_eq!(refused.json(), json!({ "errors": { "detail": "Invalid or expired access link" } }));

    let _ = tenant.join(token(1), "Carlos").await;
    assert_eq!(keys(&cancel(1).await.expect(422).errors()), ["status"]);
    let used = tenant.manager.get(&path(&links[1])).await.expect(200).data();
    assert_eq!((&used["status"], &used["use_count"], used["used_at"].is_string()), (&json!("used"), &json!(1), true));

    let _ = tenant.join(token(2), "Carlos").await;
    let half = tenant.manager.get(&path(&links[2])).await.expect(200).data();
    assert_eq!((&half["status"], &half["use_count"]), (&json!("active"), &json!(1)));
    assert_eq!(cancel(2).await.expect(200).data()["status"], json!("cancelled"));
    let _ = tenant.manager.post(&format!("{LINKS}/{}/cancel", Uuid::new_v4()), json!({})).await.expect(404);
    let _ = tenant.manager.post(&format!("{LINKS}/x/cancel"), json!({})).await.expect(404);
}

#[tokio::test]
async fn of_many_who_cancel_or_join_at_once_one_succeeds() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    for round in 0..4 {
        let link = create(&tenant.manager, &department, json!({})).await.expect(201).data();
        let (cancel, join) =
            (format!("{}/cancel", path(&link)), format!("/api/v1/call/{}/join", link["token"].as_str().unwrap()));
        let mut racers = JoinSet::new();
        for n in 0..6 {
            let (manager, customer) = (tenant.manager.clone(), tenant.anonymous.elsewhere());
            let (cancel, join) = (cancel.clone(), join.clone());
            racers.spawn(async move {
                if n % 2 == round % 2 {
                    manager.post(&cancel, json!({})).await.status.as_u16()
                } else {
                    customer.post(&join, json!({ "name": "Carlos" })).await.status.as_u16()
                }
            });
        }
        let statuses = racers.join_all().await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 404, 422].contains(status)), "{statuses:?}");
        let shown = tenant.manager.get(&path(&link)).await.expect(200).data();
        let joined = shown["use_count"] == json!(1);
        assert_eq!(shown["status"], json!(if joined { "used" } else { "cancelled" }));
    }
}

#[tokio::test]
async fn links_are_the_supervisors_business() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let (attendant, _) = tenant.user("attendant", "attendant").await;
    let (supervisor, _) = tenant.user("supervisor", "supervisor").await;
    let link = create(&supervisor, &department, json!({})).await.expect(201).data();
    let _ = create(&attendant, &department, json!({})).await.expect(403);
    for path in [LINKS.to_owned(), path(&link)] {
        let _ = attendant.get(&path).await.expect(403);
        let _ = supervisor.get(&path).await.expect(200);
        let _ = tenant.anonymous.get(&path).await.expect(401);
    }
    let cancel = format!("{}/cancel", path(&link));
    let _ = attendant.post(&cancel, json!({})).await.expect(403);
    let other = Tenant::new(shared()).await;
    let _ = other.manager.get(&path(&link)).await.expect(404);
    let _ = other.manager.post(&cancel, json!({})).await.expect(404);
    let _ = supervisor.post(&cancel, json!({})).await.expect(200);
}
