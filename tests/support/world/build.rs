//! How the world comes to be: through requests, as a tenant's does, at the moments that its history names.

mod present;
mod steps;

use std::collections::BTreeMap;

use serde_json::json;
use shared::{
    ids::{SessionId, UserId},
    models::{Company, company::CompanyInput},
};

use super::{History, NOW, Stage, scan};
use crate::{Authenticator, gateway::Ask, operations::Operations};

/// Lets everything happen in an empty table.
pub(super) async fn history(stage: &Stage, operations: &Operations) -> History {
    let mut build = Build { stage, operations, ids: BTreeMap::new(), sessions: BTreeMap::new() };
    build.acme().await;
    build.globex().await;
    // What has happened so far was heard of by nobody: there were no webhooks yet.
    build.at("2026-02-20T09:55:00Z");
    for seed in ["sweep", "what the first sweep wrote"] {
        scheduler::sweep(&stage.app(seed), NOW).await.unwrap();
    }
    build.webhooks().await;
    build.present().await;
    stage.clock.set_offset(0);
    let mut tokens = BTreeMap::new();
    for name in build.sessions.keys() {
        tokens.insert(name.clone(), build.token(name).await);
    }
    History { items: scan(stage).await.into_values().collect(), ids: build.ids, tokens }
}

struct Build<'a> {
    stage: &'a Stage,
    operations: &'a Operations,
    ids: BTreeMap<String, String>,
    sessions: BTreeMap<String, (UserId, SessionId)>,
}

impl Build<'_> {
    /// A company's week.
    async fn acme(&mut self) {
        const MANAGER: &str = "acme.manager";
        const SUPERVISOR: &str = "acme.supervisor";
        const ATTENDANT: &str = "acme.attendant";
        self.at("2026-02-16T09:00:00Z");
        self.sign_up("acme", "Acme Telecom", "Maria Souza", "maria@example.com").await;
        self.at("2026-02-16T09:10:00Z");
        self.user(MANAGER, SUPERVISOR, "Sofia Lima", "sofia@example.com", "supervisor").await;
        self.user(MANAGER, ATTENDANT, "Ana Ribeiro", "ana@example.com", "attendant").await;
        self.user(MANAGER, "acme.colleague", "Bruno Costa", "bruno@example.com", "attendant").await;
        self.user(MANAGER, "acme.guarded", "Gil Andrade", "gil@example.com", "attendant").await;
        self.guard("acme.guarded", "gil@example.com").await;
        let begun = self.ask("acme.colleague.mfa", "setupMfa", Ask::by("acme.colleague")).await;
        let authenticator = Authenticator::new(begun["data"]["secret"].as_str().unwrap());
        self.ids.insert("acme.colleague.code".into(), authenticator.code(NOW));
        let store = self.store("acme");
        let company = store.find::<Company>(()).await.unwrap();
        let logo_url = Some("https://www.example.com/logo.svg".into());
        let input = CompanyInput { logo_url, primary_color: Some("#0f62fe".into()), ..company.input.clone() };
        let branded = Company { input, ..company.value.clone() };
        store.write().update(&company, &branded).commit(()).await.unwrap();

        let key = json!({ "api_key": { "name": "ERP", "scopes": ["calls:read", "export:read", "departments:write"] } });
        let made = self.ask("acme.api_key", "createApiKey", Ask::by(MANAGER).body(key)).await;
        self.ids.insert("acme.api_key.token".into(), made["data"]["token"].as_str().unwrap().into());

        self.at("2026-02-16T09:20:00Z");
        let billing = json!({ "name": "Billing", "description": "Invoices and payments", "max_wait_time": 1800 });
        self.department(SUPERVISOR, "acme.department", billing, &[ATTENDANT, "acme.colleague"]).await;
        let day = |day: &str, from: &str, to: &str| json!({ "day": day, "from": from, "to": to });
        let hours = json!({ "hours": { "time_zone": "America/Sao_Paulo", "weekly": [
            day("monday", "09:00", "12:00"), day("monday", "13:00", "18:00"), day("wednesday", "09:00", "18:00"),
        ] } });
        let ask = Ask::by(SUPERVISOR).slot("id", self.id("acme.department")).body(hours);
        self.ask("hours", "updateDepartmentHours", ask).await;
        self.sector(SUPERVISOR, "acme.sector", "Customers to be").await;
        self.sector(SUPERVISOR, "acme.empty_sector", "Abroad").await;
        let sales = json!({ "name": "Sales", "sector_id": self.id("acme.sector") });
        self.department(SUPERVISOR, "acme.sales", sales, &["acme.colleague"]).await;
        let idle = json!({ "name": "Trade fairs", "description": "Only during fairs", "active": false });
        self.department(SUPERVISOR, "acme.idle", idle, &[]).await;

        self.tag(SUPERVISOR, "acme.parent", json!({ "name": "Invoices", "color": "#3b82f6" })).await;
        self.tag(ATTENDANT, "acme.tag", json!({ "name": "Refund", "color": "#22c55e", "parent_id": self.id("acme.parent") }))
            .await;
        self.tag(ATTENDANT, "acme.reminder", json!({ "name": "Reminder", "parent_id": self.id("acme.parent") })).await;
        self.tag(ATTENDANT, "acme.praise", json!({ "name": "Praise" })).await;

        self.at("2026-02-16T09:30:00Z");
        let website = json!({ "max_uses": 500, "expires_at": "2026-05-16T12:00:00Z" });
        self.link(SUPERVISOR, "acme.website", "acme.department", website).await;
        let invited = json!({ "customer_name": "Inês Prado", "customer_email": "ines.prado@example.com" });
        let mut short = invited.clone();
        short["expires_at"] = "2026-02-18T18:00:00Z".into();
        self.link(SUPERVISOR, "acme.expired", "acme.sales", short).await;
        self.link(SUPERVISOR, "acme.cancelled", "acme.sales", invited).await;
        let ask = Ask::by(SUPERVISOR).slot("id", self.id("acme.cancelled"));
        self.ask("acme.cancelled", "cancelAccessLink", ask).await;

        let beatriz = json!({ "name": "Beatriz Lima", "email": "beatriz.lima@example.com", "phone": "(21) 4000-1002" });
        self.at("2026-02-17T14:00:00Z");
        let mut reason = beatriz.clone();
        reason["reason"] = "A charge that I do not recognise".into();
        self.join("acme.rated", "acme.website", reason).await;
        self.at("2026-02-17T14:01:10Z");
        self.act(ATTENDANT, "acme.rated", "startCall", json!({})).await;
        self.at("2026-02-17T14:09:40Z");
        self.act(ATTENDANT, "acme.rated", "completeCall", json!({ "notes": "Charged twice; refund on its way" })).await;
        self.at("2026-02-17T14:10:05Z");
        let rating = json!({ "rating": 5, "comment": "Quick and kind" });
        let ask = Ask::default().slot("call_id", self.id("acme.rated")).body(rating);
        self.ask("rating", "evaluateCall", ask).await;

        let helena = json!({ "name": "Helena Duarte", "email": "helena.duarte@example.com", "phone": "+351210001004" });
        self.at("2026-02-18T16:45:00Z");
        self.join("acme.missed", "acme.website", helena.clone()).await;
        self.at("2026-02-19T11:00:00Z");
        let single = json!({ "customer_name": "Helena Duarte", "customer_email": "helena.duarte@example.com" });
        self.link(SUPERVISOR, "acme.used", "acme.department", single).await;
        self.at("2026-02-19T11:20:00Z");
        self.join("acme.completed", "acme.used", helena).await;
        self.at("2026-02-19T11:20:45Z");
        self.act(ATTENDANT, "acme.completed", "startCall", json!({})).await;
        self.at("2026-02-19T11:32:00Z");
        self.act(ATTENDANT, "acme.completed", "completeCall", json!({})).await;
        self.customer(ATTENDANT, "acme.customer", "acme.completed").await;
        self.customer(ATTENDANT, "acme.duplicate", "acme.rated").await;
        self.label(ATTENDANT, "acme.completed", &["acme.tag", "acme.praise"]).await;

        self.diary("acme.attendant").await;

        self.at("2026-02-20T09:30:00Z");
        let carlos = json!({ "name": "Carlos Ferreira", "email": "carlos.ferreira@example.com", "phone": "+5511999998888" });
        self.join("acme.active", "acme.website", carlos).await;
        self.at("2026-02-20T09:41:00Z");
        self.act(ATTENDANT, "acme.active", "startCall", json!({})).await;
        let invited = json!({ "customer_name": "Rafael Nunes", "customer_email": "rafael.nunes@example.com" });
        self.link(SUPERVISOR, "acme.link", "acme.department", invited).await;
        self.at("2026-02-20T09:52:00Z");
        self.join("acme.assigned", "acme.website", beatriz).await;
        self.at("2026-02-20T09:53:00Z");
        self.act(ATTENDANT, "acme.assigned", "assignCall", json!({})).await;
    }

    /// What an agent has arranged.
    async fn diary(&mut self, agent: &'static str) {
        self.at("2026-02-19T16:10:00Z");
        let review = json!({
            "title": "Review of invoices", "description": "The last three of them", "scheduled_at": "2026-02-23T14:00:00Z",
            "duration_minutes": 45, "customer_name": "Paulo Teles", "customer_email": "paulo.teles@example.com",
        });
        self.appointment(agent, "acme.appointment", "acme.department", review).await;
        let late = json!({
            "title": "Late shift", "scheduled_at": "2026-02-23T23:40:00Z", "customer_name": "Beatriz Lima",
            "customer_email": "beatriz.lima@example.com", "customer_phone": "(21) 4000-1002",
        });
        self.appointment(agent, "acme.confirmed", "acme.department", late).await;
        self.act(agent, "acme.confirmed", "confirmAppointment", json!({})).await;
        let off = json!({ "title": "Site visit", "scheduled_at": "2026-02-23T14:00:00Z", "customer_name": "Paulo Teles" });
        self.appointment(agent, "acme.called_off", "acme.sales", off).await;
        self.act(agent, "acme.called_off", "cancelAppointment", json!({ "reason": "Nobody is there" })).await;
        let feed = self.ask("acme.feed", "subscribeCalendar", Ask::by(agent)).await;
        let file = feed["data"]["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        self.ids.insert("acme.feed".into(), file);
    }

    /// One of each kind, all of it foreign to everybody else.
    async fn globex(&mut self) {
        const MANAGER: &str = "globex.manager";
        self.at("2026-02-19T15:00:00Z");
        self.sign_up("globex", "Globex Foods", "Gisela Globex", "gisela@globex.example").await;
        self.ids.insert("globex.session".into(), self.id("globex.manager.session").into());
        self.user(MANAGER, "globex.user", "Gustavo Globex", "gustavo@globex.example", "attendant").await;
        let fields = json!({ "name": "Globex orders", "max_wait_time": 86_400 });
        self.department(MANAGER, "globex.department", fields, &["globex.user"]).await;
        self.link(MANAGER, "globex.access_link", "globex.department", json!({ "max_uses": 10 })).await;
        let customer = json!({ "name": "Gilda Globex", "email": "gilda@globex.example" });
        self.join("globex.call", "globex.access_link", customer).await;
        self.customer(MANAGER, "globex.customer", "globex.call").await;
        // What `primary_id` names.
        self.ids.insert("globex.primary".into(), self.id("globex.customer").into());
        self.sector(MANAGER, "globex.sector", "Globex south").await;
        let tasting = json!({ "title": "Globex tasting", "scheduled_at": "2026-02-27T15:00:00Z", "customer_id": self.id("globex.customer") });
        self.appointment(MANAGER, "globex.appointment", "globex.department", tasting).await;
        // What `exclude_id` names.
        self.ids.insert("globex.exclude".into(), self.id("globex.appointment").into());
        self.tag(MANAGER, "globex.tag", json!({ "name": "Globex fruit" })).await;
        self.ids.insert("globex.parent".into(), self.id("globex.tag").into());
        let key = json!({ "api_key": { "name": "Globex ERP", "scopes": ["calls:read"] } });
        self.ask("globex.api_key", "createApiKey", Ask::by(MANAGER).body(key)).await;
    }
}
