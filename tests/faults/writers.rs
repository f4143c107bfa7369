//! Two who change one object, one whole between the other's read and write: with the version that both have seen one of them
//! wins, without it nothing that either changed is lost. For every resource that has a PUT.

use serde_json::{Map, Value, json};
use tests::{Operation, Sample, gateway::Ask, lab::Lab, wire::Weather};

/// A resource that is read and changed.
struct Resource<'a> {
    lab: &'a Lab,
    change: &'a Operation,
    read: Sample,
    ask: Ask,
    /// The key that wraps its fields.
    wrapper: &'a str,
    /// Two of its fields, with values that it does not have yet.
    fields: [(String, Value); 2],
}

/// A value of a field that is not the present one, where the schema leaves a simple choice.
fn another(schema: &Value, present: &Value) -> Option<Value> {
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str())?;
    let choice = match (kind, schema["format"].as_str()) {
        _ if schema["enum"].is_array() => {
            schema["enum"].as_array()?.iter().find(|word| *word != present && !word.is_null())?.clone()
        }
        ("string", None) if schema.get("pattern").is_none() && schema["minLength"].as_u64().unwrap_or(0) < 2 => "Another".into(),
        ("string", Some("color")) => "#0a0b0c".into(),
        ("string", Some("time-zone")) => "America/Bahia".into(),
        ("string", Some("date-time")) => "2027-01-01T09:00:00Z".into(),
        ("boolean", _) => json!(!present.as_bool()?),
        ("integer", _) => json!(schema["minimum"].as_i64()? + 7),
        ("array", _) if present.as_array().is_some_and(|rows| !rows.is_empty()) && schema.get("minItems").is_none() => json!([]),
        _ => return None,
    };
    (choice != *present).then_some(choice)
}

impl<'a> Resource<'a> {
    /// A resource that has a GET and a PUT.
    fn of(lab: &'a Lab, change: &'a Operation) -> Option<Self> {
        let operations = &lab.world.operations;
        let read = operations.iter().find(|read| read.method == "GET" && read.path == change.path)?;
        let mut asks = tests::asks(&lab.world);
        let (read_ask, mut ask) = (asks.remove(read.id)?, asks.remove(change.id)?);
        ask.slots.clone_from(&read_ask.slots);
        let read = Sample { function: read.function.into(), name: read.id.into(), event: lab.world.event(read, &read_ask) };
        let present = lab.replay(&read, Weather::default()).answer["body"]["data"].clone();
        let whole = change.spec["requestBody"]["content"]["application/json"]["schema"]["properties"].as_object()?;
        let (wrapper, inner) = whole.iter().next()?;
        let schema = &operations.schemas[inner["$ref"].as_str()?.rsplit('/').next()?];
        let known = schema["properties"].as_object()?.iter();
        // What only managers may change of themselves, or what is changed by actions, is none of this.
        let plain = known
            .filter(|(name, _)| !["status", "role", "mfa_required", "password", "reject_conflicts"].contains(&name.as_str()));
        let mut fields = plain.filter_map(|(name, schema)| Some((name.clone(), another(schema, &present[name])?)));
        let fields = [fields.next()?, fields.next()?];
        Some(Self { lab, change, read, ask, wrapper, fields })
    }

    /// A change of one of the fields, by who has seen this version or by who does not care.
    fn sample(&self, n: usize, version: Option<&str>) -> Sample {
        let (name, value) = &self.fields[n];
        let fields: Map<_, _> = [(name.clone(), value.clone())].into_iter().collect();
        let mut ask = self.ask.clone().body(json!({ self.wrapper: fields }));
        if let Some(version) = version {
            ask = ask.header("if-match", version);
        }
        let name = format!("{} {n}", self.change.id);
        Sample { function: self.change.function.into(), name, event: self.lab.world.event(self.change, &ask) }
    }

    /// Changes one field while another is changed; answers both statuses, and what is then read of both fields.
    fn raced(&self, version: Option<&str>) -> ([Value; 2], [bool; 2]) {
        let two = [0, 1].map(|n| self.sample(n, version));
        let fair = |sample| self.lab.replay(sample, Weather::default());
        let mut calls: Vec<_> = two.iter().flat_map(|sample| fair(sample).calls).collect();
        self.lab.restore(&self.lab.changes(&calls));
        let alone = fair(&two[0]).calls;
        self.lab.restore(&self.lab.changes(&alone));
        let site = alone.iter().position(|call| call.action == "TransactWriteItems").unwrap();
        let (run, other) = self.lab.interleave(&two[0], site, &two[1]);
        let now = fair(&self.read).answer["body"]["data"].clone();
        calls.extend(run.calls);
        self.lab.restore(&self.lab.changes(&calls));
        let holds = self.fields.each_ref().map(|(name, value)| now[name] == *value);
        ([run.answer["statusCode"].clone(), other["statusCode"].clone()], holds)
    }
}

#[test]
fn of_two_who_change_one_object_one_is_told_and_nothing_is_lost() {
    let lab = Lab::start();
    let (mut wrong, mut tried) = (Vec::new(), Vec::new());
    for change in lab.world.operations.iter().filter(|operation| operation.method == "PUT") {
        let Some(resource) = Resource::of(&lab, change) else { continue };
        let version = lab.replay(&resource.read, Weather::default()).answer["headers"]["etag"].as_str().unwrap().to_owned();
        let with = resource.raced(Some(&version));
        if with != ([json!(412), json!(200)], [false, true]) {
            wrong.push(format!("{change} twice with {version}, {:?}: {with:?}", resource.fields));
        }
        let without = resource.raced(None);
        if without != ([json!(200), json!(200)], [true, true]) {
            wrong.push(format!("{change} twice, {:?}: {without:?}", resource.fields));
        }
        tried.push(change.to_string());
    }
    assert!(wrong.is_empty() && tried.len() >= 10, "of {tried:?}:\n{}", wrong.join("\n"));
    assert!(lab.items() == lab.built);
}
