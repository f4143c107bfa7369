//! The tree against one that somebody draws.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shared::storage::Key;
use tests::{Dice, Tenant, shared};

use super::{TAGS, at, left, put, tree};
use crate::scene::text;

/// A tree as somebody would draw it: names by identifiers, each with its parent.
#[derive(Default)]
struct Drawn(BTreeMap<String, (String, Option<String>)>);

impl Drawn {
    /// From a tag up to its root.
    fn path(&self, id: &str) -> Vec<String> {
        let parent = self.0[id].1.clone();
        std::iter::once(id.to_owned()).chain(parent.map(|parent| self.path(&parent)).unwrap_or_default()).collect()
    }

    fn under(&self, parent: Option<&str>) -> Vec<&String> {
        self.0.iter().filter(|(_, (_, known))| known.as_deref() == parent).map(|(id, _)| id).collect()
    }

    fn height(&self, id: &str) -> usize {
        1 + self.under(Some(id)).into_iter().map(|child| self.height(child)).max().unwrap_or(0)
    }

    fn free(&self, id: &str, name: &str, parent: Option<&str>) -> bool {
        self.under(parent).into_iter().all(|other| other == id || self.0[other].0.to_lowercase() != name.to_lowercase())
    }

    fn fits(&self, id: Option<&str>, parent: Option<&str>) -> bool {
        let above = parent.map(|parent| self.path(parent)).unwrap_or_default();
        id.is_none_or(|id| !above.contains(&id.to_owned())) && above.len() + id.map_or(1, |id| self.height(id)) <= 8
    }

    fn remove(&mut self, id: &str) {
        for child in self.under(Some(id)).into_iter().cloned().collect::<Vec<_>>() {
            self.remove(&child);
        }
        self.0.remove(id);
    }

    fn outline(&self, parent: Option<&str>) -> Value {
        let mut children = self.under(parent);
        children.sort_by_key(|id| (self.0[*id].0.to_lowercase(), (*id).clone()));
        children.into_iter().map(|id| json!([self.0[id].0, self.outline(Some(id))])).collect::<Vec<_>>().into()
    }
}

/// One of the tags, or none.
fn one(dice: &mut Dice, drawn: &Drawn) -> Option<String> {
    let all: Vec<_> = drawn.0.keys().collect();
    let n = dice.below(all.len() + 1);
    all.get(n).map(|id| (*id).clone())
}

#[tokio::test]
async fn whatever_is_done_to_a_tree_it_is_as_somebody_would_draw_it() {
    let tenant = Tenant::new(shared()).await;
    let client = &tenant.manager;
    for seed in [1, 2] {
        let (mut dice, mut drawn) = (Dice::new(seed), Drawn::default());
        let mut done = BTreeMap::<(&str, u16), usize>::new();
        for _ in 0..220 {
            let (name, parent) = (["a", "B", "b", "c", "C", "d"][dice.below(6)].to_owned(), one(&mut dice, &drawn));
            let (what, status, wanted) = match (dice.below(20), one(&mut dice, &drawn)) {
                (0, Some(id)) => {
                    let status = client.delete(&at(&id)).await.status.as_u16();
                    drawn.remove(&id);
                    ("delete", status, 204)
                }
                (1..=8, Some(id)) => {
                    let (old, place) = drawn.0[&id].clone();
                    let name = if dice.below(2) == 0 { old } else { name };
                    let parent = if dice.below(3) == 0 { place } else { parent };
                    let right = drawn.fits(Some(&id), parent.as_deref()) && drawn.free(&id, &name, parent.as_deref());
                    let status = put(client, &id, json!({ "name": name, "parent_id": parent })).await;
                    if right {
                        drawn.0.insert(id, (name, parent));
                    }
                    ("change", status, if right { 200 } else { 422 })
                }
                _ => {
                    let right = drawn.fits(None, parent.as_deref()) && drawn.free("", &name, parent.as_deref());
                    let answer = client.post(TAGS, json!({ "tag": { "name": name, "parent_id": parent } })).await;
                    if right {
                        drawn.0.insert(text(&answer.data()["id"]), (name, parent));
                    }
                    ("create", answer.status.as_u16(), if right { 201 } else { 422 })
                }
            };
            assert_eq!(status, wanted, "seed {seed}: {what}");
            assert_eq!(tree(client).await, drawn.outline(None), "seed {seed}: {what}");
            *done.entry((what, status)).or_default() += 1;
        }
        assert_eq!(done.len(), 5, "{done:?}");
        for root in drawn.under(None) {
            let _ = client.delete(&at(root)).await.expect(204);
        }
        tenant.drain().await;
    }
    assert_eq!(left(shared(), &tenant).await, BTreeSet::from([Key::tag_tree(&tenant.slug)]));
}
