//! An input before anybody has said whether it is right.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::{Fields, Input, read};
use crate::{
    clock::Time,
    error::{Error, Result, Violations},
};

/// An input with what its rules found wrong in it, for who looks further and says all of it at once. A field that is
/// wrong has a default in the input.
#[derive(Debug, Clone)]
pub struct Draft<T> {
    /// The input.
    pub input: T,
    /// What is wrong with it so far.
    pub violations: Violations,
}

/// An input that is right so far.
impl<T> From<T> for Draft<T> {
    fn from(input: T) -> Self {
        Self { input, violations: Violations::default() }
    }
}

impl<T> Draft<T> {
    /// The input, when nothing is wrong with it: what it names, the write then sees. Else all that is wrong, also what a
    /// further look finds, which is taken only then.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every violation.
    pub async fn right(self, further: impl Future<Output = Result<()>>) -> Result<T> {
        let Self { input, mut violations } = self;
        if !violations.is_empty()
            && let Err(error) = further.await
        {
            violations.merge(error);
        }
        violations.into_result(input)
    }
}

impl<T: Input> Draft<T> {
    /// Reads the fields; what is wrong is kept with the input.
    pub fn read(fields: &mut Fields<'_>) -> Self {
        let input = T::read(fields);
        Self { input, violations: std::mem::take(&mut fields.violations) }
    }

    /// Reads an input whole.
    #[must_use]
    pub fn of(source: &Map<String, Value>, now: Time) -> Self {
        Self::read(&mut Fields { source, violations: Violations::default(), partial: false, textual: false, now: Some(now) })
    }
}

/// As the input's, with the fields that its reader misses in an empty object; the others may be null.
impl<T: Input + JsonSchema> JsonSchema for Draft<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        let Err(Error::Invalid(missed)) = read::<T>(&Map::new()) else { return schema };
        let required: Vec<Value> = missed.iter().map(|(path, _)| Value::from(path.as_str())).collect();
        for (name, field) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
            if !required.iter().any(|known| known == name)
                && let Some(kind @ Value::String(_)) = field.get_mut("type")
            {
                *kind = json!([kind, "null"]);
            }
        }
        schema.insert("required".into(), required.into());
        schema
    }
}
