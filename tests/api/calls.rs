//! `/calls`: finding them, and what agents do with them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Client, Settings, Stack, Tenant, shared};

use crate::scene::{Scene, act, epoch, ids, list, text};

/// The keys of a call, as the contract lists them.
const KEYS: &[&str] = &[
    "id",
    "status",
    "department_id",
    "department_name",
    "user_id",
    "user_name",
    "customer_id",
    "customer_name",
    "customer_email",
    "customer_phone",
    "reason",
    "position",
    "wait_time",
    "duration",
    "rating",
    "comment",
    "notes",
    "manager_notes",
    "cancel_reason",
    "has_recording",
    "tags",
    "queued_at",
    "assigned_at",
    "started_at",
    "completed_at",
    "inserted_at",
    "updated_at",
];

fn keys(call: &Value) -> BTreeSet<&str> {
    call.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn every_documented_key_is_there_and_managers_notes_only_for_supervisors() {
    let scene = Scene::new(shared()).await;
    let (supervisor, _) = scene.tenant.user("supervisor", "supervisor").await;
    let call = scene.join("Carlos").await;
    let documented: BTreeSet<&str> = KEYS.iter().copied().collect();
    let mut for_attendants = documented.clone();
    assert!(for_attendants.remove("manager_notes"));
    let path = format!("/api/v1/calls/{call}");
    for (client, expected) in [(&scene.tenant.manager, &documented), (&supervisor, &documented), (&scene.agent, &for_attendants)]
    {
        assert_eq!(keys(&client.get(&path).await.expect(200).data()), *expected);
        assert_eq!(keys(&list(client, "/api/v1/calls").await[0]), *expected);
    }
    for action in ["assign", "start", "complete"] {
        assert_eq!(keys(&scene.act(&call, action).await.expect(200).data()), for_attendants, "{action}");
    }
    let shown = scene.call(&call).await;
    assert_eq!((&shown["manager_notes"], &shown["tags"], &shown["has_recording"]), (&json!(null), &json!([]), &json!(false)));
}

#[tokio::test]
async fn what_is_not_the_tenants_is_not_there() {
    let (scene, other) = (Scene::new(shared()).await, Tenant::new(shared()).await);
    let call = scene.join("Carlos").await;
    for id in [call.as_str(), "00000000-0000-7000-8000-000000000000", "nonsense"] {
        let _ = other.manager.get(&format!("/api/v1/calls/{id}")).await.expect(404);
        for action in ["assign", "start", "complete"] {
            let _ = act(&other.manager, id, action, json!({})).await.expect(404);
        }
    }
    let _ = scene.tenant.anonymous.get(&format!("/api/v1/calls/{call}")).await.expect(401);
    assert!(list(&other.manager, "/api/v1/calls").await.is_empty());
    assert_eq!(scene.call(&call).await["status"], "queued");
}

#[tokio::test]
async fn the_list_filters_by_everything_and_by_all_at_once() {
    let scene = Scene::new(shared()).await;
    let tenant = &scene.tenant;
    let (second, second_id) = tenant.user("second", "attendant").await;
    let sales = tenant.department(json!({ "name": "Sales" })).await;
    tenant.member(&sales, &second_id).await;
    let sales_token = tenant.link(&sales, 10).await;
    let ana = json!({ "name": "Ana Conceição", "email": "ana@example.com" });
    let id = |answer: tests::Answer| text(&answer.expect(200).data()["call_id"]);
    let completed = id(scene.join_as(ana.clone()).await);
    let _ = scene.act(&completed, "start").await.expect(200);
    let _ = scene.act(&completed, "complete").await.expect(200);
    let queued = scene.join("Beatriz Lima").await;
    let active = id(tenant.anonymous.elsewhere().post(&format!("/api/v1/call/{sales_token}/join"), ana).await);
    let _ = act(&second, &active, "start", json!({})).await.expect(200);
    let assigned = tenant.join(&sales_token, "Carlos Lima").await;
    let _ = act(&second, &assigned, "assign", json!({})).await.expect(200);
    let left = scene.join("Davi").await;
    let _ = tenant.anonymous.post(&format!("/api/v1/call/leave/{left}"), json!({})).await.expect(200);
    let calls = [&completed, &queued, &active, &assigned, &left];

    let (support, first_id) = (&scene.department, &scene.agent_id);
    let ana_id = text(&scene.call(&active).await["customer_id"]);
    for (query, expected) in [
        (String::new(), vec![0, 1, 2, 3, 4]),
        ("status=queued".into(), vec![1, 3]),
        ("status=active".into(), vec![2]),
        ("status=completed".into(), vec![0]),
        ("status=missed".into(), vec![4]),
        ("status=cancelled".into(), vec![]),
        (format!("department_id={support}"), vec![0, 1, 4]),
        (format!("department_id={sales}"), vec![2, 3]),
        (format!("user_id={first_id}"), vec![0]),
        (format!("user_id={second_id}"), vec![2, 3]),
        (format!("customer_id={ana_id}"), vec![0, 2]),
        (format!("status=queued&department_id={sales}"), vec![3]),
        (format!("status=queued&department_id={sales}&user_id={first_id}"), vec![]),
        (format!("department_id={support}&user_id={second_id}"), vec![]),
        (format!("customer_id={ana_id}&status=active"), vec![2]),
        (format!("customer_id={ana_id}&department_id={support}&status=completed&user_id={first_id}"), vec![0]),
        ("search=ana".into(), vec![0, 2]),
        ("search=ANA@EXAMPLE.COM".into(), vec![0, 2]),
        ("search=conceicao".into(), vec![0, 2]),
        ("search=Concei%C3%A7%C3%A3o".into(), vec![0, 2]),
        ("search=lim".into(), vec![1, 3]),
        ("search=lima+bea".into(), vec![1]),
        ("search=bea+ana".into(), vec![]),
        ("search=iz".into(), vec![]),
        (format!("search=lima&department_id={sales}"), vec![3]),
        ("search=ana&status=completed".into(), vec![0]),
        (format!("search=ana&status=completed&department_id={sales}"), vec![]),
        ("date_from=2020-01-01".into(), vec![0, 1, 2, 3, 4]),
        ("date_to=2020-01-01".into(), vec![]),
        ("date_from=2020-01-01&status=queued&search=lima".into(), vec![1, 3]),
        ("unknown=7".into(), vec![0, 1, 2, 3, 4]),
    ] {
        let found: BTreeSet<String> = ids(&tenant.manager, &format!("/api/v1/calls?{query}")).await.into_iter().collect();
        let expected: BTreeSet<String> = expected.into_iter().map(|n: usize| calls[n].clone()).collect();
        assert_eq!(found, expected, "{query}");
    }
    let foreign = Scene::new(shared()).await;
    for (query, field) in [
        ("status=open".to_owned(), "status"),
        (format!("department_id={}", foreign.department), "department_id"),
        (format!("user_id={}", foreign.agent_id), "user_id"),
        ("customer_id=00000000-0000-7000-8000-000000000000".into(), "customer_id"),
        ("user_id=nobody".into(), "user_id"),
        ("sort_by=customer_name".into(), "sort_by"),
        ("date_from=2026-02-30".into(), "date_from"),
        ("date_to=yesterday".into(), "date_to"),
    ] {
        let errors = tenant.manager.get(&format!("/api/v1/calls?{query}")).await.expect(422).errors();
        assert!(errors[field].is_array(), "{query}: {errors}");
    }
}

#[tokio::test]
async fn the_latest_come_first_and_days_are_the_companys() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    zone(&scene.tenant, "America/Sao_Paulo").await;
    // 02:30 in UTC is 23:30 of the day before in São Paulo; three hours later it is 02:30 there too.
    let now = epoch(&scene.tenant.anonymous.get("/local/clock").await.expect(200).data()["now"]);
    scene.tenant.advance(u32::try_from((9000 - now).rem_euclid(86_400)).unwrap()).await;
    let late = scene.join("Late").await;
    scene.tenant.advance(3 * 3600).await;
    let early = scene.join("Early").await;
    let manager = scene.manager().await;
    assert_eq!(ids(&manager, "/api/v1/calls").await, [early.clone(), late.clone()]);
    assert_eq!(ids(&manager, "/api/v1/calls?sort_order=asc&sort_by=inserted_at").await, [late.clone(), early.clone()]);
    let joined = text(&scene_call(&manager, &late).await["inserted_at"]);
    let day = |offset: i64| shared::clock::Time::from_epoch(epoch(&json!(joined)) + offset * 86_400).to_string()[..10].to_owned();
    let (yesterday, today, tomorrow) = (day(-1), day(0), day(1));
    let second = scene_call(&manager, &early).await["inserted_at"].clone();
    let offset = joined.replace('Z', "%2B00:00");
    for (query, expected) in [
        (format!("date_from={today}"), vec![&early]),
        (format!("date_to={yesterday}"), vec![&late]),
        (format!("date_from={yesterday}&date_to={yesterday}"), vec![&late]),
        (format!("date_from={today}&date_to={today}"), vec![&early]),
        (format!("date_from={yesterday}&date_to={today}"), vec![&early, &late]),
        (format!("date_from={tomorrow}"), vec![]),
        // Moments are moments, and both ends belong to the range.
        (format!("date_from={joined}&date_to={joined}"), vec![&late]),
        (format!("date_from={offset}&date_to={}", text(&second)), vec![&early, &late]),
        (format!("date_from={}", text(&second)), vec![&early]),
        (format!("date_to={today}&status=missed"), vec![&late]),
        (format!("date_from={today}&department_id={}&search=early", scene.department), vec![&early]),
        (format!("date_from={today}&search=late"), vec![]),
    ] {
        let found = ids(&manager, &format!("/api/v1/calls?{query}")).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    stack.shutdown().await;
}

async fn scene_call(client: &Client, call: &str) -> Value {
    client.get(&format!("/api/v1/calls/{call}")).await.expect(200).data()
}

/// Sets a company's time zone.
pub async fn zone(tenant: &Tenant, zone: &str) {
    let _ = tenant.manager.put("/api/v1/company", json!({ "company": { "time_zone": zone } })).await.expect(200);
}

#[tokio::test]
async fn whoever_reads_after_the_longest_wait_sees_it_missed() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::with(&stack, json!({ "name": "Support", "max_wait_time": 30 })).await;
    let (manager, tenant) = (&scene.tenant.manager, &scene.tenant);
    let waiting = scene.join("Waiting").await;
    tenant.advance(25).await;
    assert_eq!(scene.call(&waiting).await["status"], "queued", "not before its time");
    let total = async |path: &str| manager.get(path).await.expect(200).json()["meta"]["total_count"].as_u64().unwrap();
    let validated = format!("/api/v1/call/{}/validate", scene.token);
    for (missed, reader) in
        (1..).zip(["get", "list", "queued", "missed", "total", "status", "export", "queue", "assign", "start"])
    {
        let call = if missed == 1 { waiting.clone() } else { scene.join(reader).await };
        if missed % 2 == 0 {
            // Assigned or not.
            let _ = scene.act(&call, "assign").await.expect(200);
        }
        tenant.advance(30).await;
        match reader {
            "get" => {
                let shown = scene.call(&call).await;
                assert_eq!(
                    (&shown["status"], &shown["position"], &shown["wait_time"]),
                    (&json!("missed"), &json!(null), &json!(30))
                );
                assert_eq!(epoch(&shown["updated_at"]) - epoch(&shown["queued_at"]), 30);
            }
            "list" => assert!(list(manager, "/api/v1/calls").await.iter().all(|row| row["status"] == "missed")),
            "queued" => assert!(list(manager, "/api/v1/calls?status=queued").await.is_empty()),
            "missed" => assert_eq!(ids(manager, "/api/v1/calls?status=missed").await.len(), missed),
            "total" => assert_eq!((total("/api/v1/calls?status=queued").await, total("/api/v1/calls").await), (0, missed as u64)),
            "status" => {
                let seen = tenant.anonymous.get(&format!("/api/v1/call/status/{call}")).await.expect(200).data();
                assert_eq!((&seen["status"], &seen["position"]), (&json!("missed"), &json!(null)));
            }
            "export" => {
                let csv = manager.get("/api/v1/export/calls.csv?columns=id,status,wait_time").await.expect(200).text();
                assert!(csv.contains(&format!("{call},missed,30\r\n")), "{csv}");
            }
            "queue" => assert_eq!(tenant.anonymous.elsewhere().get(&validated).await.expect(200).data()["queue_size"], 0),
            action => {
                assert!(scene.act(&call, action).await.expect(422).errors()["status"].is_array());
                let leave = format!("/api/v1/call/leave/{call}");
                let _ = tenant.anonymous.post(&leave, json!({})).await.expect(422);
            }
        }
        assert_eq!(total("/api/v1/calls?status=missed").await, missed as u64, "{reader}");
    }
    stack.shutdown().await;
}
