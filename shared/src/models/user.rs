//! The people who work for a tenant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Mfa, company::Resource};
use crate::{
    clock::Time,
    error::Error,
    ids::UserId,
    input::{Fields, Input, rules},
    storage::{
        Audited, Count, Entity, Facets, Item, Key, Listing, Sort, Tallied,
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

/// The languages of mails, the first unless another is chosen.
pub const LOCALES: [&str; 2] = ["pt-BR", "en"];

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
    #[schemars(extend("enum" = LOCALES, "default" = LOCALES[0]))]
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
            locale: fields.default("locale", LOCALES[0].into(), rules::one_of(&LOCALES)),
            avatar_url: fields.optional("avatar_url", rules::web_url),
            active: fields.default("active", true, rules::boolean),
        }
    }
}

/// A user with a password: the first one, or the next.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UserInput")]
pub struct NewUser {
    /// The user.
    #[serde(flatten)]
    pub user: UserInput,
    /// The password: not the e-mail, not a common one. A new user without one is invited by mail.
    #[schemars(length(min = 10, max = 128))]
    #[serde(skip_serializing)]
    pub password: Option<String>,
}

impl Input for NewUser {
    const WRAPPER: Option<&'static str> = UserInput::WRAPPER;

    fn read(fields: &mut Fields<'_>) -> Self {
        let user = UserInput::read(fields);
        let password = fields.optional("password", rules::password(&user.email));
        Self { user, password }
    }
}

/// What everybody sets of oneself.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProfileInput")]
pub struct Profile {
    /// The name.
    #[schemars(length(max = 200))]
    pub name: String,
    /// The language of mails.
    #[schemars(extend("enum" = LOCALES, "default" = LOCALES[0]))]
    pub locale: String,
    /// A picture's URL.
    #[schemars(url, length(max = 2048))]
    pub avatar_url: Option<String>,
}

impl Input for Profile {
    const WRAPPER: Option<&'static str> = UserInput::WRAPPER;

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: fields.required("name", rules::name),
            locale: fields.default("locale", LOCALES[0].into(), rules::one_of(&LOCALES)),
            avatar_url: fields.optional("avatar_url", rules::web_url),
        }
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
    /// The Argon2id hash of the password, PHC format; none before the first is set.
    pub password_hash: Option<String>,
    /// The second factor.
    pub mfa: Option<Mfa>,
    /// Rises when all sessions end at once.
    pub epoch: u64,
    /// When the schedule looks for calls that wait for this user, who serves no longer.
    pub releases_at: Option<Time>,
    /// When it was made.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl User {
    /// A new user.
    #[must_use]
    pub fn new(id: UserId, input: UserInput, password_hash: Option<String>, now: Time) -> Self {
        Self { id, input, password_hash, mfa: None, epoch: 0, releases_at: None, inserted_at: now, updated_at: now }
    }

    /// The user with another password, which ends every session.
    #[must_use]
    pub fn with_password(&self, hash: String, now: Time) -> Self {
        Self { password_hash: Some(hash), epoch: self.epoch + 1, updated_at: now, ..self.clone() }
    }

    /// A second factor is asked for at login.
    #[must_use]
    pub fn mfa_enabled(&self) -> bool {
        self.mfa.as_ref().is_some_and(|mfa| mfa.enabled)
    }

    /// What the user may set.
    #[must_use]
    pub fn profile(&self) -> Profile {
        let UserInput { name, locale, avatar_url, .. } = self.input.clone();
        Profile { name, locale, avatar_url }
    }

    /// The key under which the tenant's users are found by e-mail.
    #[must_use]
    pub fn by_email(tenant: &str, email: &str) -> Key {
        Key::guard(tenant, Self::KIND, "email", &text::caseless(email))
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
            mfa_enabled: self.mfa_enabled(),
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

    fn audited(&self) -> Option<Audited> {
        let mut fields = serde_json::to_value(&self.input).ok()?;
        fields["password"] = Audited::secret(&self.password_hash);
        fields["mfa_enabled"] = self.mfa_enabled().into();
        Some(Audited::of("user", self.id, fields))
    }

    fn facets(&self, tenant: &str) -> Facets {
        let facets = Facets::of::<Self>(tenant, self.id)
            .sort("name", text::sort_key(&self.input.name))
            .sort("email", text::caseless(&self.input.email))
            .sort("role", format!("{}#{}", self.input.role as u8, text::sort_key(&self.input.name)))
            .sort("inserted_at", self.inserted_at.key())
            .filter("role", self.input.role.to_string())
            .filter("active", self.input.active.to_string())
            .unique("email", &text::caseless(&self.input.email))
            .words(&text::words(&[&self.input.name, &self.input.email]));
        let facets = facets.due(self.releases_at);
        match (self.input.active, self.input.role) {
            (true, Role::Manager) => facets.tally(Resource::Users.used(tenant)).tally(last_manager(tenant)),
            (true, _) => facets.tally(Resource::Users.used(tenant)),
            (false, _) => facets,
        }
    }
}

/// How many managers are active; one always is.
fn last_manager(tenant: &str) -> Tallied {
    let refusal = |_: Option<&Item>| Error::Refused("The last active manager can be neither demoted nor deactivated".into());
    Tallied::new(Key::usage(tenant), "managers").one_stays().or(refusal)
}

/// Somebody, for tests.
#[cfg(test)]
pub(crate) fn sample() -> User {
    let fields = serde_json::json!({"name": "Ana", "email": "ana@example.com", "role": "manager"});
    let input = crate::input::read::<UserInput>(fields.as_object().unwrap()).unwrap();
    User::new(UserId::default(), input, None, Time::from_epoch(1_700_000_000))
}
