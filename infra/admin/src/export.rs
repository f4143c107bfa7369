//! A tenant's objects as lines of JSON, without anybody's secrets.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use futures_util::TryStreamExt;
use serde_json::{Value, json};
use shared::{
    Error, Result,
    app::App,
    models::{
        AccessLink, ApiKey, Appointment, Call, Company, Customer, Department, Membership, OpeningHours, Sector, Tag, User,
        Webhook, customer::Merged,
    },
    storage::{Entity, Item, audit::Entry, entity},
};

/// Writes them to a new file; answers how many they are.
pub async fn to_file(app: &App, tenant: &str, file: &Path) -> Result<u64> {
    let failed = |error: std::io::Error| Error::Malformed(format!("{}: {error}", file.display()));
    let mut lines = BufWriter::new(File::create_new(file).map_err(failed)?);
    let (mut items, mut count) = (app.db().whole(tenant), 0);
    while let Some(item) = items.try_next().await? {
        let Some((kind, object)) = told(item)? else { continue };
        writeln!(lines, "{}", json!({ "kind": kind, "object": object })).map_err(failed)?;
        count += 1;
    }
    lines.flush().map_err(failed)?;
    Ok(count)
}

/// Kinds that are told as they are stored: nothing in them is a secret.
const PLAIN: [&str; 12] = [
    Company::KIND,
    Department::KIND,
    OpeningHours::KIND,
    Membership::KIND,
    Sector::KIND,
    Tag::KIND,
    AccessLink::KIND,
    Appointment::KIND,
    Customer::KIND,
    Merged::KIND,
    Call::KIND,
    Entry::KIND,
];

/// What is told of an item; of one with secrets what the API shows, of one that only serves the product nothing.
fn told(item: Item) -> Result<Option<(String, Value)>> {
    let Some(kind) = entity::kind(&item).map(ToOwned::to_owned) else { return Ok(None) };
    let object = match kind.as_str() {
        User::KIND => json!(entity::from_item::<User>(item)?.view()),
        Webhook::KIND => json!(entity::from_item::<Webhook>(item)?.view()),
        ApiKey::KIND => json!(entity::from_item::<ApiKey>(item)?.view()),
        plain if PLAIN.contains(&plain) => entity::data(plain, item)?,
        _ => return Ok(None),
    };
    Ok(Some((kind, object)))
}
