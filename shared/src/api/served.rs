//! Which calls, which appointments: what lists of that which agents do for customers have in common.

use schemars::JsonSchema;

use super::{Dates, Filters, Paging};
use crate::{
    error::Result,
    ids::{CustomerId, DepartmentId, UserId},
    input::{Fields, rules},
    models::{Customer, Department, User},
    storage::{Entity, Store},
};

/// Which of them.
#[derive(Debug, JsonSchema)]
#[schemars(bound = "S: JsonSchema")]
pub struct Served<T: Entity, S> {
    /// Where in the list.
    #[schemars(flatten)]
    pub paging: Paging<T>,
    /// From when to when.
    #[schemars(flatten)]
    pub dates: Dates,
    /// That stand so.
    status: Option<S>,
    /// In this department.
    department_id: Option<DepartmentId>,
    /// Of this agent.
    user_id: Option<UserId>,
    /// Of this customer.
    customer_id: Option<CustomerId>,
}

impl<T: Entity, S: rules::Words + ToString> Served<T, S> {
    /// Reads them; `descending` is the order unless another is asked for.
    pub fn read(fields: &mut Fields<'_>, descending: bool) -> Self {
        Self {
            paging: Paging::read(fields, descending),
            dates: Dates::read(fields),
            status: fields.optional("status", rules::word),
            department_id: fields.optional("department_id", rules::id),
            user_id: fields.optional("user_id", rules::id),
            customer_id: fields.optional("customer_id", rules::id),
        }
    }

    /// The filters, without the dates.
    #[must_use]
    pub fn filters(&self) -> Filters {
        Filters::none()
            .with("status", self.status.as_ref().map(ToString::to_string))
            .with("department_id", self.department_id)
            .with("user_id", self.user_id)
            .with("customer_id", self.customer_id)
    }

    /// Whom and what they name exists.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) on the parameter.
    pub async fn known(&self, store: &Store) -> Result<()> {
        tokio::try_join!(
            store.known::<Department>("department_id", self.department_id),
            store.known::<User>("user_id", self.user_id),
            store.known::<Customer>("customer_id", self.customer_id),
        )
        .map(drop)
    }
}
