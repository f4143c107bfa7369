//! Access links, many at once.

use serde_json::{Value, json};

use super::{ATTENDANT, Scene, Stage};
use crate::{gateway::Ask, world::NOW};

impl Stage<'_> {
    /// Batches that no transaction takes, and customers who go.
    pub(super) fn links(&self) -> Vec<Scene> {
        let removed = || self.sample("deleteCustomer", "before", &Ask::by(ATTENDANT).slot("id", self.id("acme.customer")), NOW);
        let alone = |sample| Scene { before: Vec::new(), sample };
        let foreign = |operation, what, ask| alone(self.sample(operation, what, &ask, NOW));
        vec![
            foreign("listAccessLinks", "of which one is promised", Ask::by("globex.manager")),
            foreign(
                "deleteDepartment",
                "to which a link is promised",
                Ask::by("globex.manager").slot("id", self.id("globex.department")),
            ),
            alone(self.other("createAccessLinks", "of many words", |ask| ask.body(self.wordy(6)))),
            alone(self.other("createAccessLinks", "of which one is wrong", |ask| {
                let mut body = self.wordy(6);
                body["access_links"][5]["max_uses"] = json!(0);
                ask.body(body)
            })),
            Scene { before: vec![removed()], sample: self.other("createAccessLinks", "with who was removed", |ask| ask) },
        ]
    }

    /// So many links of as many words as are looked for: five of them fill a transaction.
    fn wordy(&self, links: usize) -> Value {
        let name = |n: usize| (0..12).map(|word| format!("w{n}x{word}")).collect::<Vec<_>>().join(" ");
        let customer = |n: usize| if n == 2 { json!(self.id("acme.customer")) } else { Value::Null };
        let department = self.id("acme.department");
        // What the trail tells of them differs too.
        let link =
            |n| json!({ "department_id": department, "customer_name": name(n), "customer_id": customer(n), "max_uses": n + 1 });
        json!({ "access_links": (0..links).map(link).collect::<Vec<_>>() })
    }
}
