//! The product's main job: one call, from access link to signed webhook and CSV row.

use hmac::{Hmac, Mac};
use serde_json::json;
use sha2::Sha256;
use tests::{Receiver, Settings, Stack, Tenant};

#[tokio::test]
async fn from_access_link_to_signed_webhook_and_csv_row() {
    let stack = Stack::start(Settings::default()).await;
    let tenant = Tenant::new(&stack).await;
    let (agent, agent_id) = tenant.user("agent", "attendant").await;
    let department = tenant.department(json!({ "name": "Suporte Técnico" })).await;
    tenant.member(&department, &agent_id).await;
    let receiver = Receiver::start().await;
    let events = ["call.created", "call.assigned", "call.started", "call.completed"];
    let webhook = json!({ "webhook": { "url": receiver.url, "events": events } });
    let secret = tenant.manager.post("/api/v1/webhooks", webhook).await.expect(201).data()["secret"].as_str().unwrap().to_owned();

    let token = tenant.link(&department, 1).await;
    let customer = tenant.anonymous.elsewhere();
    let seen = customer.get(&format!("/api/v1/call/{token}/validate")).await.expect(200).data();
    assert_eq!(
        (&seen["valid"], &seen["department_name"], &seen["queue_size"]),
        (&json!(true), &json!("Suporte Técnico"), &json!(0))
    );
    let body = json!({ "name": "Carlos Ferreira", "email": "carlos@email.com", "phone": "(11) 99999-8888" });
    let joined = customer.post(&format!("/api/v1/call/{token}/join"), body).await.expect(200).data();
    assert_eq!((&joined["status"], &joined["position"]), (&json!("queued"), &json!(1)));
    let call = joined["call_id"].as_str().unwrap();
    let _ = customer.post(&format!("/api/v1/call/{token}/join"), json!({ "name": "Again" })).await.expect(404);

    let status = || async { customer.get(&format!("/api/v1/call/status/{call}")).await.expect(200).data() };
    assert_eq!(status().await["position"], json!(1));
    tenant.advance(12).await;
    let _ = agent.post(&format!("/api/v1/calls/{call}/assign"), json!({})).await.expect(200);
    assert_eq!(status().await["agent_name"], json!("agent"));
    let _ = agent.post(&format!("/api/v1/calls/{call}/start"), json!({})).await.expect(200);
    assert_eq!(status().await["position"], json!(null));
    tenant.advance(345).await;
    let completed =
        agent.post(&format!("/api/v1/calls/{call}/complete"), json!({ "notes": "Sorted out" })).await.expect(200).data();
    assert_eq!(completed["status"], json!("completed"));
    let rating = json!({ "rating": 5, "comment": "Obrigado!" });
    let _ = customer.post(&format!("/api/v1/call/evaluate/{call}"), rating.clone()).await.expect(201);
    let _ = customer.post(&format!("/api/v1/call/evaluate/{call}"), rating).await.expect(422);

    tenant.drain().await;
    assert_eq!(receiver.events(), events);
    for delivery in receiver.received() {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(&delivery.body).finalize();
        let hex = shared::text::hex(&mac.into_bytes());
        assert_eq!(delivery.header("x-voki-signature"), format!("sha256={hex}"));
        assert_eq!(delivery.json()["data"]["id"], json!(call));
    }

    let manager =
        tenant.login("manager@example.com", "a quiet street at noon").await["access_token"].as_str().unwrap().to_owned();
    let csv = tenant.anonymous.bearer(&manager).get("/api/v1/export/calls.csv").await.expect(200).text();
    let row = csv.lines().nth(1).unwrap();
    assert!(row.starts_with(&format!("{call},completed,Suporte Técnico,agent,Carlos Ferreira,carlos@email.com,")), "{row}");
    let cells: Vec<&str> = row.split(',').collect();
    let number = |n: usize| cells[n].parse::<u64>().unwrap();
    assert!((345..360).contains(&number(6)) && (12..27).contains(&number(7)) && number(8) == 5, "{row}");
    stack.shutdown().await;
}
