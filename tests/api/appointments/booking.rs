//! Booking, and booking otherwise.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Tenant, shared};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{APPOINTMENTS, Office, path, wrong};
use crate::scene::{epoch, text};

#[tokio::test]
async fn a_booking_has_defaults() {
    let office = Office::new().await;
    let made = office.book(json!({})).await.expect(201);
    let shown = made.data();
    let expected = json!({
        "id": shown["id"], "title": "A talk", "description": null, "status": "scheduled", "scheduled_at": office.at(600),
        "duration_minutes": 30, "department_id": office.department, "department_name": "Support", "user_id": office.agent_id,
        "user_name": "agent", "customer_id": shown["customer_id"], "customer_name": "Carlos", "customer_email": null,
        "customer_phone": null, "notes": null, "cancellation_reason": null, "rescheduled_at": null, "inserted_at": shown["inserted_at"],
        "updated_at": shown["inserted_at"],
    });
    assert_eq!(shown, expected);
    assert!(shown["customer_id"].is_string() && epoch(&shown["inserted_at"]) > 0);
    let read = office.agent.get(&path(&shown)).await.expect(200);
    assert_eq!((read.data(), read.header("etag")), (expected.clone(), made.header("etag")));
    assert_eq!(office.agent.get(APPOINTMENTS).await.expect(200).data(), json!([expected]));
}

#[tokio::test]
async fn every_field_is_kept_as_it_was_meant() {
    let office = Office::new().await;
    let fields = json!({
        "title": " Presentation ", "description": "Two\nlines", "scheduled_at": office.at(600).replace('Z', ".7+00:00"),
        "duration_minutes": 1440, "user_id": office.other_id, "customer_name": " Roberto ", "customer_email": "Roberto@Example.com",
        "customer_phone": "(11) 96666-5544", "notes": "\tnotes", "status": "completed", "unknown": 1,
    });
    let shown = office.book(fields).await.expect(201).data();
    for (field, value) in [
        ("title", json!("Presentation")),
        ("description", json!("Two\nlines")),
        ("scheduled_at", json!(office.at(600))),
        ("duration_minutes", json!(1440)),
        ("user_name", json!("other")),
        ("customer_name", json!("Roberto")),
        ("customer_email", json!("Roberto@Example.com")),
        ("customer_phone", json!("+5511966665544")),
        ("notes", json!("notes")),
        ("status", json!("scheduled")),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let office = Office::new().await;
    // What a field is and what it names, at once.
    let mixed = json!({
        "title": "", "scheduled_at": "soon", "department_id": Uuid::new_v4(), "user_id": Uuid::new_v4(), "customer_id": "x",
        "customer_name": null, "customer_phone": "999999", "duration_minutes": 4,
    });
    let fields = ["customer_id", "customer_phone", "department_id", "duration_minutes", "scheduled_at", "title", "user_id"]
        .map(String::from);
    assert_eq!(wrong(office.book(mixed).await), fields);
    let malformed = office.book(json!({ "department_id": "x", "user_id": 1 })).await.expect(422).errors();
    assert_eq!(malformed, json!({ "department_id": ["is not a valid id"], "user_id": ["must be a string"] }));
    for (field, values) in [
        ("title", vec![json!(null), json!(" "), json!("x".repeat(201)), json!("a\u{0}b"), json!(1)]),
        ("description", vec![json!("x".repeat(10_001)), json!("\u{7}"), json!(1)]),
        ("notes", vec![json!("x".repeat(10_001)), json!(true)]),
        (
            "scheduled_at",
            vec![
                json!(null),
                json!("tomorrow"),
                json!("2026-02-20"),
                json!(1),
                json!("2020-01-01T00:00:00Z"),
                json!("2999-02-30T00:00:00Z"),
                json!("9999-12-31T23:59:59Z"),
            ],
        ),
        ("duration_minutes", vec![json!(4), json!(1441), json!(0), json!(-30), json!("30"), json!(30.5), json!("")]),
        ("department_id", vec![json!(null), json!("x"), json!(Uuid::new_v4()), json!(1)]),
        ("user_id", vec![json!("x"), json!(Uuid::new_v4()), json!(1)]),
        ("customer_id", vec![json!("x"), json!(Uuid::new_v4()), json!(1)]),
        ("customer_name", vec![json!(null), json!(" "), json!("x".repeat(201)), json!("a\nb"), json!(1)]),
        ("customer_email", vec![json!("x"), json!(1)]),
        ("customer_phone", vec![json!("abc"), json!("123"), json!(1)]),
        ("reject_conflicts", vec![json!("true"), json!(1)]),
    ] {
        for value in values {
            assert_eq!(wrong(office.book(json!({ field: value })).await), [field], "{value}");
        }
    }
    let all = office.agent.post(APPOINTMENTS, json!({ "appointment": {} })).await;
    assert_eq!(wrong(all), ["customer_name", "department_id", "scheduled_at", "title"]);
    let several = json!({
        "title": "", "scheduled_at": "2020-01-01T00:00:00Z", "customer_name": null, "customer_email": "x", "duration_minutes": 4,
    });
    assert_eq!(
        wrong(office.book(several).await),
        ["customer_email", "customer_name", "duration_minutes", "scheduled_at", "title"]
    );
    let unknown = json!({
        "department_id": Uuid::new_v4(), "user_id": Uuid::new_v4(), "customer_id": Uuid::new_v4(), "customer_phone": "9999-8888",
    });
    assert_eq!(wrong(office.book(unknown).await), ["customer_id", "customer_phone", "department_id", "user_id"]);
    let _ = office.agent.post(APPOINTMENTS, json!({ "title": "x" })).await.expect(400);
    let now = shared().app().clock().now();
    assert_eq!(wrong(office.book(json!({ "scheduled_at": now })).await), ["scheduled_at"]);
    let last = json!("9998-12-31T23:59:59Z");
    for (field, value) in [
        ("duration_minutes", json!(5)),
        ("duration_minutes", json!(null)),
        ("title", json!("x".repeat(200))),
        ("scheduled_at", last),
    ] {
        let _ = office.book(json!({ field: value })).await.expect(201);
    }
    let total = office.agent.get(APPOINTMENTS).await.expect(200).json()["meta"]["total_count"].clone();
    assert_eq!(total, json!(4));
}

#[tokio::test]
async fn what_is_another_tenants_does_not_exist() {
    let (office, theirs) = (Office::new().await, Office::new().await);
    let appointment = theirs.booked(600, 30).await;
    let customer = appointment["customer_id"].clone();
    for (field, value) in
        [("department_id", json!(theirs.department)), ("user_id", json!(theirs.agent_id)), ("customer_id", customer)]
    {
        assert_eq!(wrong(office.book(json!({ field: value })).await), [field]);
        let own = office.booked(600, 30).await;
        assert_eq!(wrong(office.put(&own, json!({ field: value })).await), [field]);
    }
    let _ = office.agent.get(&path(&appointment)).await.expect(404);
    let _ = office.act(&appointment, "confirm", json!({})).await.expect(404);
    let _ = office.act(&appointment, "reschedule", json!({ "scheduled_at": office.at(0) })).await.expect(404);
    let _ = office.agent.get(&format!("{}/ics", path(&appointment))).await.expect(404);
}

#[tokio::test]
async fn the_agent_is_active_and_a_key_names_one() {
    let office = Office::new().await;
    let appointment = office.book(json!({ "user_id": office.other_id })).await.expect(201).data();
    let off = json!({ "user": { "active": false } });
    let _ = office.tenant.manager.put(&format!("/api/v1/users/{}", office.other_id), off).await.expect(200);
    let other = json!({ "user_id": office.other_id });
    assert_eq!(wrong(office.book(other.clone()).await), ["user_id"]);
    let own = office.booked(600, 30).await;
    assert_eq!(wrong(office.put(&own, other.clone()).await), ["user_id"]);
    let moved = json!({ "scheduled_at": office.at(0), "user_id": office.other_id });
    assert_eq!(wrong(office.act(&own, "reschedule", moved).await), ["user_id"]);
    // What stands stands.
    assert_eq!(office.put(&appointment, json!({ "title": "Other" })).await.expect(200).data()["user_id"], json!(office.other_id));

    let key = json!({ "api_key": { "name": "ERP", "scopes": ["appointments:read", "appointments:write"] } });
    let key = office.tenant.manager.post("/api/v1/api-keys", key).await.expect(201).data();
    let key = office.tenant.anonymous.elsewhere().bearer(&text(&key["token"]));
    assert_eq!(wrong(key.post(APPOINTMENTS, office.body(json!({}))).await), ["user_id"]);
    let made = key.post(APPOINTMENTS, office.body(json!({ "user_id": office.agent_id }))).await.expect(201).data();
    assert_eq!(made["user_id"], json!(office.agent_id));
    assert_eq!(wrong(key.put(&path(&made), json!({ "appointment": { "user_id": null } })).await), ["user_id"]);
}

#[tokio::test]
async fn customers_are_who_they_are() {
    let office = Office::new().await;
    let customer = async |fields: Value| text(&office.book(fields).await.expect(201).data()["customer_id"]);
    let ana =
        customer(json!({ "customer_name": "Ana", "customer_email": "ana@example.com", "customer_phone": "11 99999-8888" })).await;
    let bia = customer(json!({ "customer_name": "Bia", "customer_email": "bia@example.com" })).await;
    let nobody = customer(json!({ "customer_name": "Nobody" })).await;
    let other = customer(json!({ "customer_name": "Nobody" })).await;
    assert_eq!(BTreeSet::from([&ana, &bia, &nobody, &other]).len(), 4, "a name alone is nobody known");
    for (fields, known) in [
        (json!({ "customer_name": "A.", "customer_email": "ANA@example.com" }), &ana),
        (json!({ "customer_name": "A.", "customer_phone": "+55 11 99999-8888" }), &ana),
        // The e-mail comes first, and the phone was hers last.
        (json!({ "customer_name": "B.", "customer_email": "bia@example.com", "customer_phone": "11999998888" }), &bia),
        (json!({ "customer_name": "B.", "customer_phone": "11999998888" }), &bia),
    ] {
        assert_eq!(customer(fields.clone()).await, **known, "{fields}");
    }
    // What is booked is said as it was given; what is absent is the customer's.
    let given = json!({ "customer_name": "A.", "customer_email": "ANA@example.com" });
    let booked = office.book(given).await.expect(201).data();
    assert_eq!(
        (&booked["customer_name"], &booked["customer_email"], &booked["customer_phone"]),
        (&json!("A."), &json!("ANA@example.com"), &json!("+5511999998888"))
    );
    let booked = office.book(json!({ "customer_id": ana, "customer_name": null, "customer_email": "a@example.com" })).await;
    let booked = booked.expect(201).data();
    assert_eq!(
        (&booked["customer_id"], &booked["customer_name"], &booked["customer_email"], &booked["customer_phone"]),
        (&json!(ana), &json!("Ana"), &json!("a@example.com"), &json!("+5511999998888"))
    );
    // Who joins a call is known by the booking.
    let link = office.tenant.link(&office.department, 1).await;
    let join = json!({ "name": "Bia", "email": "bia@example.com" });
    let _ = office.tenant.anonymous.elsewhere().post(&format!("/api/v1/call/{link}/join"), join).await.expect(200);
    assert_eq!(office.tenant.manager.get("/api/v1/calls").await.expect(200).data()[0]["customer_id"], json!(bia));
}

#[tokio::test]
async fn two_at_once_with_the_same_new_e_mail_make_one_customer() {
    let office = Office::new().await;
    let mut racers = JoinSet::new();
    for n in 0..12 {
        let body = office.body(json!({ "customer_email": "new@example.com", "customer_name": format!("Racer {n}") }));
        let agent = office.agent.clone();
        racers.spawn(async move { text(&agent.post(APPOINTMENTS, body).await.expect(201).data()["customer_id"]) });
    }
    let customers: BTreeSet<String> = racers.join_all().await.into_iter().collect();
    assert_eq!(customers.len(), 1);
}

#[tokio::test]
async fn a_booking_is_repeated_under_its_key() {
    let office = Office::new().await;
    let keyed = office.agent.with("idempotency-key", "one");
    let body = office.body(json!({ "reject_conflicts": true }));
    let first = keyed.post(APPOINTMENTS, body.clone()).await.expect(201);
    let again = keyed.post(APPOINTMENTS, body.clone()).await.expect(201);
    assert_eq!((again.data(), again.header("idempotent-replayed")), (first.data(), Some("true")));
    let other = office.agent.with("idempotency-key", "two");
    let refused = other.post(APPOINTMENTS, body.clone()).await.expect(422).json();
    assert_eq!(other.post(APPOINTMENTS, body).await.expect(422).json(), refused);
    assert_eq!(refused["conflicts"][0]["id"], first.data()["id"]);
}

#[tokio::test]
async fn a_put_changes_anything_but_the_status() {
    let office = Office::new().await;
    let sales = office.tenant.department(json!({ "name": "Sales" })).await;
    let fields = json!({ "customer_email": "carlos@example.com", "customer_phone": "11 99999-8888", "notes": "old" });
    let made = office.book(fields).await.expect(201).data();
    let change = json!({
        "title": "Other", "description": "More", "scheduled_at": office.at(2000), "duration_minutes": 60, "department_id": sales,
        "user_id": office.other_id, "customer_name": "Carlos F.", "customer_email": "c@example.com", "customer_phone": "11 98888-7777",
        "notes": null, "status": "scheduled",
    });
    let changed = office.put(&made, change).await.expect(200).data();
    let mut expected = json!({
        "title": "Other", "description": "More", "scheduled_at": office.at(2000), "duration_minutes": 60, "department_id": sales,
        "department_name": "Sales", "user_id": office.other_id, "user_name": "other", "customer_name": "Carlos F.",
        "customer_email": "c@example.com", "customer_phone": "+5511988887777", "notes": null,
    });
    for field in ["id", "status", "customer_id", "inserted_at", "cancellation_reason"] {
        expected[field] = made[field].clone();
    }
    for field in ["updated_at", "rescheduled_at"] {
        expected[field] = changed["updated_at"].clone();
    }
    assert_eq!(changed, expected);
    assert_eq!(office.shown(&made).await, expected);

    let reset = json!({ "duration_minutes": null, "description": null, "user_id": null, "customer_email": null });
    let reset = office.put(&made, reset).await.expect(200).data();
    assert_eq!(
        (&reset["duration_minutes"], &reset["description"], &reset["user_id"], &reset["customer_email"]),
        (&json!(30), &json!(null), &json!(office.agent_id), &json!(null))
    );
    assert_eq!((&reset["title"], &reset["customer_phone"]), (&json!("Other"), &json!("+5511988887777")));
    let unnamed = office.put(&made, json!({ "customer_name": null })).await.expect(200).data();
    assert_eq!(unnamed["customer_name"], json!("Carlos"), "the customer's own name");

    for status in ["confirmed", "completed", "cancelled", "no_show"] {
        assert_eq!(wrong(office.put(&made, json!({ "status": status })).await), ["status"], "{status}");
    }
    for (field, value) in [
        ("title", json!(null)),
        ("scheduled_at", json!(null)),
        ("scheduled_at", json!("2020-01-01T00:00:00Z")),
        ("duration_minutes", json!(1441)),
        ("department_id", json!(Uuid::new_v4())),
        ("customer_id", json!(Uuid::new_v4())),
        ("status", json!("x")),
    ] {
        assert_eq!(wrong(office.put(&made, json!({ field: value })).await), [field], "{value}");
    }
    let all = json!({ "status": "confirmed", "scheduled_at": "2020-01-01T00:00:00Z", "department_id": Uuid::new_v4(), "user_id": Uuid::new_v4() });
    assert_eq!(wrong(office.put(&made, all).await), ["department_id", "scheduled_at", "status", "user_id"]);
    let _ = office.act(&made, "confirm", json!({})).await.expect(200);
    let same = office.put(&made, json!({ "status": "confirmed", "title": "Last" })).await.expect(200);
    assert_eq!((&same.data()["status"], &same.data()["title"]), (&json!("confirmed"), &json!("Last")));
    let stale = office.agent.with("if-match", "\"1\"").put(&path(&made), json!({ "appointment": {} })).await;
    let _ = stale.expect(412);
    let fresh = office.agent.with("if-match", same.header("etag").unwrap());
    let _ = fresh.put(&path(&made), json!({ "appointment": { "notes": "new" } })).await.expect(200);
}

#[tokio::test]
async fn a_put_names_another_customer_whole() {
    let office = Office::new().await;
    let carlos = office.book(json!({ "customer_email": "carlos@example.com" })).await.expect(201).data();
    let ana = office.book(json!({ "customer_name": "Ana", "customer_email": "ana@example.com" })).await.expect(201).data();
    let who = |shown: &Value| ["customer_id", "customer_name", "customer_email"].map(|field| shown[field].clone());
    let changed = office.put(&carlos, json!({ "customer_id": ana["customer_id"] })).await.expect(200).data();
    assert_eq!(who(&changed), who(&ana));
    assert_eq!(wrong(office.put(&carlos, json!({ "customer_id": null })).await), ["customer_name"]);
    let by_mail = json!({ "customer_id": null, "customer_name": "C.", "customer_email": "carlos@example.com" });
    let back = office.put(&carlos, by_mail).await.expect(200).data();
    assert_eq!(who(&back), [carlos["customer_id"].clone(), json!("C."), json!("carlos@example.com")]);
    let dora = json!({ "customer_id": null, "customer_name": "Dora" });
    let stranger = office.put(&carlos, dora.clone()).await.expect(200).data();
    let again = office.put(&carlos, dora).await.expect(200).data();
    assert_eq!(who(&again), who(&stranger), "a PUT can be repeated");
    assert_eq!(who(&stranger)[1..], [json!("Dora"), json!(null)]);
    assert!(![&carlos, &ana].iter().any(|known| known["customer_id"] == stranger["customer_id"]));
}

/// Of whose customer was removed it is nobody's, until somebody is described: that one is matched or made.
#[tokio::test]
async fn a_put_gives_it_a_customer_again() {
    let office = Office::new().await;
    let made = office.book(json!({ "customer_email": "carlos@example.com" })).await.expect(201).data();
    let path = format!("/api/v1/customers/{}", text(&made["customer_id"]));
    let _ = office.tenant.manager.delete(&path).await.expect(204);
    let nobody = office.put(&made, json!({ "notes": "Who is it?" })).await.expect(200).data();
    assert_eq!((&nobody["customer_id"], &nobody["customer_name"]), (&json!(null), &json!(null)));
    assert_eq!(wrong(office.put(&made, json!({ "customer_email": "bia@example.com" })).await), ["customer_name"]);
    let fields = json!({ "customer_name": "Bia", "customer_email": "bia@example.com" });
    let bia = office.put(&made, fields.clone()).await.expect(200).data();
    let known = office.agent.get(&format!("/api/v1/customers/{}", text(&bia["customer_id"]))).await.expect(200).data();
    assert_eq!((&known["name"], &known["email"]), (&json!("Bia"), &json!("bia@example.com")));
    assert_eq!(office.put(&made, fields).await.expect(200).data()["customer_id"], bia["customer_id"]);
}

#[tokio::test]
async fn what_is_past_keeps_its_time() {
    let stack = tests::Stack::start(tests::Settings::default()).await;
    let office = Office::on(&stack).await;
    let made = office.booked(0, 30).await;
    office.tenant.advance(4 * 86_400).await;
    let tenant: &Tenant = &office.tenant;
    let agent = tenant.login("agent@example.com", tests::PASSWORD).await;
    let agent = tenant.anonymous.bearer(&text(&agent["access_token"]));
    let put = async |fields: Value| agent.put(&path(&made), json!({ "appointment": fields })).await;
    let kept = put(json!({ "title": "Late", "scheduled_at": office.at(0) })).await.expect(200).data();
    assert_eq!(kept["scheduled_at"], made["scheduled_at"]);
    assert_eq!(wrong(put(json!({ "scheduled_at": office.at(30) })).await), ["scheduled_at"]);
    let _ = agent.post(&format!("{}/complete", path(&made)), json!({})).await.expect(200);
    stack.shutdown().await;
}
