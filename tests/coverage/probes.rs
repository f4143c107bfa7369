//! What a schema of the document allows and what it does not, value by value. A new field is tried by itself.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use shared::clock::days;
use tests::NOW;
use uuid::Uuid;

/// Text that is unusual and nothing else: joined emoji, a flag, marks that combine, scripts from right to left, a non-character.
pub const UNUSUAL: &str = "👩‍👧 🇧🇷 Ña\u{301}ndu\u{308} שלום مرحبا 山田 \u{fdd0}";

/// What no text may contain: control characters, and what turns the direction of reading.
const FORBIDDEN: [char; 4] = ['\0', '\u{7f}', '\u{85}', '\u{202e}'];

/// One value of each type of JSON, deep and empty ones among them.
fn of_each_type() -> [(&'static str, Value); 10] {
    let deep = (0..100).fold(json!("deep"), |inner, _| json!([inner]));
    [
        ("string", json!("7")),
        ("string", json!("true")),
        ("number", json!(7.25)),
        ("number", json!(-1e300)),
        ("boolean", json!(true)),
        ("boolean", json!(false)),
        ("array", deep),
        ("array", json!([[]])),
        ("object", json!({})),
        ("object", json!({ "no": ["such", "thing"] })),
    ]
}

/// The type of a schema beside null.
pub fn kind(schema: &Value) -> &str {
    schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap()
}

/// Null is a value of it.
pub fn nullable(schema: &Value) -> bool {
    schema["type"].as_array().is_some_and(|kinds| kinds.contains(&json!("null")))
}

/// Text of so many characters that nobody would object to otherwise.
fn text(length: u64, begin: &str) -> String {
    begin.chars().chain("zkqvxwjm".chars().cycle()).take(usize::try_from(length).unwrap()).collect()
}

/// A value of a schema; of objects the required fields alone.
pub fn fitting(schema: &Value) -> Value {
    if let Some(known) = ["examples", "enum"].iter().find_map(|word| schema[word].get(0)) {
        return known.clone();
    }
    match (kind(schema), schema["format"].as_str()) {
        ("object", _) => {
            let required = schema["required"]
                .as_array()
                .into_iter()
                .flatten()
                .chain(alternatives(schema).last().copied().into_iter().flatten());
            required
                .map(|name| name.as_str().unwrap())
                .map(|name| (name.to_owned(), fitting(&schema["properties"][name])))
                .collect::<Map<_, _>>()
                .into()
        }
        ("array", _) => json!([fitting(&schema["items"])]),
        ("integer", _) => schema["minimum"].as_i64().unwrap_or(1).into(),
        ("boolean", _) => true.into(),
        (_, Some("uuid" | "object-id")) => Uuid::from_u128(7).to_string().into(),
        (_, Some("email")) => "nobody.else@example.com".into(),
        (_, Some("phone")) => "+55 11 4000-1007".into(),
        (_, Some("network")) => "192.0.2.0/24".into(),
        (_, Some("color")) => "#1a2b3c".into(),
        (_, Some("country")) => "PT".into(),
        (_, Some("time-zone")) => "America/Sao_Paulo".into(),
        (_, Some("uri")) => "https://example.com/".into(),
        (_, Some("date")) => "2026-03-02".into(),
        (_, Some("time")) => "09:30".into(),
        (_, Some("date-time")) => (NOW + days(1)).to_string().into(),
        _ => text(schema["minLength"].as_u64().unwrap_or(3).max(3), "").into(),
    }
}

/// Fields of an object of which one set or another must be there.
pub fn alternatives(schema: &Value) -> Vec<&Vec<Value>> {
    schema["anyOf"].as_array().into_iter().flatten().filter_map(|choice| choice["required"].as_array()).collect()
}

/// Values that a schema allows, at its limits.
pub fn allowed(schema: &Value) -> Vec<Value> {
    let mut good = vec![fitting(schema)];
    good.extend(nullable(schema).then_some(Value::Null));
    good.extend(schema["enum"].as_array().into_iter().flatten().cloned());
    good.extend(["minimum", "maximum"].iter().filter_map(|limit| schema[limit].as_i64()).map(Value::from));
    let begin = if schema["format"] == "uri" { "https://example.com/" } else { "" };
    good.extend(schema["maxLength"].as_u64().map(|most| Value::from(text(most, begin))));
    good.extend(schema["minLength"].as_u64().map(|least| Value::from(text(least.max(3), begin))));
    if let Some(most) = schema["maxProperties"].as_u64() {
        good.push(properties(most));
    }
    good
}

/// So many headers.
fn properties(count: u64) -> Value {
    (0..count).map(|n| (format!("x-{n}"), Value::from("value"))).collect::<Map<_, _>>().into()
}

/// Values that a schema does not allow, one beyond each limit and of every other type.
pub fn forbidden(schema: &Value) -> Vec<Value> {
    let kind = kind(schema);
    let own = |named: &str| named == kind || (kind == "integer" && named == "integer");
    let mut bad: Vec<_> = of_each_type().into_iter().filter(|(named, _)| !own(named)).map(|(_, value)| value).collect();
    bad.extend((!nullable(schema)).then_some(Value::Null));
    let beyond = |limit: &str, step: i64| schema[limit].as_i64().map(|limit| Value::from(limit + step));
    bad.extend(beyond("minimum", -1).into_iter().chain(beyond("maximum", 1)));
    match kind {
        "string" => bad.extend(texts(schema).into_iter().map(Value::from)),
        "integer" => bad.extend([json!(i64::MIN), json!(u64::MAX), json!(1.5)]),
        "array" => bad.extend(arrays(schema)),
        "object" => bad.extend(schema["maxProperties"].as_u64().map(|most| properties(most + 1))),
        _ => {}
    }
    bad
}

/// Arrays that one does not allow.
fn arrays(schema: &Value) -> Vec<Value> {
    let of = |length: u64| Value::from(vec![fitting(&schema["items"]); usize::try_from(length).unwrap()]);
    let few = schema["minItems"].as_u64().map(|least| of(least - 1));
    few.into_iter().chain(schema["maxItems"].as_u64().map(|most| of(most + 1))).collect()
}

/// Texts that a schema does not allow.
pub fn texts(schema: &Value) -> Vec<String> {
    let mut bad = Vec::new();
    if schema["enum"].is_array() {
        bad.extend(["no such word".to_owned(), UNUSUAL.to_owned()]);
    }
    if schema.get("pattern").is_some() {
        bad.extend(["-zkqvx", "zkqvx-", "Zkqvx", "zk qvx", "zkqvé"].map(ToOwned::to_owned));
    }
    let begin = if schema["format"] == "uri" { "https://example.com/" } else { "" };
    bad.extend(schema["maxLength"].as_u64().map(|most| text(most + 1, begin)));
    bad.extend(schema["minLength"].as_u64().map(|least| text(least - 1, begin)));
    if schema["minLength"].as_u64() == Some(1) {
        bad.extend([" \t ".to_owned(), "\u{a0}\u{200b}".to_owned()]);
    }
    let formless: &[&str] = match schema["format"].as_str() {
        Some("uuid") => &["not-an-id", "00000000-0000-7000-8000", "00000000-0000-7000-8000-00000000000g"],
        Some("object-id") => &["a b/c"],
        Some("email") => &["x", "@example.com", "a@", "a b@example.com", "a@b@example.com", "a\0@example.com", "a@-.com"],
        Some("phone") => &["abc", "1", "+0123", "+55119999988887777666655", "+55 11 4000-1007\0"],
        Some("network") => &["x", "192.0.2.0/33", "192.0.2/24", "::/129"],
        Some("color") => &["red", "#12345", "#1234567", "#12345g", "123456"],
        Some("country") => &["XX", "Portugal", "P"],
        Some("time-zone") => &["Mars/Phobos", "America"],
        Some("uri") => &["x", "ftp://example.com/", "javascript:alert(1)", "https://", "https://exa mple.com/"],
        Some("date") => &["tomorrow", "2026-02-30", "20260301", "2026-3-1"],
        Some("time") => &["noon", "24:01", "9:30", "09:60"],
        Some("date-time") => &["tomorrow", "2026-02-30T10:00:00Z", "2026-03-01", "2026-03-01T10:00:00", "2026-03-01T25:00:00Z"],
        _ => &[],
    };
    bad.extend(formless.iter().map(|text| (*text).to_owned()));
    bad
}

/// Texts that have in them what no text may.
pub fn deceiving() -> impl Iterator<Item = Value> {
    FORBIDDEN.into_iter().map(|mark| format!("zk{mark}qvx").into())
}

/// What is typed as it is, and compared or hashed: whatever is in it.
pub fn is_secret(name: &str) -> bool {
    name.contains("password")
}

/// The fields that an answer complains of, when it is a refusal as it should be: `{"errors": {field: [message, …]}}`.
pub fn complaints(answer: &Value) -> Option<BTreeSet<String>> {
    let errors = answer["body"]["errors"].as_object().filter(|_| answer["statusCode"] == json!(422))?;
    let told = |messages: &Value| {
        let messages = messages.as_array().filter(|messages| !messages.is_empty());
        messages.is_some_and(|messages| messages.iter().all(|message| message.as_str().is_some_and(|text| !text.is_empty())))
    };
    let whole = answer["headers"]["content-type"] == json!("application/json") && errors.values().all(told);
    whole.then(|| errors.keys().cloned().collect())
}

/// What an answer says of a field that concerns its form: not what there is beside it, in the body or in the tenant.
pub fn objections(answer: &Value, field: &str) -> Vec<String> {
    const OTHERS: [&str; 4] = ["does not exist", "has already been taken", "is not right", "is invalid or has expired"];
    let errors = answer["body"]["errors"].as_object().into_iter().flatten();
    let messages =
        errors.filter(|(name, _)| names(name, field)).flat_map(|(_, messages)| messages.as_array().into_iter().flatten());
    let texts = messages.filter_map(Value::as_str);
    let of_others = |text: &str| {
        OTHERS.contains(&text)
            || ["can't be blank without", "must not be true beside", "is changed by"].iter().any(|begin| text.starts_with(begin))
    };
    texts.filter(|text| !of_others(text)).map(ToOwned::to_owned).collect()
}

/// A complaint is of this field: of itself, of what lies in it, or of the list of which it is an item.
pub fn names(complaint: &str, field: &str) -> bool {
    let below =
        |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    below(complaint, field) || field.strip_prefix(complaint).is_some_and(|rest| rest.starts_with('['))
}
