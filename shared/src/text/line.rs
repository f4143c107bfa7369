//! Free text: trimmed, bounded, and without characters that deceive a reader or break a line.

use std::borrow::Cow;

/// What is wrong with a text, in words for the client.
type Problem = Cow<'static, str>;

/// Cleans a text of one line, such as a name; an empty one is fine here, whether it may be is the
/// field's business.
///
/// # Errors
/// It is longer than `max_chars` characters, or has a control character, a line break or a
/// bidirectional override in it.
pub fn clean_line(text: &str, max_chars: usize) -> Result<String, Problem> {
    clean(text, max_chars, is_forbidden)
}

/// Cleans a text of several lines, such as a note: as [`clean_line`], with tab, CR and LF allowed.
///
/// # Errors
/// As for [`clean_line`].
pub fn clean_text(text: &str, max_chars: usize) -> Result<String, Problem> {
    clean(text, max_chars, |c| !matches!(c, '\t' | '\r' | '\n') && is_forbidden(c))
}

fn clean(text: &str, max_chars: usize, forbidden: fn(char) -> bool) -> Result<String, Problem> {
    let text = text.trim_matches(is_blank);
    if text.contains(forbidden) {
        return Err(Cow::Borrowed("must not contain control characters"));
    }
    if text.chars().nth(max_chars).is_some() {
        return Err(Cow::Owned(format!("should be at most {max_chars} character(s)")));
    }
    Ok(text.to_owned())
}

/// Nobody would see anything of a text.
#[must_use]
pub fn is_blank_text(text: &str) -> bool {
    text.chars().all(is_blank)
}

/// White space, and the characters that look like nothing: a name of these alone is no name.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{00AD}'
                | '\u{115F}'
                | '\u{1160}'
                | '\u{180E}'
                | '\u{200B}'
                | '\u{2060}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{FEFF}'
                | '\u{FFA0}'
        )
}

/// Control characters (C0, C1), the Unicode line breaks, and the bidirectional overrides and
/// isolates (UAX #9), with which a text can be shown as another one.
fn is_forbidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_fine() {
        for (text, line) in [
            ("  João \u{a0}", "João"),
            ("\r\n\tAna\u{2028}\u{85}", "Ana"),
            ("\u{200b}\u{feff}Ana\u{2060}", "Ana"),
            ("", ""),
            (" \u{3164}\u{2800}\u{200b} ", ""),
            ("👩‍👧 می\u{200c}خواهم ❤\u{fe0f}", "👩‍👧 می\u{200c}خواهم ❤\u{fe0f}"),
            ("<script>=1+1</script>", "<script>=1+1</script>"),
        ] {
            assert_eq!(clean_line(text, 200).as_deref(), Ok(line), "{text:?}");
            assert_eq!(clean_text(text, 200).as_deref(), Ok(line), "{text:?}");
        }
    }

    #[test]
    fn what_looks_like_nothing_is_blank() {
        assert!(["", " \t\n", "\u{a0}\u{200b}", "\u{3164}\u{2800}"].into_iter().all(is_blank_text));
        assert!(!["a", "\u{200b}.", "\u{301}", "\0"].into_iter().any(is_blank_text));
    }

    #[test]
    fn line_breaks_are_for_texts() {
        for text in ["a\tb", "a\nb", "a\r\nb"] {
            assert!(clean_line(text, 200).is_err(), "{text:?}");
            assert_eq!(clean_text(text, 200).as_deref(), Ok(text));
        }
    }

    #[test]
    fn characters_that_are_refused_everywhere() {
        for c in [
            '\0', '\u{1}', '\u{8}', '\u{b}', '\u{c}', '\u{1b}', '\u{7f}', '\u{80}', '\u{85}', '\u{9f}', '\u{2028}', '\u{2029}',
            '\u{202a}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2069}',
        ] {
            let text = format!("a{c}b");
            let problem = Err(Cow::Borrowed("must not contain control characters"));
            assert_eq!(clean_line(&text, 200), problem, "{text:?}");
            assert_eq!(clean_text(&text, 200), problem, "{text:?}");
        }
    }

    #[test]
    fn the_length_is_counted_in_characters_after_trimming() {
        assert!(clean_line(&format!("  {}  ", "é".repeat(200)), 200).is_ok());
        let problem = clean_line(&"é".repeat(201), 200).unwrap_err();
        assert_eq!(problem, "should be at most 200 character(s)");
    }
}
