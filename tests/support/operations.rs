//! The API's operations, as the code declares them, and the function that runs each.

use std::{fmt, ops::Deref};

use serde_json::{Map, Value};
use shared::{
    api::{Routes, document::Schemas},
    app::Need,
};

/// Makes the routes of a group.
type Make = fn() -> Routes;

/// The functions that answer HTTP, by the name of their binary.
pub const FUNCTIONS: [(&str, Make); 13] = [
    ("auth", auth::routes),
    ("users", users::routes),
    ("company", company::routes),
    ("departments", departments::routes),
    ("customers", customers::routes),
    ("access-links", access_links::routes),
    ("appointments", appointments::routes),
    ("public", public::routes),
    ("calls", calls::routes),
    ("tags", tags::routes),
    ("webhooks", webhooks::routes),
    ("export", export::routes),
    ("docs", docs::routes),
];

/// The functions that answer nobody.
pub const WORKERS: [&str; 4] = ["events-dispatcher", "webhook-worker", "scheduler", "mailer"];

/// What a function needs of its environment.
#[must_use]
pub fn needs(function: &str) -> &'static [Need] {
    match function {
        "access-links" => access_links::NEEDS,
        "appointments" => appointments::NEEDS,
        "auth" => auth::NEEDS,
        "calls" => calls::NEEDS,
        "company" => company::NEEDS,
        "customers" => customers::NEEDS,
        "departments" => departments::NEEDS,
        "docs" => docs::NEEDS,
        "events-dispatcher" => events_dispatcher::NEEDS,
        "export" => export::NEEDS,
        "mailer" => mailer::NEEDS,
        "public" => public::NEEDS,
        "scheduler" => scheduler::NEEDS,
        "tags" => tags::NEEDS,
        "users" => users::NEEDS,
        "webhook-worker" => webhook_worker::NEEDS,
        "webhooks" => webhooks::NEEDS,
        _ => &[],
    }
}

/// One operation of the API.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The function that runs it.
    pub function: &'static str,
    /// The method.
    pub method: &'static str,
    /// The path, with its slots in braces.
    pub path: &'static str,
    /// Its identifier.
    pub id: &'static str,
    /// What the documentation says of it (OpenAPI).
    pub spec: Value,
}

impl Operation {
    /// The names of the slots in its path.
    pub fn slots(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

/// `GET /api/health`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Every operation that exists.
#[derive(Debug)]
pub struct Operations {
    all: Vec<Operation>,
    /// The schemas that they refer to, by name.
    pub schemas: Map<String, Value>,
}

impl Operations {
    /// Reads them from the routes of every function.
    #[must_use]
    pub fn read() -> Self {
        let (mut all, mut schemas) = (Vec::new(), Schemas::default());
        for (function, routes) in FUNCTIONS {
            for row in routes().operations() {
                let (method, path, id) = (row.method, row.path, row.id);
                all.push(Operation { function, method, path, id, spec: row.document(&mut schemas) });
            }
        }
        Self { all, schemas: schemas.into_named() }
    }

    /// The operation of an identifier.
    #[must_use]
    #[track_caller]
    pub fn named(&self, id: &str) -> &Operation {
        self.all.iter().find(|operation| operation.id == id).unwrap_or_else(|| panic!("there is no operation {id}"))
    }
}

impl Deref for Operations {
    type Target = [Operation];

    fn deref(&self) -> &[Operation] {
        &self.all
    }
}
