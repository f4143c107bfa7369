//! The routes of a group as a table: what answers, what it is called, what it is for.

use axum::{
    Router,
    handler::Handler,
    routing::{MethodFilter, on},
};
use serde_json::Value;

use super::document::{Draft, Schemas, Signature};
use crate::app::App;

/// The routes of a group. A route comes in by its row alone: none escapes the documentation.
#[must_use]
#[derive(Debug, Clone, Default)]
pub struct Routes {
    group: Group,
    operations: Vec<Operation>,
    router: Router<App>,
}

/// What routes have in common.
#[derive(Debug, Clone, Copy, Default)]
pub struct Group {
    /// What it is called in the documentation.
    pub name: &'static str,
    /// What it is for.
    pub purpose: &'static str,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// The method; a GET answers HEAD as well.
    pub method: &'static str,
    /// The path, its slots in braces.
    pub path: &'static str,
    /// Its name in the documentation and in the clients made from it; never changes.
    pub id: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Its group.
    pub group: Group,
    /// What its handler's signature says: a pointer, so that no function makes documentation when it starts.
    describe: fn(&mut Draft<'_>),
}

macro_rules! rows {
    ($($method:ident $filter:ident),*) => { $(
        #[doc = concat!("A row: ", stringify!($filter), " of a path, its handler, its identifier and its summary.")]
        #[expect(clippy::disallowed_methods, reason = "the one place where operations become routes")]
        pub fn $method<H, T, D>(mut self, path: &'static str, handler: H, id: &'static str, summary: &'static str) -> Self
        where
            H: Handler<T, App> + Signature<D>,
            T: 'static,
        {
            let (method, group) = (stringify!($filter), self.group);
            self.operations.push(Operation { method, path, id, summary, group, describe: H::describe });
            self.router = self.router.route(path, on(MethodFilter::$filter, handler));
            self
        }
    )* };
}

impl Routes {
    /// No routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The routes of a group, none yet.
    pub fn of(name: &'static str, purpose: &'static str) -> Self {
        Self { group: Group { name, purpose }, ..Self::default() }
    }

    rows!(get GET, post POST, put PUT, delete DELETE);

    /// These routes and another group's.
    pub fn merge(mut self, other: Self) -> Self {
        self.operations.extend(other.operations);
        self.router = self.router.merge(other.router);
        self
    }

    /// The rows.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }
}

impl From<Routes> for Router<App> {
    fn from(routes: Routes) -> Self {
        routes.router
    }
}

impl Operation {
    /// What the documentation says of it: an operation object of OpenAPI 3.1. Its schemas are left in `schemas`.
    #[must_use]
    pub fn document(&self, schemas: &mut Schemas) -> Value {
        let mut draft = Draft::of(self, schemas);
        (self.describe)(&mut draft);
        draft.finish()
    }
}
