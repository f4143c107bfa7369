//! Scenes under every fault.

use tests::{Sample, lab::Lab, recount::recount, scenes::Scene, wire::Weather};

use crate::trial::{Again, Trial};

/// What may differ when work is done again that bears no idempotency key, since the contract has none for it.
fn again(sample: &Sample) -> Again {
    match sample.name.split(' ').next().unwrap_or_default() {
        // A claim that nobody heard of lapses, and is made again.
        _ if sample.function == "webhook-worker" => Again::Newer,
        "login" => Again::Session,
        "register" => Again::Refused(422),
        "logout" => Again::Refused(401),
        // How often the schedule looked is in the version.
        name if name.starts_with("update") || name.starts_with("merge") => Again::Newer,
        "createAccessLinks" => Again::Told,
        "unsubscribeCalendar" => Again::Refused(404),
        name if name.starts_with("delete") || name.starts_with("remove") => Again::Refused(404),
        _ => Again::Same,
    }
}

/// With an idempotency key, where the contract takes one.
fn keyed(mut sample: Sample) -> Sample {
    if method(&sample) == Some("POST") && sample.function != "auth" {
        sample.event["headers"]["idempotency-key"] = "one".into();
    }
    sample
}

fn method(sample: &Sample) -> Option<&str> {
    sample.event["requestContext"]["http"]["method"].as_str()
}

/// Runs scenes under every fault at every call; the test ends when something is wrong with what came of it.
#[expect(clippy::print_stdout, reason = "how much was tried is to be seen")]
pub fn check(lab: &mut Lab, scenes: Vec<Scene>) {
    let (mut wrong, mut runs) = (Vec::new(), 0);
    for Scene { before, sample } in scenes {
        let calls: Vec<_> = before.iter().flat_map(|sample| lab.replay(sample, Weather::default()).calls).collect();
        let changes = lab.changes(&calls);
        let was = lab.adopt(changes.clone());
        let sample = keyed(sample);
        let trial = Trial::new(lab, &sample, again(&sample));
        if method(&sample) != Some("GET") || trial.changes_something() {
            wrong.extend(trial.miscounts());
            for fault in trial.faults() {
                runs += 1;
                wrong.extend(trial.run(fault));
            }
        }
        lab.adopt(was);
        lab.restore(&changes);
    }
    println!("{runs} runs");
    let left = lab.items() != lab.built;
    assert!(
        wrong.is_empty() && !left,
        "{} of {runs} runs came out wrong, left behind: {left}\n\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(recount(&lab.built), Vec::<String>::new());
}
