//! What can go wrong, by meaning. No HTTP in here: `api` turns a meaning into a status.

use std::fmt;

/// The result of everything in this workspace that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure, by meaning. What the client may read is in the variant; what only the log may read is in
/// [`Error::Internal`].
#[derive(Debug, Clone)]
pub enum Error {
    /// The request cannot be parsed: broken JSON, a wrong content type, a missing wrapper.
    Malformed(String),
    /// Nobody, or nobody any more, is behind the request.
    Unauthenticated(&'static str),
    /// The caller may not do this: the role or the plan does not allow it.
    Forbidden(String),
    /// No such object for this caller.
    NotFound(&'static str),
    /// The request is understood and wrong; every violation with its path.
    Invalid(Violations),
    /// The same, with what helps to decide anew beside the violations.
    Contested(Violations, serde_json::Map<String, serde_json::Value>),
    /// The request is right and cannot be done as things stand.
    Refused(String),
    /// `If-Match` named another version than the present one.
    Stale,
    /// The first request with this idempotency key still runs; try again after so many seconds.
    StillRunning(u64),
    /// The body is larger than the endpoint takes.
    TooLarge,
    /// The endpoint's rate limit is used up; try again after so many seconds.
    TooMany(u64),
    /// A concurrent write won; reading again and deciding anew may succeed. Leaves
    /// [`contend`](crate::storage::contend) only when the race is hopeless.
    Conflict,
    /// Ours to mend. The text is for the log alone.
    Internal(String),
}

impl Error {
    /// One violation of one field.
    #[must_use]
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        let mut violations = Violations::default();
        violations.add(field, message);
        Self::Invalid(violations)
    }

    /// An internal failure with its context, for the log.
    #[must_use]
    pub fn internal(context: &str, cause: impl fmt::Display) -> Self {
        Self::Internal(format!("{context}: {cause}"))
    }
}

impl Error {
    /// A failed call of a service: its own code and message where it answered, else why it did not.
    #[must_use]
    pub fn of_service(operation: &str, code: Option<&str>, message: Option<&str>, error: &dyn std::error::Error) -> Self {
        if let Some(code) = code {
            return Self::Internal(format!("{operation}: {code}: {}", message.unwrap_or_default()));
        }
        let causes = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
        Self::Internal(format!("{operation}: {}", causes.collect::<Vec<_>>().join(": ")))
    }
}

/// The text for the log; clients read what `api` makes of the variant.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(text) | Self::Forbidden(text) | Self::Refused(text) | Self::Internal(text) => f.write_str(text),
            Self::Unauthenticated(text) | Self::NotFound(text) => f.write_str(text),
            Self::Invalid(violations) | Self::Contested(violations, _) => write!(f, "{violations:?}"),
            Self::Stale => f.write_str("stale version"),
            Self::StillRunning(_) => f.write_str("idempotency key in use"),
            Self::TooLarge => f.write_str("body too large"),
            Self::TooMany(_) => f.write_str("rate limit"),
            Self::Conflict => f.write_str("lost a race"),
        }
    }
}

impl std::error::Error for Error {}

/// Everything that is wrong with an input: paths in the order they were met, each with its messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations(Vec<(String, Vec<String>)>);

impl Violations {
    /// Notes a violation; a message that stands already is not repeated.
    pub fn add(&mut self, path: &str, message: impl Into<String>) {
        let message = message.into();
        match self.0.iter_mut().find(|(known, _)| known == path) {
            Some((_, messages)) if messages.contains(&message) => {}
            Some((_, messages)) => messages.push(message),
            None => self.0.push((path.to_owned(), vec![message])),
        }
    }

    /// Notes a violation of a field with which nothing else is wrong.
    pub fn also(&mut self, path: &str, message: impl Into<String>) {
        if !self.has(path) {
            self.add(path, message);
        }
    }

    /// Notes what an error says of fields.
    pub fn merge(&mut self, error: Error) {
        if let Error::Invalid(others) = error {
            for (path, messages) in others.0 {
                for message in messages {
                    self.add(&path, message);
                }
            }
        }
    }

    /// Notes what is wrong with something inside, under its path there; what has no path of its own is wrong with all of it.
    pub fn nest(&mut self, within: &str, others: Self) {
        for (path, messages) in others.0 {
            let path = if path.is_empty() { within.to_owned() } else { format!("{within}.{path}") };
            for message in messages {
                self.add(&path, message);
            }
        }
    }

    /// Something is wrong with this field.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.0.iter().any(|(known, _)| known == path)
    }

    /// Nothing is wrong so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The paths and their messages.
    pub fn iter(&self) -> impl Iterator<Item = &(String, Vec<String>)> {
        self.0.iter()
    }

    /// `Ok` with the value when nothing is wrong.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that was noted.
    pub fn into_result<T>(self, value: T) -> Result<T> {
        if self.is_empty() { Ok(value) } else { Err(Error::Invalid(self)) }
    }
}
