//! Customers: what is known of them, how they are found, whom an e-mail stands for, and what stays of one who is removed.

use serde_json::{Value, json};
use tests::{Answer, Client, Tenant, shared};
use tokio::task::JoinSet;

use crate::scene::{Scene, text};

const CUSTOMERS: &str = "/api/v1/customers";

async fn create(client: &Client, fields: Value) -> Answer {
    client.post(CUSTOMERS, json!({ "customer": fields })).await
}

async fn made(client: &Client, fields: Value) -> String {
    text(&create(client, fields).await.expect(201).data()["id"])
}

async fn change(client: &Client, id: &str, fields: Value) -> Answer {
    client.put(&format!("{CUSTOMERS}/{id}"), json!({ "customer": fields })).await
}

/// The names of a list, and how many there are in all.
async fn names(client: &Client, query: &str) -> (Vec<String>, u64) {
    let list = client.get(&format!("{CUSTOMERS}?{query}")).await.expect(200).json();
    let names = list["data"].as_array().unwrap().iter().map(|customer| text(&customer["name"])).collect();
    (names, list["meta"]["total_count"].as_u64().unwrap())
}

/// Whom somebody who joins is taken for.
async fn joins(scene: &Scene, body: Value) -> String {
    let call = text(&scene.join_as(body).await.expect(200).data()["call_id"]);
    text(&scene.call(&call).await["customer_id"])
}

#[tokio::test]
async fn a_customer_is_made_with_what_is_known() {
    let tenant = Tenant::new(shared()).await;
    let (agent, _) = tenant.user("agent", "attendant").await;
    let made = create(&agent, json!({ "name": " Nair  Prado " })).await.expect(201).data();
    let expected = json!({
        "id": made["id"], "name": "Nair  Prado", "email": null, "phone": null, "document": null, "document_type": null,
        "notes": null, "call_count": 0, "last_call_at": null, "inserted_at": made["inserted_at"], "updated_at": made["inserted_at"],
    });
    assert_eq!(made, expected);
    let fields = json!({
        "name": "João", "email": "Joao@Example.com", "phone": "(11) 99999-8888", "document": "529.982.247-25", "notes": "a\nb",
    });
    let made = create(&agent, fields).await.expect(201).data();
    assert_eq!(
        [&made["email"], &made["phone"], &made["document"], &made["document_type"], &made["notes"]],
        [&json!("Joao@Example.com"), &json!("+5511999998888"), &json!("529.982.247-25"), &json!("cpf"), &json!("a\nb")]
    );
    let company = create(&agent, json!({ "name": "Acme", "document": "12.ABC.345/01DE-35" })).await.expect(201).data();
    assert_eq!(company["document_type"], json!("cnpj"));
    let read = agent.get(&format!("{CUSTOMERS}/{}", text(&made["id"]))).await.expect(200);
    assert_eq!((read.data(), read.header("etag")), (made, Some("\"1\"")));
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let tenant = Tenant::new(shared()).await;
    let long = "x".repeat(201);
    for (field, values) in [
        ("name", vec![json!(null), json!(""), json!(" "), json!(7), json!(long), json!("a\u{0}b"), json!(["x"])]),
        ("email", vec![json!("x"), json!("a b@c.de"), json!(7), json!({})]),
        ("phone", vec![json!("12"), json!("call me"), json!("+0123456789"), json!(119), json!("(11) 9999")]),
        ("document", vec![json!("x".repeat(33)), json!("a\nb"), json!(7)]),
        ("notes", vec![json!("x".repeat(10_001)), json!("a\u{1}"), json!([])]),
    ] {
        for value in values {
            let mut fields = json!({ "name": "Ana" });
            fields[field] = value.clone();
            let errors = create(&tenant.manager, fields).await.expect(422).errors();
            assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), [field], "{value}");
        }
    }
    let errors = create(&tenant.manager, json!({ "email": "x", "document": 7 })).await.expect(422).errors();
    assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), ["document", "email", "name"]);
    let bare = tenant.manager.post(CUSTOMERS, json!({ "name": "Ana" })).await.expect(400).errors();
    assert!(text(&bare["detail"]).contains("customer"), "{bare}");
}

#[tokio::test]
async fn a_change_is_partial_and_fields_are_cleared() {
    let tenant = Tenant::new(shared()).await;
    let id = made(&tenant.manager, json!({ "name": "Ana", "email": "ana@example.com", "notes": "x" })).await;
    let path = format!("{CUSTOMERS}/{id}");
    let changed =
        change(&tenant.manager, &id, json!({ "notes": null, "call_count": 9, "phone": "11 4000-1000" })).await.expect(200);
    let data = changed.data();
    assert_eq!(
        [&data["name"], &data["email"], &data["notes"], &data["call_count"], &data["phone"]],
        [&json!("Ana"), &json!("ana@example.com"), &json!(null), &json!(0), &json!("+551140001000")]
    );
    assert_eq!(changed.header("etag"), Some("\"2\""));
    let _ = tenant.manager.with("if-match", "\"1\"").put(&path, json!({ "customer": {} })).await.expect(412);
    let _ = tenant.manager.with("if-match", "\"1\"").delete(&path).await.expect(412);
    let _ = change(&tenant.manager, &id, json!({ "name": null })).await.expect(422);
    let trail = tenant.manager.get(&format!("/api/v1/audit-log?object_id={id}")).await.expect(200).json();
    let text = trail.to_string();
    assert!(text.contains("customer.created") && text.contains("customer.updated") && text.contains("phone"), "{text}");
    assert!(!text.contains("ana@example.com") && !text.contains("Ana"), "{text}");
}

#[tokio::test]
async fn of_two_writers_with_one_etag_one_wins() {
    let tenant = Tenant::new(shared()).await;
    let id = made(&tenant.manager, json!({ "name": "Ana" })).await;
    let mut racers = JoinSet::new();
    for n in 0..8 {
        let (client, path) = (tenant.manager.with("if-match", "\"1\""), format!("{CUSTOMERS}/{id}"));
        let body = json!({ "customer": { "notes": n.to_string() } });
        racers.spawn(async move { client.put(&path, body).await.status.as_u16() });
    }
    let mut statuses = racers.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
}

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
        ("+351 912 345", vec!["Maria José"]),
        ("912345678", vec!["Maria José"]),
        ("529982247", vec!["Joana Prado"]),
        ("529.982", vec!["Joana Prado"]),
        ("12.abc.345", vec!["Maria José"]),
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

#[tokio::test]
async fn an_email_stands_for_who_was_active_last() {
    let scene = Scene::new(shared()).await;
    let manager = &scene.tenant.manager;
    let first = made(manager, json!({ "name": "Ana", "email": "Ana@example.com" })).await;
    assert_eq!(joins(&scene, json!({ "name": "A.", "email": "ana@EXAMPLE.com", "phone": "(11) 99999-0001" })).await, first);
    let known = manager.get(&format!("{CUSTOMERS}/{first}")).await.expect(200).data();
    assert_eq!((&known["name"], &known["phone"], &known["call_count"]), (&json!("Ana"), &json!("+5511999990001"), &json!(1)));
    assert!(known["last_call_at"].is_string());
    // Two may share an e-mail; who was made last is whom it stands for.
    let second = made(manager, json!({ "name": "Ana B.", "email": "ana@example.com" })).await;
    assert_eq!(joins(&scene, json!({ "name": "Ana", "email": "ana@example.com" })).await, second);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "phone": "+5511999990001" })).await, first);
    // Who gives the e-mail up, or goes, leaves it to the other.
    let _ = change(manager, &second, json!({ "email": "b@example.com" })).await.expect(200);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "email": "ana@example.com" })).await, first);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "email": "b@example.com" })).await, second);
    let third = made(manager, json!({ "name": "Ana C.", "email": "ana@example.com", "phone": "+5511999990001" })).await;
    let _ = manager.delete(&format!("{CUSTOMERS}/{third}")).await.expect(204);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "email": "ana@example.com" })).await, first);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "phone": "+5511999990001" })).await, first);
    // An e-mail that one takes over in a change stays with whom it stood for.
    let _ = change(manager, &second, json!({ "email": "ana@example.com" })).await.expect(200);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "email": "ana@example.com" })).await, first);
    let _ = change(manager, &first, json!({ "email": null })).await.expect(200);
    assert_eq!(joins(&scene, json!({ "name": "Ana", "email": "ana@example.com" })).await, second);
}

/// Whom an e-mail names may have given it up meanwhile: the phone, and who has the e-mail now, are looked at all the same.
#[tokio::test]
async fn who_has_given_an_email_up_is_in_nobodys_way() {
    let scene = Scene::new(shared()).await;
    let manager = &scene.tenant.manager;
    let ana = made(manager, json!({ "name": "Ana", "email": "ana@example.com", "phone": "+5511999990001" })).await;
    let bia = made(manager, json!({ "name": "Bia", "phone": "+5511999990002" })).await;
    let store = shared().app().store(&scene.tenant.slug);
    let gone: ::shared::ids::CustomerId = store.mint().unwrap();
    for holder in [ana.parse().unwrap(), gone] {
        let values = ::shared::storage::entity::texts([("id", ::shared::ids::Id::key(holder))]);
        let key = ::shared::models::Customer::by_email(store.tenant(), "old@example.com");
        store.write().put_over(&key, values).commit(()).await.unwrap();
        let joined = joins(&scene, json!({ "name": "B.", "email": "old@example.com", "phone": "+5511999990002" })).await;
        assert_eq!(joined, bia);
        let _ = change(manager, &bia, json!({ "email": null })).await.expect(200);
    }
    // Who has it now, though the item names another.
    let carla = made(manager, json!({ "name": "Carla", "email": "carla@example.com" })).await;
    let values = ::shared::storage::entity::texts([("id", ::shared::ids::Id::key(gone))]);
    let key = ::shared::models::Customer::by_email(store.tenant(), "carla@example.com");
    store.write().put_over(&key, values).commit(()).await.unwrap();
    assert_eq!(joins(&scene, json!({ "name": "C.", "email": "carla@example.com", "phone": "+5511999990003" })).await, carla);
    // A phone that somebody gives who is known by e-mail and has another stays with whom it stands for.
    assert_eq!(joins(&scene, json!({ "name": "A.", "email": "ana@example.com", "phone": "+5511999990002" })).await, ana);
    assert_eq!(joins(&scene, json!({ "name": "B.", "phone": "+5511999990002" })).await, bia);
}

#[tokio::test]
async fn of_many_who_come_with_one_new_email_one_is_made() {
    let scene = Scene::new(shared()).await;
    let mut racers = JoinSet::new();
    for n in 0..12 {
        let (client, path) = (scene.tenant.anonymous.elsewhere(), format!("/api/v1/call/{}/join", scene.token));
        let body = json!({ "name": format!("N {n}"), "email": "same@example.com" });
        racers.spawn(async move { client.post(&path, body).await.expect(200) });
    }
    let _ = racers.join_all().await;
    let list = scene.tenant.manager.get(&format!("{CUSTOMERS}?search=same@example.com")).await.expect(200).json();
    assert_eq!((&list["meta"]["total_count"], &list["data"][0]["call_count"]), (&json!(1), &json!(12)));
}

#[tokio::test]
async fn who_is_removed_leaves_calls_without_a_name() {
    let scene = Scene::new(shared()).await;
    let manager = &scene.tenant.manager;
    let person = json!({ "name": "Carla Matos", "email": "carla@example.com", "phone": "+5511977776666" });
    let id = joins(&scene, person.clone()).await;
    let link = json!({ "access_link": { "department_id": scene.department, "customer_id": id } });
    let link = manager.post("/api/v1/access-links", link).await.expect(201).data();
    assert_eq!(link["customer_name"], json!("Carla Matos"));
    let calls = manager.get(&format!("/api/v1/calls?customer_id={id}")).await.expect(200).data();
    let call = text(&calls[0]["id"]);
    let _ = scene.agent.delete(&format!("{CUSTOMERS}/{id}")).await.expect(204);
    let path = format!("{CUSTOMERS}/{id}");
    for _ in 0..2 {
        let _ = manager.get(&path).await.expect(404);
        let _ = manager.delete(&path).await.expect(404);
        let _ = manager.put(&path, json!({ "customer": {} })).await.expect(404);
    }
    assert_eq!(names(manager, "").await.1, 0);
    assert_eq!(names(manager, "search=carla").await.1, 0);
    let _ = manager.get(&format!("/api/v1/calls?customer_id={id}")).await.expect(422);
    let call = scene.call(&call).await;
    for field in ["customer_id", "customer_name", "customer_email", "customer_phone"] {
        assert_eq!(call[field], json!(null), "{field}");
    }
    assert_eq!(manager.get("/api/v1/calls?search=carla").await.expect(200).json()["meta"]["total_count"], json!(0));
    assert_eq!(manager.get("/api/v1/calls").await.expect(200).json()["meta"]["total_count"], json!(1));
    let link = manager.get(&format!("/api/v1/access-links/{}", text(&link["id"]))).await.expect(200).data();
    assert_eq!((&link["status"], &link["customer_name"], &link["customer_id"]), (&json!("active"), &json!(null), &json!(null)));
    // Who comes again is somebody new.
    assert_ne!(joins(&scene, person).await, id);
}

/// More than goes with the request goes with the schedule.
#[tokio::test]
async fn the_schedule_takes_the_name_off_the_rest() {
    let stack = tests::Stack::start(tests::Settings::default()).await;
    let scene = Scene::with(&stack, json!({ "name": "Support", "max_queue_size": 100 })).await;
    let person = json!({ "name": "Carla Matos", "email": "carla@example.com" });
    let id = joins(&scene, person.clone()).await;
    for _ in 0..29 {
        let _ = scene.join_as(person.clone()).await.expect(200);
    }
    let _ = scene.tenant.manager.delete(&format!("{CUSTOMERS}/{id}")).await.expect(204);
    let named = async |manager: &Client| {
        let calls = manager.get("/api/v1/calls?page_size=100").await.expect(200).data();
        calls.as_array().unwrap().iter().filter(|call| call["customer_name"].is_string()).count()
    };
    assert_eq!(named(&scene.tenant.manager).await, 5);
    scene.tenant.advance(60).await;
    let _ = scene.tenant.drain().await;
    assert_eq!(named(&scene.tenant.manager).await, 0);
    // It looks once more, and is done.
    scene.tenant.advance(60).await;
    let _ = scene.tenant.drain().await;
    let left =
        stack.app().store(&scene.tenant.slug).get::<shared::models::customer::Forgotten>(id.parse().unwrap()).await.unwrap();
    assert!(left.is_none());
    stack.shutdown().await;
}

#[tokio::test]
async fn everybody_who_serves_may_and_nobody_else() {
    let (tenant, other) = (Tenant::new(shared()).await, Tenant::new(shared()).await);
    let id = made(&tenant.manager, json!({ "name": "Ana" })).await;
    let path = format!("{CUSTOMERS}/{id}");
    let _ = tenant.anonymous.get(&path).await.expect(401);
    let _ = other.manager.get(&path).await.expect(404);
    let _ = other.manager.put(&path, json!({ "customer": { "name": "X" } })).await.expect(404);
    let _ = other.manager.delete(&path).await.expect(404);
    let keyed = tenant.manager.with("idempotency-key", "one");
    let body = json!({ "customer": { "name": "Once", "email": "once@example.com" } });
    let first = keyed.post(CUSTOMERS, body.clone()).await.expect(201).data();
    assert_eq!(keyed.post(CUSTOMERS, body).await.expect(201).data(), first);
    assert_eq!(names(&tenant.manager, "search=once").await.1, 1);
}

/// Making and changing are told to the company's own systems.
#[tokio::test]
async fn customers_are_events() {
    let stack = tests::Stack::start(tests::Settings::default()).await;
    let scene = Scene::new(&stack).await;
    let receiver = tests::Receiver::start().await;
    let _ = scene.webhook(&receiver, &["customer.created", "customer.updated"]).await;
    let id = made(&scene.tenant.manager, json!({ "name": "Ana", "document": "529.982.247-25" })).await;
    let _ = change(&scene.tenant.manager, &id, json!({ "notes": "x" })).await.expect(200);
    let _ = scene.tenant.drain().await;
    let mut events = receiver.events();
    events.sort();
    assert_eq!(events, ["customer.created", "customer.updated"]);
    let shown = scene.tenant.manager.get(&format!("{CUSTOMERS}/{id}")).await.expect(200).data();
    let updated = receiver.received().into_iter().find(|got| got.json()["event"] == json!("customer.updated")).unwrap();
    assert_eq!(updated.json()["data"], shown);
    stack.shutdown().await;
}
