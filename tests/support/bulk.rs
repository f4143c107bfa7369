//! A tenant with many calls and customers, without the hours that it takes to make them one by one.
//!
//! A few are written as the product writes them; the others are their items with other identifiers, moments, names and values
//! of the filters, and count in the same counters.

mod customers;
mod template;

use serde_json::json;
use shared::{
    clock::{Time, days},
    ids::{CallId, CustomerId, DepartmentId, Id, TagId, TicketId, UserId},
    models::{
        Call, Customer, Department,
        call::{CallStatus, Joining, joined_in},
        customer::CustomerInput,
    },
    storage::Entity,
};
use uuid::Uuid;

pub use self::customers::customers;
use self::template::{Template, counters};
use crate::{lab::Lab, world::NOW};

/// The tenant.
const TENANT: &str = "acme";
/// Its calls came in evenly in so many days, until a day ago: what waits now is the world's own.
const SPAN: u64 = 100;
/// How many values each filter has; each value selects a tenth of the calls, and each pair of values a hundredth.
const VALUES: usize = 10;

/// The values of the filters; the first ones are of objects that the world has, and so can be asked for.
#[derive(Debug)]
pub struct Bulk {
    departments: Vec<String>,
    users: Vec<String>,
    customers: Vec<String>,
    began: Time,
}

impl Bulk {
    /// Adds so many finished calls to the world's tenant.
    #[must_use]
    pub fn load(lab: &mut Lab, calls: usize) -> Self {
        // Somebody whom no sample removes or merges.
        let sampled = ["acme.customer", "acme.duplicate"].map(|name| lab.world.id(name));
        let customers = lab.built.values().filter(|item| item["k"]["S"] == Customer::KIND);
        let customers = customers.filter(|item| item["PK"]["S"].as_str().unwrap().starts_with(TENANT));
        let mut ids = customers.map(|item| item["d"]["M"]["id"]["S"].as_str().unwrap()).filter(|id| !sampled.contains(id));
        let bulk = Self {
            departments: values(lab.world.id("acme.department")),
            users: values(lab.world.id("acme.attendant")),
            customers: values(ids.next().unwrap()),
            began: NOW - days(SPAN + 1),
        };
        let tagged = vec![lab.world.id("acme.tag").parse().unwrap()];
        let templates = [(CallStatus::Missed, vec![]), (CallStatus::Completed, tagged), (CallStatus::Completed, vec![])];
        let templates = templates.map(|(status, tags)| finished(lab, status, tags));
        let mut counters = counters(lab);
        let copies = |n: usize| {
            let (a, b) = (n % VALUES, n / VALUES % VALUES);
            let at = bulk.began + days(SPAN) * u32::try_from(n).unwrap() / u32::try_from(calls).unwrap();
            let id = CallId::of(at.epoch() * 1000, (n as u128).to_be_bytes()[6..].try_into().unwrap());
            let marks = Marks {
                id,
                at,
                department: &bulk.departments[a],
                user: &bulk.users[(a + b) % VALUES],
                customer: &bulk.customers[(a + 2 * b) % VALUES],
            };
            // Which bear the tag says the department, which is not the first one.
            let template = match (a, b) {
                (_, 0) => 0,
                (1, _) => 1,
                _ => 2,
            };
            templates[template].copy(&id.key(), &self::marks(&marks), &mut counters)
        };
        lab.lay((0..calls).flat_map(copies));
        lab.put(counters);
        bulk
    }

    /// The department of a tenth of the calls.
    #[must_use]
    pub fn department(&self) -> &str {
        &self.departments[0]
    }

    /// The agent of a tenth of the calls.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.users[0]
    }

    /// The customer of a tenth of the calls.
    #[must_use]
    pub fn customer(&self) -> &str {
        &self.customers[0]
    }

    /// Two moments between which a tenth of the calls lies.
    #[must_use]
    pub fn range(&self) -> (Time, Time) {
        (self.began + days(SPAN / 2), self.began + days(SPAN / 2 + SPAN / 10))
    }
}

/// The values of a filter: one that exists, and some that only the calls know.
fn values(known: &str) -> Vec<String> {
    let others = (1..VALUES as u128).map(|n| Uuid::from_u128((0x7 << 76) | (0x8 << 60) | n).to_string());
    std::iter::once(known.to_owned()).chain(others).collect()
}

/// What tells one call from another.
struct Marks<'a> {
    id: CallId,
    at: Time,
    department: &'a str,
    user: &'a str,
    customer: &'a str,
}

/// The items of a call of this status with these tags.
fn finished(lab: &Lab, status: CallStatus, tag_ids: Vec<TagId>) -> Template {
    let mark = |n: u128| Uuid::from_u128((0x7 << 76) | (0x8 << 60) | (0xabc_def0 + n));
    let (id, department, user) = (CallId::from(mark(0)), DepartmentId::from(mark(1)), UserId::from(mark(2)));
    let (customer, at) = (CustomerId::from(mark(3)), Time::from_epoch(1_111_111_111));
    let call = Call { tag_ids, ..call(id, department, user, customer, at, status) };
    let [department, user, customer] = [department.to_string(), user.to_string(), customer.to_string()];
    let marks = marks(&Marks { id, at, department: &department, user: &user, customer: &customer });
    let app = lab.world.app();
    Template::of(lab, marks, async move { app.store(TENANT).write().create(&call).commit(()).await })
}

/// The marks as they are spelt in items.
fn marks(marks: &Marks<'_>) -> Vec<String> {
    let Marks { id, at, department, user, customer } = *marks;
    let [department, user, customer] = [department, user, customer].map(ToOwned::to_owned);
    let month = joined_in(at);
    vec![id.to_string(), id.key(), at.to_string(), at.key(), month, department, user, customer]
}

/// A finished call.
fn call(id: CallId, department: DepartmentId, user: UserId, customer: CustomerId, at: Time, status: CallStatus) -> Call {
    let input = serde_json::from_value(json!({
        "id": department, "name": "Billing", "identifier": "billing", "description": null, "active": true, "sector_id": null,
        "max_queue_size": 20, "max_wait_time": 1800, "user_count": 2, "inserted_at": NOW, "updated_at": NOW,
    }));
    let department: Department = input.unwrap();
    let contact = CustomerInput { name: "Joana".into(), ..CustomerInput::default() };
    let customer = Customer::new(customer, contact.clone(), NOW);
    let joining =
        Joining { department: &department, customer: &customer, contact: &contact, access_link_id: None, reason: None, place: 1 };
    Call {
        status,
        user_id: Some(user),
        user_name: Some("Ana Ribeiro".into()),
        inserted_at: at,
        started_at: Some(NOW),
        completed_at: Some(NOW),
        ..Call::new(id, TicketId::default(), joining, NOW)
    }
}
