//! Whom a search for customers finds, against one who looks at every customer, word by word.

use serde_json::{Value, json};
use tests::{Dice, Tenant, shared};

use crate::scene::text;

const CUSTOMERS: &str = "/api/v1/customers";
const NAMES: [&str; 12] =
    ["João", "Joana", "JOAQUIM", "Ângela", "angelo", "Zoé", "Núñez", "Silva", "silvio", "Prado", "Ana-Lúcia", "d'Ávila"];
const HOSTS: [&str; 3] = ["example.com", "empresa.com.br", "silva.org"];

/// What is known of somebody.
struct Person {
    id: String,
    name: String,
    email: Option<String>,
    /// With the country's code: digits alone.
    phone: Option<String>,
    document: Option<String>,
}

/// Lower case without accents, by a table of those that occur here.
fn bare(text: &str) -> String {
    const ACCENTS: [(char, char); 8] =
        [('ã', 'a'), ('â', 'a'), ('á', 'a'), ('é', 'e'), ('ú', 'u'), ('ñ', 'n'), ('í', 'i'), ('ó', 'o')];
    let plain = |c: char| ACCENTS.iter().find(|(accented, _)| *accented == c).map_or(c, |(_, letter)| *letter);
    text.to_lowercase().chars().map(plain).collect()
}

fn letters_and_digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

impl Person {
    fn drawn(dice: &mut Dice, n: usize) -> Self {
        let name = (0..=dice.below(2)).map(|_| *dice.one_of(&NAMES)).collect::<Vec<_>>().join(" ");
        let email = dice.once_in(2).then(|| {
            let (first, host) = (letters_and_digits(&bare(NAMES[dice.below(NAMES.len())])), *dice.one_of(&HOSTS));
            format!("{first}{n}@{host}")
        });
        let phone = dice.once_in(2).then(|| match dice.below(2) {
            0 => format!("55{}9{:08}", *dice.one_of(&[11, 21, 85]), dice.below(100_000_000)),
            _ => format!("3519{:08}", 10_000_000 + dice.below(9_000_000)),
        });
        let document =
            dice.once_in(3).then(|| format!("{:03}.{:03}.{:03}-{:02}", dice.below(1000), dice.below(1000), n, dice.below(100)));
        Self { id: String::new(), name, email, phone, document }
    }

    /// A text that begins so would find them.
    fn has(&self, wanted: &str) -> bool {
        let mut known: Vec<String> = bare(&self.name).split(' ').map(ToOwned::to_owned).collect();
        if let Some(email) = &self.email {
            known.push(email.clone());
            known.extend(email.split(['@', '.']).map(ToOwned::to_owned));
        }
        if let Some(phone) = &self.phone {
            let national = phone.strip_prefix("55").or_else(|| phone.strip_prefix("351")).unwrap();
            known.extend([phone.clone(), national.to_owned()]);
            known.extend(phone.strip_prefix("55").map(|national| national[2..].to_owned()));
        }
        known.extend(self.document.as_deref().map(letters_and_digits));
        // What is joined by a mark is found by each of its parts.
        let parts: Vec<_> = known.iter().flat_map(|word| word.split(['-', '\''])).map(ToOwned::to_owned).collect();
        known.iter().chain(&parts).any(|word| word.starts_with(wanted))
    }
}

/// A number as people write it, or begin to.
fn written(dice: &mut Dice, digits: &str) -> String {
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && n + 1 < digits.len() && dice.once_in(4) {
            text.push(*dice.one_of(&['-', '.', ' ']));
        }
        text.push(digit);
    }
    text
}

/// Something to search for, and what it comes to.
fn query(dice: &mut Dice, all: &[Person]) -> (String, Vec<String>) {
    let someone = dice.one_of(all);
    let begin = |dice: &mut Dice, word: &str, least: usize| -> String {
        let length = word.chars().count();
        word.chars().take(least.max(1 + dice.below(length))).collect()
    };
    match (dice.below(5), &someone.email, &someone.phone, &someone.document) {
        (0, Some(email), ..) => {
            let whole = begin(dice, email, email.find('@').unwrap() + 2);
            (whole.clone(), vec![whole])
        }
        (1, _, Some(phone), _) => {
            let from = *dice.one_of(&[0, phone.len() - 9]);
            let digits = begin(dice, &phone[from..], 4);
            let sign = if from == 0 && dice.once_in(2) { "+" } else { "" };
            (format!("{sign}{}", written(dice, &digits)), vec![digits])
        }
        (2, .., Some(document)) => {
            let digits = begin(dice, &letters_and_digits(document), 4);
            (written(dice, &digits), vec![digits])
        }
        _ => {
            // One word, or two, of one or of two people.
            let mut words = Vec::new();
            for _ in 0..=dice.below(2) {
                let name = &if dice.once_in(3) { dice.one_of(all) } else { someone }.name;
                let parts: Vec<_> = name.split([' ', '-', '\'']).collect();
                let word = *dice.one_of(&parts);
                words.push(begin(dice, word, 1));
            }
            let folded = words.iter().map(|word| bare(word)).collect();
            let loud = |word: &String| if dice.once_in(2) { word.to_uppercase() } else { bare(word) };
            (words.iter().map(loud).collect::<Vec<_>>().join(" "), folded)
        }
    }
}

#[tokio::test]
async fn a_search_finds_whom_a_look_at_everybody_finds() {
    for seed in [1, 2] {
        let tenant = Tenant::new(shared()).await;
        let (mut dice, mut all) = (Dice::new(seed), Vec::new());
        let (mut hits, mut several) = (0, 0);
        for n in 0..60 {
            let mut person = Person::drawn(&mut dice, n);
            let phone = person.phone.as_ref().map(|digits| format!("+{digits}"));
            let fields = json!({ "name": person.name, "email": person.email, "phone": phone, "document": person.document });
            person.id = text(&tenant.manager.post(CUSTOMERS, json!({ "customer": fields })).await.expect(201).data()["id"]);
            all.push(person);
            // Some go, and some are called otherwise.
            if dice.once_in(6) {
                let gone = all.swap_remove(dice.below(all.len()));
                let _ = tenant.manager.delete(&format!("{CUSTOMERS}/{}", gone.id)).await.expect(204);
            } else if dice.once_in(4) {
                let at = dice.below(all.len());
                all[at].name = (*dice.one_of(&NAMES)).to_owned();
                let fields = json!({ "customer": { "name": all[at].name } });
                let _ = tenant.manager.put(&format!("{CUSTOMERS}/{}", all[at].id), fields).await.expect(200);
            }
            for _ in 0..3 {
                if all.is_empty() {
                    continue;
                }
                let (asked, words) = query(&mut dice, &all);
                let mut wanted: Vec<&str> =
                    all.iter().filter(|person| words.iter().all(|word| person.has(word))).map(|person| &*person.id).collect();
                let encoded: String = url::form_urlencoded::byte_serialize(asked.as_bytes()).collect();
                let list = tenant.manager.get(&format!("{CUSTOMERS}?page_size=100&search={encoded}")).await.expect(200).json();
                let mut found: Vec<&str> =
                    list["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
                wanted.sort_unstable();
                found.sort_unstable();
                assert_eq!(found, wanted, "seed {seed}: {asked:?} as {words:?}: {}", told(&list, &all));
                assert_eq!(list["meta"]["total_count"], wanted.len(), "seed {seed}: {asked:?}");
                hits += usize::from(!wanted.is_empty());
                several += usize::from(wanted.len() > 1);
            }
        }
        assert!(hits > 60 && several > 20, "{hits} {several}");
    }
}

/// Who was found, and who is there.
fn told(list: &Value, all: &[Person]) -> String {
    let there = all.iter().map(|person| format!("{} {:?} {:?} {:?}\n", person.name, person.email, person.phone, person.document));
    let found = list["data"].as_array().unwrap().iter().map(|row| format!("found {}\n", row["name"]));
    found.chain(there).collect()
}
