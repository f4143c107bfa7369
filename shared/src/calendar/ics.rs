//! Appointments as iCalendar (RFC 5545), for the calendars of those who have them.
//!
//! Whatever the texts hold, a line stays one line: breaks are escaped where a text may have them, and the one place that
//! writes lines lets no control character through.

use std::fmt::{self, Write};

use crate::clock::Time;

/// Who wrote it.
const PRODID: &str = "-//Voki//Calendar//EN";
/// The longest line without its end, in octets.
const MAX_LINE: usize = 75;

/// What the receiver is to do (RFC 5546).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Show the events; nobody is asked for an answer.
    Publish,
    /// Take the events out.
    Cancel,
}

/// Whether an event takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It does.
    Confirmed,
    /// Nobody has said so yet.
    Tentative,
    /// It does not.
    Cancelled,
}

/// A calendar; `to_string` gives the text of its file, `text/calendar; charset=utf-8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// What the receiver is to do.
    pub method: Method,
    /// What it is called, of one that is subscribed to.
    pub name: Option<String>,
    /// The events; RFC 5545 wants at least one, readers do not.
    pub events: Vec<Event>,
}

/// An appointment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What it is known by, the same in all versions.
    pub uid: String,
    /// Which version this is: it grows with every change of the time, and with the cancellation.
    pub sequence: u32,
    /// When this text was made.
    pub stamp: Time,
    /// When the appointment last changed.
    pub last_modified: Option<Time>,
    /// When it starts.
    pub start: Time,
    /// When it ends.
    pub end: Time,
    /// Whether it takes place.
    pub status: Status,
    /// The title.
    pub summary: String,
    /// More, perhaps of several lines.
    pub description: Option<String>,
    /// Who called it; RFC 5546 wants one with every method.
    pub organizer: Option<Person>,
}

/// Somebody with an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: String,
}

impl Method {
    /// Its word, which the type of a mail's part repeats: `text/calendar; method=CANCEL`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "PUBLISH",
            Self::Cancel => "CANCEL",
        }
    }
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "CONFIRMED",
            Self::Tentative => "TENTATIVE",
            Self::Cancelled => "CANCELLED",
        }
    }
}

impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "BEGIN:VCALENDAR")?;
        line(f, &format!("PRODID:{PRODID}"))?;
        line(f, "VERSION:2.0")?;
        line(f, &format!("METHOD:{}", self.method.as_str()))?;
        if let Some(name) = &self.name {
            // The one is RFC 7986's, the other what most read.
            line(f, &format!("NAME:{}", text(name)))?;
            line(f, &format!("X-WR-CALNAME:{}", text(name)))?;
            line(f, "REFRESH-INTERVAL;VALUE=DURATION:PT1H")?;
        }
        self.events.iter().try_for_each(|event| event.write(f))?;
        line(f, "END:VCALENDAR")
    }
}

impl Event {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "BEGIN:VEVENT")?;
        line(f, &format!("UID:{}", text(&self.uid)))?;
        line(f, &format!("SEQUENCE:{}", self.sequence))?;
        line(f, &format!("DTSTAMP:{}", time(self.stamp)))?;
        if let Some(changed) = self.last_modified {
            line(f, &format!("LAST-MODIFIED:{}", time(changed)))?;
        }
        line(f, &format!("DTSTART:{}", time(self.start)))?;
        line(f, &format!("DTEND:{}", time(self.end)))?;
        line(f, &format!("STATUS:{}", self.status.as_str()))?;
        line(f, &format!("SUMMARY:{}", text(&self.summary)))?;
        if let Some(description) = &self.description {
            line(f, &format!("DESCRIPTION:{}", text(description)))?;
        }
        if let Some(organizer) = &self.organizer {
            line(f, &organizer.property("ORGANIZER"))?;
        }
        line(f, "END:VEVENT")
    }
}

impl Person {
    fn property(&self, property: &str) -> String {
        let name = self.name.as_deref().map(|name| format!(";CN={}", quoted(name))).unwrap_or_default();
        format!("{property}{name}:mailto:{}", address(&self.email))
    }
}

/// Writes a line, folded so that none has more than 75 octets and no character is torn. What could end a line is left out.
fn line(f: &mut fmt::Formatter<'_>, line: &str) -> fmt::Result {
    let mut length = 0;
    for c in line.chars().filter(|c| !c.is_control() && !is_break(*c)) {
        if length + c.len_utf8() > MAX_LINE {
            f.write_str("\r\n ")?;
            length = 1;
        }
        f.write_char(c)?;
        length += c.len_utf8();
    }
    f.write_str("\r\n")
}

/// A moment of UTC.
fn time(moment: Time) -> String {
    moment.utc().format("%Y%m%dT%H%M%SZ").to_string()
}

/// A value of type TEXT: every kind of line break becomes `\n`, a tab a space.
fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\\' | ';' | ',' => escaped.extend(['\\', c]),
            '\t' => escaped.push(' '),
            c if is_break(c) => escaped.push_str("\\n"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A value of a parameter. Within quotes no character has a meaning but the quote, which RFC 6868 writes as `^'`.
fn quoted(value: &str) -> String {
    let mut quoted = String::from("\"");
    for c in value.chars() {
        match c {
            '^' => quoted.push_str("^^"),
            '"' => quoted.push_str("^'"),
            c if c.is_whitespace() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// An e-mail address as the path of a `mailto:` URI (RFC 6068): what has a meaning there is percent-encoded.
fn address(email: &str) -> String {
    let mut encoded = String::new();
    for byte in email.chars().filter(|c| !c.is_control()).collect::<String>().bytes() {
        if byte.is_ascii_alphanumeric() || b"@.-_~+!$'*".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', hex(byte >> 4), hex(byte & 15)]);
        }
    }
    encoded
}

/// A digit of base 16.
fn hex(digit: u8) -> char {
    char::from(if digit < 10 { b'0' + digit } else { b'A' + digit - 10 })
}

/// The characters at which a line ends: those of Unicode, since readers differ in which of them they heed.
fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests;
