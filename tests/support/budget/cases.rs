//! What is measured: every sample, some scenes, and the list of calls in every way in which its cost could grow with the tenant.

use serde_json::json;

use crate::{
    Sample,
    bulk::Bulk,
    gateway::Ask,
    lab::Lab,
    scenes::{self, Scene},
    wire::Weather,
};

const ATTENDANT: &str = "acme.attendant";

/// Scenes that have rows too.
const SCENES: [&str; 12] = [
    "createDepartment under a key",
    "createDepartment under a key again",
    "joinCall as somebody known",
    "createAppointment that must not overlap",
    "createAccessLinks of many words",
    "createAppointment with who has the e-mail",
    "rescheduleAppointment that must not overlap",
    "listCalls of what has lapsed",
    "minute after a tag was deleted",
    "dispatch to three",
    "attempt that fails",
    "attempt that comes early",
];

/// The cases, each with the name of its row.
pub(super) fn cases(lab: &Lab, bulk: &Bulk) -> Vec<(String, Scene)> {
    let alone = |(name, sample)| (name, Scene { before: Vec::new(), sample });
    let samples = lab.samples().into_iter().map(|sample| (sample.name.clone(), sample));
    let scenes = scenes::changing(lab).into_iter().map(|scene| (scene.sample.name.clone(), scene));
    let scenes: Vec<_> = scenes.filter(|(name, _)| SCENES.contains(&name.as_str())).collect();
    assert_eq!(scenes.len(), SCENES.len(), "a scene has another name now");
    samples
        .chain(reads(lab))
        .chain(lists(lab, bulk))
        .chain(customers(lab))
        .chain([invitations(lab)])
        .map(alone)
        .chain(scenes)
        .collect()
}

/// As many links as a batch has, each for somebody with a name and an e-mail.
fn invitations(lab: &Lab) -> (String, Sample) {
    let link = |n| {
        let email = format!("marta.oliveira.{n}@example.com");
        json!({ "department_id": lab.world.id("acme.department"), "customer_name": "Marta Oliveira", "customer_email": email })
    };
    let body = json!({ "access_links": (0..500).map(link).collect::<Vec<_>>() });
    let operation = lab.world.operations.named("createAccessLinks");
    let event = lab.world.event(operation, &Ask::by("acme.supervisor").body(body));
    ("createAccessLinks of 500".into(), Sample { function: operation.function.into(), name: operation.id.into(), event })
}

/// Calls that wait no longer, with tags and without.
fn reads(lab: &Lab) -> [(String, Sample); 2] {
    [("that bears tags", "acme.completed"), ("that bears none", "acme.rated")].map(|(what, call)| {
        let operation = lab.world.operations.named("getCall");
        let event = lab.world.event(operation, &Ask::by(ATTENDANT).slot("id", lab.world.id(call)));
        (format!("getCall {what}"), Sample { function: operation.function.into(), name: operation.id.into(), event })
    })
}

fn lists(lab: &Lab, bulk: &Bulk) -> Vec<(String, Sample)> {
    let department = format!("department_id={}", bulk.department());
    let (from, to) = bulk.range();
    let range = format!("date_from={from}&date_to={to}");
    let tag = format!("tag_id={}", lab.world.id("acme.tag"));
    let queries = [
        ("first page", String::new()),
        ("by status", "status=missed".into()),
        ("by department", department.clone()),
        ("by agent", format!("user_id={}", bulk.user())),
        ("by customer", format!("customer_id={}", bulk.customer())),
        ("by tag", tag.clone()),
        ("page 100", "page=100".into()),
        ("page 100 by status", "status=missed&page=100".into()),
        ("by department and status", format!("{department}&status=missed")),
        ("by tag and status", format!("{tag}&status=completed")),
        ("by dates", range.clone()),
        ("by dates and status", format!("{range}&status=missed")),
        ("by a rare word", "search=beatriz".into()),
    ];
    let mut cases: Vec<_> =
        queries.iter().map(|(name, query)| (format!("listCalls, {name}"), list(lab, "listCalls", query))).collect();
    for (name, query) in &queries[..6] {
        cases.push((
            format!("listCalls, cursor in the middle, {name}"),
            list(lab, "listCalls", &format!("{query}&cursor={}", cursor(lab, "listCalls", query))),
        ));
    }
    cases
}

/// The list of customers: each given name is that of a hundredth of them, each name that of a ten-thousandth.
fn customers(lab: &Lab) -> Vec<(String, Sample)> {
    let queries = [
        ("first page", ""),
        ("by e-mail address", "sort_by=email"),
        ("page 100", "page=100"),
        ("search for an address", "search=m00000042@mail.example"),
        ("search for half a number", "search=%2811%29+90000-0042"),
        ("search for half a name", "search=given0"),
        ("search for a given name", "search=given07"),
        ("search for both names", "search=family00+given07"),
        ("search for half of both names", "search=family0+given0"),
    ];
    let all = queries.iter().map(|(name, query)| (format!("listCustomers, {name}"), list(lab, "listCustomers", query)));
    let after = format!("cursor={}", cursor(lab, "listCustomers", ""));
    all.chain([("listCustomers, cursor".to_owned(), list(lab, "listCustomers", &after))]).collect()
}

/// Searches that are refused in a tenant with a hundred thousand calls and customers: all have a word that begins so, half of them
/// the name and the status.
pub(super) fn broad(lab: &Lab) -> [Sample; 2] {
    [list(lab, "listCustomers", "search=m"), list(lab, "listCalls", "search=joana&status=completed")]
}

/// A list, five rows a page: of a hundred calls a tenth fills two.
fn list(lab: &Lab, operation: &str, query: &str) -> Sample {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let ask = pairs.fold(Ask::by(ATTENDANT).query("page_size", "5"), |ask, (name, value)| ask.query(&name, &value));
    let operation = lab.world.operations.named(operation);
    Sample { function: operation.function.into(), name: operation.id.into(), event: lab.world.event(operation, &ask) }
}

/// The cursor after the first page.
fn cursor(lab: &Lab, operation: &str, query: &str) -> String {
    let answer = lab.replay(&list(lab, operation, query), Weather::default()).answer;
    answer["body"]["meta"]["next_cursor"].as_str().unwrap().to_owned()
}
