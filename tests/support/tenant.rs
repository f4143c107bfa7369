//! A tenant of the test's own, with clients named by who they are.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{client::Client, server::Stack};

/// A tenant with its first manager.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// The slug.
    pub slug: String,
    /// The manager's client.
    pub manager: Client,
    /// A client without credentials.
    pub anonymous: Client,
}

/// The password of all users that tests make.
pub const PASSWORD: &str = "a quiet street at noon";

impl Tenant {
    /// Signs a new company up.
    pub async fn new(stack: &Stack) -> Self {
        Self::on(stack.client()).await
    }

    /// Signs a new company up through a client.
    pub async fn on(anonymous: Client) -> Self {
        let slug = format!("t{}", &Uuid::new_v4().simple().to_string()[..16]);
        let body = json!({
            "company": { "name": "Test Company", "slug": slug },
            "user": { "name": "Maria Manager", "email": "manager@example.com", "password": PASSWORD },
        });
        let answer = anonymous.post("/api/signup/register", body).await.expect(201).json();
        Self { slug, manager: anonymous.bearer(answer["access_token"].as_str().unwrap()), anonymous }
    }

    /// The same tenant at another site of the same stack.
    #[must_use]
    pub fn at(&self, site: &str) -> Self {
        Self { slug: self.slug.clone(), manager: self.manager.at(site), anonymous: self.anonymous.at(site) }
    }

    /// Makes a user of this role; answers its client and identifier. The e-mail is `name@example.com`.
    pub async fn user(&self, name: &str, role: &str) -> (Client, String) {
        let email = format!("{name}@example.com");
        let user = json!({ "user": { "name": name, "email": email, "role": role, "password": PASSWORD } });
        let id = text(&self.manager.post("/api/v1/users", user).await.expect(201).data()["id"]);
        let login = self.login(&email, PASSWORD).await;
        (self.anonymous.elsewhere().bearer(login["access_token"].as_str().unwrap()), id)
    }

    /// Logs in from an address of its own.
    pub async fn login(&self, email: &str, password: &str) -> Value {
        let body = json!({ "email": email, "password": password, "tenant": self.slug });
        self.anonymous.elsewhere().post("/api/auth/login", body).await.expect(200).json()
    }

    /// Makes a department; answers its identifier.
    pub async fn department(&self, fields: Value) -> String {
        text(&self.manager.post("/api/v1/departments", json!({ "department": fields })).await.expect(201).data()["id"])
    }

    /// Lets a user serve in a department.
    pub async fn member(&self, department: &str, user: &str) {
        let path = format!("/api/v1/departments/{department}/users");
        let _ = self.manager.post(&path, json!({ "user_id": user })).await.expect(201);
    }

    /// Makes a link to a department; answers its token.
    pub async fn link(&self, department: &str, max_uses: u32) -> String {
        let body = json!({ "access_link": { "department_id": department, "max_uses": max_uses } });
        text(&self.manager.post("/api/v1/access-links", body).await.expect(201).data()["token"])
    }

    /// A customer joins through a link, from an address of their own; answers the call's identifier.
    pub async fn join(&self, token: &str, name: &str) -> String {
        let answer = self.anonymous.elsewhere().post(&format!("/api/v1/call/{token}/join"), json!({ "name": name })).await;
        text(&answer.expect(200).data()["call_id"])
    }

    /// Does all work that is due.
    pub async fn drain(&self) -> Value {
        self.anonymous.post("/local/drain", json!({})).await.expect(200).data()
    }

    /// Moves the clock of the tenant's stack, which must be the test's own.
    pub async fn advance(&self, seconds: u32) {
        let _ = self.anonymous.post("/local/clock", json!({ "advance_seconds": seconds })).await.expect(200);
    }
}

/// A JSON text.
fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
