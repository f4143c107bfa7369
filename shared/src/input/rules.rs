//! The rules that fields share. Each is a function, or makes one from its bounds.

use std::ops::RangeInclusive;

use super::{Message, Raw};
use crate::{clock::Time, ids::Id, text};

/// One line of text, trimmed, at most so many characters.
pub fn line(max: usize) -> impl Fn(&Raw<'_>) -> Result<String, Message> {
    move |raw| text::clean_line(raw.text()?, max)
}

/// A name: one line of at most 200 characters.
///
/// # Errors
/// When it is not.
pub fn name(raw: &Raw<'_>) -> Result<String, Message> {
    text::clean_line(raw.text()?, 200)
}

/// Text of several lines, trimmed, at most so many characters.
pub fn prose(max: usize) -> impl Fn(&Raw<'_>) -> Result<String, Message> {
    move |raw| text::clean_text(raw.text()?, max)
}

/// A secret that somebody types: taken as it is, at most 1,024 characters.
///
/// # Errors
/// When it is longer.
pub fn secret(raw: &Raw<'_>) -> Result<String, Message> {
    let text = raw.text()?;
    if text.chars().count() > 1024 { Err("should be at most 1024 character(s)".into()) } else { Ok(text.to_owned()) }
}

/// Notes: at most 10,000 characters.
///
/// # Errors
/// When they are not.
pub fn notes(raw: &Raw<'_>) -> Result<String, Message> {
    text::clean_text(raw.text()?, 10_000)
}

/// An e-mail address.
///
/// # Errors
/// When it is not.
pub fn email(raw: &Raw<'_>) -> Result<String, Message> {
    text::email(raw.text()?).map_err(Message::Borrowed)
}

/// A phone number as somebody wrote it. Without a country code it is the company's country's, which no single field
/// knows: `text::phone` makes E.164 of it once the company is read.
///
/// # Errors
/// When it is a number in no country.
pub fn phone(raw: &Raw<'_>) -> Result<String, Message> {
    let line = text::clean_line(raw.text()?, 40)?;
    if text::may_be_phone(&line) { Ok(line) } else { Err(Message::Borrowed(text::BAD_PHONE)) }
}

/// A colour, `#rrggbb`.
///
/// # Errors
/// When it is not.
pub fn color(raw: &Raw<'_>) -> Result<String, Message> {
    text::color(raw.text()?).map_err(Message::Borrowed)
}

/// A country, ISO 3166-1 alpha-2.
///
/// # Errors
/// When it is not.
pub fn country(raw: &Raw<'_>) -> Result<String, Message> {
    text::country(raw.text()?).map(ToOwned::to_owned).map_err(Message::Borrowed)
}

/// A time zone by its IANA name.
///
/// # Errors
/// When it is not.
pub fn time_zone(raw: &Raw<'_>) -> Result<String, Message> {
    let zone: Result<chrono_tz::Tz, _> = raw.text()?.trim().parse();
    zone.map(|zone| zone.name().to_owned()).map_err(|_| "must be an IANA time zone such as America/Sao_Paulo".into())
}

/// One of these words; the message names them all.
pub fn one_of(words: &'static [&'static str]) -> impl Fn(&Raw<'_>) -> Result<String, Message> {
    move |raw| {
        let text = raw.text()?;
        if words.contains(&text) {
            Ok(text.to_owned())
        } else {
            Err(Message::Owned(format!("must be one of: {}", words.join(", "))))
        }
    }
}

/// An `a-z0-9-` name of `min` to 40 characters.
pub fn slug(min: usize) -> impl Fn(&Raw<'_>) -> Result<String, Message> {
    move |raw| {
        let text = raw.text()?.trim();
        if text::is_slug(text) && (min..=40).contains(&text.len()) {
            Ok(text.to_owned())
        } else {
            Err(Message::Owned(format!("must be {min} to 40 of a-z, 0-9 and -, without - at either end")))
        }
    }
}

/// The URL of something on the web, at most 2,048 characters.
///
/// # Errors
/// When it is not.
pub fn web_url(raw: &Raw<'_>) -> Result<String, Message> {
    let text = text::clean_line(raw.text()?, 2048)?;
    match url::Url::parse(&text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url.into()),
        _ => Err(Message::Borrowed("must be an http or https URL")),
    }
}

/// A new password: 10 to 128 characters, not the e-mail, not a common one.
pub fn password(email: &str) -> impl Fn(&Raw<'_>) -> Result<String, Message> {
    move |raw| {
        let text = raw.text()?;
        let length = text.chars().count();
        if length < 10 {
            Err("should be at least 10 character(s)".into())
        } else if length > 128 {
            Err("should be at most 128 character(s)".into())
        } else if !email.is_empty() && text::caseless(text) == text::caseless(email) {
            Err("must not be the e-mail".into())
        } else if text::is_common_password(text) {
            Err("is too common".into())
        } else {
            Ok(text.to_owned())
        }
    }
}

/// A whole number within bounds.
pub fn integer<T: TryFrom<i64>>(bounds: RangeInclusive<i64>) -> impl Fn(&Raw<'_>) -> Result<T, Message> {
    move |raw| {
        let refusal = || Message::Owned(format!("must be an integer between {} and {}", bounds.start(), bounds.end()));
        let number = raw.integer().map_err(|_| refusal())?;
        if bounds.contains(&number) { T::try_from(number).map_err(|_| refusal()) } else { Err(refusal()) }
    }
}

/// True or false.
///
/// # Errors
/// When it is neither.
pub fn boolean(raw: &Raw<'_>) -> Result<bool, Message> {
    raw.boolean()
}

/// An identifier.
///
/// # Errors
/// When it is not a UUID.
pub fn id<T: Id>(raw: &Raw<'_>) -> Result<T, Message> {
    raw.text()?.trim().parse().map_err(|_| Message::Borrowed("is not a valid id"))
}

/// A moment, RFC 3339.
///
/// # Errors
/// When it is not.
pub fn time(raw: &Raw<'_>) -> Result<Time, Message> {
    text::time(raw.text()?).map(Into::into).map_err(Message::Borrowed)
}

/// 9999-01-01T00:00:00Z.
const LAST_YEAR: Time = Time::from_epoch(253_370_764_800);

/// A moment, RFC 3339, at which something begins: its end has a year of four digits as well.
///
/// # Errors
/// When it is none, or after the year 9998.
pub fn start(raw: &Raw<'_>) -> Result<Time, Message> {
    let at = time(raw)?;
    if at >= LAST_YEAR { Err(Message::Borrowed("must be before the year 9999")) } else { Ok(at) }
}

/// A moment at which something begins, after the one at which it is sent.
///
/// # Errors
/// When it is not.
pub fn future(raw: &Raw<'_>) -> Result<Time, Message> {
    let at = start(raw)?;
    if raw.now().is_some_and(|now| at <= now) { Err(Message::Borrowed("must be in the future")) } else { Ok(at) }
}

/// One of the words of an enum; the message names them all.
///
/// # Errors
/// When it is none of them.
pub fn word<T: Words>(raw: &Raw<'_>) -> Result<T, Message> {
    let text = raw.text()?;
    T::ALL.iter().copied().find(|word| word.as_str() == text).ok_or_else(|| {
        let all: Vec<_> = T::ALL.iter().map(|word| word.as_str()).collect();
        Message::Owned(format!("must be one of: {}", all.join(", ")))
    })
}

/// An enum whose values are words.
pub trait Words: Copy + Sized + 'static {
    /// All of them.
    const ALL: &'static [Self];
    /// The word.
    fn as_str(self) -> &'static str;
}

/// Makes an enum of words: the words in JSON, in queries, in keys.
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[schemars(inline)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant),* }

        impl $crate::input::rules::Words for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),*];
            fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::input::rules::Words::as_str(*self))
            }
        }
    };
}
