//! One sample for every operation and worker: how it is called, the event that Lambda is given, the exact answer.
//!
//! How an operation is called stands in [`asks`]; events and answers lie under `events/`, written by
//! `cargo run -p tests --bin record`. They are the examples of the documentation too.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::{events::EventRecord, models::Mail, storage::Entity, text::hex};

use crate::{
    PASSWORD,
    gateway::{Ask, readable},
    world::{NOW, World},
};

/// A sample event.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The function that it is for.
    pub function: String,
    /// The operation's identifier, or what a worker does.
    pub name: String,
    /// The event.
    pub event: Value,
}

impl Sample {
    /// Every sample that there should be: one for each operation whose call is known, and one for each worker.
    pub async fn all(world: &World) -> Vec<Self> {
        let asks = asks(world);
        let known = world.operations.iter().filter_map(|operation| Some((operation, asks.get(operation.id)?)));
        let of = |function: &str, name: &str, event| Self { function: function.into(), name: name.into(), event };
        let mut all: Vec<_> =
            known.map(|(operation, ask)| of(operation.function, operation.id, world.event(operation, ask))).collect();
        all.push(of("events-dispatcher", "dispatch", inserted::<EventRecord>(world, "initech", "initech.fresh", 1).await));
        all.push(of("mailer", "send", inserted::<Mail>(world, "acme", "acme.invitation", 2).await));
        all.push(of("webhook-worker", "attempt", message(world)));
        all.push(of("scheduler", "minute", minute()));
        all
    }

    /// The sample as it was committed, if it was.
    #[must_use]
    pub fn committed(function: &str, name: &str) -> Option<Self> {
        let event = read(&file(function, &format!("{name}.json")))?;
        Some(Self { function: function.into(), name: name.into(), event })
    }

    /// The answer that was committed, if one was.
    #[must_use]
    pub fn answer(&self) -> Option<Value> {
        read(&file(&self.function, &format!("{}.answer.json", self.name)))
    }

    /// An answer as it is written down: readable, and of the API's document, which is a file of its own, the beginning.
    #[must_use]
    pub fn written(&self, answer: Value) -> Value {
        let mut answer = readable(answer);
        if self.name == "getOpenapi" {
            assert!(
                answer["body"] == serde_json::from_str::<Value>(docs::OPENAPI).unwrap(),
                "it is not functions/docs/openapi.json"
            );
            answer["body"].as_object_mut().unwrap().retain(|name, _| ["openapi", "info"].contains(&name.as_str()));
            answer["headers"].as_object_mut().unwrap().retain(|name, _| !["content-length", "etag"].contains(&name.as_str()));
        }
        answer
    }

    /// Writes the event and its answer.
    pub fn write(&self, answer: &Value) {
        for (name, value) in [(format!("{}.json", self.name), &self.event), (format!("{}.answer.json", self.name), answer)] {
            let file = file(&self.function, &name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, format!("{value:#}\n")).unwrap();
        }
    }
}

const ATTENDANT: &str = "acme.attendant";
const SUPERVISOR: &str = "acme.supervisor";
const MANAGER: &str = "acme.manager";

/// How each operation is called: by the least of those who may, with values that are worth reading.
#[must_use]
pub fn asks(world: &World) -> BTreeMap<&'static str, Ask> {
    accounts(world).into_iter().chain(customers(world)).chain(service(world)).chain(appointments(world)).collect()
}

/// Who works for the tenant, and how it is set up.
fn accounts(world: &World) -> Vec<(&'static str, Ask)> {
    let (id, anybody) = (|name| world.id(name), Ask::default);
    let one = |caller, name| Ask::by(caller).slot("id", id(name));
    vec![
        // auth
        (
            "login",
            anybody().body(json!({ "email": "ana@example.com", "password": PASSWORD, "tenant": "acme" })),
        ),
        (
            "verifyMfa",
            anybody().body(json!({ "mfa_token": id("acme.guarded.mfa_token"), "code": id("acme.guarded.code") })),
        ),
        ("forgotPassword", anybody().body(json!({ "email": "Ana@example.com", "tenant": "acme" }))),
        (
            "resetPassword",
            anybody().body(json!({ "token": id("acme.colleague.pass"), "password": "nine green bottles, one wall" })),
        ),
        ("refresh", anybody().body(json!({ "refresh_token": id("acme.attendant.refresh_token") }))),
        ("logout", Ask::by(ATTENDANT)),
        ("getJwks", anybody()),
        (
            "register",
            anybody().body(json!({
                "company": { "name": "Hooli", "slug": "hooli" },
                "user": { "name": "Laura Mendes", "email": "laura@example.com", "password": "nine green bottles, one wall" },
            })),
        ),
        // users
        ("getMe", Ask::by(ATTENDANT)),
        ("listUsers", Ask::by(MANAGER).query("role", "attendant").query("sort_by", "name")),
        (
            "createUser",
            Ask::by(MANAGER).body(json!({ "user": {
                "name": "Diego Martins", "email": "diego@example.com", "role": "attendant", "password": "nine green bottles, one wall",
            } })),
        ),
        ("updateMe", Ask::by(ATTENDANT).body(json!({ "user": { "name": "Ana Ribeiro Luz", "locale": "en" } }))),
        (
            "changePassword",
            Ask::by(ATTENDANT).body(json!({ "current_password": PASSWORD, "password": "nine green bottles, one wall" })),
        ),
        ("listSessions", Ask::by(ATTENDANT)),
        ("endSession", Ask::by(ATTENDANT).slot("id", id("acme.attendant.session"))),
        ("setupMfa", Ask::by(ATTENDANT)),
        ("enableMfa", Ask::by("acme.colleague").body(json!({ "code": id("acme.colleague.code") }))),
        (
            "disableMfa",
            Ask::by("acme.guarded").body(json!({ "password": PASSWORD, "code": id("acme.guarded.code") })),
        ),
        ("resetMfa", one(MANAGER, "acme.guarded")),
        ("getUser", one(MANAGER, "acme.attendant")),
        ("updateUser", one(MANAGER, "acme.attendant").body(json!({ "user": { "role": "supervisor" } }))),
        // company
        ("getCompany", Ask::by(MANAGER)),
        (
            "updateCompany",
            Ask::by(MANAGER).body(json!({ "company": {
                "document": "11.222.333/0001-81", "phone": "(11) 4000-1000", "time_zone": "America/Sao_Paulo", "link_ttl_days": 14,
            } })),
        ),
        ("listSectors", Ask::by(SUPERVISOR)),
        ("createSector", Ask::by(SUPERVISOR).body(json!({ "sector": { "name": "After sales", "description": "Repairs and returns" } }))),
        ("getSector", one(SUPERVISOR, "acme.sector")),
        ("updateSector", one(SUPERVISOR, "acme.sector").body(json!({ "sector": { "name": "New customers" } }))),
        ("deleteSector", one(SUPERVISOR, "acme.empty_sector")),
        ("getPlan", Ask::by(MANAGER)),
        ("listApiKeys", Ask::by(MANAGER)),
        (
            "createApiKey",
            Ask::by(MANAGER).body(json!({ "api_key": {
                "name": "Data warehouse", "scopes": ["calls:read", "export:read"], "expires_at": "2027-02-20T00:00:00Z",
                "address_ranges": ["203.0.113.0/24"],
            } })),
        ),
        ("getApiKey", one(MANAGER, "acme.api_key")),
        ("updateApiKey", one(MANAGER, "acme.api_key").body(json!({ "api_key": { "scopes": ["calls:read"] } }))),
        ("revokeApiKey", one(MANAGER, "acme.api_key")),
        ("rotateApiKey", one(MANAGER, "acme.api_key").body(json!({ "grace_hours": 48 }))),
        ("listAuditLog", Ask::by(MANAGER).query("object_type", "department").query("page_size", "2")),
    ]
}

/// The people who call.
fn customers(world: &World) -> Vec<(&'static str, Ask)> {
    let one = |caller, name| Ask::by(caller).slot("id", world.id(name));
    vec![
        ("listCustomers", Ask::by(ATTENDANT).query("search", "hel")),
        (
            "createCustomer",
            Ask::by(ATTENDANT).body(json!({ "customer": {
                "name": "Nair Prado", "email": "nair.prado@example.com", "phone": "(21) 98888-7777", "document": "529.982.247-25",
                "notes": "Prefers the afternoon",
            } })),
        ),
        ("getCustomer", one(ATTENDANT, "acme.customer")),
        ("updateCustomer", one(ATTENDANT, "acme.customer").body(json!({ "customer": { "phone": "+55 31 97777-6666" } }))),
        ("deleteCustomer", one(ATTENDANT, "acme.customer")),
        ("exportCustomer", one(MANAGER, "acme.customer")),
    ]
}

/// The work of every day.
fn service(world: &World) -> Vec<(&'static str, Ask)> {
    let (id, anybody) = (|name| world.id(name), Ask::default);
    let one = |caller, name| Ask::by(caller).slot("id", id(name));
    vec![
        // departments
        ("listDepartments", Ask::by(ATTENDANT).query("active", "true").query("sort_by", "name")),
        (
            "createDepartment",
            Ask::by(SUPERVISOR).body(json!({ "department": {
                "name": "Technical support", "description": "Routers and lines", "max_queue_size": 50, "max_wait_time": 600,
            } })),
        ),
        ("getDepartment", one(ATTENDANT, "acme.department")),
        (
            "updateDepartment",
            one(SUPERVISOR, "acme.department").body(json!({ "department": { "name": "Billing and payments", "max_queue_size": 40 } })),
        ),
        ("deleteDepartment", one(SUPERVISOR, "acme.idle")),
        ("getDepartmentHours", one(ATTENDANT, "acme.department")),
        (
            "updateDepartmentHours",
            one(SUPERVISOR, "acme.department").body(json!({ "hours": {
                "exceptions": [{ "date": "2026-02-24", "from": "12:00", "to": "18:00" }, { "date": "2026-12-25", "closed": true }],
            } })),
        ),
        ("listDepartmentUsers", one(ATTENDANT, "acme.department")),
        ("addDepartmentUser", one(SUPERVISOR, "acme.sales").body(json!({ "user_id": id("acme.attendant") }))),
        ("removeDepartmentUser", one(SUPERVISOR, "acme.department").slot("user_id", id("acme.colleague"))),
        // access-links
        ("listAccessLinks", Ask::by(SUPERVISOR).query("department_id", id("acme.department")).query("page_size", "2")),
        (
            "createAccessLink",
            Ask::by(SUPERVISOR).body(json!({ "access_link": {
                "department_id": id("acme.department"), "customer_name": "Marta Oliveira", "customer_email": "marta.oliveira@example.com",
                "customer_phone": "(31) 4000-1007", "expires_at": "2026-02-22T18:00:00-03:00",
            } })),
        ),
        ("getAccessLink", one(SUPERVISOR, "acme.link")),
        ("cancelAccessLink", one(SUPERVISOR, "acme.link")),
        // public
        ("validateAccessLink", anybody().slot("token", id("acme.link.token"))),
        (
            "joinCall",
            anybody().slot("token", id("acme.link.token")).body(json!({
                "name": "Rafael Nunes", "email": "rafael.nunes@example.com", "phone": "(41) 4000-1005",
                "reason": "My invoice shows a line that I cancelled",
            })),
        ),
        ("getCallStatus", anybody().slot("call_id", id("acme.queued"))),
        ("leaveCall", anybody().slot("call_id", id("acme.queued"))),
        (
            "evaluateCall",
            anybody().slot("call_id", id("acme.completed")).body(json!({ "rating": 4, "comment": "Solved at once" })),
        ),
        // calls
        ("listCalls", Ask::by(ATTENDANT).query("status", "completed").query("date_from", "2026-02-16")),
        ("getCall", one(ATTENDANT, "acme.queued")),
        ("assignCall", one(ATTENDANT, "acme.queued").body(json!({ "user_id": id("acme.attendant") }))),
        ("startCall", one(ATTENDANT, "acme.assigned")),
        ("completeCall", one(ATTENDANT, "acme.active").body(json!({ "notes": "Invoice sent again" }))),
        ("listCallTags", one(ATTENDANT, "acme.completed")),
        ("addCallTag", one(ATTENDANT, "acme.active").body(json!({ "tag_id": id("acme.tag") }))),
        ("removeCallTag", one(ATTENDANT, "acme.completed").slot("tag_id", id("acme.tag"))),
        // tags
        ("listTags", Ask::by(ATTENDANT).query("search", "re").query("sort_by", "usage_count").query("sort_order", "desc")),
        (
            "createTag",
            Ask::by(ATTENDANT).body(json!({ "tag": { "name": "Second copy", "color": "#8b5cf6", "parent_id": id("acme.parent") } })),
        ),
        ("getTagTree", Ask::by(ATTENDANT)),
        ("getTag", one(ATTENDANT, "acme.tag")),
        ("updateTag", one(ATTENDANT, "acme.tag").body(json!({ "tag": { "name": "Money back", "color": "#2563eb" } }))),
        ("deleteTag", one(SUPERVISOR, "acme.parent")),
        // webhooks
        ("listWebhooks", Ask::by(MANAGER)),
        (
            "createWebhook",
            Ask::by(MANAGER).body(json!({ "webhook": {
                "url": "https://erp.example.com/hooks/voki", "events": ["call.completed", "call.rated"],
                "description": "Service figures", "headers": { "x-source": "voki" },
            } })),
        ),
        ("getWebhook", one(MANAGER, "acme.webhook")),
        (
            "updateWebhook",
            one(MANAGER, "acme.webhook").body(json!({ "webhook": { "events": ["call.completed", "customer.created"] } })),
        ),
        ("deleteWebhook", one(MANAGER, "acme.webhook")),
        ("listDeliveries", one(MANAGER, "acme.webhook").query("date_from", "2026-02-19")),
        // The one webhook that leads to a receiver which runs.
        ("testWebhook", one("initech.manager", "initech.webhook").body(json!({ "event": "call.completed" }))),
        // export
        ("exportCalls", Ask::by(SUPERVISOR).query("date_from", "2026-02-16").query("tz", "America/Sao_Paulo")),
        // docs
        ("getHealth", anybody()),
        ("getOpenapi", anybody()),
        ("getDocs", anybody().header("accept", "text/html")),
        ("getDocsFile", anybody().slot("file", &stylesheet()).header("accept", "text/css")),
    ]
}

/// What is arranged.
fn appointments(world: &World) -> Vec<(&'static str, Ask)> {
    let id = |name| world.id(name);
    let one = |caller, name| Ask::by(caller).slot("id", id(name));
    vec![
        ("listAppointments", Ask::by(ATTENDANT).query("status", "scheduled").query("date_from", "2026-02-23")),
        (
            "createAppointment",
            Ask::by(ATTENDANT).body(json!({ "appointment": {
                "title": "Presentation meeting", "scheduled_at": "2026-02-25T14:00:00Z", "duration_minutes": 45,
                "department_id": id("acme.department"), "user_id": id(ATTENDANT), "customer_name": "Roberto Lima",
                "customer_email": "roberto.lima@example.com", "customer_phone": "(11) 96666-5544",
            } })),
        ),
        (
            "checkConflicts",
            Ask::by(ATTENDANT)
                .query("user_id", id(ATTENDANT))
                .query("scheduled_at", "2026-02-23T11:30:00-03:00")
                .query("duration_minutes", "45"),
        ),
        (
            "listAvailability",
            Ask::by(ATTENDANT)
                .query("department_id", id("acme.department"))
                .query("from", "2026-02-23")
                .query("to", "2026-02-23")
                .query("duration_minutes", "60"),
        ),
        ("getAppointment", one(ATTENDANT, "acme.appointment")),
        (
            "updateAppointment",
            one(ATTENDANT, "acme.appointment").body(json!({ "appointment": {
                "title": "Review of the contract", "notes": "Wants to leave at the end of the year", "duration_minutes": 60,
            } })),
        ),
        ("getAppointmentIcs", one(ATTENDANT, "acme.confirmed").header("accept", "text/calendar")),
        ("confirmAppointment", one(ATTENDANT, "acme.appointment")),
        ("cancelAppointment", one(ATTENDANT, "acme.appointment").body(json!({ "reason": "Customer requested rescheduling" }))),
        ("completeAppointment", one(ATTENDANT, "acme.confirmed")),
        ("noShowAppointment", one(ATTENDANT, "acme.confirmed")),
        (
            "rescheduleAppointment",
            one(ATTENDANT, "acme.appointment")
                .body(json!({ "scheduled_at": "2026-02-24T15:00:00-03:00", "duration_minutes": 30 })),
        ),
    ]
}

/// The name of the page's style sheet, which says what is in it.
fn stylesheet() -> String {
    format!("page-{}.css", hex(&Sha256::digest(include_bytes!("../../functions/docs/assets/page.css"))[..8]))
}

/// A record of the table's stream: something of a tenant that was just written.
async fn inserted<T: Entity<Id: FromStr<Err: Debug>>>(world: &World, tenant: &str, name: &str, n: u32) -> Value {
    let key = T::key(tenant, world.id(name).parse().unwrap());
    let item = world.app().db().item(&key).await.unwrap().unwrap();
    json!({ "Records": [{
        "eventID": format!("7de3041dd709b024af6f29e4fa13d34{n}"),
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/voki/stream/2026-02-15T00:00:00.000",
        "dynamodb": {
            "ApproximateCreationDateTime": NOW.epoch() - 60,
            "Keys": { "PK": { "S": key.pk }, "SK": { "S": key.sk } },
            "NewImage": serde_dynamo::Item::from(item),
            "SequenceNumber": format!("11{n}"),
            "SizeBytes": 1024,
            "StreamViewType": "NEW_IMAGE",
        },
    }] })
}

/// A message of the queue: a delivery that is to be attempted.
fn message(world: &World) -> Value {
    let id = |name| world.id(name);
    let message = json!({
        "tenant": "initech",
        "delivery_id": id("initech.delivery"),
        "webhook_id": id("initech.webhook"),
        "event_id": id("initech.event"),
    });
    let body = message.to_string();
    json!({ "Records": [{
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": (NOW.epoch() * 1000).to_string(),
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "MessageGroupId": id("initech.webhook"),
            "ApproximateFirstReceiveTimestamp": (NOW.epoch() * 1000 + 1).to_string(),
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:voki-deliveries",
        "awsRegion": "eu-west-1",
    }] })
}

/// The schedule, half an hour later: by then two calls are overdue, a delivery is, and events lie undispatched.
fn minute() -> Value {
    json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-02-20T10:30:00Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:events:eu-west-1:123456789012:rule/voki-minute"],
        "detail": {},
    })
}

fn file(function: &str, name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "events", function, name].iter().collect()
}

/// A file of JSON, if it is there.
fn read(file: &Path) -> Option<Value> {
    Some(serde_json::from_str(&fs::read_to_string(file).ok()?).unwrap())
}
