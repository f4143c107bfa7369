//! Reading what clients send: every field is read by a rule, every violation is noted with its path, none hides another.
//!
//! An input says once, in [`Input::read`], which fields it has and what is valid. The same lines read a new object, the
//! merge patch of a PUT ([`Patch`]) and the query of a list.

use std::{borrow::Cow, fmt::Display, str::FromStr};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    clock::Time,
    error::{Error, Result, Violations},
    text::is_blank_text,
};

mod draft;
pub mod rules;

pub use draft::Draft;

/// What a rule says of a value that breaks it.
pub type Message = Cow<'static, str>;

/// Something that clients send.
pub trait Input: Sized + Send + 'static {
    /// The key that wraps it in a body: `{"tag": {…}}`; `None` for actions and queries.
    const WRAPPER: Option<&'static str> = None;

    /// It may come without its wrapper as well, with one of these fields at least.
    const BARE: &'static [&'static str] = &[];

    /// Reads the fields; what is wrong is noted in `fields`, the value is then thrown away.
    fn read(fields: &mut Fields<'_>) -> Self;
}

/// Reads an input whole.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read<T: Input>(source: &Map<String, Value>) -> Result<T> {
    whole(source, false, None)
}

/// Reads an input whole that was sent at a moment.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_at<T: Input>(source: &Map<String, Value>, now: Time) -> Result<T> {
    whole(source, false, Some(now))
}

/// Reads an input from the parameters of a query, where every value is text.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_query<T: Input>(source: &Map<String, Value>) -> Result<T> {
    whole(source, true, None)
}

fn whole<T: Input>(source: &Map<String, Value>, textual: bool, now: Option<Time>) -> Result<T> {
    let mut fields = Fields { source, violations: Violations::default(), partial: false, textual, now };
    let value = T::read(&mut fields);
    fields.violations.into_result(value)
}

/// The body of a PUT: absent fields keep their value, `null` clears one or resets it to its default.
#[derive(Debug)]
pub struct Patch<T> {
    fields: Map<String, Value>,
    of: std::marker::PhantomData<fn() -> T>,
}

impl<T: Input + Serialize + DeserializeOwned> Patch<T> {
    /// Takes the fields that were sent, each already checked by its own rule.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every violation among them.
    pub fn new(source: Map<String, Value>) -> Result<Self> {
        let mut fields = Fields { source: &source, violations: Violations::default(), partial: true, textual: false, now: None };
        T::read(&mut fields);
        fields.violations.into_result(())?;
        Ok(Self { fields: source, of: std::marker::PhantomData })
    }

    /// The stored input with the patch laid over it, validated as a whole.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every violation of the whole.
    pub fn onto(&self, current: &T) -> Result<T> {
        let Value::Object(mut whole) = serde_json::to_value(current).map_err(|e| Error::internal("input", e))? else {
            return Err(Error::Internal("an input must be an object".into()));
        };
        whole.extend(self.fields.clone());
        read(&whole)
    }

    /// A field was sent.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }
}

/// A text that a rule could not judge while its body was read.
///
/// # Errors
/// [`Error::Invalid`] on the field.
pub fn check<T>(field: &str, text: &str, rule: impl Rule<T>) -> Result<T> {
    let value = Value::from(text);
    rule.check(&Raw { value: &value, textual: false, now: None }).map_err(|message| Error::invalid(field, message))
}

/// The fields of an input while it is read.
#[derive(Debug)]
pub struct Fields<'a> {
    source: &'a Map<String, Value>,
    violations: Violations,
    partial: bool,
    textual: bool,
    now: Option<Time>,
}

impl Fields<'_> {
    fn raw<'a>(&self, value: &'a Value) -> Raw<'a> {
        Raw { value, textual: self.textual, now: self.now }
    }

    /// A field was sent, and neither null nor blank.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        match self.source.get(name) {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => !is_blank_text(text),
            Some(_) => true,
        }
    }

    /// A field that must be there. What comes back after a violation is a default that nobody will see.
    pub fn required<T: Default>(&mut self, name: &str, rule: impl Rule<T>) -> T {
        match self.source.get(name) {
            None if self.partial => T::default(),
            None | Some(Value::Null) => self.reject(name, "can't be blank"),
            Some(Value::String(text)) if is_blank_text(text) => self.reject(name, "can't be blank"),
            Some(value) => self.apply(name, value, rule),
        }
    }

    /// A field that may be absent or null; blank text counts as absent.
    pub fn optional<T>(&mut self, name: &str, rule: impl Rule<T>) -> Option<T> {
        match self.source.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if is_blank_text(text) => None,
            Some(value) => match rule.check(&self.raw(value)) {
                Ok(value) => Some(value),
                Err(message) => {
                    self.violations.add(name, message);
                    None
                }
            },
        }
    }

    /// A field with a default; null resets it. What has a default is a number, a truth or a word: in a body, blank text is
    /// none of these.
    pub fn default<T>(&mut self, name: &str, default: T, rule: impl Rule<T>) -> T {
        match self.source.get(name) {
            Some(value @ Value::String(_)) if !self.textual => rule.check(&self.raw(value)).unwrap_or_else(|message| {
                self.violations.add(name, message);
                default
            }),
            _ => self.optional(name, rule).unwrap_or(default),
        }
    }

    /// A parameter with a default, of which blanks are values.
    pub fn verbatim<T>(&mut self, name: &str, default: T, rule: impl Rule<T>) -> T {
        match self.source.get(name) {
            Some(value @ Value::String(text)) if !text.is_empty() => rule.check(&self.raw(value)).unwrap_or_else(|message| {
                self.violations.add(name, message);
                default
            }),
            _ => self.default(name, default, rule),
        }
    }

    /// An object inside; what is wrong in it is noted as `name.field`.
    pub fn nested<T>(&mut self, name: &str, read: impl FnOnce(&mut Fields<'_>) -> T) -> T {
        self.inside(name, self.source.get(name), read)
    }

    /// A list of objects, from one to so many; what is wrong in the fourth is noted as `name[3].field`.
    pub fn list<T>(&mut self, name: &str, most: usize, read: impl FnMut(&mut Fields<'_>) -> T) -> Vec<T> {
        match self.source.get(name) {
            None if self.partial => Vec::new(),
            None | Some(Value::Null) => self.reject(name, "can't be blank"),
            Some(Value::Array(rows)) if rows.is_empty() => self.reject(name, "can't be blank"),
            Some(_) => self.rows(name, most, read),
        }
    }

    /// A list of objects, at most so many; absent or null it is empty.
    pub fn rows<T>(&mut self, name: &str, most: usize, mut read: impl FnMut(&mut Fields<'_>) -> T) -> Vec<T> {
        match self.source.get(name) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(rows)) if rows.len() > most => self.reject(name, format!("should have at most {most} item(s)")),
            Some(Value::Array(rows)) => {
                let rows = rows.iter().enumerate();
                rows.map(|(n, row)| self.inside(&format!("{name}[{n}]"), Some(row), &mut read)).collect()
            }
            Some(_) => self.reject(name, "must be a list"),
        }
    }

    fn inside<T>(&mut self, path: &str, value: Option<&Value>, read: impl FnOnce(&mut Fields<'_>) -> T) -> T {
        let (empty, mut violations) = (Map::new(), Violations::default());
        let source = match value {
            Some(Value::Object(map)) => map,
            None | Some(Value::Null) => &empty,
            Some(_) => {
                violations.add("", "must be an object");
                &empty
            }
        };
        let Self { partial, textual, now, .. } = *self;
        let mut inner = Fields { source, violations, partial, textual, now };
        let value = read(&mut inner);
        self.violations.nest(path, inner.violations);
        value
    }

    /// Notes that a field is wrong for a reason that no single rule sees, where none has seen another.
    pub fn also(&mut self, name: &str, message: impl Into<String>) {
        self.violations.also(name, message);
    }

    /// Notes that a field is wrong for a reason that no single rule sees.
    pub fn violation(&mut self, name: &str, message: impl Into<String>) {
        self.violations.add(name, message);
    }

    fn apply<T: Default>(&mut self, name: &str, value: &Value, rule: impl Rule<T>) -> T {
        match rule.check(&self.raw(value)) {
            Ok(value) => value,
            Err(message) => self.reject(name, message),
        }
    }

    fn reject<T: Default>(&mut self, name: &str, message: impl Into<Message>) -> T {
        self.violations.add(name, message.into());
        T::default()
    }
}

/// One value as it was sent.
#[derive(Debug)]
pub struct Raw<'a> {
    value: &'a Value,
    textual: bool,
    now: Option<Time>,
}

impl Raw<'_> {
    /// The value as text.
    ///
    /// # Errors
    /// When it is of another type.
    pub fn text(&self) -> Result<&str, Message> {
        self.value.as_str().ok_or(Cow::Borrowed("must be a string"))
    }

    /// The value as a whole number; from a query as its digits.
    ///
    /// # Errors
    /// When it is of another type.
    pub fn integer(&self) -> Result<i64, Message> {
        let number = if self.textual { self.value.as_str().and_then(|text| text.parse().ok()) } else { self.value.as_i64() };
        number.ok_or(Cow::Borrowed("must be an integer"))
    }

    /// The value as a truth value; from a query `true` or `false`.
    ///
    /// # Errors
    /// When it is of another type.
    pub fn boolean(&self) -> Result<bool, Message> {
        let truth = if self.textual { self.value.as_str().and_then(|text| text.parse().ok()) } else { self.value.as_bool() };
        truth.ok_or(Cow::Borrowed("must be true or false"))
    }

    /// When it was sent; none where that is not to matter.
    #[must_use]
    pub fn now(&self) -> Option<Time> {
        self.now
    }

    /// The value as JSON.
    #[must_use]
    pub fn json(&self) -> &Value {
        self.value
    }

    /// The value as text that parses as `T`.
    ///
    /// # Errors
    /// When it is of another type or does not parse.
    pub fn parse<T: FromStr<Err: Display>>(&self) -> Result<T, Message> {
        self.text()?.trim().parse().map_err(|error: T::Err| Cow::Owned(error.to_string()))
    }
}

/// What one field must be. Any function from [`Raw`] is a rule; `rules` has the common ones.
pub trait Rule<T> {
    /// The value, when it is right.
    ///
    /// # Errors
    /// What is wrong with it, in the words that the client reads.
    fn check(self, raw: &Raw<'_>) -> Result<T, Message>;
}

impl<T, F: FnOnce(&Raw<'_>) -> Result<T, Message>> Rule<T> for F {
    fn check(self, raw: &Raw<'_>) -> Result<T, Message> {
        self(raw)
    }
}
