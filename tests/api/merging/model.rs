//! Any sequence of joins, changes, merges and removals comes to what a plain model says.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::shared;

use super::{CUSTOMERS, join_by, link, made, merge, total};
use crate::scene::{Scene, list, text};

/// A customer of the model.
#[derive(Debug, Clone, Default, PartialEq)]
struct One {
    document: Option<String>,
    notes: Option<String>,
    calls: u64,
}

/// What is known of everybody, and where identifiers lead.
#[derive(Debug, Default)]
struct Model {
    customers: BTreeMap<usize, One>,
    leads: BTreeMap<usize, usize>,
}

impl Model {
    fn find(&self, mut n: usize) -> Option<usize> {
        while let Some(next) = self.leads.get(&n) {
            n = *next;
        }
        self.customers.contains_key(&n).then_some(n)
    }

    /// Whether all of them are known.
    fn merge(&mut self, primary: usize, others: &[usize]) -> bool {
        let found: Option<Vec<usize>> = others.iter().map(|n| self.find(*n)).collect();
        let (Some(primary), Some(others)) = (self.find(primary), found) else { return false };
        for other in others.into_iter().filter(|other| *other != primary) {
            let Some(one) = self.customers.remove(&other) else { continue };
            self.leads.insert(other, primary);
            let stays = self.customers.get_mut(&primary).unwrap();
            stays.document = stays.document.take().or(one.document);
            stays.notes = stays.notes.take().or(one.notes);
            stays.calls += one.calls;
        }
        true
    }
}

/// Numbers that look drawn (Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

async fn compare(scene: &Scene, model: &Model, ids: &[String], step: &str) {
    let client = &scene.tenant.manager;
    let mut listed: Vec<String> =
        list(client, &format!("{CUSTOMERS}?page_size=100&search=person")).await.iter().map(|one| text(&one["id"])).collect();
    let mut wanted: Vec<String> = model.customers.keys().map(|n| ids[*n].clone()).collect();
    listed.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(listed, wanted, "{step}");
    for (n, id) in ids.iter().enumerate() {
        let answer = client.get(&format!("{CUSTOMERS}/{id}")).await;
        let Some(found) = model.find(n) else {
            let _ = answer.expect(404);
            continue;
        };
        let (shown, one) = (answer.expect(200).data(), &model.customers[&found]);
        let given = |name: &str| shown[name].as_str().map(ToOwned::to_owned);
        assert_eq!(shown["id"], json!(ids[found]), "{step}");
        let came = One { document: given("document"), notes: given("notes"), calls: shown["call_count"].as_u64().unwrap() };
        assert_eq!(&came, one, "{step}");
        assert_eq!(total(client, &format!("/api/v1/calls?customer_id={id}")).await, one.calls, "{step}");
    }
}

async fn run(seed: u64) {
    let scene = Scene::with(shared(), json!({ "name": "Support", "max_queue_size": 1000 })).await;
    let client = &scene.tenant.manager;
    let (mut dice, mut model, mut ids, mut links) = (Dice(seed), Model::default(), Vec::new(), Vec::<Value>::new());
    for n in 0..6 {
        let document = (dice.roll(2) == 0).then(|| format!("D{seed}x{n}"));
        ids.push(made(client, json!({ "name": format!("Person {n}"), "document": document })).await);
        links.push(link(&scene, &ids[n]).await);
        model.customers.insert(n, One { document, ..One::default() });
    }
    for step in 0..16 {
        let n = dice.roll(ids.len());
        let what = dice.roll(10);
        match (what, model.find(n)) {
            (0..4, Some(found)) => {
                let call = join_by(&scene, &links[n]).await;
                assert_eq!(call["customer_id"], json!(ids[found]));
                model.customers.get_mut(&found).unwrap().calls += 1;
            }
            (4, Some(found)) => {
                let notes = format!("Note {step}");
                let body = json!({ "customer": { "notes": notes } });
                let _ = client.put(&format!("{CUSTOMERS}/{}", ids[n]), body).await.expect(200);
                model.customers.get_mut(&found).unwrap().notes = Some(notes);
            }
            (5, Some(found)) if model.customers.len() > 2 => {
                let _ = client.delete(&format!("{CUSTOMERS}/{}", ids[n])).await.expect(204);
                model.customers.remove(&found);
            }
            (6.., _) => {
                let mut others: Vec<usize> =
                    (0..=dice.roll(3)).map(|_| dice.roll(ids.len())).filter(|other| *other != n).collect();
                others.sort_unstable();
                others.dedup();
                if !others.is_empty() {
                    let named: Vec<&str> = others.iter().map(|other| ids[*other].as_str()).collect();
                    let status = merge(client, &ids[n], &named).await.status.as_u16();
                    assert_eq!(status, if model.merge(n, &others) { 200 } else { 422 });
                }
            }
            _ => {}
        }
        compare(&scene, &model, &ids, &format!("seed {seed}, step {step}: {what} of {n}")).await;
    }
}

#[tokio::test]
async fn any_sequence_comes_to_what_the_model_says() {
    for seed in 1..=2 {
        run(seed).await;
    }
}
