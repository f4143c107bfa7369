//! One sample for every operation and worker: how it is called, the event that Lambda is given, the exact answer.
//!
//! How an operation is called stands in [`asks`]; events and answers lie under `events/`, written by
//! `cargo run -p tests --bin record`. They are the examples of the documentation too.

mod sample;

use std::collections::BTreeMap;

use serde_json::json;
use sha2::{Digest, Sha256};
use shared::text::hex;

pub use self::sample::Sample;
use crate::{PASSWORD, gateway::Ask, world::World};

const ATTENDANT: &str = "acme.attendant";
const SUPERVISOR: &str = "acme.supervisor";
const MANAGER: &str = "acme.manager";

/// How each operation is called: by the least of those who may, with values that are worth reading.
#[must_use]
pub fn asks(world: &World) -> BTreeMap<&'static str, Ask> {
    accounts(world)
        .into_iter()
        .chain(customers(world))
        .chain(service(world))
        .chain(links(world))
        .chain(appointments(world))
        .collect()
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
        ("subscribeCalendar", Ask::by(ATTENDANT)),
        ("unsubscribeCalendar", Ask::by(ATTENDANT)),
        ("getCalendar", anybody().slot("file", id("acme.feed")).header("accept", "text/calendar")),
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
    let id = |name| world.id(name);
    let one = |caller, name| Ask::by(caller).slot("id", id(name));
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
        ("listCustomerDuplicates", Ask::by(ATTENDANT)),
        (
            "mergeCustomers",
            Ask::by(SUPERVISOR).body(json!({ "primary_id": id("acme.customer"), "duplicate_ids": [id("acme.duplicate")] })),
        ),
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

/// How customers come in.
fn links(world: &World) -> Vec<(&'static str, Ask)> {
    let id = |name| world.id(name);
    let one = |caller, name| Ask::by(caller).slot("id", id(name));
    vec![
        ("listAccessLinks", Ask::by(SUPERVISOR).query("department_id", id("acme.department")).query("page_size", "2")),
        (
            "createAccessLink",
            Ask::by(SUPERVISOR).body(json!({ "access_link": {
                "department_id": id("acme.department"), "customer_name": "Marta Oliveira", "customer_email": "marta.oliveira@example.com",
                "customer_phone": "(31) 4000-1007", "expires_at": "2026-02-22T18:00:00-03:00",
            } })),
        ),
        (
            "createAccessLinks",
            Ask::by(SUPERVISOR).body(json!({ "access_links": [
                { "department_id": id("acme.department"), "customer_id": id("acme.customer") },
                {
                    "department_id": id("acme.sales"), "customer_name": "Otto Reis", "customer_email": "otto.reis@example.com",
                    "max_uses": 3,
                },
            ] })),
        ),
        ("getAccessLink", one(SUPERVISOR, "acme.link")),
        ("getAccessLinkQr", one(SUPERVISOR, "acme.link").header("accept", "image/svg+xml")),
        ("cancelAccessLink", one(SUPERVISOR, "acme.link")),
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
