//! Every count in the table, against what it counts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shared::{
    clock::Time,
    ids::{AccessLinkId, AppointmentId, DepartmentId, Id, SectorId, TagId, UserId},
    models::{AccessLink, ApiKey, Appointment, Call, Customer, Delivery, Department, LinkBatch, Sector, User, Webhook},
    storage::{Count, Entity, Key, keys::DESK},
};

use crate::lab::Items;

/// Counts by the partition and the attribute that hold them.
type Counts = BTreeMap<(String, String), i64>;

/// What is wrong with the counts; nothing, when all is well.
#[must_use]
pub fn recount(items: &Items) -> Vec<String> {
    let (kept, found) = (kept(items), found(items));
    let all: BTreeSet<_> = kept.keys().chain(found.keys()).collect();
    let counts = all.into_iter().map(|at| (at, kept.get(at).unwrap_or(&0), found.get(at).unwrap_or(&0)));
    counts
        .filter(|(_, kept, found)| kept != found)
        .map(|(at, kept, found)| format!("{at:?} says {kept}, there are {found}"))
        .collect()
}

/// The counts as they are kept; a counter's shards are one.
fn kept(items: &Items) -> Counts {
    let mut kept = Counts::new();
    let names = |key: &Key, item: &Value| -> Vec<String> {
        let counter = key.pk.contains("#count#");
        let counts: &[&str] = match key.sk.as_str() {
            "desk" => &["queued", "active", "links", "appointments", "departments"],
            desk if desk.ends_with(DESK) => &["calls"],
            "usage" => &["users", "managers", "departments", "calls"],
            _ => &[],
        };
        let all = item.as_object().unwrap().keys();
        all.filter(|name| counts.contains(&name.as_str()) || (counter && !["PK", "SK"].contains(&name.as_str())))
            .cloned()
            .collect()
    };
    for (key, item) in items {
        if key.pk.contains("#agenda#") {
            let entries = item.as_object().unwrap().iter().filter(|(name, _)| !["PK", "SK", "entered"].contains(&name.as_str()));
            let entries = entries.map(|(name, value)| (name.clone(), value["N"].as_str().unwrap().parse().unwrap()));
            kept.extend(entries.map(|(name, value)| ((format!("{} {}", key.pk, key.sk), name), value)));
        }
        for name in names(key, item) {
            let count: i64 = item[&name]["N"].as_str().unwrap().parse().unwrap();
            let whose = key.sk.strip_suffix(DESK).map_or_else(|| key.pk.clone(), |tag| format!("{}#{tag}", key.pk));
            *kept.entry((whose, name)).or_default() += count;
        }
        if key.sk == "reminder" {
            *kept.entry((key.pk.clone(), "reminder".into())).or_default() += 1;
        }
        if key.pk.contains("#call#tag_id#") {
            *kept.entry((key.pk.clone(), "rows".into())).or_default() += 1;
        }
    }
    kept
}

/// The counts as they follow from the objects.
fn found(items: &Items) -> Counts {
    let mut found = Counts::new();
    for (key, item) in items {
        if key.pk.contains("#queue#") {
            add(&mut found, &key.pk.replace("#queue#", "#department#"), "queued");
        }
        let tenant = key.pk.split('#').next().unwrap();
        match item["k"]["S"].as_str() {
            Some(User::KIND) => {
                listed::<User>(&mut found, tenant, item);
                let active = data(item, "active", "BOOL") == &Value::Bool(true);
                used(&mut found, tenant, "users", active);
                used(&mut found, tenant, "managers", active && data(item, "role", "S") == "manager");
            }
            Some(Department::KIND) => {
                listed::<Department>(&mut found, tenant, item);
                used(&mut found, tenant, "departments", data(item, "active", "BOOL") == &Value::Bool(true));
                if let Some(sector) = data(item, "sector_id", "S").as_str() {
                    let id: SectorId = sector.parse().unwrap();
                    add(&mut found, &format!("{tenant}#sector#{}", id.key()), "departments");
                }
            }
            Some(Call::KIND) => {
                listed::<Call>(&mut found, tenant, item);
                for tag in data(item, "tag_ids", "L").as_array().into_iter().flatten() {
                    let tag = tag["S"].as_str().unwrap();
                    add(&mut found, &format!("{tenant}#tag#{}", tag.parse::<TagId>().unwrap().key()), "calls");
                    add(&mut found, &format!("{tenant}#call#tag_id#{tag}"), "rows");
                }
                let month = &data(item, "inserted_at", "S").as_str().unwrap()[..7];
                add(&mut found, &format!("{tenant}#count#call"), &format!("month={month}"));
                let active = data(item, "status", "S") == "active";
                used(&mut found, tenant, "calls", active);
                if active {
                    add(&mut found, &desk(tenant, item), "active");
                }
            }
            Some(AccessLink::KIND) => {
                listed::<AccessLink>(&mut found, tenant, item);
                if data(item, "status", "S") == "active" {
                    add(&mut found, &desk(tenant, item), "links");
                }
            }
            Some(LinkBatch::KIND) => promised(&mut found, items, tenant, item),
            Some(Appointment::KIND) => {
                listed::<Appointment>(&mut found, tenant, item);
                if ["scheduled", "confirmed"].contains(&data(item, "status", "S").as_str().unwrap()) {
                    add(&mut found, &desk(tenant, item), "appointments");
                    agenda(&mut found, tenant, item);
                    if reminded(item) {
                        add(&mut found, &key.pk, "reminder");
                    }
                }
            }
            Some(ApiKey::KIND) => listed::<ApiKey>(&mut found, tenant, item),
            Some(Sector::KIND) => listed::<Sector>(&mut found, tenant, item),
            Some(Customer::KIND) => listed::<Customer>(&mut found, tenant, item),
            Some(Webhook::KIND) => listed::<Webhook>(&mut found, tenant, item),
            Some(Delivery::KIND) => listed::<Delivery>(&mut found, tenant, item),
            _ => {}
        }
    }
    found
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

/// Links that are still to be made count at their departments' desks.
fn promised(found: &mut Counts, items: &Items, tenant: &str, item: &Value) {
    for link in data(item, "links", "L").as_array().into_iter().flatten() {
        let id: AccessLinkId = link["M"]["id"]["S"].as_str().unwrap().parse().unwrap();
        if !items.contains_key(&AccessLink::key(tenant, id)) {
            add(found, &desk_of(tenant, &link["M"]["department_id"]["S"]), "links");
        }
    }
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
