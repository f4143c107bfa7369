//! Telephone numbers to E.164.
//!
//! Enough to complete what people type with their own country's code. It does not know which
//! numbers are assigned: that needs a metadata set of megabytes that ages by the month.

use super::country::{Dialling, dialling};

/// What is wrong with a text that is no telephone number.
pub const PROBLEM: &str = "must be a valid phone number";

/// Parses a telephone number into E.164, such as `+5511999998888`.
///
/// With `+` or `00` in front it is of any country; without, of the company's `country` (ISO 3166-1
/// alpha-2), whose trunk prefix is dropped. Spaces, dots, dashes, slashes and parentheses are fine.
///
/// # Errors
/// It is not a number, or the country is unknown and the number has no code of its own.
pub fn phone(text: &str, country: &str) -> Result<String, &'static str> {
    let text: String = text.chars().filter(|&c| !is_invisible(c)).collect();
    let (international, digits) = match text.trim_start_matches(is_separator).strip_prefix('+') {
        Some(rest) => (true, international_digits(rest).ok_or(PROBLEM)?),
        None => match text.trim_start_matches(is_separator).strip_prefix("00") {
            Some(rest) => (true, international_digits(rest).ok_or(PROBLEM)?),
            None => (false, digits(&text).ok_or(PROBLEM)?),
        },
    };
    let full = if international {
        // Nothing in Brazil begins with zero, so one after the code is the trunk's.
        match digits.strip_prefix("550") {
            Some(national) => format!("55{national}"),
            None => digits,
        }
    } else {
        let rules = dialling(country).ok_or("must begin with + and a country code")?;
        complete(&digits, rules).ok_or(PROBLEM)?
    };
    // ITU-T E.164 §6: fifteen digits at most.
    if (8..=15).contains(&full.len()) && !full.starts_with('0') { Ok(format!("+{full}")) } else { Err(PROBLEM) }
}

/// Whether a text can be a number in some country: digits and separators, after one `+` at most.
#[must_use]
pub fn may_be_phone(text: &str) -> bool {
    let text: String = text.chars().filter(|&c| !is_invisible(c)).collect();
    let text = text.trim_start_matches(is_separator);
    digits(text.strip_prefix('+').unwrap_or(text)).is_some_and(|digits| (3..=20).contains(&digits.len()))
}

/// The full digits of a number that was written without a country code.
fn complete(digits: &str, Dialling { code, trunk }: Dialling) -> Option<String> {
    match code {
        "55" => brazilian(digits),
        _ if code.starts_with('1') => north_american(digits, code),
        // In the Russian plan the trunk prefix may also be the first digit of an area code.
        "7" if digits.len() != 11 => Some(format!("7{digits}")),
        _ => {
            let national = digits.strip_prefix(trunk).unwrap_or(digits);
            let doubled = trunk == "0" && national.starts_with('0');
            (!doubled && !national.is_empty()).then(|| format!("{code}{national}"))
        }
    }
}

/// Ten or eleven digits after an optional `0` or `0XX` (the trunk prefix and a carrier's code), or
/// already with 55 in front (Anatel, resolution 749/2022).
fn brazilian(digits: &str) -> Option<String> {
    let national = match digits.strip_prefix('0') {
        Some(rest) if rest.len() >= 12 => rest.get(2..)?,
        Some(rest) => rest,
        None if digits.len() >= 12 => digits.strip_prefix("55")?,
        None => digits,
    };
    let area_is_valid = national.bytes().take(2).all(|digit| digit != b'0');
    ((10..=11).contains(&national.len()) && area_is_valid).then(|| format!("55{national}"))
}

/// Ten digits with or without the leading 1; seven where the country has one area code.
fn north_american(digits: &str, code: &str) -> Option<String> {
    match digits.len() {
        11 if digits.starts_with('1') => Some(digits.to_owned()),
        10 if !digits.starts_with(['0', '1']) => Some(format!("1{digits}")),
        7 if code.len() == 4 => Some(format!("{code}{digits}")),
        _ => None,
    }
}

/// The digits after `+`, without the `(0)` that many write for those who call from inside; in
/// Italy that zero is dialled from abroad too.
fn international_digits(rest: &str) -> Option<String> {
    let all = digits(rest)?;
    if all.starts_with("39") { Some(all) } else { digits(&rest.replacen("(0)", "", 1)) }
}

/// The digits of a text that has only digits and separators in it.
fn digits(text: &str) -> Option<String> {
    text.chars().filter(|&c| !is_separator(c)).map(|c| c.is_ascii_digit().then_some(c)).collect()
}

fn is_separator(c: char) -> bool {
    matches!(c, '.' | '-' | '/' | '(' | ')' | '\u{2010}'..='\u{2015}' | '\u{2212}') || (c.is_whitespace() && !c.is_control())
}

/// Direction marks, which address books put around a number that is copied from them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brazil() {
        for (text, expected) in [
            ("(11) 99999-8888", "+5511999998888"),
            ("11999998888", "+5511999998888"),
            ("011 99999-8888", "+5511999998888"),
            ("0 15 11 99999-8888", "+5511999998888"),
            ("0xx", ""),
            ("1133334444", "+551133334444"),
            ("(011) 3333.4444", "+551133334444"),
            ("0 21 11 3333-4444", "+551133334444"),
            ("5511999998888", "+5511999998888"),
            ("551133334444", "+551133334444"),
            ("55 99999-8888", "+5555999998888"),
            ("55 9999-8888", "+555599998888"),
            ("(55) 9 9999-8888", "+5555999998888"),
            ("55 55 99999-8888", "+5555999998888"),
            ("+55 11 99999-8888", "+5511999998888"),
            ("+55 (0) 11 99999-8888", "+5511999998888"),
            ("+55 (011) 99999-8888", "+5511999998888"),
            ("0055 11 99999 8888", "+5511999998888"),
            ("99999-8888", ""),
            ("10 99999-8888", ""),
            ("(01) 3333-4444", ""),
            ("20 3333 4444", ""),
            ("0800 123 4567", ""),
            ("119999988889", ""),
            ("190", ""),
        ] {
            assert_eq!(phone(text, "BR").unwrap_or_default(), expected, "{text:?}");
        }
    }

    #[test]
    fn other_countries() {
        for (text, country, expected) in [
            ("030 1234567", "DE", "+49301234567"),
            ("(0)30/123 45 67", "DE", "+49301234567"),
            ("020 7946 0018", "gb", "+442079460018"),
            ("07700 900123", "GB", "+447700900123"),
            ("06 12 34 56 78", "FR", "+33612345678"),
            ("912 345 678", "PT", "+351912345678"),
            ("06 1234 5678", "IT", "+390612345678"),
            ("07 01 02 03 04", "CI", "+2250701020304"),
            ("06 20 123 4567", "HU", "+36201234567"),
            ("8 (912) 345-67-89", "RU", "+79123456789"),
            ("812 345-67-89", "RU", "+78123456789"),
            ("8 029 491 19 11", "BY", "+375294911911"),
            ("(212) 555-0123", "US", "+12125550123"),
            ("1-212-555-0123", "CA", "+12125550123"),
            ("555-0123", "AG", "+12685550123"),
            ("268 555 0123", "AG", "+12685550123"),
            ("555-0123", "US", ""),
            ("112 555 0123", "US", ""),
            ("55 1234 5678", "MX", "+525512345678"),
            ("011 1234-5678", "AR", "+541112345678"),
            ("+44 (0)20 7946 0018", "BR", "+442079460018"),
            ("+39 (0)6 1234 5678", "BR", "+390612345678"),
            ("(+351) 912 345 678", "BR", "+351912345678"),
            ("+1 (212) 555.0123", "BR", "+12125550123"),
            ("0", "DE", ""),
            ("", "DE", ""),
            ("12345678", "XX", ""),
            ("+4930123456", "XX", "+4930123456"),
        ] {
            assert_eq!(phone(text, country).unwrap_or_default(), expected, "{text:?} in {country}");
        }
    }

    #[test]
    fn lengths_and_characters() {
        for (text, expected) in [
            ("+12345678", "+12345678"),
            ("+1234567", ""),
            ("+123456789012345", "+123456789012345"),
            ("+1234567890123456", ""),
            ("+0123456789", ""),
            ("0001234567890", ""),
            ("++5511999998888", ""),
            ("+55+11999998888", ""),
            ("11999998888+55", ""),
            ("+", ""),
            ("00", ""),
            ("---", ""),
            ("1-800-FLOWERS", ""),
            ("tel:+5511999998888", ""),
            ("+5511999998888 ext. 5", ""),
            ("+5511999998888\n", ""),
            ("+55\u{0}11999998888", ""),
            ("+55 11 ９９９９９-8888", ""),
            ("+٥٥11999998888", ""),
            ("\u{202a}+55\u{a0}11\u{2009}99999\u{2011}8888\u{202c}", "+5511999998888"),
            ("+55 11 99999–8888", "+5511999998888"),
            ("'+5511999998888", ""),
            ("+5511999998888;DROP", ""),
        ] {
            assert_eq!(phone(text, "BR").unwrap_or_default(), expected, "{text:?}");
        }
        assert_eq!(phone(&"9".repeat(100_000), "BR"), Err(PROBLEM));
    }
}
