//! The company of a tenant: its settings, its plan and what it uses of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{User, user::LOCALES};
use crate::{
    clock::Time,
    error::Error,
    ids::CompanyId,
    input::{Fields, Input, rules},
    storage::{Audited, Entity, Facets, Item, Key, Tallied, entity::number, tally::Tally, write::Write},
    text::{self, DocumentType},
    words,
};

/// What a manager sets of the company.
#[expect(clippy::struct_excessive_bools, reason = "settings that are on or off, each on its own")]
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CompanyInput {
    /// Its name.
    #[schemars(length(max = 200))]
    pub name: String,
    /// Where it is written to.
    #[schemars(email)]
    pub email: Option<String>,
    /// Its phone number; E.164 once it is stored.
    #[schemars(extend("format" = "phone"))]
    pub phone: Option<String>,
    /// The number it is registered under, kept as written.
    #[schemars(length(max = 32))]
    pub document: Option<String>,
    /// A logo's URL.
    #[schemars(url, length(max = 2048))]
    pub logo_url: Option<String>,
    /// `#rrggbb`.
    #[schemars(extend("format" = "color"))]
    pub primary_color: Option<String>,
    /// Whether calls may be recorded.
    #[schemars(extend("default" = true))]
    pub recording_enabled: bool,
    /// Whether recordings are transcribed.
    #[schemars(extend("default" = false))]
    pub transcription_enabled: bool,
    /// Whether everybody must log in with a second factor.
    #[schemars(extend("default" = false))]
    pub mfa_required: bool,
    /// Whether an agent's appointments may never overlap.
    #[schemars(extend("default" = false))]
    pub prevent_double_booking: bool,
    /// IANA name; what a date without a time means.
    #[schemars(extend("format" = "time-zone", "default" = "UTC"))]
    pub time_zone: String,
    /// ISO 3166-1 alpha-2; whose phone numbers need no country code.
    #[schemars(extend("format" = "country", "default" = "BR"))]
    pub country: String,
    /// Seconds within which a call should be answered.
    #[schemars(range(min = 1, max = 3600), extend("default" = 20))]
    pub service_level_seconds: u32,
    /// Days for which recordings are kept; null keeps them.
    #[schemars(range(min = 1, max = 3650))]
    pub recording_retention_days: Option<u32>,
    /// Days for which an access link is valid unless it says otherwise.
    #[schemars(range(min = 1, max = 365), extend("default" = 7))]
    pub link_ttl_days: u32,
}

impl Input for CompanyInput {
    const WRAPPER: Option<&'static str> = Some("company");

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: fields.required("name", rules::name),
            email: fields.optional("email", rules::email),
            phone: fields.optional("phone", rules::phone),
            document: fields.optional("document", rules::line(32)),
            logo_url: fields.optional("logo_url", rules::web_url),
            primary_color: fields.optional("primary_color", rules::color),
            recording_enabled: fields.default("recording_enabled", true, rules::boolean),
            transcription_enabled: fields.default("transcription_enabled", false, rules::boolean),
            mfa_required: fields.default("mfa_required", false, rules::boolean),
            prevent_double_booking: fields.default("prevent_double_booking", false, rules::boolean),
            time_zone: fields.default("time_zone", "UTC".into(), rules::time_zone),
            country: fields.default("country", "BR".into(), rules::country),
            service_level_seconds: fields.default("service_level_seconds", 20, rules::integer(1..=3600)),
            recording_retention_days: fields.optional("recording_retention_days", rules::integer(1..=3650)),
            link_ttl_days: fields.default("link_ttl_days", 7, rules::integer(1..=365)),
        }
    }
}

/// A tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Company {
    /// Its identifier.
    pub id: CompanyId,
    /// The tenant: 3 to 40 of `a-z0-9-`; never changes.
    pub slug: String,
    /// What it pays for.
    pub plan: Plan,
    /// What a manager set.
    #[serde(flatten)]
    pub input: CompanyInput,
    /// When an operator deleted the tenant. What stays is the slug: old tokens and links must not lead to somebody else.
    pub deleted_at: Option<Time>,
    /// When it signed up.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// A company as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Company")]
pub struct CompanyView {
    /// Its identifier.
    pub id: CompanyId,
    /// The tenant.
    pub slug: String,
    /// What a manager set; recording only while the plan has it.
    #[serde(flatten)]
    pub input: CompanyInput,
    /// `cpf` or `cnpj` when the document's check digits are right.
    pub document_type: Option<DocumentType>,
    /// What it pays for.
    pub plan: Plan,
    /// Calls at once; null without a limit.
    pub max_concurrent_calls: Option<i64>,
    /// When it signed up.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl Company {
    /// A new tenant.
    #[must_use]
    pub fn new(id: CompanyId, name: String, slug: String, plan: Plan, now: Time) -> Self {
        let input = CompanyInput {
            name,
            email: None,
            phone: None,
            document: None,
            logo_url: None,
            primary_color: None,
            recording_enabled: true,
            transcription_enabled: false,
            mfa_required: false,
            prevent_double_booking: false,
            time_zone: "UTC".into(),
            country: "BR".into(),
            service_level_seconds: 20,
            recording_retention_days: None,
            link_ttl_days: 7,
        };
        Self { id, slug, plan, input, deleted_at: None, inserted_at: now, updated_at: now }
    }

    /// What stays of a deleted tenant: that its slug is taken.
    #[must_use]
    pub fn deleted(&self, now: Time) -> Self {
        let blank = Self::new(self.id, self.slug.clone(), self.slug.clone(), self.plan, now);
        Self { deleted_at: Some(self.deleted_at.unwrap_or(now)), inserted_at: self.inserted_at, ..blank }
    }

    /// The language in which its customers are written to: that of its country.
    #[must_use]
    pub fn locale(&self) -> &'static str {
        /// Where Portuguese is an official language.
        const PORTUGUESE: [&str; 9] = ["AO", "BR", "CV", "GW", "MO", "MZ", "PT", "ST", "TL"];
        LOCALES[usize::from(!PORTUGUESE.contains(&self.input.country.as_str()))]
    }

    /// The tenant with its plan's limits and its first user, in one transaction.
    pub fn founded<'a>(&self, write: Write<'a>, first: &User) -> Write<'a> {
        write.create(self).tally(&Key::usage(&self.slug), |usage| self.plan.apply(usage)).create(first)
    }

    /// The time zone; UTC when the name is unknown.
    #[must_use]
    pub fn zone(&self) -> chrono_tz::Tz {
        self.input.time_zone.parse().unwrap_or(chrono_tz::UTC)
    }

    /// The company as the API shows it.
    #[must_use]
    pub fn view(&self) -> CompanyView {
        let mut input = self.input.clone();
        input.recording_enabled &= self.plan.recording();
        input.transcription_enabled &= self.plan.recording();
        CompanyView {
            id: self.id,
            slug: self.slug.clone(),
            document_type: input.document.as_deref().and_then(text::document_type),
            input,
            plan: self.plan,
            max_concurrent_calls: self.plan.limits().map(|[calls, ..]| calls),
            inserted_at: self.inserted_at,
            updated_at: self.updated_at,
        }
    }
}

impl Entity for Company {
    const KIND: &'static str = "company";
    type Id = ();

    fn id(&self) -> Self::Id {}

    fn key(tenant: &str, (): ()) -> Key {
        Key::company(tenant)
    }

    fn audited(&self) -> Option<Audited> {
        let mut fields = serde_json::to_value(&self.input).ok()?;
        fields["plan"] = serde_json::to_value(self.plan).ok()?;
        Some(Audited::of("company", self.id, fields))
    }

    fn facets(&self, tenant: &str) -> Facets {
        Facets::of::<Self>(tenant, self.id)
    }
}

words! {
    /// What a tenant pays for.
    pub enum Plan {
        /// 1 call, 2 users, 1 department.
        Free = "free",
        /// 3 calls, 10 users, 3 departments.
        Basic = "basic",
        /// 5 calls, 25 users, 10 departments; webhooks.
        Advanced = "advanced",
        /// 10 calls, 50 users, 20 departments; webhooks.
        Professional = "professional",
        /// No limits.
        Enterprise = "enterprise",
    }
}

impl Plan {
    /// Concurrent calls, active users, active departments; `None` without limit.
    #[must_use]
    pub const fn limits(self) -> Option<[i64; 3]> {
        match self {
            Self::Free => Some([1, 2, 1]),
            Self::Basic => Some([3, 10, 3]),
            Self::Advanced => Some([5, 25, 10]),
            Self::Professional => Some([10, 50, 20]),
            Self::Enterprise => None,
        }
    }

    /// Recordings and their transcripts come with it.
    #[must_use]
    pub const fn recording(self) -> bool {
        !matches!(self, Self::Free)
    }

    /// Webhooks come with it.
    #[must_use]
    pub const fn webhooks(self) -> bool {
        matches!(self, Self::Advanced | Self::Professional | Self::Enterprise)
    }

    /// Puts its limits where the counts are that they bound.
    pub fn apply(self, usage: &mut Tally) {
        for (n, resource) in [Resource::Calls, Resource::Users, Resource::Departments].into_iter().enumerate() {
            usage.set(resource.limit(), self.limits().map(|limits| limits[n]));
        }
    }
}

/// What a plan limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Active calls.
    Calls,
    /// Active users.
    Users,
    /// Active departments.
    Departments,
}

impl Resource {
    /// The count's name.
    #[must_use]
    pub const fn count(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Users => "users",
            Self::Departments => "departments",
        }
    }

    /// The limit's name.
    #[must_use]
    pub const fn limit(self) -> &'static str {
        match self {
            Self::Calls => "max_calls",
            Self::Users => "max_users",
            Self::Departments => "max_departments",
        }
    }

    /// What an object that uses one of it counts, refused past the plan's limit.
    #[must_use]
    pub fn used(self, tenant: &str) -> Tallied {
        let refusal = match self {
            Self::Calls => |item: Option<&Item>| Self::Calls.exceeded(item),
            Self::Users => |item: Option<&Item>| Self::Users.exceeded(item),
            Self::Departments => |item: Option<&Item>| Self::Departments.exceeded(item),
        };
        Tallied::new(Key::usage(tenant), self.count()).below(self.limit()).or(refusal)
    }

    fn exceeded(self, item: Option<&Item>) -> Error {
        let read = |name| item.and_then(|item| number(item, name)).unwrap_or(0);
        Error::Forbidden(format!("Plan limit reached: {} ({} of {})", self.count(), read(self.count()), read(self.limit())))
    }
}
