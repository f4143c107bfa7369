//! Up to 500 links at once, all of them or none.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Answer, Client, Receiver, Settings, Stack, Tenant, shared};
use uuid::Uuid;

use super::{LINKS, keys, path, total};
use crate::scene::text;

const BATCH: &str = "/api/v1/access-links/batch";

async fn create(client: &Client, rows: Value) -> Answer {
    client.post(BATCH, json!({ "access_links": rows })).await
}

/// So many links to a department, with names and e-mails.
fn rows(department: &str, count: usize) -> Value {
    let row = |n| {
        let email = format!("maria.souza.{n}@example.com");
        json!({ "department_id": department, "customer_name": format!("Maria Souza {n}"), "customer_email": email })
    };
    (0..count).map(row).collect()
}

#[tokio::test]
async fn the_links_are_as_their_rows_say_in_that_order() {
    let tenant = Tenant::new(shared()).await;
    let (support, sales) =
        (tenant.department(json!({ "name": "Support" })).await, tenant.department(json!({ "name": "Sales" })).await);
    let carlos = json!({ "customer": { "name": "Carlos", "email": "carlos@example.com", "phone": "11 99999-8888" } });
    let carlos = text(&tenant.manager.post("/api/v1/customers", carlos).await.expect(201).data()["id"]);
    let receiver = Receiver::start().await;
    let webhook = json!({ "webhook": { "url": receiver.url, "events": ["access_link.created"] } });
    let _ = tenant.manager.post("/api/v1/webhooks", webhook).await.expect(201);
    let answer = create(
        &tenant.manager,
        json!([
            { "department_id": support, "customer_id": carlos, "customer_name": "Mr Carlos" },
            { "department_id": sales, "customer_name": "Ana", "customer_phone": "(11) 3333-4444", "max_uses": 7 },
            { "department_id": support },
        ]),
    )
    .await
    .expect(201);
    assert_eq!(answer.header("etag"), None);
    let links = answer.data();
    let links = links.as_array().unwrap();
    let told: Vec<_> =
        links.iter().map(|link| json!([link["department_name"], link["customer_name"], link["max_uses"]])).collect();
    assert_eq!(told, [json!(["Support", "Mr Carlos", 1]), json!(["Sales", "Ana", 7]), json!(["Support", null, 1])]);
    assert_eq!(
        (&links[0]["customer_id"], &links[0]["customer_email"], &links[0]["customer_phone"], &links[1]["customer_phone"]),
        (&json!(carlos), &json!("carlos@example.com"), &json!("+5511999998888"), &json!("+551133334444"))
    );
    for link in links {
        let shown = tenant.manager.get(&path(link)).await.expect(200);
        assert_eq!((shown.data(), shown.header("etag")), (link.clone(), Some("\"1\"")));
        let _ = tenant.anonymous.get(&format!("/api/v1/call/{}/validate", text(&link["token"]))).await.expect(200);
        let trail = format!("/api/v1/audit-log?object_id={}", text(&link["id"]));
        let trail = tenant.manager.get(&trail).await.expect(200).data();
        assert_eq!((&trail[0]["action"], trail.as_array().unwrap().len()), (&json!("access_link.created"), 1));
    }
    assert_eq!(total(&tenant, &format!("department_id={support}&status=active")).await, json!(2));
    receiver.wait(3).await;
    let heard = receiver.received().into_iter().map(|received| received.json()["data"].to_string());
    assert_eq!(heard.collect::<BTreeSet<_>>(), links.iter().map(ToString::to_string).collect());
}

#[tokio::test]
async fn five_hundred_are_made_and_a_key_gives_them_again() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let keyed = tenant.manager.with("idempotency-key", "invitations");
    let answer = create(&keyed, rows(&department, 500)).await.expect(201);
    let links = answer.data();
    let links = links.as_array().unwrap();
    let names: Vec<_> = links.iter().map(|link| text(&link["customer_name"])).collect();
    assert_eq!(names, (0..500).map(|n| format!("Maria Souza {n}")).collect::<Vec<_>>());
    let tokens: BTreeSet<_> = links.iter().map(|link| text(&link["token"])).collect();
    assert_eq!(tokens.len(), 500);
    let again = create(&keyed, rows(&department, 500)).await.expect(201);
    assert_eq!((again.header("idempotent-replayed"), again.json() == answer.json()), (Some("true"), true));
    let _ = create(&keyed, rows(&department, 499)).await.expect(422);

    for query in ["", "status=active", &format!("department_id={department}"), "search=maria"] {
        assert_eq!(total(&tenant, query).await, json!(500), "{query}");
    }
    assert_eq!(total(&tenant, "search=maria.souza.77%40example.com").await, json!(1));
    let mut listed = BTreeSet::new();
    for page in 1..=5 {
        let page = tenant.manager.get(&format!("{LINKS}?page_size=100&page={page}")).await.expect(200).data();
        listed.extend(page.as_array().unwrap().iter().map(|link| text(&link["token"])));
    }
    assert_eq!(listed, tokens);
    for link in [&links[0], &links[250], &links[499]] {
        assert_eq!(tenant.manager.get(&path(link)).await.expect(200).data(), *link);
        let _ = tenant.join(&text(&link["token"]), "Maria").await;
    }
    // The desk counts them exactly: it is idle when the last one has gone.
    let _ = tenant.manager.delete(&format!("/api/v1/departments/{department}")).await.expect(422);
    assert_eq!(total(&tenant, "status=active").await, json!(497));
}

#[tokio::test]
async fn a_desk_counts_a_batch_exactly() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let links = create(&tenant.manager, rows(&department, 30)).await.expect(201).data();
    let at = format!("/api/v1/departments/{department}");
    for link in links.as_array().unwrap() {
        let _ = tenant.manager.delete(&at).await.expect(422);
        let _ = tenant.manager.post(&format!("{}/cancel", path(link)), json!({})).await.expect(200);
    }
    let _ = tenant.manager.delete(&at).await.expect(204);
}

#[tokio::test]
async fn one_bad_row_fails_all_and_every_bad_row_is_named() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let mut bad = rows(&department, 500);
    bad[3]["expires_at"] = json!("2020-01-01T00:00:00Z");
    bad[7]["customer_email"] = json!("x");
    bad[7]["max_uses"] = json!(0);
    bad[10] = json!({});
    bad[11] = json!(7);
    bad[12]["department_id"] = json!(Uuid::new_v4());
    bad[13]["customer_id"] = json!(Uuid::new_v4());
    bad[499]["customer_phone"] = json!("9999-8888");
    let errors = create(&tenant.manager, bad.clone()).await.expect(422).errors();
    let mut expected = [
        "access_links[3].expires_at",
        "access_links[7].customer_email",
        "access_links[7].max_uses",
        "access_links[10].department_id",
        "access_links[11]",
        "access_links[11].department_id",
        "access_links[12].department_id",
        "access_links[13].customer_id",
        "access_links[499].customer_phone",
    ];
    expected.sort_unstable();
    assert_eq!(keys(&errors), expected);
    assert_eq!(errors["access_links[10].department_id"], json!(["can't be blank"]));
    assert_eq!(errors["access_links[11]"], json!(["must be an object"]));
    assert_eq!(errors["access_links[12].department_id"], json!(["does not exist"]));
    assert_eq!(total(&tenant, "").await, json!(0));
    let _ = tenant.manager.delete(&format!("/api/v1/departments/{department}")).await.expect(204);
    // A refusal of all fields of all rows is replayed as any other.
    let wrong = json!({
        "department_id": 1, "customer_id": 1, "customer_name": 1, "customer_email": 1, "customer_phone": 1, "expires_at": 1,
        "max_uses": "1",
    });
    let wrong: Value = (0..500).map(|_| wrong.clone()).collect();
    let keyed = tenant.manager.with("idempotency-key", "all wrong");
    let first = create(&keyed, wrong.clone()).await.expect(422);
    assert_eq!(keys(&first.errors()).len(), 3500);
    let again = create(&keyed, wrong).await.expect(422);
    assert_eq!((again.header("idempotent-replayed"), again.json() == first.json()), (Some("true"), true));
}

#[tokio::test]
async fn a_batch_has_one_to_five_hundred_rows() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    for (body, message) in [
        (json!({}), "can't be blank"),
        (json!({ "access_links": null }), "can't be blank"),
        (json!({ "access_links": [] }), "can't be blank"),
        (json!({ "access_links": {} }), "must be a list"),
        (json!({ "access_links": "x" }), "must be a list"),
        (json!({ "access_links": rows(&department, 501) }), "should have at most 500 item(s)"),
    ] {
        assert_eq!(tenant.manager.post(BATCH, body).await.expect(422).errors(), json!({ "access_links": [message] }));
    }
    let one = create(&tenant.manager, rows(&department, 1)).await.expect(201).data();
    assert_eq!(tenant.manager.get(LINKS).await.expect(200).data(), one);
    let (attendant, _) = tenant.user("attendant", "attendant").await;
    let _ = create(&attendant, rows(&department, 1)).await.expect(403);
    let _ = create(&tenant.anonymous, rows(&department, 1)).await.expect(401);
}

#[tokio::test]
async fn the_longest_answer_is_given_again() {
    let tenant = Tenant::new(shared()).await;
    let department = tenant.department(json!({ "name": "\u{1f4de}".repeat(200) })).await;
    let row = |n: usize| {
        let word = char::from_u32(0x1f300 + u32::try_from(n).unwrap()).unwrap();
        json!({ "department_id": department, "customer_name": String::from(word).repeat(200), "max_uses": n + 1 })
    };
    let rows: Value = (0..500).map(row).collect();
    let keyed = tenant.manager.with("idempotency-key", "long names");
    let first = create(&keyed, rows.clone()).await.expect(201);
    assert!(first.bytes.len() > 1_000_000, "{}", first.bytes.len());
    let again = create(&keyed, rows).await.expect(201);
    assert_eq!((again.header("idempotent-replayed"), again.bytes == first.bytes), (Some("true"), true));
    assert_eq!(total(&tenant, "status=active").await, json!(500));
}

#[tokio::test]
async fn a_batch_leads_to_as_many_departments_as_it_has_rows() {
    let tenant = Tenant::new(shared()).await;
    let mut departments = Vec::new();
    for n in 0..100 {
        departments.push(tenant.department(json!({ "name": format!("Department {n}") })).await);
    }
    let rows: Value = (0..120).map(|n| json!({ "department_id": departments[n % 100] })).collect();
    let links = create(&tenant.manager, rows).await.expect(201).data();
    let gone: Vec<_> = links.as_array().unwrap().iter().collect();
    for (n, department) in departments.iter().enumerate().step_by(11) {
        let at = format!("/api/v1/departments/{department}");
        for link in gone.iter().skip(n).step_by(100) {
            let _ = tenant.manager.delete(&at).await.expect(422);
            let _ = tenant.manager.post(&format!("{}/cancel", path(link)), json!({})).await.expect(200);
        }
        let _ = tenant.manager.delete(&at).await.expect(204);
    }
}

#[tokio::test]
async fn a_batch_expires_as_its_links_do() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let department = tenant.department(json!({ "name": "Support" })).await;
    let mut rows = rows(&department, 20);
    let soon = stack.app().clock().now() + std::time::Duration::from_secs(600);
    for row in rows.as_array_mut().unwrap().iter_mut().take(12) {
        row["expires_at"] = json!(soon);
    }
    let _ = create(&tenant.manager, rows).await.expect(201);
    tenant.advance(600).await;
    assert_eq!((total(&tenant, "status=active").await, total(&tenant, "status=expired").await), (json!(8), json!(12)));
    stack.shutdown().await;
}
