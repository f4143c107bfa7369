//! Access links: how customers come in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{customer::Whom, department::Desk};
use crate::{
    clock::{Time, days},
    error::{Error, Result},
    ids::{AccessLinkId, CustomerId, DepartmentId},
    input::{Fields, Input, rules},
    storage::{
        Audited, Count, Entity, Facets, Key, Listing, Sort,
        entity::{G1, G2, G3, G4, G5, G6},
        keys,
    },
    text, words,
};

words! {
    /// Where an access link stands.
    pub enum LinkStatus {
        /// It lets customers in.
        Active = "active",
        /// Its last use is used.
        Used = "used",
        /// Its time has passed.
        Expired = "expired",
        /// It was called back.
        Cancelled = "cancelled",
    }
}

/// What a supervisor sets of an access link.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(rename = "AccessLinkInput")]
pub struct LinkInput {
    /// The department whose queue it leads to.
    pub department_id: DepartmentId,
    /// An existing customer, whose name and contact fill in what is absent here.
    pub customer_id: Option<CustomerId>,
    /// The customer's name.
    #[schemars(length(max = 200))]
    pub customer_name: Option<String>,
    /// The customer's e-mail.
    #[schemars(email)]
    pub customer_email: Option<String>,
    /// The customer's phone number; kept as E.164.
    #[schemars(extend("format" = "phone"))]
    pub customer_phone: Option<String>,
    /// In the future and within a year; after the company's `link_ttl_days` when absent.
    pub expires_at: Option<Time>,
    /// Joins it admits.
    #[schemars(range(min = 1, max = 10_000), extend("default" = 1))]
    pub max_uses: u32,
}

impl Input for LinkInput {
    const WRAPPER: Option<&'static str> = Some("access_link");

    fn read(fields: &mut Fields<'_>) -> Self {
        let Whom { customer_id, customer_name, customer_email, customer_phone } = Whom::read(fields);
        Self {
            department_id: fields.required("department_id", rules::id),
            customer_id,
            customer_name,
            customer_email,
            customer_phone,
            expires_at: fields.optional("expires_at", rules::time),
            max_uses: fields.default("max_uses", 1, rules::integer(1..=10_000)),
        }
    }
}

impl LinkInput {
    /// The moment at which the link expires.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `expires_at` when it is past or more than a year ahead.
    pub fn expiry(&self, default_days: u32, now: Time) -> Result<Time> {
        match self.expires_at {
            None => Ok(now + days(u64::from(default_days))),
            Some(at) if at <= now => Err(Error::invalid("expires_at", "must be in the future")),
            Some(at) if at > now.years_on(1) => Err(Error::invalid("expires_at", "must be within a year")),
            Some(at) => Ok(at),
        }
    }
}

/// An access link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccessLink {
    /// Its identifier.
    pub id: AccessLinkId,
    /// The secret in its URL: 22 base-62 digits, 131 bits.
    pub token: String,
    /// Where it stands; one whose time has passed may still say active, see [`AccessLink::at`].
    pub status: LinkStatus,
    /// The department whose queue it leads to.
    pub department_id: DepartmentId,
    /// The department's name when the link was made.
    pub department_name: String,
    /// An existing customer.
    pub customer_id: Option<CustomerId>,
    /// The customer's name.
    pub customer_name: Option<String>,
    /// The customer's e-mail.
    pub customer_email: Option<String>,
    /// The customer's phone number, E.164.
    pub customer_phone: Option<String>,
    /// When it expires.
    pub expires_at: Time,
    /// When it was last used.
    pub used_at: Option<Time>,
    /// Joins it admits.
    pub max_uses: u32,
    /// Joins so far.
    pub use_count: u32,
    /// When it was made.
    pub inserted_at: Time,
}

impl AccessLink {
    /// The link as it stands at a moment: expired from `expires_at` on.
    #[must_use]
    pub fn at(&self, now: Time) -> Self {
        let mut link = self.clone();
        if link.status == LinkStatus::Active && link.expires_at <= now {
            link.status = LinkStatus::Expired;
        }
        link
    }

    /// The link after one more join; none when it admits nobody.
    #[must_use]
    pub fn used(&self, now: Time) -> Option<Self> {
        let mut link = self.at(now);
        if link.status != LinkStatus::Active {
            return None;
        }
        link.use_count += 1;
        link.used_at = Some(now);
        if link.use_count >= link.max_uses {
            link.status = LinkStatus::Used;
        }
        Some(link)
    }

    /// The link called back.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `status` unless it is active.
    pub fn cancelled(&self, now: Time) -> Result<Self> {
        let link = self.at(now);
        if link.status == LinkStatus::Active {
            Ok(Self { status: LinkStatus::Cancelled, ..link })
        } else {
            Err(Error::invalid("status", format!("cannot be cancelled when {}", link.status)))
        }
    }

    /// The link without its customer, who was removed.
    #[must_use]
    pub fn forgotten(&self) -> Self {
        Self { customer_id: None, customer_name: None, customer_email: None, customer_phone: None, ..self.clone() }
    }

    /// The link as the API shows it; `site` is the public address of the pages.
    #[must_use]
    pub fn view(&self, site: &str, now: Time) -> LinkView {
        LinkView { link: self.at(now), url: format!("{site}/call/{}", self.token) }
    }
}

/// An access link as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "AccessLink")]
pub struct LinkView {
    /// The link.
    #[serde(flatten)]
    pub link: AccessLink,
    /// What the customer opens.
    pub url: String,
}

impl Entity for AccessLink {
    const KIND: &'static str = "link";
    const LISTING: Listing = Listing {
        sorts: &[
            Sort { name: "inserted_at", all: G1, by: &[("status", G3), ("department_id", G4)] },
            Sort { name: "expires_at", all: G2, by: &[("status", G5), ("department_id", G6)] },
        ],
        filters: &[("department_id", Count::Item), ("status", Count::Field)],
        counted: true,
    };
    type Id = AccessLinkId;

    fn id(&self) -> AccessLinkId {
        self.id
    }

    fn key(tenant: &str, id: AccessLinkId) -> Key {
        Key::object(tenant, Self::KIND, id)
    }

    /// Without the customer, who may want to be forgotten.
    fn audited(&self) -> Option<Audited> {
        let Self { department_id, status, max_uses, expires_at, .. } = self;
        let fields = serde_json::json!({
            "department_id": department_id, "status": status, "max_uses": max_uses, "expires_at": expires_at,
        });
        Some(Audited::of("access_link", self.id, fields))
    }

    fn facets(&self, tenant: &str) -> Facets {
        use aws_sdk_dynamodb::types::AttributeValue::S;
        let or_empty = |value: &Option<String>| value.clone().unwrap_or_default();
        let facets = Facets::of::<Self>(tenant, self.id)
            .sort("inserted_at", self.inserted_at.key())
            .sort("expires_at", self.expires_at.key())
            .filter("status", self.status.to_string())
            .filter("department_id", self.department_id.to_string())
            .words(&text::words(&[&or_empty(&self.customer_name), &or_empty(&self.customer_email)]))
            .row(
                Key::token(&self.token),
                [("tenant", tenant.to_owned()), ("id", self.id.to_string()), ("department_id", self.department_id.to_string())]
                    .map(|(name, value)| (name, S(value))),
            );
        let facets = match self.customer_id {
            Some(customer) => facets.row(Key::of_customer(tenant, customer, keys::LINKS, self.id), []),
            None => facets,
        };
        if self.status == LinkStatus::Active {
            facets.lapses(Some(self.expires_at)).tally(Desk::holds(tenant, self.department_id, "links"))
        } else {
            facets
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(max_uses: u32) -> AccessLink {
        AccessLink {
            id: AccessLinkId::default(),
            token: "t".into(),
            status: LinkStatus::Active,
            department_id: DepartmentId::default(),
            department_name: "Support".into(),
            customer_id: None,
            customer_name: None,
            customer_email: None,
            customer_phone: None,
            expires_at: Time::from_epoch(1000),
            used_at: None,
            max_uses,
            use_count: 0,
            inserted_at: Time::from_epoch(0),
        }
    }

    #[test]
    fn it_expires_the_moment_its_time_passes() {
        assert_eq!(link(1).at(Time::from_epoch(999)).status, LinkStatus::Active);
        assert_eq!(link(1).at(Time::from_epoch(1000)).status, LinkStatus::Expired);
        assert!(link(1).used(Time::from_epoch(1000)).is_none());
        assert!(link(1).cancelled(Time::from_epoch(1000)).is_err());
    }

    #[test]
    fn the_last_use_uses_it_up() {
        let now = Time::from_epoch(10);
        let once = link(2).used(now).unwrap();
        assert_eq!((once.status, once.use_count, once.used_at), (LinkStatus::Active, 1, Some(now)));
        let twice = once.used(now).unwrap();
        assert_eq!((twice.status, twice.use_count), (LinkStatus::Used, 2));
        assert!(twice.used(now).is_none());
        assert_eq!(twice.at(Time::from_epoch(5000)).status, LinkStatus::Used);
    }

    #[test]
    fn only_an_active_link_is_cancelled() {
        let now = Time::from_epoch(10);
        let cancelled = link(1).cancelled(now).unwrap();
        assert_eq!(cancelled.status, LinkStatus::Cancelled);
        assert!(cancelled.cancelled(now).is_err());
        assert!(link(1).used(now).unwrap().cancelled(now).is_err());
    }
}
