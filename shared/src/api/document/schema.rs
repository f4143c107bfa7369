//! Schemas (JSON Schema 2020-12) of what is sent and of what is answered.
//!
//! Types say what their fields are. Which of them must be sent is asked of the reader itself: what it misses in an empty
//! object.

use std::collections::BTreeSet;

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    error::Error,
    input::{self, Input},
};

/// Where named schemas lie in the document.
const PLACE: &str = "#/components/schemas/";

/// The schemas of a document while it is written.
#[derive(Debug)]
pub struct Schemas {
    answered: SchemaGenerator,
    /// Everything inline: what is required depends on where it is sent.
    sent: SchemaGenerator,
    named: Map<String, Value>,
}

impl Default for Schemas {
    fn default() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = PLACE[1..].into());
        Self {
            answered: settings.clone().for_serialize().into_generator(),
            sent: settings.for_deserialize().with(|settings| settings.inline_subschemas = true).into_generator(),
            named: Map::new(),
        }
    }
}

impl Schemas {
    /// A reference to what is answered.
    pub fn answered<T: JsonSchema>(&mut self) -> Value {
        simple(self.answered.subschema_for::<T>().to_value())
    }

    /// A reference to what is sent whole.
    pub(in crate::api) fn sent<T: Input + JsonSchema>(&mut self) -> Value {
        let missed = missed(input::read::<T>(&Map::new()));
        let schema = demanding(self.inline::<T>(), &missed, "");
        self.name(T::schema_name().into(), schema)
    }

    /// A reference to what is sent in part.
    pub(in crate::api) fn changes<T: Input + JsonSchema>(&mut self) -> Value {
        let mut schema = demanding(self.inline::<T>(), &missed(input::read::<T>(&Map::new())), "");
        if let Some(whole) = schema.as_object_mut() {
            whole.remove("required");
        }
        // What is not sent stays as it is.
        for field in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
            if let Some(field) = field.as_object_mut() {
                field.remove("default");
            }
        }
        self.name(T::schema_name().replace("Input", "Changes"), schema)
    }

    /// The parameters that a query is read from: name, whether it is required, schema.
    pub(in crate::api) fn parameters<T: Input + JsonSchema>(&mut self) -> Vec<(String, bool, Value)> {
        let missed = missed(input::read_query::<T>(&Map::new()));
        let mut schema = self.inline::<T>();
        let Some(Value::Object(fields)) = schema.get_mut("properties").map(Value::take) else { return Vec::new() };
        fields.into_iter().map(|(name, schema)| (name.clone(), missed.contains(&name), without_null(schema))).collect()
    }

    /// All that have a name.
    ///
    /// # Panics
    /// When two different ones have the same.
    #[must_use]
    pub fn into_named(mut self) -> Map<String, Value> {
        for (name, schema) in self.answered.take_definitions(false) {
            let schema = simple(schema);
            let known = self.named.insert(name.clone(), schema.clone());
            assert!(known.is_none_or(|known| known == schema), "two schemas are called {name}");
        }
        self.named
    }

    fn inline<T: JsonSchema>(&mut self) -> Value {
        simple(self.sent.subschema_for::<T>().to_value())
    }

    fn name(&mut self, name: String, schema: Value) -> Value {
        let reference = json!({ "$ref": format!("{PLACE}{name}") });
        self.named.insert(name, schema);
        reference
    }
}

/// The fields that a reader missed, whatever else was sent.
fn missed<T>(outcome: Result<T, Error>) -> BTreeSet<String> {
    match outcome {
        Err(Error::Invalid(violations)) => {
            let blank = |messages: &[String]| messages.iter().any(|message| message == "can't be blank");
            violations.iter().filter(|(_, messages)| blank(messages)).map(|(path, _)| path.clone()).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// The schema of an object whose reader missed these fields: they must be there and not be blank, the others may be null.
fn demanding(mut schema: Value, missed: &BTreeSet<String>, path: &str) -> Value {
    let mut required = Vec::new();
    if let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, field) in fields {
            let (own, inner) = (format!("{path}{name}"), format!("{path}{name}."));
            let nested = missed.iter().any(|path| path.starts_with(&inner));
            *field = match field.take() {
                field if nested => demanding(field, missed, &inner),
                field if missed.contains(&own) => not_blank(without_null(field)),
                field => with_null(field),
            };
            if nested || missed.contains(&own) {
                required.push(name.clone());
            }
        }
    }
    schema["required"] = required.into();
    schema
}

fn not_blank(mut schema: Value) -> Value {
    if schema["type"] == "string" && ["enum", "format", "minLength"].iter().all(|key| schema[key].is_null()) {
        schema["minLength"] = 1.into();
    }
    schema
}

/// One more type: null.
fn with_null(mut schema: Value) -> Value {
    if let Value::String(kind) = &schema["type"] {
        schema["type"] = json!([kind, "null"]);
        if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            words.push(Value::Null);
        }
    }
    schema
}

fn without_null(mut schema: Value) -> Value {
    if let Some([kind, Value::String(null)]) = schema["type"].as_array().map(Vec::as_slice)
        && null == "null"
    {
        schema["type"] = kind.clone();
        if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            words.retain(|word| !word.is_null());
        }
    }
    schema
}

/// The same in fewer words: a choice of constants is an `enum`, null is one more type, and whole numbers have bounds rather
/// than the formats of a programming language.
fn simple(value: Value) -> Value {
    let Value::Object(members) = value else {
        return match value {
            Value::Array(values) => values.into_iter().map(simple).collect(),
            value => value,
        };
    };
    let mut schema: Map<String, Value> = members.into_iter().map(|(key, value)| (key, simple(value))).collect();
    if schema.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
        schema.remove("format");
    }
    // Of what must be there: nobody leaves it out.
    if schema.get("default").is_some_and(|default| default == "") {
        schema.remove("default");
    }
    if let Some(words) = schema.get("oneOf").and_then(Value::as_array).and_then(|choices| constants(choices)) {
        let lines: Vec<String> = words.iter().map(|(word, meaning)| format!("- `{word}`: {meaning}")).collect();
        let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let description = format!("{about}\n\n{}", lines.join("\n"));
        schema.remove("oneOf");
        schema.insert("type".into(), "string".into());
        schema.insert("enum".into(), words.iter().map(|(word, _)| word.clone()).collect());
        schema.insert("description".into(), description.trim().into());
    }
    if let Some([Value::Object(one), null]) = schema.get("anyOf").cloned().as_ref().and_then(Value::as_array).map(Vec::as_slice)
        && *null == json!({ "type": "null" })
        && one.contains_key("type")
    {
        let mut whole = one.clone();
        schema.remove("anyOf");
        if let (Some(Value::String(about)), Some(Value::String(meaning))) =
            (schema.get_mut("description"), one.get("description"))
        {
            about.extend(["\n\n", meaning]);
        }
        whole.extend(schema);
        return with_null(whole.into());
    }
    schema.into()
}

/// The words of a choice between words, each with what it means.
fn constants(choices: &[Value]) -> Option<Vec<(String, String)>> {
    let text = |choice: &Value, key: &str| choice[key].as_str().map(ToOwned::to_owned);
    choices.iter().map(|choice| Some((text(choice, "const")?, text(choice, "description")?))).collect()
}
