//! `/customers`: the people who call.

mod crud;
mod duplicates;
mod erase;
mod export;
mod merge;

use shared::{api::Routes, app::Need};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[Need::PublicUrl];

/// The group's routes.
pub fn routes() -> Routes {
    Routes::of("Customers", "The people who call.")
        .get("/api/v1/customers", crud::list, "listCustomers", "The tenant's customers")
        .post("/api/v1/customers", crud::create, "createCustomer", "Makes a customer")
        .get("/api/v1/customers/duplicates", duplicates::find, "listCustomerDuplicates", "Customers who may be one")
        .post("/api/v1/customers/merge", merge::merge, "mergeCustomers", "Makes one of customers who turned out to be one")
        .get("/api/v1/customers/{id}", crud::read, "getCustomer", "One customer")
        .put("/api/v1/customers/{id}", crud::update, "updateCustomer", "Changes a customer")
        .delete("/api/v1/customers/{id}", crud::remove, "deleteCustomer", "Removes a customer; the calls stay, without a name")
        .get("/api/v1/customers/{id}/export", export::export, "exportCustomer", "What is kept about a customer, as a file")
}
