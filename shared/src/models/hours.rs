//! When a department is open.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    calendar::hours::{Exception, Hours, Shift},
    clock::Time,
    ids::DepartmentId,
    input::{Fields, Input, Message, Raw, rules},
    storage::{Audited, Entity, Facets, Key},
};

/// Rows of a weekly plan, and dates that differ from it.
const MOST: usize = 400;

impl Input for Hours {
    const WRAPPER: Option<&'static str> = Some("hours");
    const BARE: &'static [&'static str] = &["time_zone", "weekly", "exceptions"];

    fn read(fields: &mut Fields<'_>) -> Self {
        let hours = Self {
            time_zone: fields.default("time_zone", "UTC".into(), rules::time_zone),
            weekly: fields.rows("weekly", MOST, |row| Shift {
                day: row.default("day", String::new(), line),
                from: row.default("from", String::new(), line),
                to: row.default("to", String::new(), line),
            }),
            exceptions: fields.rows("exceptions", MOST, |row| Exception {
                date: row.default("date", String::new(), line),
                closed: row.default("closed", false, rules::boolean),
                from: row.optional("from", line),
                to: row.optional("to", line),
            }),
        };
        for (path, message) in hours.problems() {
            fields.also(&path, message);
        }
        hours
    }
}

/// What a time or a day must be at least; [`Hours::problems`] says more.
fn line(raw: &Raw<'_>) -> Result<String, Message> {
    raw.text().map(ToOwned::to_owned)
}

/// When a department is open.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Hours")]
pub struct OpeningHours {
    /// The department.
    pub department_id: DepartmentId,
    /// The hours.
    #[serde(flatten)]
    pub hours: Hours,
    /// When they last changed.
    pub updated_at: Time,
}

impl Entity for OpeningHours {
    const KIND: &'static str = "hours";
    type Id = DepartmentId;

    fn id(&self) -> DepartmentId {
        self.department_id
    }

    fn key(tenant: &str, id: DepartmentId) -> Key {
        Key::hours(tenant, id)
    }

    fn audited(&self) -> Option<Audited> {
        Some(Audited::of("hours", self.department_id, serde_json::to_value(&self.hours).ok()?))
    }

    fn facets(&self, tenant: &str) -> Facets {
        Facets::of::<Self>(tenant, self.department_id)
    }
}
