//! Joining a department's queue through an access link.

use axum::extract::{Extension, State};
use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    Error, Result,
    api::{Done, Segment, Valid},
    app::App,
    auth::context::Context,
    clock::Time,
    events::{Event, EventName},
    ids::{AccessLinkId, CallId, DepartmentId},
    input::{Fields, Input, rules},
    lapse,
    matching::{self, Match},
    models::{
        AccessLink, Call, Company, Customer, Department, Role,
        access_link::LinkStatus,
        call::{CallStatus, Joining},
        customer::CustomerInput,
        department::{Desk, QUEUE_FULL},
    },
    storage::{Entity, Key, Store, Stored, Write, contend, write::Step},
    text, waiting,
};

use crate::{Lead, NO_LINK, follow};

/// Who joins, and why.
#[derive(Debug, JsonSchema)]
pub struct Join {
    /// The name.
    #[schemars(length(max = 200))]
    name: String,
    /// The e-mail.
    #[schemars(email)]
    email: Option<String>,
    /// The phone number; without a country code it is one of the company's country.
    #[schemars(extend("format" = "phone"))]
    phone: Option<String>,
    /// What it is about.
    #[schemars(length(max = 2000))]
    reason: Option<String>,
}

impl Input for Join {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: fields.required("name", rules::name),
            email: fields.optional("email", rules::email),
            phone: fields.optional("phone", rules::phone),
            reason: fields.optional("reason", rules::prose(2000)),
        }
    }
}

/// A place in the queue.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Joined {
    call_id: CallId,
    status: CallStatus,
    /// 1 is next.
    position: u64,
    /// Seconds until it is likely served.
    estimated_wait_time: u64,
}

/// Uses the link once and enters the queue: one transaction, so that of two on a single-use link one wins, and a refused
/// join uses nothing up.
pub async fn join(
    State(app): State<App>,
    Segment(token): Segment,
    Extension(context): Extension<Context>,
    Valid(input): Valid<Join>,
) -> Result<Done<Joined>> {
    let Lead { store, link, department } = follow(&app, &token).await?;
    let store = store.gated(context.gate());
    let way = Way { store: &store, link, department, site: &app.settings().public_url };
    match contend(|| way.enter(&input)).await {
        Err(Error::Refused(reason)) if reason == QUEUE_FULL => {
            // Who waits in vain takes no place: only when they are gone is the queue really full.
            lapse::settle_due::<Call>(&store).await?;
            contend(|| way.enter(&input)).await
        }
        outcome => outcome,
    }
}

/// The way in.
struct Way<'a> {
    store: &'a Store,
    link: AccessLinkId,
    department: DepartmentId,
    /// What links begin with.
    site: &'a str,
}

impl Way<'_> {
    async fn enter(&self, input: &Join) -> Result<Done<Joined>> {
        let (store, now) = (self.store, self.store.clock().now());
        let scene = Scene::read(self, input, now).await?;
        let (link, used) = (&scene.link, &scene.used);
        let place = scene.waiting + 1;
        let joining = Joining {
            department: &scene.department,
            customer: &scene.customer,
            contact: &scene.contact,
            access_link_id: Some(self.link),
            reason: input.reason.clone(),
            place,
        };
        let call = Call::new(store.mint()?, store.mint()?, joining, now);
        let estimated_wait_time = scene.desk.estimate(scene.waiting, scene.department.user_count);
        let answer = Joined { call_id: call.id, status: call.status, position: place, estimated_wait_time };
        let view = call.view(Role::Manager, Some(place), Vec::new(), now);
        let mut write =
            enter_by(store.write(), link, used).create(&call).emit(&Event::Call(EventName::CallCreated, Box::new(view)), now);
        if used.status == LinkStatus::Used {
            write = write.emit(&Event::Link(EventName::LinkUsed, used.view(self.site, now)), now);
        }
        scene.matched.join(write, &scene.customer, now).commit(Done(answer)).await
    }
}

/// Counts the use of a link. Only the last one changes where it stands; the others are counted in place, so that a crowd at
/// one link gets in at once.
fn enter_by<'a>(write: Write<'a>, link: &Stored<AccessLink>, used: &AccessLink) -> Write<'a> {
    if used.status != link.status {
        return write.update(link, used);
    }
    let step = Step {
        number: "use_count",
        below: u64::from(link.max_uses) - 1,
        state: ("status", LinkStatus::Active.to_string()),
        stamp: "used_at",
    };
    write.step::<AccessLink>(link.id, &step)
}

/// Everything that a join looks at.
struct Scene {
    link: Stored<AccessLink>,
    /// The link after the join.
    used: AccessLink,
    department: Stored<Department>,
    desk: Desk,
    contact: CustomerInput,
    /// Who joins, as far as the table knows.
    matched: Match,
    /// The customer after the join.
    customer: Customer,
    waiting: u64,
}

impl Scene {
    /// Everything at once; what a phone number is, only the company's country tells.
    async fn read(way: &Way<'_>, input: &Join, now: Time) -> Result<Self> {
        let (store, tenant) = (way.store, way.store.tenant());
        let link_key = AccessLink::key(tenant, way.link);
        let department_key = Department::key(tenant, way.department);
        let (company_key, desk_key) = (Company::key(tenant, ()), Key::desk(tenant, way.department));
        let mut keys = vec![link_key.clone(), department_key.clone(), company_key.clone(), desk_key.clone()];
        keys.extend(matching::key(tenant, input.email.as_deref()));
        let (mut found, waiting) = tokio::try_join!(store.db().items(&keys), waiting::length(store, way.department, now))?;
        let link: Stored<AccessLink> = found.take(&link_key)?.ok_or(NO_LINK)?;
        let used = link.used(now).ok_or(NO_LINK)?;
        let company: Stored<Company> = found.take(&company_key)?.ok_or(NO_LINK)?;
        let department: Stored<Department> = found.take(&department_key)?.ok_or(NO_LINK)?;
        let phone = input.phone.as_deref().map(|phone| text::phone(phone, &company.input.country)).transpose();
        let phone = phone.map_err(|message| Error::invalid("phone", message))?;
        if !department.input.active {
            return Err(Error::Refused("The department is not active".into()));
        }
        let (name, email) = (input.name.clone(), input.email.clone());
        let contact = CustomerInput { name, email, phone, ..CustomerInput::default() };
        let matched = Match::find(store, &found, link.customer_id, &contact).await?;
        let customer = match &matched.known {
            Some(known) => known.joined(&contact, now),
            None => Customer::new(store.mint()?, contact.clone(), now).joined(&contact, now),
        };
        Ok(Self { link, used, department, desk: Desk::of(found.item(&desk_key)), contact, matched, customer, waiting })
    }
}
