//! `/export/calls.csv` (seed 002, contract §13).

use std::io::Read;

use serde_json::{Value, json};
use tests::{Client, Settings, Stack, Tenant, shared};
use tokio::task::JoinSet;

use crate::{
    calls::zone,
    scene::{Scene, act, epoch, ids, text},
};

const PATH: &str = "/api/v1/export/calls.csv";
const HEAD: &str =
    "id,status,department,attendant,customer_name,customer_email,duration,wait_time,rating,started_at,completed_at\r\n";

async fn export(client: &Client, query: &str) -> String {
    client.get(&format!("{PATH}?{query}")).await.expect(200).text()
}

/// The identifiers of an export, in its order.
async fn exported(client: &Client, query: &str) -> Vec<String> {
    let csv = export(client, query).await;
    let rows = csv.strip_prefix(HEAD).unwrap_or_else(|| panic!("another head: {csv}"));
    assert!(rows.is_empty() || rows.ends_with("\r\n"), "{csv}");
    rows.split_terminator("\r\n").map(|row| row.split(',').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn it_is_the_documented_file() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::with(&stack, json!({ "name": "Suporte Técnico" })).await;
    let customer = json!({ "name": "Carlos Ferreira", "email": "carlos@email.com", "phone": "11999998888" });
    let call = text(&scene.join_as(customer).await.expect(200).data()["call_id"]);
    scene.tenant.advance(12).await;
    let _ = scene.act(&call, "start").await.expect(200);
    scene.tenant.advance(345).await;
    let _ = scene.act(&call, "complete").await.expect(200);
    let rating = json!({ "rating": 5, "comment": "Obrigado" });
    let _ = scene.tenant.anonymous.post(&format!("/api/v1/call/evaluate/{call}"), rating).await.expect(201);
    scene.tenant.advance(1).await;
    let waiting = scene.join("Ana").await;
    let shown = scene.call(&call).await;

    let file = scene.tenant.manager.get(PATH).await.expect(200);
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    let disposition = file.header("content-disposition").unwrap();
    assert!(disposition.starts_with("attachment; filename=\"calls") && disposition.ends_with(".csv\""), "{disposition}");
    assert_eq!(file.header("content-encoding"), None);
    let (duration, wait, started, ended) =
        (&shown["duration"], &shown["wait_time"], text(&shown["started_at"]), text(&shown["completed_at"]));
    let served = format!(
        "{call},completed,Suporte Técnico,agent,Carlos Ferreira,carlos@email.com,{duration},{wait},5,{started},{ended}\r\n"
    );
    assert_eq!(epoch(&shown["completed_at"]) - epoch(&shown["started_at"]), duration.as_i64().unwrap());
    let csv = file.text();
    assert!(csv.starts_with(HEAD), "{csv}");
    assert!(csv.contains(&served), "{csv}\n{served}");
    let row = csv.lines().find(|row| row.starts_with(&waiting)).unwrap();
    assert!(row.starts_with(&format!("{waiting},queued,Suporte Técnico,,Ana,,,")) && row.ends_with(",,,"), "{row}");
    assert_eq!((csv.matches("\r\n").count(), csv.matches('\n').count()), (3, 3));
    stack.shutdown().await;
}

#[tokio::test]
async fn nothing_in_it_is_run_by_a_spreadsheet_or_breaks_its_rows() {
    let scene = Scene::with(shared(), json!({ "name": "Sales, \"North\"" })).await;
    let mut expected = Vec::new();
    for (name, cell) in [
        ("=1+1", "'=1+1"),
        ("+5511999998888", "'+5511999998888"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
        ("Silva, Ana", "\"Silva, Ana\""),
        ("The \"Boss\"", "\"The \"\"Boss\"\"\""),
        ("João = Maria; 'x'", "João = Maria; 'x'"),
    ] {
        expected.push(format!("{},queued,\"Sales, \"\"North\"\"\",,{cell},,,", scene.join(name).await));
    }
    let call = scene.join_as(json!({ "name": "Ana", "email": "+ana@example.com" })).await.expect(200).data();
    expected.push(format!("{},queued,\"Sales, \"\"North\"\"\",,Ana,'+ana@example.com,,", text(&call["call_id"])));
    let csv = export(&scene.tenant.manager, "").await;
    for row in expected {
        assert!(csv.contains(&format!("\r\n{row}")), "{row}\n{csv}");
    }
    assert_eq!(csv.matches("\r\n").count(), 10);
}

#[tokio::test]
async fn it_can_be_had_in_other_forms() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let call = scene.completed("=Ana").await;
    let manager = &scene.tenant.manager;
    let shown = scene.call(&call).await;
    assert_eq!(export(manager, "columns=status,id").await, format!("status,id\r\ncompleted,{call}\r\n"));
    assert_eq!(export(manager, "columns=rating").await, "rating\r\n\"\"\r\n", "an empty row is not a row");
    for (delimiter, character) in [("%3B", ';'), ("%7C", '|'), ("tab", '\t'), ("%09", '\t'), (",", ',')] {
        let expected = format!("id{character}customer_name\r\n{call}{character}'=Ana\r\n");
        assert_eq!(export(manager, &format!("columns=id,customer_name&delimiter={delimiter}")).await, expected);
    }
    let plain = manager.get(PATH).await.expect(200).bytes;
    let marked = manager.get(&format!("{PATH}?bom=true")).await.expect(200).bytes;
    assert_eq!(marked, [b"\xef\xbb\xbf", &plain[..]].concat());
    assert_eq!(manager.get(&format!("{PATH}?bom=false")).await.expect(200).bytes, plain);

    let started = epoch(&shown["started_at"]);
    let local = shared::clock::Time::from_epoch(started - 3 * 3600).to_string().replace('Z', "-03:00");
    assert_eq!(export(manager, "columns=started_at&tz=America/Sao_Paulo").await, format!("started_at\r\n{local}\r\n"));

    let lines = manager.get(&format!("{PATH}?format=ndjson")).await.expect(200);
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
    assert!(lines.header("content-disposition").unwrap().ends_with(".ndjson\""));
    let text = lines.text();
    let row: Value = serde_json::from_str(text.strip_suffix('\n').unwrap()).unwrap();
    // No spreadsheet reads it: text stays as it is, numbers are numbers.
    let expected = json!({
        "id": call, "status": "completed", "department": "Support", "attendant": "agent", "customer_name": "=Ana",
        "customer_email": null, "duration": shown["duration"], "wait_time": shown["wait_time"], "rating": null,
        "started_at": shown["started_at"], "completed_at": shown["completed_at"],
    });
    assert_eq!(row, expected);

    let zipped = manager.with("accept-encoding", "br, gzip").get(PATH).await.expect(200);
    assert_eq!(
        (zipped.header("content-encoding"), zipped.header("vary").map(str::to_lowercase)),
        (Some("gzip"), Some("accept-encoding".into()))
    );
    let mut unzipped = Vec::new();
    let _ = flate2::read::GzDecoder::new(&zipped.bytes[..]).read_to_end(&mut unzipped).unwrap();
    assert_eq!(unzipped, plain);
    let refused = manager.with("accept-encoding", "gzip;q=0").get(PATH).await.expect(200);
    assert_eq!((refused.header("content-encoding"), &refused.bytes), (None, &plain));
    stack.shutdown().await;
}

#[tokio::test]
async fn what_it_does_not_know_it_refuses() {
    let (scene, foreign) = (Scene::new(shared()).await, Scene::new(shared()).await);
    for (query, field) in [
        ("columns=id,nonsense".to_owned(), "columns"),
        ("delimiter=x".into(), "delimiter"),
        ("delimiter=;;".into(), "delimiter"),
        ("delimiter=%20".into(), "delimiter"),
        ("bom=maybe".into(), "bom"),
        ("tz=Mars/Olympus".into(), "tz"),
        ("format=xml".into(), "format"),
        ("status=open".into(), "status"),
        ("department_id=nonsense".into(), "department_id"),
        (format!("department_id={}", foreign.department), "department_id"),
        ("date_from=2026-13-01".into(), "date_from"),
        ("date_to=tomorrow".into(), "date_to"),
    ] {
        let errors = scene.tenant.manager.get(&format!("{PATH}?{query}")).await.expect(422).errors();
        assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), [field], "{query}");
    }
    let errors = scene.tenant.manager.get(&format!("{PATH}?bom=x&tz=x&format=x")).await.expect(422).errors();
    assert_eq!(errors.as_object().unwrap().len(), 3, "{errors}");
}

#[tokio::test]
async fn it_is_the_supervisors_and_ends_with_the_session() {
    let scene = Scene::new(shared()).await;
    let call = scene.join("Carlos").await;
    let (supervisor, _) = scene.tenant.user("supervisor", "supervisor").await;
    let _ = scene.agent.get(PATH).await.expect(403);
    let _ = scene.tenant.anonymous.get(PATH).await.expect(401);
    assert_eq!(exported(&supervisor, "").await, [call]);
    assert!(exported(&Tenant::new(shared()).await.manager, "").await.is_empty());
    let _ = supervisor.post("/api/auth/logout", json!({})).await.expect(204);
    let _ = supervisor.get(PATH).await.expect(401);
}

#[tokio::test]
async fn it_filters_as_the_list_does_by_the_day_the_call_joined() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    zone(&scene.tenant, "America/Sao_Paulo").await;
    let sales = scene.tenant.department(json!({ "name": "Sales" })).await;
    let token = scene.tenant.link(&sales, 10).await;
    let now = epoch(&scene.tenant.anonymous.get("/local/clock").await.expect(200).data()["now"]);
    // 02:30 in UTC: there it is the day before.
    scene.tenant.advance(u32::try_from((9000 - now).rem_euclid(86_400)).unwrap()).await;
    let late = scene.join("Late").await;
    scene.tenant.advance(3 * 3600).await;
    let early = scene.tenant.join(&token, "Early").await;
    let manager = scene.manager().await;
    let day = |at: &Value, offset: i64| shared::clock::Time::from_epoch(epoch(at) + offset * 86_400).to_string()[..10].to_owned();
    let joined = manager.get(&format!("/api/v1/calls/{late}")).await.expect(200).data()["inserted_at"].clone();
    let (yesterday, today) = (day(&joined, -1), day(&joined, 0));
    for (query, expected) in [
        (String::new(), vec![&late, &early]),
        (format!("date_from={today}"), vec![&early]),
        (format!("date_to={yesterday}"), vec![&late]),
        (format!("date_from={}&date_to={}", text(&joined), text(&joined)), vec![&late]),
        ("status=missed".into(), vec![&late]),
        ("status=queued".into(), vec![&early]),
        ("status=completed".into(), vec![]),
        (format!("department_id={sales}"), vec![&early]),
        (format!("department_id={sales}&status=missed"), vec![]),
        (format!("department_id={}&date_to={yesterday}&status=missed", scene.department), vec![&late]),
        // The zone in which times are written is not the one of the days.
        (format!("date_from={today}&tz=UTC"), vec![&early]),
    ] {
        let mut found = exported(&manager, &query).await;
        found.sort_unstable();
        let mut expected: Vec<_> = expected.into_iter().cloned().collect();
        expected.sort_unstable();
        assert_eq!(found, expected, "{query}");
    }
    // By default the last thirty days.
    scene.tenant.advance(31 * 86_400).await;
    let manager = scene.manager().await;
    let tenant = Tenant { manager: manager.clone(), ..scene.tenant.clone() };
    let last = tenant.join(&tenant.link(&sales, 1).await, "Last").await;
    assert_eq!(exported(&manager, "").await, [last]);
    assert_eq!(exported(&manager, &format!("date_from={yesterday}")).await.len(), 3);
    stack.shutdown().await;
}

#[tokio::test]
async fn list_and_export_agree_to_the_call_however_many_there_are() {
    let stack = Stack::start(Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let mut joining = JoinSet::new();
    for n in 0..4 {
        let department = scene.tenant.department(json!({ "name": format!("Department {n}"), "max_queue_size": 200 })).await;
        scene.tenant.member(&department, &scene.agent_id).await;
        let (tenant, token) = (scene.tenant.clone(), scene.tenant.link(&department, 200).await);
        joining.spawn(async move {
            let mut calls = Vec::new();
            for m in 0..130 {
                calls.push(tenant.join(&token, &format!("Customer {n} {m}")).await);
            }
            calls
        });
    }
    let mut calls = joining.join_all().await.concat();
    let _ = act(&scene.agent, &calls[7], "start", json!({})).await.expect(200);
    let found = exported(&scene.tenant.manager, "").await;
    assert_eq!(found.len(), 520);
    let queued = exported(&scene.tenant.manager, "status=queued").await;
    assert_eq!(queued.len(), 519);
    let meta = scene.tenant.manager.get("/api/v1/calls?status=queued").await.expect(200).json()["meta"].clone();
    assert_eq!(meta["total_count"], 519);
    let last = scene.tenant.manager.get("/api/v1/calls?page=6&page_size=100").await.expect(200).json();
    assert_eq!((last["data"].as_array().unwrap().len(), &last["meta"]["total_pages"]), (20, &json!(6)));
    let mut found = found;
    found.sort_unstable();
    calls.sort_unstable();
    assert_eq!(found, calls);
    assert_eq!(ids(&scene.tenant.manager, "/api/v1/calls?status=active").await.len(), 1);
    stack.shutdown().await;
}
