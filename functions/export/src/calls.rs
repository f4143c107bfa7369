//! Calls as CSV (seed 002).

use axum::http::HeaderMap;
use schemars::JsonSchema;
use shared::{
    Result,
    api::{Dates, Filters, Query, paging::Range},
    auth::{Admitted, Supervisor},
    clock::days,
    ids::DepartmentId,
    input::{Fields, Input, rules},
    lapse,
    models::{
        Call, Department, Role,
        call::{CallStatus, CallView},
    },
    storage::list::{self, Start},
};

use crate::sheet::{Cell, File, Format, Sheet};

/// Which calls, and how they are written.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    #[schemars(flatten)]
    dates: Dates,
    /// That stand so.
    status: Option<CallStatus>,
    /// In this department.
    department_id: Option<DepartmentId>,
    #[schemars(flatten)]
    format: Format,
}

/// The columns, in their order.
const COLUMNS: &[&str] = &[
    "id",
    "status",
    "department",
    "attendant",
    "customer_name",
    "customer_email",
    "duration",
    "wait_time",
    "rating",
    "started_at",
    "completed_at",
];

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            dates: Dates::read(fields),
            status: fields.optional("status", rules::word),
            department_id: fields.optional("department_id", rules::id),
            format: Format::read(fields, COLUMNS),
        }
    }
}

/// Rows that are read at once.
const BATCH: usize = 500;

/// The calls that joined in a range, the last 30 days by default, the earliest first.
pub async fn calls(Admitted(caller): Admitted<Supervisor>, headers: HeaderMap, Query(wanted): Query<Wanted>) -> Result<File> {
    let store = caller.store();
    let department = store.known::<Department>("department_id", wanted.department_id);
    let (range, ..) = tokio::try_join!(wanted.dates.range(store), department, lapse::settle_due::<Call>(store))?;
    let last = range.to.min(caller.now() + days(1));
    let range = if wanted.dates.has_from() { range } else { Range { from: last - days(31), ..range } };
    let mut query = list::Query {
        filters: Filters::none().with("status", wanted.status).with("department_id", wanted.department_id).into_list(),
        search: None,
        sort: "inserted_at",
        descending: false,
        range: Some(range.keys()),
        ranged: None,
        start: Start::Skip(0),
        size: BATCH,
    };
    let mut sheet = Sheet::new("calls", &wanted.format, &headers)?;
    loop {
        let (rows, next) = store.rows::<Call>(&query).await?;
        for call in rows {
            sheet.row(&cells(&call.view(Role::Supervisor, None, Vec::new(), caller.now())))?;
        }
        match next {
            Some(place) => query.start = Start::After(place),
            None => return sheet.finish(caller.now()),
        }
    }
}

/// A call's cells, in the order of the columns.
fn cells(call: &CallView) -> [Cell; 11] {
    [
        Cell::plain(&call.id),
        Cell::plain(&call.status),
        Cell::text(Some(&call.department_name)),
        Cell::text(call.user_name.as_ref()),
        Cell::text(call.customer_name.as_ref()),
        Cell::text(call.customer_email.as_ref()),
        Cell::number(call.duration),
        Cell::number(Some(call.wait_time)),
        Cell::number(call.rating.map(u64::from)),
        Cell::time(call.started_at),
        Cell::time(call.completed_at),
    ]
}
