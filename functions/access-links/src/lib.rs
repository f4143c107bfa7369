//! `/access-links`: how customers come in.

use schemars::JsonSchema;
use shared::{
    Error, Result,
    api::{Created, Filters, Paging, Path, Query, Routes, Rows, Shown, Valid},
    app::Need,
    auth::{Caller, Supervisor},
    events::{Event, EventName},
    ids::{AccessLinkId, DepartmentId},
    input::{Fields, Input, rules},
    lapse, matching,
    models::{
        AccessLink, Company, Customer, Department,
        access_link::{LinkInput, LinkStatus, LinkView},
    },
    storage::{Entity, Stored, contend},
    text,
};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[Need::PublicUrl];

/// The group's routes.
pub fn routes() -> Routes {
    Routes::of("Access links", "How customers come in.")
        .get("/api/v1/access-links", list, "listAccessLinks", "The tenant's access links")
        .post("/api/v1/access-links", create, "createAccessLink", "Makes a link to a department's queue")
        .get("/api/v1/access-links/{id}", read, "getAccessLink", "One access link")
        .post("/api/v1/access-links/{id}/cancel", cancel, "cancelAccessLink", "Calls an active link back")
}

/// Which links.
#[derive(Debug, JsonSchema)]
struct Wanted {
    #[schemars(flatten)]
    paging: Paging<AccessLink>,
    /// That stand so.
    status: Option<LinkStatus>,
    /// To this department.
    department_id: Option<DepartmentId>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            paging: Paging::read(fields, true),
            status: fields.optional("status", rules::word),
            department_id: fields.optional("department_id", rules::id),
        }
    }
}

/// The tenant's links.
async fn list(caller: Caller<Supervisor>, Query(wanted): Query<Wanted>) -> Result<Rows<LinkView>> {
    let filters = Filters::none().with("status", wanted.status).with("department_id", wanted.department_id);
    let query = wanted.paging.query(&caller, filters)?;
    let known = caller.store().known::<Department>("department_id", wanted.department_id);
    let (page, ()) = tokio::try_join!(lapse::list::<AccessLink>(caller.store(), &query), known)?;
    Ok(wanted.paging.rows(&caller, &query, page, |link| view(&caller, &link)))
}

/// One link.
async fn read(caller: Caller<Supervisor>, Path(id): Path<AccessLinkId>) -> Result<Shown<LinkView>> {
    let link = lapse::find::<AccessLink>(caller.store(), id).await?;
    Ok(Shown(view(&caller, &link), link.version))
}

/// Makes a link to a department's queue.
async fn create(caller: Caller<Supervisor>, Valid(input): Valid<LinkInput>) -> Result<Created<LinkView>> {
    let store = caller.store();
    contend(|| async {
        let tenant = store.tenant();
        let department_key = Department::key(tenant, input.department_id);
        let customer_key = input.customer_id.map(|id| Customer::key(tenant, id));
        let company_key = Company::key(tenant, ());
        let wanted: Vec<_> =
            [Some(&department_key), customer_key.as_ref(), Some(&company_key)].into_iter().flatten().cloned().collect();
        let mut found = store.db().items(&wanted).await?;
        let company: Stored<Company> = found.take(&company_key)?.ok_or_else(|| Error::Internal("no company".into()))?;
        let department: Option<Stored<Department>> = found.take(&department_key)?;
        let customer = customer_key.and_then(|key| found.item(&key).cloned());
        let customer = matching::follow(store, customer).await?;
        let link = made(&caller, &input, &company, department.as_ref(), customer.as_ref())?;
        let view = view(&caller, &link);
        let event = Event::Link(EventName::LinkCreated, view.clone());
        caller.write().create(&link).emit(&event, link.inserted_at).commit(Created(view)).await
    })
    .await
}

/// The link that an input asks for, or everything that is wrong with it.
fn made(
    caller: &Caller<Supervisor>,
    input: &LinkInput,
    company: &Company,
    department: Option<&Stored<Department>>,
    customer: Option<&Stored<Customer>>,
) -> Result<AccessLink> {
    let now = caller.now();
    let mut violations = shared::error::Violations::default();
    if department.is_none() {
        violations.add("department_id", "does not exist");
    }
    if input.customer_id.is_some() && customer.is_none() {
        violations.add("customer_id", "does not exist");
    }
    let phone =
        input.customer_phone.as_deref().map(|phone| text::phone(phone, &company.input.country)).transpose().unwrap_or_else(
            |message| {
                violations.add("customer_phone", message);
                None
            },
        );
    let expires_at = input.expiry(company.input.link_ttl_days, now).unwrap_or_else(|error| {
        violations.merge(error);
        now
    });
    let (id, token) = (caller.store().mint()?, text::token(caller.app().chance())?);
    violations.into_result(AccessLink {
        id,
        token,
        status: LinkStatus::Active,
        department_id: input.department_id,
        department_name: department.map(|department| department.input.name.clone()).unwrap_or_default(),
        customer_id: customer.map(|customer| customer.id),
        customer_name: input.customer_name.clone().or_else(|| customer.map(|customer| customer.input.name.clone())),
        customer_email: input.customer_email.clone().or_else(|| customer.and_then(|customer| customer.input.email.clone())),
        customer_phone: phone.or_else(|| customer.and_then(|customer| customer.input.phone.clone())),
        expires_at,
        used_at: None,
        max_uses: input.max_uses,
        use_count: 0,
        inserted_at: now,
    })
}

/// Calls a link back.
async fn cancel(caller: Caller<Supervisor>, Path(id): Path<AccessLinkId>) -> Result<Shown<LinkView>> {
    contend(|| async {
        let seen = lapse::find::<AccessLink>(caller.store(), id).await?;
        let cancelled = seen.cancelled(caller.now())?;
        let view = view(&caller, &cancelled);
        let event = Event::Link(EventName::LinkCancelled, view.clone());
        caller.write().update(&seen, &cancelled).emit(&event, caller.now()).commit(Shown(view, seen.version + 1)).await
    })
    .await
}

fn view(caller: &Caller<Supervisor>, link: &AccessLink) -> LinkView {
    link.view(&caller.app().settings().public_url, caller.now())
}
