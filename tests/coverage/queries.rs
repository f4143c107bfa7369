//! Queries: every parameter of every operation is tried at each of its limits and beyond. What is wrong is 422 on that very
//! parameter, and all of it is told at once.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Operation, World, gateway::Ask};

use crate::{
    Misses, answer, brief, called,
    probes::{allowed, complaints, kind, objections, texts},
};

/// A parameter: its name, what is said of it, whether it must be there.
struct Parameter {
    name: String,
    schema: Value,
    required: bool,
}

impl Parameter {
    /// Texts that are wrong for it.
    fn wrong(&self) -> Vec<String> {
        let schema = &self.schema;
        let mut wrong = match kind(schema) {
            "integer" => ["x", "1.5", "1e3", "99999999999999999999", "0x10", "٣"].map(ToOwned::to_owned).to_vec(),
            "boolean" => ["maybe", "1", "TRUE", "yes"].map(ToOwned::to_owned).to_vec(),
            _ => texts(schema),
        };
        let beyond = |limit: &str, step: i64| schema[limit].as_i64().map(|limit| (limit + step).to_string());
        wrong.extend(beyond("minimum", -1).into_iter().chain(beyond("maximum", 1)));
        wrong.extend(self.unsaid().iter().map(|text| (*text).to_owned()));
        // An absent one is as a blank one.
        wrong.retain(|text| !text.trim_matches([' ', '\t', '\u{a0}', '\u{200b}']).is_empty());
        wrong
    }

    /// What is wrong and no schema says.
    fn unsaid(&self) -> &'static [&'static str] {
        match self.name.as_str() {
            "date_from" | "date_to" | "from" | "to" => {
                &["yesterday", "2026-02-30", "2026-2-3", "20260101", "2026-02-20T25:00:00Z"]
            }
            "cursor" => &["x", "AAAA", "%2F", "a cursor"],
            "columns" => &["nothing", "id,nothing"],
            "tz" => &["Mars/Phobos"],
            _ => &[],
        }
    }
}

/// Every operation that takes parameters.
fn queries(world: &World) -> Vec<(Operation, Ask, Vec<Parameter>)> {
    let with_query = called(world).into_iter().filter_map(|(operation, ask)| {
        let all = operation.spec["parameters"].as_array().into_iter().flatten();
        let parameters: Vec<_> = all
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| Parameter {
                name: parameter["name"].as_str().unwrap().to_owned(),
                schema: parameter["schema"].clone(),
                required: parameter["required"] == true,
            })
            .collect();
        (!parameters.is_empty()).then_some((operation, ask, parameters))
    });
    with_query.collect()
}

/// The call with another value of a parameter, or without it.
fn with(ask: &Ask, name: &str, value: Option<&str>) -> Ask {
    let mut ask = ask.clone();
    ask.query.retain(|(known, _)| known != name);
    ask.query.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    ask
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

#[tokio::test]
async fn a_wrong_parameter_is_422_on_it() {
    let (world, mut misses) = (World::start().await, Misses::default());
    let mut tried = 0;
    for (operation, ask, parameters) in queries(&world) {
        for parameter in &parameters {
            let name = &parameter.name;
            let wrong = parameter.wrong().into_iter().map(Some).chain(parameter.required.then_some(None));
            for value in wrong {
                let answer = answer(&world, &operation, &with(&ask, name, value.as_deref())).await;
                misses.unless(complaints(&answer) == Some(BTreeSet::from([name.clone()])), || {
                    format!("{operation}: {name} as {value:?} must be 422 on it alone: {}", brief(&answer))
                });
            }
            tried += 1;
        }
    }
    crate::unchanged(&world, &mut misses).await;
    assert!(tried > 100, "of {tried} parameters: the schemas are not read rightly");
    misses.none();
}

#[tokio::test]
async fn all_wrong_parameters_are_told_at_once() {
    let (world, mut misses) = (World::start().await, Misses::default());
    for (operation, ask, parameters) in queries(&world) {
        // Whether a cursor is one of the list is known once the others are.
        let wrong: Vec<_> = parameters
            .iter()
            .filter(|parameter| parameter.name != "cursor")
            .filter_map(|parameter| Some((parameter.name.clone(), parameter.wrong().pop()?)))
            .collect();
        if wrong.is_empty() {
            continue;
        }
        let all = wrong.iter().fold(ask, |ask, (name, value)| with(&ask, name, Some(value)));
        let answer = answer(&world, &operation, &all).await;
        misses.unless(complaints(&answer) == Some(wrong.into_iter().map(|(name, _)| name).collect()), || {
            format!("{operation} must name all that is wrong: {}", brief(&answer))
        });
    }
    misses.none();
}

#[tokio::test]
async fn what_is_within_the_limits_is_taken() {
    let (world, mut misses) = (World::start().await, Misses::default());
    let (reading, changing): (Vec<_>, Vec<_>) =
        queries(&world).into_iter().partition(|(operation, ..)| operation.method == "GET");
    for (operation, ask, parameters) in reading.into_iter().chain(changing) {
        for Parameter { name, schema, .. } in parameters.iter().filter(|parameter| parameter.unsaid().is_empty()) {
            for value in allowed(schema).into_iter().filter(|value| !value.is_null()) {
                let answer = answer(&world, &operation, &with(&ask, name, Some(&text(&value)))).await;
                misses.unless(objections(&answer, name).is_empty() && answer["statusCode"] != json!(500), || {
                    format!("{operation}: {name} must take {value}: {}", brief(&answer))
                });
            }
        }
        let unknown = with(&ask, "no_such_parameter", Some("x"));
        let answer = answer(&world, &operation, &unknown).await;
        misses.unless([json!(200), json!(204)].contains(&answer["statusCode"]), || {
            format!("{operation} must ignore what it does not know: {}", brief(&answer))
        });
    }
    misses.none();
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_alone() {
    let (world, mut misses) = (World::start().await, Misses::default());
    let mut cursors = Vec::new();
    let lists: Vec<_> =
        queries(&world).into_iter().filter(|(_, _, all)| all.iter().any(|parameter| parameter.name == "cursor")).collect();
    for (operation, ask, _) in &lists {
        let first = answer(&world, operation, &with(&Ask { query: Vec::new(), ..ask.clone() }, "page_size", Some("1"))).await;
        cursors.extend(first["body"]["meta"]["next_cursor"].as_str().map(|cursor| (operation.id, cursor.to_owned())));
    }
    assert!(cursors.len() > 5, "of {} lists {} have a second row in the world", lists.len(), cursors.len());
    for (operation, ask, _) in &lists {
        for (of, cursor) in cursors.iter().flat_map(|(of, cursor)| [(Some(of), cursor.clone()), (None, tampered(cursor))]) {
            let bare = Ask { query: Vec::new(), ..ask.clone() };
            let answer = answer(&world, operation, &with(&with(&bare, "page_size", Some("1")), "cursor", Some(&cursor))).await;
            let own = of == Some(&operation.id);
            let right = if own {
                answer["statusCode"] == json!(200)
            } else {
                complaints(&answer) == Some(BTreeSet::from(["cursor".to_owned()]))
            };
            misses.unless(right, || format!("{operation} with a cursor of {of:?}: {}", brief(&answer)));
        }
    }
    misses.none();
}

/// A cursor of which one character is another.
fn tampered(cursor: &str) -> String {
    let (begin, end) = cursor.split_at(cursor.len() / 2);
    let other = if end.starts_with('A') { 'B' } else { 'A' };
    format!("{begin}{other}{}", &end[1..])
}
