//! Folding: the form in which names are sorted and searched, blind to case and accents.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The longest sort key, in bytes; it is part of a `DynamoDB` key, which ends at 1,024.
const MAX_SORT_KEY: usize = 400;

/// The longest search word, in characters; a longer one is cut, in the index and in a query alike.
const MAX_WORD: usize = 40;

/// The most search words of one object.
const MAX_WORDS: usize = 12;

/// Folds a text: lower case, no accents, white space collapsed; folding twice changes nothing.
///
/// Accents are the combining diacritics after NFD (UAX #15), so й becomes и, while the vowel signs
/// of Indic scripts and the voicing marks of kana, which make other words, stay. Letters with a
/// stroke and ligatures, which NFD leaves whole, are spelled out. Invisible characters go.
#[must_use]
pub fn fold(text: &str) -> String {
    let bare: String = text.nfd().filter(|&c| !is_accent(c) && !is_invisible(c)).collect();
    let mut folded = String::with_capacity(bare.len());
    for word in bare.to_lowercase().split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        for c in word.chars() {
            match spelled_out(c) {
                Some(letters) => folded.push_str(letters),
                None => folded.push(c),
            }
        }
    }
    folded.nfc().collect()
}

/// The folded text, cut between characters to what a sort key may hold.
#[must_use]
pub fn sort_key(text: &str) -> String {
    let mut key = fold(text);
    key.truncate(key.floor_char_boundary(MAX_SORT_KEY));
    key
}

/// The distinct folded words of several texts by which their object is found: e-mail addresses whole, then the words of
/// the first text, then those of the next.
///
/// Words end at white space and punctuation. At most twelve, each cut to forty characters.
#[must_use]
pub fn words(texts: &[&str]) -> Vec<String> {
    let folded: Vec<String> = texts.iter().map(|text| fold(text)).collect();
    let tokens = || folded.iter().flat_map(|text| text.split(ends_token)).map(|token| token.trim_matches(ends_word));
    let addresses = tokens().filter(|token| is_address(token));
    distinct(addresses.chain(tokens().flat_map(|token| token.split(ends_word))))
}

/// The words that a query asks for. An e-mail address is one word: who has it is meant, not who has its parts.
#[must_use]
pub fn query_words(query: &str) -> Vec<String> {
    let folded = fold(query);
    let tokens = folded.split(ends_token).map(|token| token.trim_matches(ends_word));
    distinct(tokens.flat_map(|token| {
        let whole = token.contains('@').then_some(token);
        whole.into_iter().chain(token.split(ends_word).filter(move |_| whole.is_none()))
    }))
}

/// Each word that is wanted is the beginning of one that there is; at least one is wanted.
#[must_use]
pub fn are_found(wanted: &[String], words: &[String]) -> bool {
    !wanted.is_empty() && wanted.iter().all(|word| words.iter().any(|known| known.starts_with(word.as_str())))
}

fn is_address(token: &str) -> bool {
    token.split_once('@').is_some_and(|(_, domain)| !domain.contains('@'))
}

pub(super) fn distinct<'a>(words: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in words {
        let word: String = word.chars().take(MAX_WORD).collect();
        if !word.is_empty() && !found.contains(&word) {
            found.push(word);
        }
        if found.len() == MAX_WORDS {
            break;
        }
    }
    found
}

fn ends_token(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | ':' | '<' | '>' | '(' | ')' | '[' | ']' | '"' | '|')
}

fn ends_word(c: char) -> bool {
    !c.is_alphanumeric() && !is_combining_mark(c)
}

/// The combining diacritics, in all their blocks.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

/// Format characters that leave no trace on the screen.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

fn spelled_out(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ł' => "l",
        'ħ' => "h",
        'ŧ' => "t",
        'ı' => "i",
        'ς' => "σ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: [&str; 8] = [
        "",
        " \u{a0}\u{2003}\u{3000}\t\r\n",
        "\0\u{1}\u{7f}",
        "\u{202e}olleh\u{2066}",
        "Z\u{0335}\u{0321}a\u{035c}\u{0489}l\u{0338}g\u{0360}o\u{0315}",
        "👩‍👩‍👧‍👦 👍🏽 ❤\u{fe0f}",
        "\u{fffd}\u{ffff}\u{10ffff}",
        "ﷺﬃ",
    ];

    #[test]
    fn folding() {
        for (text, expected) in [
            ("João da Silva", "joao da silva"),
            ("  JOSÉ \t\n ÂNGELO\u{a0}Ñuñez ", "jose angelo nunez"),
            ("a\u{0301}\u{0302}", "a"),
            ("Straße GROẞ", "strasse gross"),
            ("Ærø Łódź Đorđe Þór Œuvre", "aero lodz dorde thor oeuvre"),
            ("İstanbul ISPARTA ırmak", "istanbul isparta irmak"),
            ("ΟΔΥΣΣΕΎΣ οδός", "οδυσσευσ οδοσ"),
            ("Ёлкий", "елкии"),
            ("がぎ 한국 हिन्दी", "がぎ 한국 हिन्दी"),
            ("Å\u{212b}", "aa"),
            ("zero\u{200b}width\u{feff}", "zerowidth"),
            ("O'Neill-Smith", "o'neill-smith"),
        ] {
            assert_eq!(fold(text), expected, "{text:?}");
        }
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for text in HOSTILE.into_iter().chain(["Ἀθῆναι", "İ", "ǆ Ǆ ǅ", "ΌΣΟΣ", "Việt Nam", "각"]) {
            let once = fold(text);
            assert_eq!(fold(&once), once, "{text:?}");
        }
    }

    #[test]
    fn sort_keys_are_cut_between_characters() {
        assert_eq!(sort_key("Édipo"), "edipo");
        assert_eq!(sort_key(&"中".repeat(200)), "中".repeat(133));
        assert_eq!(sort_key(&"É".repeat(500)).len(), 400);
    }

    #[test]
    fn search_words() {
        for (texts, expected) in [
            (&["João da Silva"][..], &["joao", "da", "silva"][..]),
            (&["Silva silva SILVA"], &["silva"]),
            (&["O'Neill-Smith & Cia. Ltda", "São"], &["o", "neill", "smith", "cia", "ltda", "sao"]),
            (
                &["Ana", "Ana.Souza+x@Exemplo.com.br"],
                &["ana.souza+x@exemplo.com.br", "ana", "souza", "x", "exemplo", "com", "br"],
            ),
            (&["Ana <ana@b.com>, (bob@b.com)."], &["ana@b.com", "bob@b.com", "ana", "b", "com", "bob"]),
            (&["a@b@c"], &["a", "b", "c"]),
            (&["@ @a b@ ..@.."], &["a", "b"]),
            (&["123.456.789-09"], &["123", "456", "789", "09"]),
            (&["हिन्दी 東京"], &["हिन्दी", "東京"]),
            (&["", "  ", "--- !!"], &[]),
            (&[], &[]),
        ] {
            assert_eq!(words(texts), expected, "{texts:?}");
        }
    }

    #[test]
    fn an_address_is_found_by_itself_however_many_names_there_are() {
        let found = words(&["Maria da Conceição dos Santos de Oliveira e Silva Pereira Costa Ramos", "maria@empresa.com.br"]);
        for query in ["maria@empresa.com.br", "MARIA@emp", "conceicao maria", "María  Silva"] {
            let wanted = query_words(query);
            assert!(wanted.iter().all(|word| found.iter().any(|known| known.starts_with(word.as_str()))), "{query}: {wanted:?}");
        }
        assert_eq!(query_words("Ana <ana@b.com>"), ["ana", "ana@b.com"]);
        assert!(query_words(" -- !! ").is_empty());
    }

    #[test]
    fn words_are_few_and_short() {
        let many = (0..50).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
        assert_eq!(words(&[&many, "late"]).len(), 12);
        assert_eq!(words(&[&"é".repeat(90)]), ["e".repeat(40)]);
        for word in words(&HOSTILE) {
            assert!((1..=40).contains(&word.chars().count()), "{word:?}");
        }
    }
}
