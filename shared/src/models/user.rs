//! The people who work for a tenant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::company::Resource;
use crate::{
    clock::Time,
    ids::UserId,
    input::{Fields, Input, rules},
    storage::{
        Count, Entity, Facets, Key, Listing, Sort,
        entity::{G1, G2, G3, G4, G5, G6},
    },
    text, words,
};

words! {
    /// What a user may do; each admits what those before it may.
    #[derive(PartialOrd, Ord)]
    pub enum Role {
        /// Serves calls.
        Attendant = "attendant",
        /// Runs departments and links.
        Supervisor = "supervisor",
        /// Runs the tenant.
        Manager = "manager",
    }
}

/// What a manager sets of a user.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct UserInput {
    /// The name.
    #[schemars(length(max = 200))]
    pub name: String,
    /// The e-mail, unique in the tenant without regard to case.
    #[schemars(email)]
    pub email: String,
    /// The role.
    #[schemars(extend("default" = Role::Attendant))]
    pub role: Role,
    /// The language of mails.
    #[schemars(extend("enum" = ["pt-BR", "en"], "default" = "pt-BR"))]
    pub locale: String,
    /// A picture's URL.
    #[schemars(url, length(max = 2048))]
    pub avatar_url: Option<String>,
    /// Whether the user may log in.
    #[schemars(extend("default" = true))]
    pub active: bool,
}

impl Input for UserInput {
    const WRAPPER: Option<&'static str> = Some("user");

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: fields.required("name", rules::name),
            email: fields.required("email", rules::email),
            role: fields.default("role", Role::Attendant, rules::word),
            locale: fields.default("locale", "pt-BR".into(), rules::one_of(&["pt-BR", "en"])),
            avatar_url: fields.optional("avatar_url", rules::web_url),
            active: fields.default("active", true, rules::boolean),
        }
    }
}

/// A user with a first password.
#[derive(Debug, JsonSchema)]
pub struct NewUser {
    /// The user.
    #[schemars(flatten)]
    pub user: UserInput,
    /// The first password: not the e-mail, not a common one.
    #[schemars(length(min = 10, max = 128))]
    pub password: String,
}

impl Input for NewUser {
    const WRAPPER: Option<&'static str> = UserInput::WRAPPER;

    fn read(fields: &mut Fields<'_>) -> Self {
        let user = UserInput::read(fields);
        let password = fields.required("password", rules::password(&user.email));
        Self { user, password }
    }
}

/// A user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// Its identifier.
    pub id: UserId,
    /// What a manager set.
    #[serde(flatten)]
    pub input: UserInput,
    /// The Argon2id hash of the password, PHC format.
    pub password_hash: String,
    /// When it was made.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl User {
    /// A new user.
    #[must_use]
    pub fn new(id: UserId, input: UserInput, password_hash: String, now: Time) -> Self {
        Self { id, input, password_hash, inserted_at: now, updated_at: now }
    }

    /// The key under which the tenant's users are found by e-mail.
    #[must_use]
    pub fn by_email(tenant: &str, email: &str) -> Key {
        Key::guard(tenant, Self::KIND, "email", &text::email_key(email))
    }

    /// The user as the API shows it.
    #[must_use]
    pub fn view(&self) -> UserView {
        UserView {
            id: self.id,
            name: self.input.name.clone(),
            email: self.input.email.clone(),
            role: self.input.role,
            active: self.input.active,
            avatar_url: self.input.avatar_url.clone(),
            mfa_enabled: false,
            locale: self.input.locale.clone(),
            inserted_at: self.inserted_at,
            updated_at: self.updated_at,
        }
    }
}

/// A user as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "User")]
pub struct UserView {
    /// Its identifier.
    pub id: UserId,
    /// The name.
    pub name: String,
    /// The e-mail.
    #[schemars(email)]
    pub email: String,
    /// The role.
    pub role: Role,
    /// Whether the user may log in.
    pub active: bool,
    /// A picture's URL.
    #[schemars(url)]
    pub avatar_url: Option<String>,
    /// Whether a second factor is asked for at login.
    pub mfa_enabled: bool,
    /// The language of mails.
    pub locale: String,
    /// When it was made.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl Entity for User {
    const KIND: &'static str = "user";
    const LISTING: Listing = Listing {
        sorts: &[
            Sort { name: "name", all: G1, by: &[("role", G5), ("active", G6)] },
            Sort { name: "email", all: G2, by: &[] },
            Sort { name: "role", all: G3, by: &[] },
            Sort { name: "inserted_at", all: G4, by: &[] },
        ],
        filters: &[("role", Count::Field), ("active", Count::Field)],
        counted: true,
    };
    type Id = UserId;

    fn id(&self) -> UserId {
        self.id
    }

    fn key(tenant: &str, id: UserId) -> Key {
        Key::object(tenant, Self::KIND, id)
    }

    fn facets(&self, tenant: &str) -> Facets {
        let facets = Facets::of::<Self>(tenant, self.id)
            .sort("name", text::sort_key(&self.input.name))
            .sort("email", text::email_key(&self.input.email))
            .sort("role", format!("{}#{}", self.input.role as u8, text::sort_key(&self.input.name)))
            .sort("inserted_at", self.inserted_at.key())
            .filter("role", self.input.role.to_string())
            .filter("active", self.input.active.to_string())
            .unique("email", &text::email_key(&self.input.email))
            .words(&text::words(&[&self.input.name, &self.input.email]));
        if self.input.active { facets.tally(Resource::Users.used(tenant)) } else { facets }
    }
}
