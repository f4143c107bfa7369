//! The roles in the template grant what the functions call, and nothing else.
//!
//! What they call is recorded: every sample, every scene beside them, every list in every order.

use std::collections::{BTreeMap, BTreeSet};

use shared::app::Need;
use tests::{
    FUNCTIONS, Sample, WORKERS,
    lab::Lab,
    needs,
    scenes::{self, Scene},
    wire::{Call, Extent, Fault, Kind, Touch, Weather},
};

const TEMPLATE: &str = include_str!("../../infra/sam/template.yaml");

/// What Lambda does in a function's name, so that no call of the function shows it: it writes the log, reads stream and
/// queue for the mapping, and sends what the mapping gave up to its destination.
const LAMBDAS_OWN: [(&str, &str); 9] = [
    ("logs:CreateLogStream", "log"),
    ("logs:PutLogEvents", "log"),
    ("dynamodb:DescribeStream", "stream"),
    ("dynamodb:GetRecords", "stream"),
    ("dynamodb:GetShardIterator", "stream"),
    ("dynamodb:ListStreams", "stream"),
    ("sqs:ReceiveMessage", "voki-deliveries"),
    ("sqs:DeleteMessage", "voki-deliveries"),
    ("sqs:GetQueueAttributes", "voki-deliveries"),
];

#[test]
fn roles_grant_what_is_called_and_nothing_else() {
    let called = called();
    let mut misses = Vec::new();
    for function in FUNCTIONS.map(|(name, _)| name).into_iter().chain(WORKERS) {
        let (granted, called) = (granted(function), called.get(function).cloned().unwrap_or_default());
        for (action, resource) in &called {
            if !granted.iter().any(|(known, pattern)| known == action && covers(pattern, resource)) {
                misses.push(format!("{function} calls {action} on {resource}: grant it in its role in infra/sam/template.yaml"));
            }
        }
        for (action, pattern) in &granted {
            let lambdas = LAMBDAS_OWN.contains(&(action.as_str(), pattern.as_str())) || pattern == "failed records";
            if !lambdas && !called.iter().any(|(known, resource)| known == action && covers(pattern, resource)) {
                misses.push(format!(
                    "{function} was not seen to call {action} on {pattern}: take it out of its role in infra/sam/template.yaml, \
                     or add to tests/support/scenes.rs what makes the call"
                ));
            }
        }
    }
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}

#[test]
fn functions_are_given_what_they_need_of_secrets_and_addresses_and_nothing_else() {
    let all = [Need::AuthSecret, Need::DataSecret, Need::Mail, Need::PublicUrl, Need::Queue];
    for function in FUNCTIONS.map(|(name, _)| name).into_iter().chain(WORKERS) {
        let (_, body) = TEMPLATE.split_once(&format!("Binary: {function} }}")).unwrap();
        let body = body.split("Type: AWS::").next().unwrap();
        for need in all {
            let given = body.contains(&format!("{}: ", need.variable()));
            assert_eq!(given, needs(function).contains(&need), "{function}: {}", need.variable());
        }
    }
}

fn covers(pattern: &str, resource: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == resource, |start| resource.starts_with(start))
}

/// What every function was seen to call: in good weather, and where another write is in the way of a sample's last.
fn called() -> BTreeMap<String, BTreeSet<Touch>> {
    let lab = Lab::start();
    let mut called: BTreeMap<String, BTreeSet<Touch>> = BTreeMap::new();
    let alone = |sample| Scene { before: Vec::new(), sample };
    let scenes = lab.samples().into_iter().chain(scenes::reading(&lab)).map(alone).chain(scenes::changing(&lab));
    for Scene { before, sample } in scenes {
        let mut calls = Vec::new();
        let last = before.is_empty().then(|| sample.clone());
        for sample in before.into_iter().chain([sample]) {
            calls.extend(see(&lab, &sample, None, &mut called));
        }
        let conflict = calls.iter().rposition(|call| Kind::Conflict.befalls(call));
        lab.restore(&lab.changes(&calls));
        if let Some((sample, site)) = last.zip(conflict) {
            let fault = Fault { site, kind: Kind::Conflict, extent: Extent::Call };
            let calls = see(&lab, &sample, Some(fault), &mut called);
            lab.restore(&lab.changes(&calls));
        }
    }
    called
}

fn see(lab: &Lab, sample: &Sample, fault: Option<Fault>, called: &mut BTreeMap<String, BTreeSet<Touch>>) -> Vec<Call> {
    let calls = lab.replay(sample, Weather { fault, ..Weather::default() }).calls;
    called.entry(sample.function.clone()).or_default().extend(calls.iter().flat_map(|call| call.touches.clone()));
    calls
}

/// What the role of the function that runs a binary grants: actions and resources.
fn granted(binary: &str) -> BTreeSet<Touch> {
    let role = role_of(binary);
    let mut granted = BTreeSet::new();
    for statement in role.split("- Sid:").skip(1) {
        let (_, rest) = statement.split_once("Action:").unwrap();
        let (actions, resources) = rest.split_once("Resource:").unwrap();
        let words =
            |text: &'static str| text.split(|c: char| c.is_whitespace() || "[],\"".contains(c)).filter(|word| !word.is_empty());
        for action in words(actions).filter(|word| word.contains(':')) {
            for resource in words(resources).filter_map(named) {
                granted.insert((action.to_owned(), resource));
            }
        }
    }
    granted
}

/// The text of the role: what stands below `<function>Role:`.
fn role_of(binary: &str) -> &'static str {
    let function = TEMPLATE.split("Type: AWS::Serverless::Function");
    let before = function.clone().zip(function.skip(1)).find(|(_, body)| body.contains(&format!("Binary: {binary} }}")));
    let (before, _) = before.unwrap_or_else(|| unreachable!("no function has Binary: {binary}"));
    let name = before.trim_end().rsplit('\n').next().unwrap().trim();
    let (_, rest) = TEMPLATE.split_once(&format!("\n  {}Role:\n", name.trim_end_matches(':'))).unwrap();
    // The next resource begins two spaces in.
    let end = rest.match_indices("\n  ").find(|(at, _)| !rest[at + 3..].starts_with(' ')).map_or(rest.len(), |(at, _)| at);
    &rest[..end]
}

/// A resource of the template as the records name it.
fn named(resource: &str) -> Option<String> {
    Some(match resource {
        "Table.Arn" => "table".into(),
        "Table.StreamArn" | "${Table.Arn}/stream/*" => "stream".into(),
        "DeliveryQueue.Arn" => "voki-deliveries".into(),
        "FailedRecords.Arn" => "failed records".into(),
        "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*" => "identity".into(),
        log if log.ends_with("Log.Arn") => "log".into(),
        index if index.starts_with("${Table.Arn}/index/") => index.trim_start_matches("${Table.Arn}/").into(),
        _ => return None,
    })
}
