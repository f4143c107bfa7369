//! What somebody does, step by step.

use serde_json::{Value, json};
use shared::{
    auth::token::{Refresh, access},
    clock::Time,
    models::{Company, User},
    storage::Store,
};

use super::Build;
use crate::{
    Authenticator, PASSWORD,
    gateway::{Ask, invoke, readable},
    world::{NOW, function},
};

impl Build<'_> {
    /// From now on it is this moment.
    pub(super) fn at(&self, moment: &str) {
        let moment: Time = moment.parse().unwrap();
        self.stage.clock.set_offset(moment.epoch() - NOW.epoch());
    }

    /// Asks something of the API; what it makes is known by this name from then on. What is drawn follows from the name: two
    /// that ask the same under one name at one moment would draw the same identifiers.
    pub(super) async fn ask(&mut self, name: &str, operation: &str, mut ask: Ask) -> Value {
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
    pub(super) async fn token(&self, name: &str) -> String {
        let (user, session) = self.sessions[name];
        let user = self.store(name).find::<User>(user).await.unwrap();
        let company = self.store(name).find::<Company>(()).await.unwrap();
        access(&self.stage.keys, &company, &user, session, self.stage.clock.now()).unwrap()
    }

    /// The objects of the tenant with which a name begins.
    pub(super) fn store(&self, name: &str) -> Store {
        self.stage.app(name).store(name.split('.').next().unwrap())
    }

    pub(super) fn id(&self, name: &str) -> &str {
        &self.ids[name]
    }

    /// Somebody has logged in.
    pub(super) fn opened(&mut self, name: &str, answer: &Value) {
        let refresh = answer["refresh_token"].as_str().unwrap();
        let session = Refresh::parse(refresh).unwrap();
        self.sessions.insert(name.into(), (session.user, session.session));
        self.ids.insert(name.into(), session.user.to_string());
        self.ids.insert(format!("{name}.session"), session.session.to_string());
        self.ids.insert(format!("{name}.refresh_token"), refresh.into());
    }

    pub(super) async fn sign_up(&mut self, tenant: &str, company: &str, manager: &str, email: &str) {
        let body = json!({
            "company": { "name": company, "slug": tenant },
            "user": { "name": manager, "email": email, "password": PASSWORD },
        });
        let name = format!("{tenant}.manager");
        let answer = self.ask(&name, "register", Ask::default().body(body)).await;
        self.opened(&name, &answer);
    }

    pub(super) async fn user(&mut self, manager: &'static str, name: &str, person: &str, email: &str, role: &str) {
        let user = json!({ "name": person, "email": email, "role": role, "password": PASSWORD });
        self.ask(name, "createUser", Ask::by(manager).body(json!({ "user": user }))).await;
        let login = json!({ "email": email, "password": PASSWORD, "tenant": name.split('.').next() });
        let answer = self.ask(name, "login", Ask::default().body(login)).await;
        self.opened(name, &answer);
    }

    /// Somebody sets a second factor up, and gives the password for it once more at the present.
    pub(super) async fn guard(&mut self, name: &'static str, email: &str) {
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

    pub(super) async fn department(&mut self, caller: &'static str, name: &str, fields: Value, members: &[&str]) {
        self.ask(name, "createDepartment", Ask::by(caller).body(json!({ "department": fields }))).await;
        for member in members {
            let ask = Ask::by(caller).slot("id", self.id(name)).body(json!({ "user_id": self.id(member) }));
            self.ask(&format!("{member} in {name}"), "addDepartmentUser", ask).await;
        }
    }

    pub(super) async fn sector(&mut self, caller: &'static str, name: &str, label: &str) {
        self.ask(name, "createSector", Ask::by(caller).body(json!({ "sector": { "name": label } }))).await;
    }

    pub(super) async fn link(&mut self, caller: &'static str, name: &str, department: &str, mut fields: Value) {
        fields["department_id"] = self.id(department).into();
        let answer = self.ask(name, "createAccessLink", Ask::by(caller).body(json!({ "access_link": fields }))).await;
        self.ids.insert(format!("{name}.token"), answer["data"]["token"].as_str().unwrap().into());
    }

    pub(super) async fn appointment(&mut self, caller: &'static str, name: &str, department: &str, mut fields: Value) {
        fields["department_id"] = self.id(department).into();
        self.ask(name, "createAppointment", Ask::by(caller).body(json!({ "appointment": fields }))).await;
    }

    pub(super) async fn join(&mut self, name: &str, link: &str, body: Value) {
        let ask = Ask::default().slot("token", self.id(&format!("{link}.token"))).body(body);
        self.ask(name, "joinCall", ask).await;
    }

    /// Names the customer of a call.
    pub(super) async fn customer(&mut self, caller: &'static str, name: &str, call: &str) {
        let ask = Ask::by(caller).slot("id", self.id(call));
        let answer = self.ask(call, "getCall", ask).await;
        self.ids.insert(name.into(), answer["data"]["customer_id"].as_str().unwrap().into());
    }

    pub(super) async fn tag(&mut self, caller: &'static str, name: &str, fields: Value) {
        self.ask(name, "createTag", Ask::by(caller).body(json!({ "tag": fields }))).await;
    }

    /// A call comes to bear tags.
    pub(super) async fn label(&mut self, caller: &'static str, call: &str, tags: &[&str]) {
        for tag in tags {
            let ask = Ask::by(caller).slot("id", self.id(call)).body(json!({ "tag_id": self.id(tag) }));
            self.ask(&format!("{call} bears {tag}"), "addCallTag", ask).await;
        }
    }

    pub(super) async fn act(&mut self, caller: &'static str, call: &str, operation: &str, body: Value) {
        let ask = Ask::by(caller).slot("id", self.id(call)).body(body);
        self.ask(call, operation, ask).await;
    }
}
