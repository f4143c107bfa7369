//! What tests of calls, public pages, webhooks and exports begin with.

use serde_json::{Value, json};
use tests::{Answer, Client, PASSWORD, Receiver, Stack, Tenant};

/// A tenant with a department, an agent who serves there, and a link for many customers.
pub struct Scene {
    pub tenant: Tenant,
    pub department: String,
    pub agent: Client,
    pub agent_id: String,
    pub token: String,
}

impl Scene {
    pub async fn new(stack: &Stack) -> Self {
        Self::with(stack, json!({ "name": "Support" })).await
    }

    /// With a department of these fields.
    pub async fn with(stack: &Stack, fields: Value) -> Self {
        let tenant = Tenant::new(stack).await;
        let (agent, agent_id) = tenant.user("agent", "attendant").await;
        let department = tenant.department(fields).await;
        tenant.member(&department, &agent_id).await;
        let token = tenant.link(&department, 1000).await;
        Self { tenant, department, agent, agent_id, token }
    }

    /// A customer of this name joins.
    pub async fn join(&self, name: &str) -> String {
        self.tenant.join(&self.token, name).await
    }

    /// A customer joins with this body, from an address of their own.
    pub async fn join_as(&self, body: Value) -> Answer {
        self.tenant.anonymous.elsewhere().post(&format!("/api/v1/call/{}/join", self.token), body).await
    }

    /// The agent does something to a call.
    pub async fn act(&self, call: &str, action: &str) -> Answer {
        act(&self.agent, call, action, json!({})).await
    }

    /// A call that the agent has started.
    pub async fn active(&self, name: &str) -> String {
        let call = self.join(name).await;
        let _ = self.act(&call, "start").await.expect(200);
        call
    }

    /// A call that the agent has completed.
    pub async fn completed(&self, name: &str) -> String {
        let call = self.active(name).await;
        let _ = self.act(&call, "complete").await.expect(200);
        call
    }

    /// A call as the manager sees it.
    pub async fn call(&self, id: &str) -> Value {
        self.tenant.manager.get(&format!("/api/v1/calls/{id}")).await.expect(200).data()
    }

    /// Makes a webhook of the manager's; answers it with its secret.
    pub async fn webhook(&self, receiver: &Receiver, events: &[&str]) -> Value {
        let webhook = json!({ "webhook": { "url": receiver.url, "events": events } });
        self.tenant.manager.post("/api/v1/webhooks", webhook).await.expect(201).data()
    }

    /// The manager, logged in anew after the clock was moved.
    pub async fn manager(&self) -> Client {
        manager(&self.tenant).await
    }
}

/// The manager of a tenant, logged in anew after the clock was moved.
pub async fn manager(tenant: &Tenant) -> Client {
    let login = tenant.login("manager@example.com", PASSWORD).await;
    tenant.anonymous.bearer(&text(&login["access_token"]))
}

/// Somebody does something to a call.
pub async fn act(client: &Client, call: &str, action: &str, body: Value) -> Answer {
    client.post(&format!("/api/v1/calls/{call}/{action}"), body).await
}

/// A list, which says of itself how long it is.
pub async fn list(client: &Client, path: &str) -> Vec<Value> {
    let list = client.get(path).await.expect(200).json();
    let rows = list["data"].as_array().unwrap().clone();
    assert_eq!(list["meta"]["total_count"], rows.len(), "{path}");
    rows
}

/// The identifiers of a list.
pub async fn ids(client: &Client, path: &str) -> Vec<String> {
    list(client, path).await.iter().map(|row| text(&row["id"])).collect()
}

/// A JSON text.
#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

/// Seconds since the epoch of an RFC 3339 time in UTC with `Z`.
#[track_caller]
pub fn epoch(value: &Value) -> i64 {
    let time: shared::clock::Time = text(value).parse().unwrap();
    assert_eq!(time.to_string(), text(value));
    time.epoch()
}
