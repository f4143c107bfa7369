//! When a department is open.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

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

    fn read(fields: &mut Fields<'_>) -> Self {
        let hours = Self {
            time_zone: fields.default("time_zone", "UTC".into(), rules::time_zone),
            weekly: fields.default("weekly", Vec::new(), rows::<Shift>),
            exceptions: fields.default("exceptions", Vec::new(), rows::<Exception>),
        };
        for (path, message) in hours.problems() {
            fields.violation(&path, message);
        }
        hours
    }
}

fn rows<T: DeserializeOwned>(raw: &Raw<'_>) -> Result<Vec<T>, Message> {
    let rows = Vec::<T>::deserialize(raw.json()).map_err(|_| Message::Borrowed("must be a list of rows"))?;
    if rows.len() > MOST { Err(Message::Owned(format!("should have at most {MOST} rows"))) } else { Ok(rows) }
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
