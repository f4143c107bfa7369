//! Receivers, and what has happened in the last minutes.

use serde_json::{Value, json};
use shared::{
    chance::Chance,
    clock::days,
    dispatch::dispatch,
    events::EventRecord,
    mail,
    models::{
        AccessLink, Delivery, LinkBatch, Mail,
        access_link::LinkStatus,
        delivery::{Attempt, Outcome},
    },
    storage::{Author, Stored, audit::Actor, entity},
    text,
};

use super::Build;
use crate::{
    gateway::Ask,
    world::{NOW, scan},
};

impl Build<'_> {
    /// Receivers, and what they were sent.
    pub(super) async fn webhooks(&mut self) {
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
    pub(super) async fn present(&mut self) {
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
        self.at("2026-02-20T09:59:30Z");
        self.promise("globex").await;
    }

    /// A batch of links was decided by a request that then died.
    async fn promise(&mut self, tenant: &str) {
        let store = self.store(&format!("{tenant}.batch"));
        let (now, id) = (self.stage.clock.now(), |name: &str| self.id(&format!("{tenant}.{name}")));
        let actor = Actor { kind: "user".into(), id: id("manager").into() };
        let link = AccessLink {
            id: store.mint().unwrap(),
            token: text::token(&Chance::seeded("batch")).unwrap(),
            status: LinkStatus::Active,
            department_id: id("department").parse().unwrap(),
            department_name: "Globex orders".into(),
            customer_id: Some(id("customer").parse().unwrap()),
            customer_name: Some("Gilda Globex".into()),
            customer_email: None,
            customer_phone: None,
            expires_at: now + days(7),
            used_at: None,
            max_uses: 1,
            use_count: 0,
            inserted_at: now,
        };
        let part = LinkBatch {
            id: store.mint().unwrap(),
            part: 0,
            links: vec![link],
            site: "https://support.example.com".into(),
            author: Some(Author { actor, ip: None, request_id: "batch".into() }),
            inserted_at: now,
        };
        store.write().create(&part).commit(()).await.unwrap();
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
