//! `/tags`, and the tags of calls.

mod calls;
mod fields;
mod model;
mod nesting;
mod removal;

use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use serde_json::{Value, json};
use shared::storage::{Key, key_of};
use tests::{Client, Stack, Tenant};

use crate::scene::text;

const TAGS: &str = "/api/v1/tags";
const TREE: &str = "/api/v1/tags/tree";
const CALLS: &str = "/api/v1/calls";
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

fn at(id: &str) -> String {
    format!("{TAGS}/{id}")
}

fn on(call: &str) -> String {
    format!("{CALLS}/{call}/tags")
}

/// Makes a tag; answers its identifier.
async fn tag(client: &Client, name: &str, parent: Option<&str>) -> String {
    let body = json!({ "tag": { "name": name, "parent_id": parent } });
    text(&client.post(TAGS, body).await.expect(201).data()["id"])
}

async fn get(client: &Client, id: &str) -> Value {
    client.get(&at(id)).await.expect(200).data()
}

async fn usage(client: &Client, id: &str) -> u64 {
    get(client, id).await["usage_count"].as_u64().unwrap()
}

/// What a move comes to.
async fn put(client: &Client, id: &str, fields: Value) -> u16 {
    client.put(&at(id), json!({ "tag": fields })).await.status.as_u16()
}

async fn bear(client: &Client, call: &str, tag: &str) -> u16 {
    client.post(&on(call), json!({ "tag_id": tag })).await.status.as_u16()
}

fn names(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| text(&row["name"])).collect()
}

/// The tree as nested names.
fn outline(branches: &Value) -> Value {
    let rows = branches.as_array().unwrap().iter();
    rows.map(|branch| json!([branch["name"], outline(&branch["children"])])).collect::<Vec<_>>().into()
}

async fn tree(client: &Client) -> Value {
    outline(&client.get(TREE).await.expect(200).data())
}

/// The keys of everything that lies in the table of a tenant's tags.
async fn left(stack: &Stack, tenant: &Tenant) -> BTreeSet<Key> {
    let items: Vec<_> = stack.app().db().whole(&tenant.slug).try_collect().await.unwrap();
    let partitions = ["#tag", "#tag#", "#call#tag_id#", "#untag#"].map(|part| format!("{}{part}", tenant.slug));
    let [own, others @ ..] = partitions;
    let of_tags = |key: &Key| key.pk == own || others.iter().any(|part| key.pk.starts_with(part));
    items.iter().filter_map(key_of).filter(of_tags).collect()
}
