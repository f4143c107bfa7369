//! By which words a person is found: names as texts are, numbers in whatever writing.

use super::{
    country::calling_code,
    fold::{by_weight, fold, known, query_words, words},
};

/// The words that are known of a person, those by which one is to be found first: e-mail, phone number, document, then the
/// words of the name.
#[must_use]
pub fn person_words(name: &str, email: &str, phone: &str, document: &str) -> Vec<String> {
    let (name, email) = (fold(name), fold(email));
    let (local, domain) = email.split_once('@').unwrap_or_default();
    let mut all = vec![email.clone()];
    all.extend(numbers_of(phone));
    let document = document_key(document);
    let digits: String = document.chars().filter(char::is_ascii_digit).collect();
    all.extend([document, dialled(&digits), digits]);
    // As a query asks for them: what looks like a number or a document in a name is one word there.
    let asked = person_query(&name).into_iter().chain(name.split_whitespace().flat_map(person_query));
    all.extend(by_weight(asked.chain(words(&[&name])).chain(joined(&name))));
    let numbered = [local, domain].into_iter().filter(|part| part.contains(|c: char| c.is_ascii_digit()));
    all.extend(numbered.clone().flat_map(person_query).chain(words(&[&email])).chain(numbered.flat_map(joined)));
    // Nobody has to begin with the zeros.
    known(all.into_iter().flat_map(|word| {
        let bare = word.trim_start_matches('0').to_owned();
        if bare == word { vec![word] } else { vec![word, bare] }
    }))
}

/// A document without regard to how it is written: its letters and digits.
#[must_use]
pub fn document_key(document: &str) -> String {
    plain(&fold(document))
}

/// The words that a search for people asks for. Digits in any writing are one number: `(11) 99999-8888`, `123.456.789-09`.
#[must_use]
pub fn person_query(query: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut number = false;
    for token in fold(query).split(|c: char| c.is_whitespace() || c == '(' || c == ')').filter(|token| !token.is_empty()) {
        let numeric = is_number(token);
        match all.last_mut() {
            // The zero that many write for those who call from inside; in Italy it is dialled from abroad too.
            Some(before) if number && token == "0" && before.starts_with('+') && before != "+39" => {}
            Some(before) if number && numeric => before.push_str(&plain(token)),
            _ if numeric && token.starts_with('+') => all.push(format!("+{}", plain(token))),
            _ if numeric || is_document(token) => all.push(plain(token)),
            _ => all.extend(query_words(token)),
        }
        number = numeric;
    }
    known(all.iter().map(|word| dialled(word)))
}

/// A number without what is dialled before it: the trunk's zero, also after Brazil's code, a carrier behind it, or the two of
/// who calls abroad. Anything else stays as it is.
fn dialled(word: &str) -> String {
    let number = word.strip_prefix('+').unwrap_or(word);
    if !number.chars().all(|c| c.is_ascii_digit()) {
        return word.to_owned();
    }
    let abroad = if number.len() < word.len() { Some(number) } else { number.strip_prefix("00") };
    if let Some(national) = abroad.and_then(|digits| digits.strip_prefix("550")) {
        return format!("55{national}");
    }
    let bare = match number.strip_prefix('0') {
        Some(rest) if abroad.is_none() && rest.len() >= 12 => &rest[2..],
        _ => number.trim_start_matches('0'),
    };
    if bare.is_empty() { number.to_owned() } else { bare.to_owned() }
}

/// Names and addresses whose parts are written together: obrien, annemarie.
fn joined(text: &str) -> impl Iterator<Item = String> {
    let whole = |token: &str| -> String { token.chars().filter(|c| c.is_alphanumeric()).collect() };
    text.split_whitespace().filter(|token| token.contains(['\'', '\u{2019}', '-', '.', '/', '_'])).map(whole)
}

/// A phone number, E.164, as people begin to write it: with its country's code, without it, and where areas have codes of
/// one length also without that.
fn numbers_of(phone: &str) -> Vec<String> {
    let whole = plain(phone);
    let code = calling_code(&whole).unwrap_or_default();
    let national = whole[code.len()..].to_owned();
    let area = match code {
        "55" => 2,
        "1" => 3,
        _ => 0,
    };
    let local = national.get(area..).unwrap_or_default().to_owned();
    vec![whole, national, local]
}

/// Digits alone, whatever stands between them.
fn is_number(token: &str) -> bool {
    token.contains(|c: char| c.is_ascii_digit()) && token.chars().all(|c| c.is_ascii_digit() || is_mark(c) || c == '+')
}

/// Letters and digits in the writing of a document: `12.abc.345/01de-35`.
fn is_document(token: &str) -> bool {
    let signs = token.chars().all(|c| c.is_ascii_alphanumeric() || is_mark(c));
    signs && token.contains(is_mark) && token.contains(|c: char| c.is_ascii_digit())
}

fn is_mark(c: char) -> bool {
    matches!(c, '.' | '-' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::MAX_WORDS, *};

    fn found(query: &str) -> bool {
        let known = person_words("João Ângelo da Silva", "Joao.Silva@Example.com", "+5511999998888", "123.456.789-09");
        let wanted = person_query(query);
        assert!(!wanted.is_empty(), "{query}");
        wanted.iter().all(|word| known.iter().any(|one| one.starts_with(word.as_str())))
    }

    #[test]
    fn a_person_is_found_however_it_is_written() {
        for query in [
            "joao",
            "JOÃO sil",
            "angelo",
            "joao.silva@example.com",
            "joao.silva@ex",
            "+55 11 99999-8888",
            "5511999998888",
            "(11) 99999-8888",
            "(11)99999",
            "11 99999",
            "99999-8888",
            "99999 88",
            "123.456.789-09",
            "123.456",
            "12345678909",
            "silva 11 99999-8888",
            "011 99999-8888",
            "(011) 99999",
            "0 15 11 99999-8888",
            "0055 11 99999-8888",
            "005511999998888",
            "+55 011 99999-8888",
            "+55 (011) 99999-8888",
            "+55 (0) 11 99999-8888",
            "11–99999–8888",
        ] {
            assert!(found(query), "{query}: {:?}", person_query(query));
        }
    }

    #[test]
    fn nobody_else_is() {
        for query in ["jo ana", "99998-8888", "(21) 99999-8888", "456.789", "joana@example.com", "silvae", "11 88"] {
            assert!(!found(query), "{query}: {:?}", person_query(query));
        }
    }

    #[test]
    fn a_name_is_found_by_itself_whatever_it_looks_like() {
        for (name, email) in [
            ("Test-1234567", "test.1234@example.com"),
            ("Cliente 550e8400-e29b-41d4-a716-446655440000", "c@example.com"),
            ("Lote 12 345", "24-7@example.com"),
            ("Loja 24-7 (2026-02-20)", ""),
        ] {
            let known = person_words(name, email, "+5511999998888", "123.456.789-09");
            let found =
                |query: &str| person_query(query).iter().all(|word| known.iter().any(|one| one.starts_with(word.as_str())));
            let mut queries: Vec<&str> = name.split_whitespace().collect();
            queries.extend([name, email, email.split('@').next().unwrap(), &name[..name.len() - 1]]);
            for query in queries {
                assert!(found(query), "{name}: {query}: {known:?}");
            }
        }
    }

    #[test]
    fn names_are_found_without_what_stands_in_them() {
        let known = person_words(
            "Anne-Marie O'Brien J.R.R. Sala 007",
            "007.bond@mail2.example.com",
            "+390612345678",
            "01.234.567/0001-89",
        );
        for query in [
            "annemarie",
            "anne-marie",
            "marie",
            "obrien",
            "o'brien",
            "o’brien",
            "jrr",
            "007",
            "0",
            "7",
            "007.b",
            "007.bond@mail2.ex",
            "mail2.example",
            "bond",
            "+39 06 1234",
            "+39 (0)6 1234",
            "06 1234 5678",
            "01.234.567/0001-8",
            "01.234.567/0001-89",
            "1234567",
            "0123456700018",
        ] {
            let wanted = person_query(query);
            assert!(
                !wanted.is_empty() && wanted.iter().all(|word| known.iter().any(|one| one.starts_with(word.as_str()))),
                "{query}: {wanted:?} in {known:?}"
            );
        }
    }

    #[test]
    fn documents_of_letters_and_digits() {
        let company = person_words("Empresa", "", "", "12.ABC.345/01DE-35");
        for query in ["12.abc.345/01de-35", "12ABC34501DE35", "12.abc.3", "12.a", "12.ABC", "12."] {
            assert!(person_query(query).iter().all(|word| company.iter().any(|one| one.starts_with(word.as_str()))), "{query}");
        }
        assert!(person_words("Ana", "", "", "MG-12.345.678").contains(&"12345678".to_owned()));
    }

    #[test]
    fn of_a_long_name_the_short_words_lead_nowhere_alone() {
        let name = "Maria Aparecida da Conceição dos Santos de Oliveira Souza";
        let known = person_words(name, "m@example.com", "+12025550123", "123.456.789-09");
        let leading = &known[..MAX_WORDS];
        for word in ["m@example.com", "12025550123", "2025550123", "5550123", "12345678909", "maria", "conceicao", "souza"] {
            assert!(leading.contains(&word.to_owned()), "{word}: {leading:?}");
        }
        assert!(person_query(name).iter().all(|word| known.contains(word)), "{known:?}");
        assert_eq!(person_words("", "", "", ""), Vec::<String>::new());
    }
}
