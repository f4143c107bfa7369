//! What is kept of a receiver's answer.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use http::HeaderMap;
use http::header::RETRY_AFTER;
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// How much of a response body is read and kept, in bytes.
pub const MAX_BODY: usize = 4_096;

/// A receiver's answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status code; a redirect is an answer like any other.
    pub status: u16,
    /// When the receiver wishes to be asked again.
    pub retry_after: Option<RetryAfter>,
    /// The beginning of the body, at most [`MAX_BODY`] bytes, with what is not UTF-8 replaced.
    pub body: String,
}

/// The value of a `Retry-After` header (RFC 9110 §10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// So many seconds from now.
    Seconds(u64),
    /// At this time.
    At(DateTime<Utc>),
}

impl RetryAfter {
    /// How long to wait from `now`; nothing for a time that has passed. Not bounded: the caller's
    /// schedule does that.
    #[must_use]
    pub fn delay(self, now: DateTime<Utc>) -> Duration {
        match self {
            Self::Seconds(seconds) => Duration::from_secs(seconds),
            Self::At(time) => (time - now).to_std().unwrap_or_default(),
        }
    }

    /// Reads the header; one that cannot be read counts as absent.
    pub(super) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
            return Some(Self::Seconds(value.parse().unwrap_or(u64::MAX)));
        }
        http_date(value).map(Self::At)
    }
}

/// Parses an HTTP date in any of its three forms (RFC 9110 §5.6.7).
fn http_date(value: &str) -> Option<DateTime<Utc>> {
    const FORMS: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(value, form).ok()).map(|time| time.and_utc())
}

/// Reads the beginning of a body and drops the rest with its connection.
///
/// The status is the answer and the body only goes into a log, so a body that breaks off midway
/// (a reset, a TLS end without `close_notify`) is kept as far as it came.
pub(super) async fn beginning(mut body: Incoming) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_BODY
        && let Some(Ok(frame)) = body.frame().await
    {
        if let Ok(data) = frame.into_data() {
            let room = MAX_BODY - bytes.len();
            bytes.extend_from_slice(&data[..data.len().min(room)]);
        }
    }
    lossy(&bytes)
}

/// Decodes UTF-8 into at most [`MAX_BODY`] bytes (a replacement character is longer than what it
/// replaces), without a half character at the cut.
fn lossy(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    if bytes.len() == MAX_BODY && text.ends_with(char::REPLACEMENT_CHARACTER) {
        text.pop();
    }
    text.truncate(text.floor_char_boundary(MAX_BODY));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn parse(value: &str) -> Option<RetryAfter> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        RetryAfter::from_headers(&headers)
    }

    #[test]
    fn retry_after_in_every_form() {
        let time = RetryAfter::At(Utc.with_ymd_and_hms(1994, 11, 6, 8, 49, 37).unwrap());
        for (value, expected) in [
            ("0", Some(RetryAfter::Seconds(0))),
            ("120", Some(RetryAfter::Seconds(120))),
            ("99999999999999999999999", Some(RetryAfter::Seconds(u64::MAX))),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(time)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(time)),
            ("Sun Nov  6 08:49:37 1994", Some(time)),
            ("-1", None),
            ("1.5", None),
            ("+5", None),
            ("", None),
            ("soon", None),
            ("Sun, 99 Nov 1994 08:49:37 GMT", None),
        ] {
            assert_eq!(parse(value), expected, "{value:?}");
        }
    }

    #[test]
    fn the_delay_is_never_negative() {
        let now = Utc.with_ymd_and_hms(2026, 2, 20, 10, 0, 0).unwrap();
        let at = |seconds| RetryAfter::At(now + chrono::Duration::seconds(seconds));
        assert_eq!(at(30).delay(now), Duration::from_secs(30));
        assert_eq!(at(-30).delay(now), Duration::ZERO);
        assert_eq!(RetryAfter::Seconds(7).delay(now), Duration::from_secs(7));
    }

    #[test]
    fn a_body_is_cut_between_characters() {
        assert_eq!(lossy(b"ol\xc3\xa1 \xff"), "olá \u{fffd}");
        assert_eq!(lossy(&[0xff; MAX_BODY]).len(), MAX_BODY / 3 * 3);
        let mut bytes = vec![b'a'; MAX_BODY - 1];
        bytes.push(0xc3);
        assert_eq!(lossy(&bytes), "a".repeat(MAX_BODY - 1));
    }
}
