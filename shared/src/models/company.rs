//! The company of a tenant: its settings, its plan and what it uses of it.

use serde::{Deserialize, Serialize};

use crate::{
    clock::Time,
    error::Error,
    ids::CompanyId,
    storage::{Entity, Facets, Item, Key, Tallied, entity::number, tally::Tally},
    words,
};

/// A tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Company {
    /// Its identifier.
    pub id: CompanyId,
    /// Its name.
    pub name: String,
    /// The tenant: 3 to 40 of `a-z0-9-`; never changes.
    pub slug: String,
    /// What it pays for.
    pub plan: Plan,
    /// A logo's URL.
    pub logo_url: Option<String>,
    /// `#rrggbb`.
    pub primary_color: Option<String>,
    /// IANA name; what a date without a time means.
    pub time_zone: String,
    /// ISO 3166-1 alpha-2; whose phone numbers need no country code.
    pub country: String,
    /// Days for which an access link is valid unless it says otherwise.
    pub link_ttl_days: u32,
    /// When it signed up.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl Company {
    /// A new tenant.
    #[must_use]
    pub fn new(id: CompanyId, name: String, slug: String, plan: Plan, now: Time) -> Self {
        Self {
            id,
            name,
            slug,
            plan,
            logo_url: None,
            primary_color: None,
            time_zone: "UTC".into(),
            country: "BR".into(),
            link_ttl_days: 7,
            inserted_at: now,
            updated_at: now,
        }
    }

    /// The time zone; UTC when the name is unknown.
    #[must_use]
    pub fn zone(&self) -> chrono_tz::Tz {
        self.time_zone.parse().unwrap_or(chrono_tz::UTC)
    }
}

impl Entity for Company {
    const KIND: &'static str = "company";
    type Id = ();

    fn id(&self) -> Self::Id {}

    fn key(tenant: &str, (): ()) -> Key {
        Key::company(tenant)
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
