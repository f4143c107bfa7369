//! How the world comes to be: through requests, as a tenant's does, at the moments that its history names.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::{
    auth::token::{Refresh, access},
    chance::Chance,
    clock::Time,
    dispatch::dispatch,
    events::EventRecord,
    ids::{SessionId, UserId},
    mail,
    models::{
        Company, Delivery, Mail, User,
        company::CompanyInput,
        delivery::{Attempt, Outcome},
    },
    storage::{Store, Stored, entity},
    text,
};

use super::{History, NOW, Stage, function, scan};
use crate::{
    Authenticator, PASSWORD,
    gateway::{Ask, invoke, readable},
    operations::Operations,
};

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
    /// From now on it is this moment.
    fn at(&self, moment: &str) {
        let moment: Time = moment.parse().unwrap();
        self.stage.clock.set_offset(moment.epoch() - NOW.epoch());
    }

    /// Asks something of the API; what it makes is known by this name from then on. What is drawn follows from the name: two
    /// that ask the same under one name at one moment would draw the same identifiers.
    async fn ask(&mut self, name: &str, operation: &str, mut ask: Ask) -> Value {
        let operation = self.operations.named(operation);
        if let Some(caller) = ask.caller.take() {
            ask = ask.header("authorization", &format!("Bearer {}", self.token(caller).await));
        }
        let event = ask.event(operation, self.stage.clock.now()).to_string();
        let service = function(&self.stage.app(&format!("{name} {operation}")), operation.function);
        let answer = readable(invoke(service, &event).await.unwrap());
        assert!(answer["statusCode"].as_i64().is_some_and(|status| status < 300), "{name}: {answer}");
        let data = answer["body"]["data"].clone();
        if let Some(id) = data["id"].as_str().or(data["call_id"].as_str()) {
            self.ids.insert(name.into(), id.into());
        }
        answer["body"].clone()
    }

    /// An access token of somebody, made now.
    async fn token(&self, name: &str) -> String {
        let (user, session) = self.sessions[name];
        let user = self.store(name).find::<User>(user).await.unwrap();
        let company = self.store(name).find::<Company>(()).await.unwrap();
        access(&self.stage.keys, &company, &user, session, self.stage.clock.now()).unwrap()
    }

    /// The objects of the tenant with which a name begins.
    fn store(&self, name: &str) -> Store {
        self.stage.app(name).store(name.split('.').next().unwrap())
    }

    fn id(&self, name: &str) -> &str {
        &self.ids[name]
    }

    /// Somebody has logged in.
    fn opened(&mut self, name: &str, answer: &Value) {
        let refresh = answer["refresh_token"].as_str().unwrap();
        let session = Refresh::parse(refresh).unwrap();
        self.sessions.insert(name.into(), (session.user, session.session));
        self.ids.insert(name.into(), session.user.to_string());
        self.ids.insert(format!("{name}.session"), session.session.to_string());
        self.ids.insert(format!("{name}.refresh_token"), refresh.into());
    }

    async fn sign_up(&mut self, tenant: &str, company: &str, manager: &str, email: &str) {
        let body = json!({
            "company": { "name": company, "slug": tenant },
            "user": { "name": manager, "email": email, "password": PASSWORD },
        });
        let name = format!("{tenant}.manager");
        let answer = self.ask(&name, "register", Ask::default().body(body)).await;
        self.opened(&name, &answer);
    }

    async fn user(&mut self, manager: &'static str, name: &str, person: &str, email: &str, role: &str) {
        let user = json!({ "name": person, "email": email, "role": role, "password": PASSWORD });
        self.ask(name, "createUser", Ask::by(manager).body(json!({ "user": user }))).await;
        let login = json!({ "email": email, "password": PASSWORD, "tenant": name.split('.').next() });
        let answer = self.ask(name, "login", Ask::default().body(login)).await;
        self.opened(name, &answer);
    }

    /// Somebody sets a second factor up, and gives the password for it once more at the present.
    async fn guard(&mut self, name: &'static str, email: &str) {
        let then = self.stage.clock.now();
        let begun = self.ask(&format!("{name}.mfa"), "setupMfa", Ask::by(name)).await;
        let authenticator = Authenticator::new(begun["data"]["secret"].as_str().unwrap());
        let code = json!({ "code": authenticator.code(then) });
        self.ask(&format!("{name}.mfa"), "enableMfa", Ask::by(name).body(code)).await;
        self.stage.clock.set_offset(0);
        let login = json!({ "email": email, "password": PASSWORD, "tenant": name.split('.').next() });
        let half = self.ask(&format!("{name}.half"), "login", Ask::default().body(login)).await;
        self.stage.clock.set_offset(then.epoch() - NOW.epoch());
        self.ids.insert(format!("{name}.mfa_token"), half["mfa_token"].as_str().unwrap().into());
        self.ids.insert(format!("{name}.code"), authenticator.code(NOW));
    }

    async fn department(&mut self, caller: &'static str, name: &str, fields: Value, members: &[&str]) {
        self.ask(name, "createDepartment", Ask::by(caller).body(json!({ "department": fields }))).await;
        for member in members {
            let ask = Ask::by(caller).slot("id", self.id(name)).body(json!({ "user_id": self.id(member) }));
            self.ask(&format!("{member} in {name}"), "addDepartmentUser", ask).await;
        }
    }

    async fn sector(&mut self, caller: &'static str, name: &str, label: &str) {
        self.ask(name, "createSector", Ask::by(caller).body(json!({ "sector": { "name": label } }))).await;
    }

    async fn link(&mut self, caller: &'static str, name: &str, department: &str, mut fields: Value) {
        fields["department_id"] = self.id(department).into();
        let answer = self.ask(name, "createAccessLink", Ask::by(caller).body(json!({ "access_link": fields }))).await;
        self.ids.insert(format!("{name}.token"), answer["data"]["token"].as_str().unwrap().into());
    }

    async fn appointment(&mut self, caller: &'static str, name: &str, department: &str, mut fields: Value) {
        fields["department_id"] = self.id(department).into();
        self.ask(name, "createAppointment", Ask::by(caller).body(json!({ "appointment": fields }))).await;
    }

    async fn join(&mut self, name: &str, link: &str, body: Value) {
        let ask = Ask::default().slot("token", self.id(&format!("{link}.token"))).body(body);
        self.ask(name, "joinCall", ask).await;
    }

    /// Names the customer of a call.
    async fn customer(&mut self, caller: &'static str, name: &str, call: &str) {
        let ask = Ask::by(caller).slot("id", self.id(call));
        let answer = self.ask(call, "getCall", ask).await;
        self.ids.insert(name.into(), answer["data"]["customer_id"].as_str().unwrap().into());
    }

    async fn tag(&mut self, caller: &'static str, name: &str, fields: Value) {
        self.ask(name, "createTag", Ask::by(caller).body(json!({ "tag": fields }))).await;
    }

    /// A call comes to bear tags.
    async fn label(&mut self, caller: &'static str, call: &str, tags: &[&str]) {
        for tag in tags {
            let ask = Ask::by(caller).slot("id", self.id(call)).body(json!({ "tag_id": self.id(tag) }));
            self.ask(&format!("{call} bears {tag}"), "addCallTag", ask).await;
        }
    }

    async fn act(&mut self, caller: &'static str, call: &str, operation: &str, body: Value) {
        let ask = Ask::by(caller).slot("id", self.id(call)).body(body);
        self.ask(call, operation, ask).await;
    }

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

    /// Receivers, and what they were sent.
    async fn webhooks(&mut self) {
        self.at("2026-02-16T10:00:00Z");
        let hook = json!({
            "url": "https://hooks.example.com/voki",
            "events": ["*"],
            "description": "Customer records",
            "headers": { "authorization": "Bearer 4f1c9b" },
        });
        self.webhook("acme.manager", "acme.webhook", hook).await;
        self.at("2026-02-19T16:00:00Z");
        let hook = json!({ "url": "https://globex.example/hook", "events": ["call.created"] });
        self.webhook("globex.manager", "globex.webhook", hook).await;
        let hook = json!({ "url": "https://initech.example/hook", "events": ["access_link.created"] });
        self.at("2026-02-20T09:00:00Z");
        self.sign_up("initech", "Initech", "Ivo Initech", "ivo@initech.example").await;
        self.at("2026-02-20T09:10:00Z");
        self.webhook("initech.manager", "initech.webhook", hook).await;
    }

    async fn webhook(&mut self, caller: &'static str, name: &str, fields: Value) {
        self.ask(name, "createWebhook", Ask::by(caller).body(json!({ "webhook": fields }))).await;
    }

    /// What has happened in the last minutes, and is still on its way.
    async fn present(&mut self) {
        let served = self.event("acme", "call.completed").await;
        self.delivery("acme.delivery", &served, &[(503, "Down for maintenance", 412), (204, "", 87)]).await;
        let joined = self.event("acme", "call.created").await;
        self.delivery("acme.pending", &joined, &[(500, "Out of memory", 1204); 3]).await;
        let foreign = self.event("globex", "call.created").await;
        self.delivery("globex.delivery", &foreign, &[]).await;

        self.at("2026-02-20T09:57:00Z");
        let forgotten = json!({ "email": "bruno@example.com", "tenant": "acme" });
        self.ask("forgotten", "forgotPassword", Ask::default().body(forgotten)).await;
        // The token of its link is the first that is drawn.
        let mail = self.mail("acme").await;
        mail::send(&self.stage.app("mail"), "acme", &mail).await.unwrap();
        self.ids.insert("acme.colleague.pass".into(), text::token(&Chance::seeded("mail")).unwrap());
        let user = json!({ "user": { "name": "Lia Prates", "email": "lia@example.com" } });
        self.ask("acme.invited", "createUser", Ask::by("acme.manager").body(user)).await;
        let mail = self.mail("acme").await;
        self.ids.insert("acme.invitation".into(), mail.id.to_string());

        self.at("2026-02-20T09:57:30Z");
        let joao = json!({
            "name": "João Santos", "email": "joao.santos@example.com", "phone": "(11) 4000-1001", "reason": "A copy of my invoice",
        });
        self.join("acme.queued", "acme.website", joao).await;
        self.department("initech.manager", "initech.department", json!({ "name": "Reports" }), &[]).await;
        self.link("initech.manager", "initech.link", "initech.department", json!({})).await;
        let event = self.event("initech", "access_link.created").await;
        self.ids.insert("initech.event".into(), event.id.to_string());
        self.at("2026-02-20T09:58:00Z");
        dispatch(&self.stage.app("dispatch"), "initech", &event).await.unwrap();
        let webhook = self.id("initech.webhook").parse().unwrap();
        let delivery = Delivery::new(event.id, &event.name, event.about.clone(), webhook, NOW);
        self.ids.insert("initech.delivery".into(), delivery.id.to_string());
        self.at("2026-02-20T09:59:00Z");
        self.link("initech.manager", "initech.second", "initech.department", json!({})).await;
        let event = self.event("initech", "access_link.created").await;
        self.ids.insert("initech.fresh".into(), event.id.to_string());
    }

    /// The latest mail.
    async fn mail(&self, tenant: &str) -> Stored<Mail> {
        let prefix = format!("{tenant}#mail#");
        let items = scan(self.stage).await.into_iter().filter(|(key, _)| key.pk.starts_with(&prefix));
        items.map(|(_, item)| entity::from_item::<Mail>(item).unwrap()).max_by_key(|mail| mail.id).unwrap()
    }

    /// The latest event of this name.
    async fn event(&self, tenant: &str, name: &str) -> Stored<EventRecord> {
        let prefix = format!("{tenant}#event#");
        let items = scan(self.stage).await.into_iter().filter(|(key, _)| key.pk.starts_with(&prefix));
        let events = items.map(|(_, item)| entity::from_item::<EventRecord>(item).unwrap());
        events.filter(|event| event.name == name).max_by_key(|event| event.id).unwrap()
    }

    /// A delivery of an event to the tenant's webhook, after attempts with these statuses, answers and durations.
    async fn delivery(&mut self, name: &str, event: &EventRecord, attempts: &[(u16, &str, u64)]) {
        let store = self.store(name);
        let webhook = self.id(&format!("{}.webhook", store.tenant())).parse().unwrap();
        let mut delivery = Delivery::new(event.id, &event.name, event.about.clone(), webhook, event.at);
        for (code, body, duration_ms) in attempts {
            let at = delivery.next_attempt_at.unwrap();
            let attempt = Attempt { at, response_code: Some(*code), error: None, duration_ms: *duration_ms };
            let outcome = Outcome { attempt, response_body: Some((*body).into()), retry_after: None };
            delivery = delivery.after(outcome, 0.0, at);
        }
        assert!(store.insert(&delivery).await.unwrap());
        self.ids.insert(name.into(), delivery.id.to_string());
    }
}
