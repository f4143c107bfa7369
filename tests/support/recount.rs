//! Every count in the table, against what it counts.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::Value;
use shared::{
    clock::Time,
    ids::{AccessLinkId, AppointmentId, DepartmentId, Id, SectorId, TagId, UserId},
    models::{AccessLink, ApiKey, Appointment, Call, Customer, Delivery, Department, LinkBatch, Sector, User, Webhook},
    storage::{Count, Entity, Key, keys::DESK},
};

/// Counts by the partition and the attribute that hold them.
type Counts = BTreeMap<(String, String), i64>;

/// What is wrong with the counts; nothing, when all is well.
#[must_use]
pub fn recount<'a, V: Borrow<Value>>(items: impl IntoIterator<Item = (&'a Key, V)>) -> Vec<String> {
    let (mut kept, mut found) = (Counts::new(), Counts::new());
    let (mut promised, mut made) = (BTreeMap::new(), BTreeSet::new());
    for (key, item) in items {
        let (tenant, item) = (key.pk.split('#').next().unwrap(), item.borrow());
        keep(&mut kept, key, item);
        find(&mut found, tenant, key, item);
        promised.extend(promises(tenant, item));
        if item["k"]["S"] == AccessLink::KIND {
            made.insert(key.clone());
        }
    }
    // Links that are still to be made count at their departments' desks.
    for (_, desk) in promised.into_iter().filter(|(link, _)| !made.contains(link)) {
        add(&mut found, &desk, "links");
    }
    let all: BTreeSet<_> = kept.keys().chain(found.keys()).collect();
    let counts = all.into_iter().map(|at| (at, kept.get(at).unwrap_or(&0), found.get(at).unwrap_or(&0)));
    counts
        .filter(|(_, kept, found)| kept != found)
        .map(|(at, kept, found)| format!("{at:?} says {kept}, there are {found}"))
        .collect()
}

/// A count as it is kept; a counter's shards are one.
fn keep(kept: &mut Counts, key: &Key, item: &Value) {
    let counter = key.pk.contains("#count#");
    let counts: &[&str] = match key.sk.as_str() {
        "desk" => &["queued", "active", "links", "appointments", "departments"],
        desk if desk.ends_with(DESK) => &["calls"],
        "usage" => &["users", "managers", "departments", "calls"],
        _ => &[],
    };
    let names = |name: &str| counts.contains(&name) || (counter && !["PK", "SK"].contains(&name));
    let number = |value: &Value| -> i64 { value["N"].as_str().unwrap().parse().unwrap() };
    let attributes = || item.as_object().unwrap().iter();
    if key.pk.contains("#agenda#") {
        let entries = attributes().filter(|(name, _)| !["PK", "SK", "entered"].contains(&name.as_str()));
        kept.extend(entries.map(|(name, value)| ((format!("{} {}", key.pk, key.sk), name.clone()), number(value))));
    }
    for (name, value) in attributes().filter(|(name, _)| names(name)) {
        let whose = key.sk.strip_suffix(DESK).map_or_else(|| key.pk.clone(), |tag| format!("{}#{tag}", key.pk));
        *kept.entry((whose, name.clone())).or_default() += number(value);
    }
    if key.sk == "reminder" {
        add(kept, &key.pk, "reminder");
    }
    if key.pk.contains("#call#tag_id#") {
        add(kept, &key.pk, "rows");
    }
}

/// The counts that follow from an item.
fn find(found: &mut Counts, tenant: &str, key: &Key, item: &Value) {
    if key.pk.contains("#queue#") {
        add(found, &key.pk.replace("#queue#", "#department#"), "queued");
    }
    match item["k"]["S"].as_str() {
        Some(User::KIND) => {
            listed::<User>(found, tenant, item);
            let active = data(item, "active", "BOOL") == &Value::Bool(true);
            used(found, tenant, "users", active);
            used(found, tenant, "managers", active && data(item, "role", "S") == "manager");
        }
        Some(Department::KIND) => {
            listed::<Department>(found, tenant, item);
            used(found, tenant, "departments", data(item, "active", "BOOL") == &Value::Bool(true));
            if let Some(sector) = data(item, "sector_id", "S").as_str() {
                let id: SectorId = sector.parse().unwrap();
                add(found, &format!("{tenant}#sector#{}", id.key()), "departments");
            }
        }
        Some(Call::KIND) => {
            listed::<Call>(found, tenant, item);
            for tag in data(item, "tag_ids", "L").as_array().into_iter().flatten() {
                let tag = tag["S"].as_str().unwrap();
                add(found, &format!("{tenant}#tag#{}", tag.parse::<TagId>().unwrap().key()), "calls");
                add(found, &format!("{tenant}#call#tag_id#{tag}"), "rows");
            }
            let month = &data(item, "inserted_at", "S").as_str().unwrap()[..7];
            add(found, &format!("{tenant}#count#call"), &format!("month={month}"));
            let active = data(item, "status", "S") == "active";
            used(found, tenant, "calls", active);
            if active {
                add(found, &desk(tenant, item), "active");
            }
        }
        Some(AccessLink::KIND) => {
            listed::<AccessLink>(found, tenant, item);
            if data(item, "status", "S") == "active" {
                add(found, &desk(tenant, item), "links");
            }
        }
        Some(Appointment::KIND) => {
            listed::<Appointment>(found, tenant, item);
            if ["scheduled", "confirmed"].contains(&data(item, "status", "S").as_str().unwrap()) {
                add(found, &desk(tenant, item), "appointments");
                agenda(found, tenant, item);
                if reminded(item) {
                    add(found, &key.pk, "reminder");
                }
            }
        }
        Some(ApiKey::KIND) => listed::<ApiKey>(found, tenant, item),
        Some(Sector::KIND) => listed::<Sector>(found, tenant, item),
        Some(Customer::KIND) => listed::<Customer>(found, tenant, item),
        Some(Webhook::KIND) => listed::<Webhook>(found, tenant, item),
        Some(Delivery::KIND) => listed::<Delivery>(found, tenant, item),
        _ => {}
    }
}

fn listed<T: Entity>(found: &mut Counts, tenant: &str, item: &Value) {
    if !T::LISTING.counted {
        return;
    }
    let counter = format!("{tenant}#count#{}", T::KIND);
    add(found, &counter, "n");
    for (name, count) in T::LISTING.filters {
        let Some(value) = item["f"]["M"][name]["S"].as_str() else { continue };
        match count {
            Count::Field => add(found, &counter, &format!("{name}={value}")),
            Count::Item => add(found, &format!("{counter}#{name}#{value}"), "n"),
            Count::Along | Count::Own => {}
        }
    }
}

fn used(found: &mut Counts, tenant: &str, resource: &str, active: bool) {
    if active {
        add(found, &format!("{tenant}#company"), resource);
    }
}

/// The partition of the desk of an object's department.
fn desk(tenant: &str, item: &Value) -> String {
    desk_of(tenant, data(item, "department_id", "S"))
}

fn desk_of(tenant: &str, department: &Value) -> String {
    let id: DepartmentId = department.as_str().unwrap().parse().unwrap();
    format!("{tenant}#department#{}", id.key())
}

/// The links of a batch, made or not, each with the partition of its department's desk.
fn promises(tenant: &str, item: &Value) -> Vec<(Key, String)> {
    if item["k"]["S"] != LinkBatch::KIND {
        return Vec::new();
    }
    let links = data(item, "links", "L").as_array().into_iter().flatten().map(|link| {
        let id: AccessLinkId = link["M"]["id"]["S"].as_str().unwrap().parse().unwrap();
        (AccessLink::key(tenant, id), desk_of(tenant, &link["M"]["department_id"]["S"]))
    });
    links.collect()
}

/// When an appointment takes its agent's time: in each of the days that it touches.
fn agenda(found: &mut Counts, tenant: &str, item: &Value) {
    let (start, id) = (data(item, "scheduled_at", "S").as_str().unwrap(), data(item, "id", "S").as_str().unwrap());
    let (start, id): (Time, AppointmentId) = (start.parse().unwrap(), id.parse().unwrap());
    let user: UserId = data(item, "user_id", "S").as_str().unwrap().parse().unwrap();
    let minutes: i64 = data(item, "duration_minutes", "N").as_str().unwrap().parse().unwrap();
    let last = Time::from_epoch(start.epoch() + minutes * 60 - 1);
    let days: BTreeSet<String> = [start, last].iter().map(|at| at.to_string()[..10].to_owned()).collect();
    for day in days {
        let partition = format!("{tenant}#agenda#{} {day}", user.key());
        add(found, &partition, "entries");
        found.insert((partition, id.key()), start.epoch() * 10_000 + minutes);
    }
}

/// An hour before its beginning was still ahead when that was set.
fn reminded(item: &Value) -> bool {
    let moment = |name: &str| data(item, name, "S").as_str().map(|text| text.parse::<Time>().unwrap().epoch());
    let set = moment("rescheduled_at").or_else(|| moment("inserted_at")).unwrap();
    moment("scheduled_at").unwrap() - 3600 > set
}

fn data<'a>(item: &'a Value, name: &str, kind: &str) -> &'a Value {
    &item["d"]["M"][name][kind]
}

fn add(found: &mut Counts, partition: &str, name: &str) {
    *found.entry((partition.into(), name.into())).or_default() += 1;
}
