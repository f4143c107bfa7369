//! What runs come to, whatever they drew: two that did the same are equal here.

use std::collections::{BTreeMap, BTreeSet};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value, json};
use shared::{
    chance::Chance,
    clock::Time,
    ids::{EventId, Id, WebhookId},
    models::{Delivery, Feed, Mail, Webhook, webhook::mask},
    storage::{
        Entity, Key,
        keys::{MEMBERS, SELF},
    },
    text,
};
use tests::{
    lab::{Changes, Items},
    wire::Call,
};

/// How many draws of a run are looked for.
const DRAWN: usize = 40;

/// What runs come to: the last answer, what has changed in the table, the messages that were sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Plain {
    /// The answer.
    pub answer: Value,
    /// Items as they are now; null where one is gone.
    pub changes: BTreeMap<String, Value>,
    /// Messages; one that is sent twice is worked on once.
    pub messages: BTreeSet<String>,
}

impl Plain {
    /// What runs come to, of samples that drew from these seeds at these moments.
    pub fn of(built: &Items, seeds: &[(String, Time)], answer: &Value, calls: &[Call], changes: &Changes) -> Self {
        let mut lines = vec![plain_answer(answer.clone()).to_string()];
        lines.extend(plain_changes(built, changes).iter().map(|(key, item)| format!("{key}\n{item}")));
        let of_table = lines.len();
        lines.extend(calls.iter().filter(|call| call.reached).flat_map(|call| call.messages.clone()).collect::<BTreeSet<_>>());
        let lines = renamed(lines, seeds, &webhooks(built));
        let (table, messages) = lines.split_at(of_table);
        let changes = table[1..].iter().filter_map(|line| line.split_once('\n'));
        Self {
            answer: serde_json::from_str(&table[0]).unwrap(),
            changes: changes.map(|(key, item)| (key.to_owned(), serde_json::from_str(item).unwrap())).collect(),
            messages: messages.iter().cloned().collect(),
        }
    }

    /// Without what is kept for repetitions and limits alone.
    pub fn lasting(&self) -> BTreeMap<String, Value> {
        self.changes
            .iter()
            .filter(|(key, _)| !is_kept_for_repetitions(key))
            .map(|(key, item)| (key.clone(), item.clone()))
            .collect()
    }
}

impl Plain {
    /// What differs from what was wanted: a line for each part, cut where it gets long.
    pub fn against(&self, wanted: &Self) -> String {
        let lines = |plain: &Self| -> BTreeSet<String> {
            let changes = plain.changes.iter().map(|(key, item)| format!("{key} {item}"));
            let messages = plain.messages.iter().map(|message| format!("message {message}"));
            changes.chain(messages).chain([format!("answer {}", plain.answer)]).collect()
        };
        let cut = |sign: char, line: &String| format!("  {sign} {}\n", line.chars().take(600).collect::<String>());
        let (came, wanted) = (lines(self), lines(wanted));
        let missing = wanted.difference(&came).map(|line| cut('-', line));
        missing.chain(came.difference(&wanted).map(|line| cut('+', line))).collect()
    }
}

/// It is kept for repetitions and limits alone.
pub fn is_kept_for_repetitions(partition: &str) -> bool {
    partition.starts_with("~idempotency#") || partition.starts_with("~window#")
}

/// Lines with numbers in place of what was drawn. A draw's number follows from where it occurs, not from when it was made:
/// what goes on at the same time draws in any order.
fn renamed(mut lines: Vec<String>, seeds: &[(String, Time)], webhooks: &[WebhookId]) -> Vec<String> {
    let mut drawn = 0;
    for (seed, at) in seeds {
        for n in 0..DRAWN {
            let (id, others) = spellings(seed, n, *at);
            let mark = format!("<drawn {drawn}>");
            let mut found = name(&mut lines, &[id.to_string(), id.key()], &mark);
            if found {
                // What was drawn for an event is in the identifiers of its deliveries too.
                for (n, webhook) in webhooks.iter().enumerate() {
                    let delivery = Delivery::new(id, "", None, *webhook, *at).id;
                    name(&mut lines, &[delivery.to_string(), delivery.key()], &format!("{mark} at {n}"));
                }
            }
            found |= name(&mut lines, &others, &mark);
            drawn += usize::from(found);
        }
    }
    let places = |n: usize| {
        let mark = format!("<drawn {n}>");
        let mut places: Vec<_> =
            lines.iter().filter(|line| line.contains(&mark)).map(|line| anonymous(&line.replace(&mark, "<this>"))).collect();
        places.sort_unstable();
        places
    };
    let mut order: Vec<_> = (0..drawn).map(|n| (places(n), n)).collect();
    order.sort_unstable();
    for line in &mut lines {
        for (rank, (_, n)) in order.iter().enumerate() {
            *line = line.replace(&format!("<drawn {n}>"), &format!("<{rank}>"));
        }
    }
    lines
}

/// A line in which all draws look the same.
fn anonymous(line: &str) -> String {
    let mut parts = line.split("<drawn ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "<drawn" + part.split_once('>').map_or(part, |(_, rest)| rest))
}

/// Puts a name in place of texts. Answers whether there were any.
fn name(lines: &mut [String], texts: &[String], name: &str) -> bool {
    let mut found = false;
    for text in texts {
        for line in lines.iter_mut().filter(|line| line.contains(text)) {
            *line = line.replace(text, name);
            found = true;
        }
    }
    found
}

fn webhooks(built: &Items) -> Vec<WebhookId> {
    let webhooks = built.values().filter(|item| item["k"]["S"] == Webhook::KIND);
    webhooks.map(|item| item["d"]["M"]["id"]["S"].as_str().unwrap().parse().unwrap()).collect()
}

/// What can become of a draw: an identifier; the holder of a lease, a secret, a nonce, a link's token.
fn spellings(seed: &str, n: usize, at: Time) -> (EventId, [String; 5]) {
    let chance = || {
        let chance = Chance::seeded(seed);
        (0..n).for_each(|_| drop(chance.draw::<0>()));
        chance
    };
    let secret = STANDARD.encode(chance().draw::<32>().unwrap());
    let others = [
        text::hex(&chance().draw::<16>().unwrap()),
        mask(&secret),
        secret,
        URL_SAFE_NO_PAD.encode(chance().draw::<18>().unwrap()),
        text::token(&chance()).unwrap(),
    ];
    (EventId::mint(at.epoch() * 1000, &chance()).unwrap(), others)
}

/// An answer without what says only that it is a repetition, and without what cannot be told in advance of a token.
fn plain_answer(mut answer: Value) -> Value {
    if let Some(headers) = answer["headers"].as_object_mut() {
        for name in ["x-request-id", "idempotent-replayed", "ratelimit", "content-length"] {
            headers.remove(name);
        }
    }
    walk(&mut answer, &|name, text| match (name, text.split('.').collect::<Vec<_>>().as_slice()) {
        // What an access token says, without its signature.
        ("access_token", [_, claims, _]) => Some(String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()),
        // Whose session a refresh token is, without the proof.
        ("refresh_token", [session @ .., _proof]) => Some(session.join(".")),
        // Shown once, masked in a replay.
        ("secret" | "otpauth_url" | "qr_svg" | "recovery_codes", _) => Some("secret".into()),
        ("url", _) if text.contains("/calendar/") || text == "••••" => Some("secret".into()),
        _ => None,
    });
    answer
}

/// Changes by readable keys, where it does not matter on which shard of a counter or an index they fell.
fn plain_changes(built: &Items, changes: &Changes) -> Map<String, Value> {
    let mut plain = Map::new();
    for (key, item) in changes {
        if key.sk.starts_with(MEMBERS) && matches!(changes.get(&Key { sk: SELF.into(), ..key.clone() }), Some(None)) {
            // The members of a department that is gone are never read; they are cleared away when nothing is in the way.
            continue;
        }
        if key.pk.starts_with("~pass#") && item.is_some() {
            // What a mail's link is good for; of a mail that was sent twice there are two.
            continue;
        }
        if key.pk.starts_with("~feed#") {
            // Where it lies follows from the digest of a token that was drawn; how many there are does not.
            let feeds = plain.entry(if item.is_some() { "~feed" } else { "~feed gone" }).or_insert_with(|| json!({ "n": 0 }));
            feeds["n"] = json!(feeds["n"].as_u64().unwrap() + 1);
            continue;
        }
        if key.pk.contains("#count#") {
            count(&mut plain, key, built.get(key), item.as_ref());
            continue;
        }
        let mut item = item.clone().unwrap_or_default();
        if item["k"]["S"] == Mail::KIND {
            // How often it was tried, and whether it is to be tried again, is the mailer's own.
            item = json!({ "letter": item["d"]["M"]["letter"] });
        }
        if item["k"]["S"] == Feed::KIND {
            item["d"]["M"]["digest"] = json!("drawn");
        }
        if let Some(item) = item.as_object_mut().filter(|_| key.pk.starts_with("~window#")) {
            // Each attempt counts; that none counts twice is the limit's own test.
            item.retain(|name, _| ["PK", "SK"].contains(&name.as_str()));
        }
        if let Some(due) = item.get_mut("due") {
            *due = json!({ "S": "~due" });
        }
        // A salt or a nonce is drawn, and what is hashed or sealed follows from it; so do the digests of codes that were drawn.
        walk(&mut item, &|name, text| match name {
            "sealed" | "recovery" | "masked" => Some(name.into()),
            _ => text.starts_with("$argon2id$").then(|| "$argon2id$".into()),
        });
        plain.insert(format!("{} {}", key.pk, key.sk), item);
    }
    plain.retain(|_, item| !item.as_object().is_some_and(Map::is_empty));
    plain
}

/// Adds up what the shards of a counter gained.
fn count(plain: &mut Map<String, Value>, key: &Key, before: Option<&Value>, after: Option<&Value>) {
    let counter = plain.entry(format!("{} *", key.pk)).or_insert_with(|| json!({}));
    let counts = |item: Option<&Value>| -> BTreeMap<String, i64> {
        let counts = item.and_then(Value::as_object).into_iter().flatten();
        counts.filter_map(|(name, value)| Some((name.clone(), value["N"].as_str()?.parse().ok()?))).collect()
    };
    let (before, after) = (counts(before), counts(after));
    for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let gained = after.get(name).unwrap_or(&0) - before.get(name).unwrap_or(&0);
        let sum = counter[name].as_i64().unwrap_or(0) + gained;
        counter[name] = sum.into();
    }
    counter.as_object_mut().unwrap().retain(|_, sum| *sum != json!(0));
}

/// Puts other texts in the place of those that a function knows, by their names.
fn walk(value: &mut Value, change: &impl Fn(&str, &str) -> Option<String>) {
    fn step(name: &str, value: &mut Value, change: &impl Fn(&str, &str) -> Option<String>) {
        match value {
            Value::String(text) => {
                if let Some(other) = change(name, text) {
                    *text = other;
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| step(name, value, change)),
            // What DynamoDB calls a text, a list or a map is no name.
            Value::Object(values) => values.iter_mut().for_each(|(inner, value)| {
                step(if ["S", "L", "M"].contains(&inner.as_str()) { name } else { inner }, value, change);
            }),
            _ => {}
        }
    }
    step("", value, change);
}
