//! `/company`, `/sectors`, `/billing/plan`.

use serde_json::{Value, json};
use tests::{Settings, Stack, Tenant, shared};
use tokio::task::JoinSet;

use crate::scene::{Scene, text};

const COMPANY: &str = "/api/v1/company";
const SECTORS: &str = "/api/v1/sectors";

async fn sector(tenant: &Tenant, name: &str) -> Value {
    tenant.manager.post(SECTORS, json!({ "sector": { "name": name } })).await.expect(201).data()
}

#[tokio::test]
async fn a_company_begins_with_defaults_and_changes_field_by_field() {
    let tenant = Tenant::new(shared()).await;
    let first = tenant.manager.get(COMPANY).await.expect(200).data();
    let expected = json!({
        "id": first["id"], "name": "Test Company", "slug": tenant.slug, "document": null, "document_type": null, "email": null,
        "phone": null, "logo_url": null, "primary_color": null, "max_concurrent_calls": null, "recording_enabled": true,
        "transcription_enabled": false, "mfa_required": false, "prevent_double_booking": false, "time_zone": "UTC",
        "country": "BR", "service_level_seconds": 20, "recording_retention_days": null, "link_ttl_days": 7,
        "plan": "enterprise", "inserted_at": first["inserted_at"], "updated_at": first["inserted_at"],
    });
    assert_eq!(first, expected);
    let fields = json!({
        "name": " Nova ", "email": "Ola@Nova.test", "phone": "210 001 004", "document": "529.982.247-25",
        "logo_url": "https://nova.test/l.svg", "primary_color": "#0F62FE", "recording_enabled": false,
        "transcription_enabled": true, "prevent_double_booking": true, "time_zone": "America/Sao_Paulo", "country": "pt",
        "service_level_seconds": 30, "recording_retention_days": 90, "link_ttl_days": 30,
        // What nobody sets by request.
        "slug": "other", "plan": "free", "id": first["sector_id"],
    });
    let changed = tenant.manager.put(COMPANY, json!({ "company": fields })).await.expect(200).data();
    for (key, value) in [
        ("name", json!("Nova")),
        ("phone", json!("+351210001004")),
        ("document_type", json!("cpf")),
        ("primary_color", json!("#0f62fe")),
        ("country", json!("PT")),
        ("recording_retention_days", json!(90)),
        ("slug", json!(tenant.slug)),
        ("plan", json!("enterprise")),
        ("id", first["id"].clone()),
    ] {
        assert_eq!(changed[key], value, "{key}");
    }
    let reset = json!({ "company": { "recording_retention_days": null, "time_zone": null, "document": null } });
    let reset = tenant.manager.put(COMPANY, reset).await.expect(200).data();
    assert_eq!(
        (&reset["recording_retention_days"], &reset["time_zone"], &reset["document_type"]),
        (&json!(null), &json!("UTC"), &json!(null))
    );
    assert_eq!(tenant.manager.get(COMPANY).await.expect(200).data(), reset);
}

#[tokio::test]
async fn what_is_wrong_with_a_company_is_named() {
    let tenant = Tenant::new(shared()).await;
    for (field, values) in [
        ("name", vec![json!(null), json!(""), json!(7)]),
        ("email", vec![json!("x"), json!(1)]),
        ("phone", vec![json!("abc")]),
        ("document", vec![json!("x".repeat(33)), json!("a\u{0}")]),
        ("logo_url", vec![json!("ftp://x.test/a"), json!("x")]),
        ("primary_color", vec![json!("red"), json!("#12345")]),
        ("recording_enabled", vec![json!("yes"), json!(1)]),
        ("mfa_required", vec![json!("true")]),
        ("time_zone", vec![json!("Mars/Olympus"), json!("")]),
        ("country", vec![json!("XX"), json!("BRA")]),
        ("service_level_seconds", vec![json!(0), json!(3601), json!(1.5)]),
        ("recording_retention_days", vec![json!(0), json!(3651)]),
        ("link_ttl_days", vec![json!(0), json!(366)]),
    ] {
        for value in values {
            let errors = tenant.manager.put(COMPANY, json!({ "company": { field: value } })).await.expect(422).errors();
            assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), [field], "{value}");
        }
    }
    let _ = tenant.manager.put(COMPANY, json!({ "name": "X" })).await.expect(400);
    let stale = tenant.manager.with("if-match", "\"7\"");
    let _ = stale.put(COMPANY, json!({ "company": { "name": "X" } })).await.expect(412);
}

#[tokio::test]
async fn links_live_as_long_as_the_company_says() {
    let tenant = Tenant::new(shared()).await;
    let _ = tenant.manager.put(COMPANY, json!({ "company": { "link_ttl_days": 1 } })).await.expect(200);
    let department = tenant.department(json!({ "name": "Support" })).await;
    let body = json!({ "access_link": { "department_id": department } });
    let link = tenant.manager.post("/api/v1/access-links", body).await.expect(201).data();
    let day = |value: &Value| crate::scene::epoch(value);
    assert_eq!(day(&link["expires_at"]) - day(&link["inserted_at"]), 86_400);
}

#[tokio::test]
async fn sectors_group_departments_and_count_them() {
    let tenant = Tenant::new(shared()).await;
    let (north, south) = (sector(&tenant, "North").await, sector(&tenant, "South").await);
    assert_eq!(
        north,
        json!({
            "id": north["id"], "name": "North", "description": null, "active": true, "department_count": 0,
            "inserted_at": north["inserted_at"], "updated_at": north["inserted_at"],
        })
    );
    let path = |sector: &Value| format!("{SECTORS}/{}", text(&sector["id"]));
    let one = tenant.department(json!({ "name": "One", "sector_id": north["id"] })).await;
    let two = tenant.department(json!({ "name": "Two", "sector_id": north["id"] })).await;
    let counts = || async {
        let list = tenant.manager.get(SECTORS).await.expect(200).json();
        let rows =
            list["data"].as_array().unwrap().iter().map(|row| row["department_count"].as_u64().unwrap()).collect::<Vec<_>>();
        let [a, b] = [tenant.manager.get(&path(&north)).await, tenant.manager.get(&path(&south)).await];
        assert_eq!(json!(rows), json!([a.data()["department_count"], b.data()["department_count"]]));
        (rows[0], rows[1])
    };
    assert_eq!(counts().await, (2, 0));
    let department = |id: &str| format!("/api/v1/departments/{id}");
    let moved = json!({ "department": { "sector_id": south["id"] } });
    let _ = tenant.manager.put(&department(&one), moved).await.expect(200);
    assert_eq!(counts().await, (1, 1));
    let by = format!("/api/v1/departments?sector_id={}", text(&south["id"]));
    assert_eq!(tenant.manager.get(&by).await.expect(200).json()["meta"]["total_count"], json!(1));
    let refused = tenant.manager.delete(&path(&north)).await.expect(422).json();
    assert_eq!(refused, json!({ "errors": { "detail": "The sector has departments" } }));
    let _ = tenant.manager.put(&department(&two), json!({ "department": { "sector_id": null } })).await.expect(200);
    let _ = tenant.manager.delete(&path(&north)).await.expect(204);
    let _ = tenant.manager.get(&path(&north)).await.expect(404);
    let gone = json!({ "department": { "name": "Three", "sector_id": north["id"] } });
    let errors = tenant.manager.post("/api/v1/departments", gone).await.expect(422).errors();
    assert_eq!(errors, json!({ "sector_id": ["does not exist"] }));
    let _ = tenant.manager.delete(&department(&one)).await.expect(204);
    assert_eq!(tenant.manager.get(&path(&south)).await.expect(200).data()["department_count"], json!(0));
}

#[tokio::test]
async fn a_sector_is_deleted_or_gets_a_department_never_both() {
    let tenant = Tenant::new(shared()).await;
    for round in 0..10 {
        let sector = sector(&tenant, &format!("Sector {round}")).await;
        let (manager, id) = (tenant.manager.clone(), text(&sector["id"]));
        let mut racers = JoinSet::new();
        let (client, path) = (manager.clone(), format!("{SECTORS}/{id}"));
        racers.spawn(async move { client.delete(&path).await.status.as_u16() });
        let body = json!({ "department": { "name": format!("Department {round}"), "sector_id": id } });
        racers.spawn(async move { manager.post("/api/v1/departments", body).await.status.as_u16() });
        let mut statuses = racers.join_all().await;
        statuses.sort_unstable();
        assert!([[201, 422], [204, 422]].contains(&[statuses[0], statuses[1]]), "{statuses:?}");
    }
}

#[tokio::test]
async fn sectors_are_changed_listed_and_validated() {
    let tenant = Tenant::new(shared()).await;
    let north = sector(&tenant, "North").await;
    let path = format!("{SECTORS}/{}", text(&north["id"]));
    let changed = json!({ "sector": { "name": "Far north", "description": "Cold", "active": false } });
    let changed = tenant.manager.put(&path, changed).await.expect(200).data();
    assert_eq!((&changed["name"], &changed["active"]), (&json!("Far north"), &json!(false)));
    let _ = sector(&tenant, "Água").await;
    let _ = sector(&tenant, "beach").await;
    let names = |query: &'static str| {
        let manager = tenant.manager.clone();
        async move {
            let list = manager.get(&format!("{SECTORS}?{query}")).await.expect(200).json();
            let rows = list["data"].as_array().unwrap().iter().map(|row| text(&row["name"])).collect::<Vec<_>>();
            assert_eq!(list["meta"]["total_count"], json!(rows.len()));
            rows
        }
    };
    assert_eq!(names("").await, ["Água", "beach", "Far north"]);
    assert_eq!(names("sort_by=inserted_at&sort_order=desc&active=true").await, ["beach", "Água"]);
    assert_eq!(names("search=agua").await, ["Água"]);
    let _ = tenant.manager.get(&format!("{SECTORS}?sort_by=size")).await.expect(422);
    for (field, value) in
        [("name", json!("")), ("name", json!("x".repeat(201))), ("description", json!(1)), ("active", json!("no"))]
    {
        let mut body = json!({ "name": "X" });
        body[field] = value;
        let errors = tenant.manager.post(SECTORS, json!({ "sector": body })).await.expect(422).errors();
        assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), [field]);
    }
}

#[tokio::test]
async fn a_plan_says_what_it_has_and_what_is_used_of_it() {
    let stack = Stack::start(Settings::default().with("VOKI_DEFAULT_PLAN", "basic")).await;
    let scene = Scene::new(&stack).await;
    let _ = scene.join("Carlos").await;
    let _ = scene.active("Beatriz").await;
    let plan = scene.tenant.manager.get("/api/v1/billing/plan").await.expect(200).data();
    let expected = json!({
        "plan": "basic", "status": "active", "max_concurrent_calls": 3, "max_users": 10, "max_departments": 3,
        "recording_enabled": true, "transcription_enabled": true, "analytics_enabled": true,
        "current_period_start": plan["current_period_start"], "current_period_end": plan["current_period_end"],
        "usage": { "active_users": 2, "active_departments": 1, "calls_this_month": 2, "recording_storage_mb": 0 },
    });
    assert_eq!(plan, expected);
    let (start, end) = (text(&plan["current_period_start"]), text(&plan["current_period_end"]));
    assert!(start.ends_with("-01T00:00:00Z") && end.ends_with("-01T00:00:00Z") && start < end, "{start} {end}");
    // What joined last month is counted there.
    scene.tenant.advance(32 * 86_400).await;
    let later = scene.manager().await.get("/api/v1/billing/plan").await.expect(200).data();
    assert_eq!(later["usage"]["calls_this_month"], json!(0));
    stack.shutdown().await;
}

#[tokio::test]
async fn a_free_tenant_has_no_recording_and_no_webhooks() {
    let stack = Stack::start(Settings::default().with("VOKI_DEFAULT_PLAN", "free")).await;
    let tenant = Tenant::new(&stack).await;
    let company = tenant.manager.get(COMPANY).await.expect(200).data();
    assert_eq!((&company["recording_enabled"], &company["max_concurrent_calls"]), (&json!(false), &json!(1)));
    let refused = tenant.manager.put(COMPANY, json!({ "company": { "recording_enabled": true } })).await.expect(403).json();
    assert_eq!(refused, json!({ "errors": { "detail": "Plan limit reached: recording comes with the basic plan and up" } }));
    let _ = tenant.manager.put(COMPANY, json!({ "company": { "recording_enabled": false } })).await.expect(200);
    let hook = json!({ "webhook": { "url": "https://example.com/hook", "events": ["*"] } });
    let _ = tenant.manager.post("/api/v1/webhooks", hook).await.expect(403);
    stack.shutdown().await;
}
