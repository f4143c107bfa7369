//! Lists.

use serde_json::json;

use super::{ATTENDANT, MANAGER, SUPERVISOR, Stage};
use crate::{PASSWORD, gateway::Ask, lab::Lab, samples::Sample, world::NOW};

/// Every list in every order and by every filter, and what is read when something is missing.
#[must_use]
pub fn reading(lab: &Lab) -> Vec<Sample> {
    let stage = Stage(lab);
    let id = |name: &str| lab.world.id(name).to_owned();
    let list = |operation: &str, caller, query: &str| {
        let ask = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .fold(Ask::by(caller), |ask, (name, value)| ask.query(name, value));
        stage.sample(operation, &format!("by {query}"), &ask, NOW)
    };
    let mut all: Vec<_> =
        ["sort_by=name", "sort_by=email", "sort_by=role", "sort_by=inserted_at", "role=attendant", "active=true", "search=ana"]
            .map(|query| list("listUsers", MANAGER, query))
            .into();
    all.push(list("listUsers", MANAGER, "role=attendant&sort_by=email"));
    all.extend(
        ["sort_by=name", "sort_by=inserted_at", "active=true", "search=bil"]
            .map(|query| list("listDepartments", ATTENDANT, query)),
    );
    let department = format!("department_id={}", id("acme.department"));
    for sort in ["sort_by=inserted_at", "sort_by=expires_at"] {
        all.extend(
            ["", "&status=active", &format!("&{department}")]
                .map(|filter| list("listAccessLinks", SUPERVISOR, &format!("{sort}{filter}"))),
        );
    }
    let agent = format!("user_id={}", id(ATTENDANT));
    let customer =
        lab.built.values().find(|item| item["k"]["S"] == "customer" && item["PK"]["S"].as_str().unwrap().starts_with("acme"));
    let customer = format!("customer_id={}", customer.unwrap()["d"]["M"]["id"]["S"].as_str().unwrap());
    let tag = format!("tag_id={}", id("acme.tag"));
    let both_of_tag = format!("{tag}&status=completed");
    let both = format!("status=queued&{department}");
    all.extend(
        [
            "page=1",
            "status=queued",
            &department,
            &agent,
            &customer,
            &tag,
            &both_of_tag,
            &both,
            "date_from=2026-02-01",
            "search=beatriz",
        ]
        .map(|query| list("listCalls", ATTENDANT, query)),
    );
    for sort in ["sort_by=scheduled_at", "sort_by=inserted_at"] {
        for filter in
            ["page=1", "status=scheduled", &department, &agent, &customer, &both, "date_from=2026-02-01", "search=review"]
        {
            all.push(list("listAppointments", ATTENDANT, &format!("{sort}&{}", filter.replace("queued", "scheduled"))));
        }
    }
    all.extend(["sort_by=inserted_at", "sort_by=url"].map(|query| list("listWebhooks", MANAGER, query)));
    for query in ["status=success", "event=call.created", "date_from=2026-02-01"] {
        let ask = query
            .split_once('=')
            .map(|(name, value)| Ask::by(MANAGER).slot("id", &id("acme.webhook")).query(name, value))
            .unwrap();
        all.push(stage.sample("listDeliveries", &format!("by {query}"), &ask, NOW));
    }
    for query in ["status=completed", &department] {
        all.push(list("exportCalls", SUPERVISOR, query));
    }
    let stranger = json!({ "email": "nobody@example.com", "password": PASSWORD, "tenant": "acme" });
    all.push(stage.sample("login", "as nobody", &Ask::default().body(stranger), NOW));
    all.extend(stage.letters());
    all
}
