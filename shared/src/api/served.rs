//! Which calls, which appointments: what lists of that which agents do for customers have in common.

use std::future::Future;

use schemars::JsonSchema;

use super::{Dates, Filters, Paging};
use crate::{
    error::Result,
    forget::Bears,
    ids::{CustomerId, DepartmentId, UserId},
    input::{Fields, rules},
    merging::Names,
    models::{Department, User},
    storage::{
        Store,
        list::{Page, Query},
    },
};

/// Which of them.
#[derive(Debug, JsonSchema)]
#[schemars(bound = "S: JsonSchema")]
pub struct Served<T: Bears, S> {
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

impl<T: Bears, S: rules::Words + ToString> Served<T, S> {
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

    /// A page of them; whom and what they name exists. What still lies under the identifier of a customer who was merged is
    /// that of who is left.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) on the parameter; else as `list`.
    pub async fn page<F: Future<Output = Result<Page<T>>>>(
        &self,
        store: &Store,
        query: &Query,
        list: impl Fn(Query) -> F,
    ) -> Result<Page<T>> {
        let (page, names, ..) = tokio::try_join!(
            Box::pin(list(query.clone())),
            Box::pin(Names::of(store, self.customer_id)),
            store.known::<Department>("department_id", self.department_id),
            store.known::<User>("user_id", self.user_id),
        )?;
        match names.query(query) {
            Some(query) => Ok(names.shown(Box::pin(list(query)).await?)),
            None => Ok(page),
        }
    }
}
