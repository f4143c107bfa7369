//! Items as the product writes them, copied with other marks.

use std::future::Future;

use serde_json::json;
use shared::{
    Result,
    storage::{
        Key,
        keys::{self, DESK},
    },
};

use crate::lab::{Items, Lab};

/// One object's items as texts, with marks that occur nowhere else.
pub struct Template {
    marks: Vec<String>,
    items: Vec<String>,
    /// The counters that count it, and the desks that do: partition, sort key where it is no shard's, attribute.
    counted: Vec<(String, Option<String>, String)>,
}

impl Template {
    /// The items that this writes; afterwards they are gone.
    pub fn of(lab: &Lab, marks: Vec<String>, write: impl Future<Output = Result<()>>) -> Self {
        let changes = lab.written(write);
        let new = changes.iter().filter_map(|(key, item)| Some((key.clone(), item.clone()?)));
        let (counters, items): (Items, Items) = new.partition(|(key, _)| counts(key));
        let counted = counters.iter().flat_map(|(key, item)| {
            let before = lab.built.get(key);
            let names = item.as_object().unwrap().keys().filter(|name| !["PK", "SK"].contains(&name.as_str()));
            let risen = names.filter(move |name| before.is_none_or(|before| before[name.as_str()] != item[name.as_str()]));
            let desk = key.sk.ends_with(DESK).then(|| key.sk.clone());
            risen.map(|name| (key.pk.clone(), desk.clone(), name.clone())).collect::<Vec<_>>()
        });
        let template = Self { marks, counted: counted.collect(), items: items.values().map(ToString::to_string).collect() };
        lab.restore(&changes);
        template
    }

    /// Without the items whose texts have this in them.
    pub fn without(&mut self, part: &str) {
        self.items.retain(|item| !item.contains(part));
    }

    /// The items of another object as texts, and one more in its counters.
    pub fn copy(&self, id_key: &str, marks: &[String], counters: &mut Items) -> Vec<String> {
        let copied =
            |text: &str| self.marks.iter().zip(marks).fold(text.to_owned(), |text, (mark, other)| text.replace(mark, other));
        for (partition, desk, name) in &self.counted {
            let shard = || keys::shard(id_key, 8).to_string();
            let key = Key { pk: copied(partition), sk: desk.clone().unwrap_or_else(shard) };
            let counter = counters.entry(key.clone()).or_insert_with(|| json!({ "PK": { "S": key.pk }, "SK": { "S": key.sk } }));
            let name = copied(name);
            let count: u64 = counter[&name]["N"].as_str().map_or(0, |count| count.parse().unwrap());
            counter[&name] = json!({ "N": (count + 1).to_string() });
        }
        self.items.iter().map(|item| copied(item)).collect()
    }
}

/// The items that count.
pub fn counters(lab: &Lab) -> Items {
    lab.built.iter().filter(|(key, _)| counts(key)).map(|(key, item)| (key.clone(), item.clone())).collect()
}

fn counts(key: &Key) -> bool {
    key.pk.contains("#count#") || key.sk.ends_with(DESK)
}
