//! By which words a person is found: names as texts are, numbers in whatever writing.

use super::{
    country::calling_code,
    fold::{distinct, fold, query_words, words},
};

/// The words by which a person is found, the surest first, of which an index keeps twelve: e-mail, phone number, document,
/// then the words of the name.
#[must_use]
pub fn person_words(name: &str, email: &str, phone: &str, document: &str) -> Vec<String> {
    let address = fold(email);
    let mut all = vec![address];
    all.extend(numbers_of(phone));
    let document = document_key(document);
    let digits: String = document.chars().filter(char::is_ascii_digit).collect();
    all.extend([document, digits]);
    // As a query asks for them: what looks like a number or a document in a name is one word there.
    all.extend(person_query(name));
    all.extend(name.split_whitespace().flat_map(person_query));
    all.extend(words(&[name]));
    all.extend(person_query(email.split('@').next().unwrap_or_default()));
    all.extend(words(&[email]));
    distinct(all.iter().map(String::as_str))
}

/// A document without regard to how it is written: its letters and digits.
#[must_use]
pub fn document_key(document: &str) -> String {
    plain(&fold(document))
}

/// The words that a search for people asks for. Digits in any writing are one number: `(11) 99999-8888`, `123.456.789-09`.
#[must_use]
pub fn person_query(query: &str) -> Vec<String> {
    let mut wanted: Vec<String> = Vec::new();
    let mut number = false;
    for token in fold(query).split(|c: char| c.is_whitespace() || c == '(' || c == ')').filter(|token| !token.is_empty()) {
        let numeric = is_number(token);
        match wanted.last_mut() {
            Some(before) if number && numeric => before.push_str(&plain(token)),
            _ if numeric || is_document(token) => wanted.push(plain(token)),
            _ => wanted.extend(query_words(token)),
        }
        number = numeric;
    }
    distinct(wanted.iter().map(String::as_str))
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
    signs && token.contains(is_mark) && token.chars().filter(char::is_ascii_digit).count() >= 3
}

fn is_mark(c: char) -> bool {
    matches!(c, '.' | '-' | '/')
}

fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn documents_of_letters_and_digits() {
        let company = person_words("Empresa", "", "", "12.ABC.345/01DE-35");
        for query in ["12.abc.345/01de-35", "12ABC34501DE35", "12.abc.3"] {
            assert!(person_query(query).iter().all(|word| company.iter().any(|one| one.starts_with(word.as_str()))), "{query}");
        }
        assert!(person_words("Ana", "", "", "MG-12.345.678").contains(&"12345678".to_owned()));
    }

    #[test]
    fn a_long_name_does_not_push_the_numbers_out() {
        let name = "Maria da Conceição dos Santos de Oliveira e Silva Pereira Costa Ramos Souza";
        let known = person_words(name, "m@example.com", "+12025550123", "123.456.789-09");
        assert_eq!(known.len(), 12);
        for word in ["m@example.com", "12025550123", "2025550123", "5550123", "12345678909", "maria", "conceicao"] {
            assert!(known.contains(&word.to_owned()), "{word}: {known:?}");
        }
        assert_eq!(person_words("", "", "", ""), Vec::<String>::new());
    }
}
