//! The whole document (OpenAPI 3.1) of the routes, with examples.

use std::{collections::BTreeMap, fs, io, path::Path};

use serde_json::{Map, Value, json};
use shared::api::{
    Routes,
    document::{Schemas, components},
};

/// A request and its answer, as they were seen.
#[derive(Debug, Clone)]
pub struct Example {
    /// The body sent, if one was.
    pub request: Option<Value>,
    /// The status answered.
    pub status: u16,
    /// The body answered; text where it is not JSON, none where there is none.
    pub answer: Option<Value>,
}

const ABOUT: &str = "\
The backend of video-call customer service: a company signs up, its agents serve in departments, customers come in through \
access links, and its own systems hear of everything through webhooks.

One object is `{\"data\": {…}}`, a list `{\"data\": […], \"meta\": {…}}`, an error `{\"errors\": {\"detail\": \"…\"}}` or per \
field `{\"errors\": {\"email\": [\"can't be blank\"]}}`. PUT changes the fields that are sent; `null` clears one or resets it to its \
default. Unknown fields and parameters are ignored. Times are RFC 3339 in UTC. Every answer bears `X-Request-Id`, which may be \
sent as well.";

/// The document of these routes. Examples go by operation identifier.
#[must_use]
pub fn openapi(routes: &Routes, examples: &BTreeMap<String, Example>) -> Value {
    let mut schemas = Schemas::default();
    let (mut paths, mut tags) = (Map::new(), Vec::new());
    for row in routes.operations() {
        let mut operation = row.document(&mut schemas);
        if let Some(example) = examples.get(row.id) {
            illustrate(&mut operation, example);
        }
        let tag = json!({ "name": row.group.name, "description": row.group.purpose });
        if !tags.contains(&tag) {
            tags.push(tag);
        }
        paths.entry(row.path).or_insert_with(|| json!({}))[row.method.to_lowercase()] = operation;
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Voki",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache License 2.0", "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths,
        "components": components(schemas),
    });
    document.sort_all_objects();
    document
}

/// Puts an example where its media type is declared and has none; what is not declared has no place.
fn illustrate(operation: &mut Value, example: &Example) {
    let mut place = |place: &str, value: &Option<Value>| {
        let Some(value) = value else { return };
        let fits = |media: &str| value.is_string() == (media != "application/json");
        let content = operation.pointer_mut(place).and_then(Value::as_object_mut);
        if let Some((_, content)) = content.and_then(|content| content.iter_mut().find(|(media, _)| fits(media))) {
            content.as_object_mut().map(|content| content.entry("example").or_insert_with(|| value.clone()));
        }
    };
    place("/requestBody/content", &example.request);
    place(&format!("/responses/{}/content", example.status), &example.answer);
}

/// The examples that were recorded: `<function>/<operation>.json` is the request as API Gateway hands it on,
/// `<operation>.answer.json` what was answered.
///
/// # Errors
/// When a file cannot be read.
pub fn recorded(folder: &Path) -> io::Result<BTreeMap<String, Example>> {
    let mut examples = BTreeMap::new();
    for function in fs::read_dir(folder)? {
        let function = function?.path();
        for file in if function.is_dir() { fs::read_dir(function)?.collect() } else { Vec::new() } {
            let path = file?.path();
            let Some(id) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".answer.json")) else { continue };
            let event: Value = serde_json::from_reader(fs::File::open(path.with_file_name(format!("{id}.json")))?)?;
            let answer: Value = serde_json::from_reader(fs::File::open(&path)?)?;
            let request = event["body"].as_str().map(serde_json::from_str).transpose()?;
            let status = answer["statusCode"].as_u64().and_then(|status| status.try_into().ok()).unwrap_or_default();
            let answer = Some(answer["body"].clone()).filter(|body| !body.is_null());
            examples.insert(id.to_owned(), Example { request, status, answer });
        }
    }
    Ok(examples)
}
