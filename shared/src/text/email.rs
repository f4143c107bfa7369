//! E-mail addresses: a sane subset of RFC 5321 with the internationalisation of RFC 6531.

use unicode_normalization::char::is_combining_mark;

const PROBLEM: &str = "must be a valid e-mail address";

/// Parses an e-mail address, trimmed and otherwise as written.
///
/// No quoted local parts, comments or address literals; lengths are in bytes (RFC 5321 §4.5.3.1
/// and the 254 that its path limit leaves). Whether anybody reads it, only a mail can tell.
///
/// # Errors
/// It is not an address.
pub fn email(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let valid = text.len() <= 254 && text.split_once('@').is_some_and(|(local, domain)| is_local(local) && is_domain(domain));
    if valid { Ok(text.to_owned()) } else { Err(PROBLEM) }
}

fn is_local(local: &str) -> bool {
    local.len() <= 64 && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

/// RFC 5322 §3.2.3, and letters, digits and marks of every script.
fn is_atext(c: char) -> bool {
    is_letter_or_digit(c) || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

fn is_letter_or_digit(c: char) -> bool {
    c.is_alphanumeric() || (!c.is_ascii() && is_combining_mark(c))
}

/// Two labels or more (RFC 1035 §2.3.4, RFC 5890), the last of which is no number.
fn is_domain(domain: &str) -> bool {
    let Some((_, last)) = domain.rsplit_once('.') else {
        return false;
    };
    let labels = domain.split('.').all(|label| {
        label.len() <= 63
            && !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c == '-' || is_letter_or_digit(c))
    });
    let top = last.len() >= 2 && !last.bytes().all(|b| b.is_ascii_digit());
    labels && top && (domain.is_ascii() || has_ascii_form(domain))
}

/// Whether a name can be written in ASCII for the DNS (UTS #46), each label within 63 bytes.
fn has_ascii_form(domain: &str) -> bool {
    match url::Host::parse(domain) {
        Ok(url::Host::Domain(ascii)) => ascii.split('.').all(|label| label.len() <= 63),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, address) in [
            (" Ana.Souza@Example.COM\n", "Ana.Souza@Example.COM"),
            ("a@b.co", "a@b.co"),
            ("o'neill+tag=x@mail.example.com.br", "o'neill+tag=x@mail.example.com.br"),
            ("1_2-3@4.example", "1_2-3@4.example"),
            ("joão@exemplo.com.br", "joão@exemplo.com.br"),
            ("用户@例子.中国", "用户@例子.中国"),
            ("x@xn--exmple-cua.com", "x@xn--exmple-cua.com"),
            ("हिन्दी@उदाहरण.भारत", "हिन्दी@उदाहरण.भारत"),
        ] {
            assert_eq!(email(text).as_deref(), Ok(address), "{text:?}");
        }
    }

    #[test]
    fn not_addresses() {
        for text in [
            "",
            "@",
            "a",
            "a@",
            "@b.com",
            "a@b",
            "a@@b.com",
            "a@b@c.com",
            "a b@c.com",
            "a@b c.com",
            ".a@b.com",
            "a.@b.com",
            "a..b@c.com",
            "a@.com",
            "a@b.",
            "a@b..com",
            "a@-b.com",
            "a@b-.com",
            "a@b_c.com",
            "a@1.2.3.4",
            "a@[1.2.3.4]",
            "a@b.c",
            "a@b.123",
            "\"a b\"@c.com",
            "a(x)@b.com",
            "Ana <a@b.com>",
            "a@b.com,c@d.com",
            "a@b.com\r\nBcc: x@y.com",
            "a\0@b.com",
            "a\u{202e}@b.com",
            "a\u{200b}@b.com",
            "a\u{2028}@b.com",
            "a@b\u{ad}.com",
            "a＠b.com",
            "a@b。com",
            "💩@b.com",
            "mailto:a@b.com",
        ] {
            assert_eq!(email(text), Err(PROBLEM), "{text:?}");
        }
    }

    #[test]
    fn lengths_are_in_bytes() {
        let address = |local: usize, label: usize| {
            format!("{}@{}.{}.{}.com", "l".repeat(local), "a".repeat(label), "b".repeat(60), "c".repeat(60))
        };
        assert!(email(&address(64, 63)).is_ok());
        assert!(email(&address(65, 10)).is_err());
        assert!(email(&address(1, 64)).is_err());
        assert!(email(&format!("{}@b.com", "é".repeat(32))).is_ok());
        assert!(email(&format!("{}@b.com", "é".repeat(33))).is_err());
        let long = format!("a@{}com", "abcdefg.".repeat(31));
        assert_eq!((long.len(), email(&long).is_ok()), (253, true));
        assert!(email(&format!("bb{long}")).is_err());
        // 31 letters in UTF-8 fit, their punycode does not.
        let wide: String = ('一'..).step_by(700).take(21).collect();
        assert!(email(&format!("a@{wide}.com")).is_err());
    }
}
