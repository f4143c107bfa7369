//! Folding: the form in which names are sorted and searched, blind to case and accents.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The longest sort key, in bytes; it is part of a `DynamoDB` key, which ends at 1,024.
const MAX_SORT_KEY: usize = 400;

/// The longest search word, in characters; a longer one is cut, in the index and in a query alike.
const MAX_WORD: usize = 40;

/// The most words by which one object is found: the first ones of those known of it.
pub const MAX_WORDS: usize = 12;

/// The most words that are known of one object, and the most that a query asks for.
const MAX_KNOWN: usize = 32;

/// The form in which e-mail addresses and names that may stand once are compared: lower case, white space collapsed, NFC.
#[must_use]
pub fn caseless(text: &str) -> String {
    // Lower-casing can take a composed letter apart (İ), so that comes first.
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect()
}

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

/// The folded text, cut between characters to what a sort key may hold. Its end sorts before every character, so that what
/// follows in a key does not count: Ana comes before Ana Maria.
#[must_use]
pub fn sort_key(text: &str) -> String {
    let mut key = fold(text);
    key.truncate(key.floor_char_boundary(MAX_SORT_KEY));
    key.push('\u{1}');
    key
}

/// The distinct folded words of several texts, in the order in which their object is to be found by them: e-mail addresses
/// whole, then the texts' words in turns.
///
/// Words end at white space and punctuation. At most thirty-two, each cut to forty characters.
#[must_use]
pub fn words(texts: &[&str]) -> Vec<String> {
    let folded: Vec<String> = texts.iter().map(|text| fold(text)).collect();
    let tokens =
        |text: &'_ String| text.split(ends_token).map(|token| token.trim_matches(ends_word).to_owned()).collect::<Vec<_>>();
    let texts: Vec<Vec<String>> = folded.iter().map(tokens).collect();
    let addresses = texts.iter().flatten().filter(|token| is_address(token)).cloned();
    let words = |text: &Vec<String>| by_weight(text.iter().flat_map(|token| token.split(ends_word)).map(ToOwned::to_owned));
    let mut turns: Vec<_> = texts.iter().map(|text| words(text).into_iter()).collect();
    let longest = turns.iter().map(ExactSizeIterator::len).max().unwrap_or_default();
    let in_turns = (0..longest).flat_map(|_| turns.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>());
    known(addresses.chain(in_turns))
}

/// The words of a name in the order of what they tell: the first one, then the longest.
pub(super) fn by_weight(words: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut words = distinct(words, usize::MAX);
    if let Some((_, others)) = words.split_first_mut() {
        others.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    }
    words
}

/// The words that are known of an object, or that a query asks for.
pub(super) fn known(words: impl IntoIterator<Item = String>) -> Vec<String> {
    distinct(words, MAX_KNOWN)
}

/// The words that a query asks for. An e-mail address is one word: who has it is meant, not who has its parts.
#[must_use]
pub fn query_words(query: &str) -> Vec<String> {
    let folded = fold(query);
    let tokens = folded.split(ends_token).map(|token| token.trim_matches(ends_word));
    let words = tokens.flat_map(|token| {
        let whole = token.contains('@').then_some(token);
        whole.into_iter().chain(token.split(ends_word).filter(move |_| whole.is_none()))
    });
    known(words.map(ToOwned::to_owned))
}

/// Each word that is wanted is the beginning of one that there is; at least one is wanted.
#[must_use]
pub fn are_found(wanted: &[String], words: &[String]) -> bool {
    !wanted.is_empty() && wanted.iter().all(|word| words.iter().any(|known| known.starts_with(word.as_str())))
}

fn is_address(token: &str) -> bool {
    token.split_once('@').is_some_and(|(_, domain)| !domain.contains('@'))
}

fn distinct(words: impl IntoIterator<Item = String>, most: usize) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in words {
        let word: String = word.chars().take(MAX_WORD).collect();
        if !word.is_empty() && !found.contains(&word) {
            found.push(word);
        }
        if found.len() == most {
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
    fn keys_are_blind_to_case_and_composition() {
        for (one, other) in [
            ("Ana@Example.COM", " ana@example.com "),
            ("JOÃO@x.com", "joa\u{0303}o@x.com"),
            ("ÅSA@x.com", "\u{212b}sa@x.com"),
            ("ПОЧТА@x.рф", "почта@x.РФ"),
            ("Two\u{a0} words", " TWO WORDS"),
            ("ΟΔΟΣ", "οδος"),
        ] {
            assert_eq!(caseless(one), caseless(other));
        }
        assert_ne!(caseless("joao@x.com"), caseless("joão@x.com"));
    }

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
        assert_eq!(sort_key("Édipo"), "edipo\u{1}");
        assert_eq!(sort_key(&"中".repeat(200)), "中".repeat(133) + "\u{1}");
        assert_eq!(sort_key(&"É".repeat(500)).len(), 401);
    }

    #[test]
    fn a_name_sorts_before_those_that_begin_with_it() {
        let names = ["Ação", "Acao b", "Ana", "Ana \"Nina\"", "Ana Maria", "Anabela", "Lima", "Lima & Co", "Lima 2", "Lima-2"];
        let places: Vec<String> = names.iter().map(|name| format!("{}#0190b3a0", sort_key(name))).collect();
        assert!(places.is_sorted(), "{places:?}");
    }

    #[test]
    fn search_words() {
        for (texts, expected) in [
            (&["João da Silva"][..], &["joao", "silva", "da"][..]),
            (&["Silva silva SILVA"], &["silva"]),
            (&["O'Neill-Smith & Cia. Ltda", "São"], &["o", "sao", "neill", "smith", "ltda", "cia"]),
            (
                &["Ana", "Ana.Souza+x@Exemplo.com.br"],
                &["ana.souza+x@exemplo.com.br", "ana", "exemplo", "souza", "com", "br", "x"],
            ),
            (&["Ana <ana@b.com>, (bob@b.com)."], &["ana@b.com", "bob@b.com", "ana", "com", "bob", "b"]),
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
        let name = "Maria da Conceição dos Santos de Oliveira e Silva Pereira Costa Ramos";
        let found = words(&[name, "maria@empresa.com.br"]);
        let leading = &found[..MAX_WORDS];
        for query in ["maria@empresa.com.br", "MARIA@emp", "conceicao maria", "María  Silva"] {
            let wanted = query_words(query);
            assert!(
                wanted.iter().all(|word| leading.iter().any(|known| known.starts_with(word.as_str()))),
                "{query}: {leading:?}"
            );
        }
        for query in [name, "maria da silva", "maria ramos", &format!("{name} {name}")] {
            let wanted = query_words(query);
            assert!(wanted.iter().all(|word| found.iter().any(|known| known.starts_with(word.as_str()))), "{query}: {wanted:?}");
        }
        assert_eq!(query_words("Ana <ana@b.com>"), ["ana", "ana@b.com"]);
        assert!(query_words(" -- !! ").is_empty());
    }

    #[test]
    fn words_are_few_and_short() {
        let many = (0..50).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
        assert_eq!((words(&[&many, "late"]).len(), query_words(&many).len()), (32, 32));
        assert!(words(&[&many, "late"])[..MAX_WORDS].contains(&"late".to_owned()));
        assert_eq!(words(&[&"é".repeat(90)]), ["e".repeat(40)]);
        for word in words(&HOSTILE) {
            assert!((1..=40).contains(&word.chars().count()), "{word:?}");
        }
    }
}
