//! The SAM template names every route of every group, and no other.

use std::collections::BTreeSet;

use aide::openapi::{OpenApi, ReferenceOr};

const TEMPLATE: &str = include_str!("../../infra/sam/template.yaml");

/// `GET /path` of every operation that a group has; a GET answers HEAD as well.
fn routes(group: shared::api::Routes) -> BTreeSet<String> {
    let mut api = OpenApi::default();
    let _ = group.finish_api(&mut api);
    let mut routes = BTreeSet::new();
    for (path, item) in api.paths.unwrap().paths {
        let ReferenceOr::Item(item) = item else { continue };
        for (method, _) in item.iter() {
            let method = method.to_uppercase();
            if method == "GET" {
                routes.insert(format!("HEAD {path}"));
            }
            routes.insert(format!("{method} {path}"));
        }
    }
    routes
}

/// The routes of the function that runs a binary.
fn deployed(binary: &str) -> BTreeSet<String> {
    let functions = TEMPLATE.split("Type: AWS::Serverless::Function").skip(1);
    let mut of_binary = functions.filter(|function| function.contains(&format!("Binary: {binary} }}")));
    let function = of_binary.next().unwrap_or_else(|| unreachable!("no function runs {binary}"));
    let value = |line: &str, key: &str| {
        let rest = line.split_once(key)?.1.trim_start();
        Some(rest.split([',', ' ']).next()?.trim_matches('"').to_owned())
    };
    function.lines().filter_map(|line| Some(format!("{} {}", value(line, "Method:")?, value(line, "Path:")?))).collect()
}

#[test]
fn every_route_is_deployed_and_no_other() {
    let groups = [
        ("auth", auth::routes()),
        ("users", users::routes()),
        ("departments", departments::routes()),
        ("access-links", access_links::routes()),
        ("public", public::routes()),
        ("calls", calls::routes()),
        ("webhooks", webhooks::routes()),
        ("export", export::routes()),
        ("docs", docs::routes()),
    ];
    let mut all = BTreeSet::new();
    for (binary, group) in groups {
        let routes = routes(group);
        assert_eq!(routes, deployed(binary), "the routes of {binary}, in the code and in the template");
        all.extend(routes);
    }
    assert_eq!(all, routes(local::routes()), "the local stack has every group");
}

#[test]
fn every_worker_is_deployed() {
    for worker in ["events-dispatcher", "webhook-worker", "scheduler"] {
        assert!(TEMPLATE.contains(&format!("Binary: {worker} }}")), "{worker}");
    }
}
