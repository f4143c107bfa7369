//! Slugs and colours.

use super::fold;

/// The longest slug that is made from a name.
const MAX_SLUG: usize = 40;

/// Parses a colour as `#rrggbb`, in lower case.
///
/// # Errors
/// It is not in that form.
pub fn color(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    match text.strip_prefix('#') {
        Some(digits) if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()) => Ok(text.to_ascii_lowercase()),
        _ => Err("must be a colour such as #1a2b3c"),
    }
}

/// Makes a slug from a name: folded, every run of other characters one dash, at most 40
/// characters; empty when nothing of the name is left, as with one in another script.
#[must_use]
pub fn slug_from(name: &str) -> String {
    let mut slug = String::new();
    for c in fold(name).chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(MAX_SLUG);
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// What a slug is, as a regular expression.
pub const SLUG: &str = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$";

/// Whether a text is a slug: `a-z0-9-`, with a letter or a digit at both ends. The length is the
/// field's business.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors() {
        assert_eq!(color(" #1A2b3C "), Ok("#1a2b3c".to_owned()));
        for text in ["", "#", "1a2b3c", "#1a2b3", "#1a2b3c4", "#fff", "#gggggg", "##12345", "#é1234", "red", "#１a2b3c"] {
            assert!(color(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn slugs_from_names() {
        for (name, slug) in [
            ("Suporte Técnico", "suporte-tecnico"),
            ("  --Vendas & Pós-Venda!-- ", "vendas-pos-venda"),
            ("SAC 24h / N2", "sac-24h-n2"),
            ("Straße Øst", "strasse-ost"),
            ("東京", ""),
            ("", ""),
            ("\u{202e}\0", ""),
            ("🎉 Festa", "festa"),
        ] {
            assert_eq!(slug_from(name), slug, "{name:?}");
            assert!(slug.is_empty() || is_slug(slug));
        }
        assert_eq!(slug_from(&format!("{} b", "a".repeat(39))), "a".repeat(39));
        assert_eq!(slug_from(&"ab".repeat(40)).len(), 40);
    }

    #[test]
    fn slugs() {
        for (text, valid) in [
            ("a", true),
            ("0", true),
            ("acme-2", true),
            ("a--b", true),
            ("", false),
            ("-", false),
            ("-a", false),
            ("a-", false),
            ("A", false),
            ("a b", false),
            ("a_b", false),
            ("é", false),
            ("a\n", false),
            ("a.b", false),
        ] {
            assert_eq!(is_slug(text), valid, "{text:?}");
        }
    }
}
