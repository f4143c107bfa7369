//! Somebody who leaves a mark wherever a text can be left, and the search for that mark.

use std::{collections::BTreeSet, io::Read};

use aws_sdk_dynamodb::types::AttributeValue;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};
use shared::text::fold;
use tests::{Operation, Operations, Stack};

/// The functions whose requests may tell of a customer.
const ABOUT_PEOPLE: [&str; 5] = ["customers", "access-links", "appointments", "public", "calls"];

/// Somebody whom nobody else is like.
#[derive(Debug, Clone)]
pub struct Person {
    mark: String,
    pub email: String,
    pub phone: String,
}

impl Person {
    pub fn new(mark: &str, phone: &str) -> Self {
        Self { mark: mark.into(), email: format!("{}@example.com", fold(mark)), phone: phone.into() }
    }

    pub fn name(&self) -> String {
        format!("{} Araújo", self.mark)
    }

    /// A text bears the mark, in whatever writing.
    pub fn is_in(&self, text: &str) -> bool {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        // Without the country's code, as people write it.
        fold(text).contains(&fold(&self.mark)) || digits(text).contains(&digits(&self.phone)[2..])
    }

    /// The same of bytes, also packed.
    fn is_in_bytes(&self, bytes: &[u8]) -> bool {
        let mut unpacked = Vec::new();
        let _ = GzDecoder::new(bytes).read_to_end(&mut unpacked);
        self.is_in(&String::from_utf8_lossy(bytes)) || self.is_in(&String::from_utf8_lossy(&unpacked))
    }

    fn is_in_value(&self, value: &AttributeValue) -> bool {
        match value {
            AttributeValue::S(text) => {
                let packed = [STANDARD.decode(text), URL_SAFE_NO_PAD.decode(text)];
                self.is_in(text) || packed.into_iter().flatten().any(|bytes| self.is_in_bytes(&bytes))
            }
            AttributeValue::N(number) => self.is_in(number),
            AttributeValue::B(bytes) => self.is_in_bytes(bytes.as_ref()),
            AttributeValue::Ss(texts) => texts.iter().any(|text| self.is_in(text)),
            AttributeValue::L(values) => values.iter().any(|value| self.is_in_value(value)),
            AttributeValue::M(values) => values.iter().any(|(name, value)| self.is_in(name) || self.is_in_value(value)),
            _ => false,
        }
    }

    /// The kinds of items anywhere in the table that bear the mark.
    pub async fn traces(&self, stack: &Stack) -> BTreeSet<String> {
        let db = stack.app().db();
        let items = db.client().scan().table_name(db.table()).consistent_read(true).into_paginator().items().send();
        let items = items.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert!(items.len() > 20, "the table was read");
        let text = |value: Option<&AttributeValue>| value.and_then(|value| value.as_s().ok()).cloned();
        let kind = |item: &shared::storage::Item| {
            let partition = text(item.get("PK")).unwrap();
            let part = usize::from(!partition.starts_with('~'));
            text(item.get("k")).unwrap_or_else(|| partition.split('#').nth(part).unwrap().to_owned())
        };
        items.iter().filter(|item| item.values().any(|value| self.is_in_value(value))).map(kind).collect()
    }
}

/// What is sent to operations: their own documentation says which texts they take, and each is the person's.
pub struct Forms<'a> {
    operations: Operations,
    person: &'a Person,
    /// What some fields must be, by their names.
    pub known: Map<String, Value>,
}

impl<'a> Forms<'a> {
    pub fn new(person: &'a Person) -> Self {
        Self { operations: Operations::read(), person, known: Map::new() }
    }

    /// The person's name.
    pub fn name(&self) -> String {
        self.person.name()
    }

    /// The operations that take a text about a customer.
    pub fn operations(&self) -> Vec<Operation> {
        let about = |operation: &&Operation| {
            ABOUT_PEOPLE.contains(&operation.function) && self.person.is_in(&self.body(operation).to_string())
        };
        self.operations.iter().filter(about).cloned().collect()
    }

    /// The body of an operation.
    pub fn body(&self, operation: &Operation) -> Value {
        self.filled("", &operation.spec["requestBody"]["content"]["application/json"]["schema"]).unwrap_or_default()
    }

    fn filled(&self, name: &str, schema: &Value) -> Option<Value> {
        if let Some(known) = self.known.get(name) {
            return Some(known.clone());
        }
        if let Some(named) = schema["$ref"].as_str() {
            return self.filled(name, &self.operations.schemas[named.rsplit('/').next().unwrap()]);
        }
        let is = |kind: &str| {
            schema["type"] == kind || schema["type"].as_array().is_some_and(|kinds| kinds.iter().any(|known| known == kind))
        };
        if is("object") {
            let fields = schema["properties"].as_object()?.iter();
            return Some(fields.filter_map(|(name, field)| Some((name.clone(), self.filled(name, field)?))).collect());
        }
        if is("array") {
            return Some(json!([self.filled(name, &schema["items"])?]));
        }
        match schema["format"].as_str() {
            _ if !is("string") || schema.get("enum").is_some() => None,
            Some("email") => Some(json!(self.person.email)),
            Some("phone") => Some(json!(self.person.phone)),
            Some(_) => None,
            None => Some(json!(self.person.name())),
        }
    }
}
