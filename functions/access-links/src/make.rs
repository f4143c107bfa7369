//! Making links, one or many.

use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
};

use schemars::JsonSchema;
use shared::{
    Error, Result,
    api::{Created, CreatedAll, Proposed, Valid},
    auth::{Caller, Supervisor},
    batch,
    error::Violations,
    ids::{CustomerId, DepartmentId},
    input::{Draft, Fields, Input},
    matching,
    models::{
        AccessLink, Company, Customer, Department,
        access_link::{LinkInput, LinkStatus, LinkView},
    },
    storage::{Entity, Key, Store, Stored, contend},
    text,
};

use crate::view;

/// Links that are made together.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "AccessLinkBatch")]
pub struct Batch {
    /// The links, each as one is made alone.
    #[schemars(length(min = 1, max = 500))]
    access_links: Vec<Draft<LinkInput>>,
}

impl Input for Batch {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { access_links: fields.list("access_links", 500, Draft::read) }
    }
}

/// Makes a link to a department's queue.
pub async fn create(caller: Caller<Supervisor>, Proposed(draft): Proposed<LinkInput>) -> Result<Created<LinkView>> {
    let site = &caller.app().settings().public_url;
    contend(|| async {
        let named = Named::read(caller.store(), slice::from_ref(&draft)).await?;
        let (link, violations) = named.link(&caller, &draft)?;
        violations.into_result(())?;
        let answer = Created(view(&caller, &link));
        batch::with_links(caller.write(), site, slice::from_ref(&link)).commit(answer).await
    })
    .await
}

/// Makes many links, all of them or none. It answers when all of them are there.
pub async fn create_all(caller: Caller<Supervisor>, Valid(batch): Valid<Batch>) -> Result<CreatedAll<LinkView>> {
    let (store, site) = (caller.store(), &caller.app().settings().public_url);
    let (answer, parts) = contend(|| async {
        let named = Named::read(store, &batch.access_links).await?;
        let (mut links, mut violations) = (Vec::new(), Violations::default());
        for (n, draft) in batch.access_links.iter().enumerate() {
            let (link, wrong) = named.link(&caller, draft)?;
            violations.nest(&format!("access_links[{n}]"), wrong);
            links.push(link);
        }
        violations.into_result(())?;
        let answer = CreatedAll(links.iter().map(|link| view(&caller, link)).collect());
        batch::decide(store, site, &links, answer).await
    })
    .await?;
    batch::make(store, parts).await?;
    Ok(answer)
}

/// What inputs name, as far as it is there.
struct Named {
    company: Stored<Company>,
    departments: BTreeMap<DepartmentId, Stored<Department>>,
    customers: BTreeMap<CustomerId, Stored<Customer>>,
}

impl Named {
    async fn read(store: &Store, drafts: &[Draft<LinkInput>]) -> Result<Self> {
        let departments: BTreeSet<_> = drafts.iter().map(|draft| draft.input.department_id).collect();
        let customers: BTreeSet<_> = drafts.iter().filter_map(|draft| draft.input.customer_id).collect();
        let company = Company::key(store.tenant(), ());
        let mut wanted: Vec<Key> = departments.iter().map(|id| Department::key(store.tenant(), *id)).collect();
        wanted.extend(customers.iter().map(|id| Customer::key(store.tenant(), *id)));
        wanted.push(company.clone());
        let mut found = store.db().items(&wanted).await?;
        let mut known = BTreeMap::new();
        for id in customers {
            let customer = matching::follow(store, found.item(&Customer::key(store.tenant(), id)).cloned()).await?;
            known.extend(customer.map(|customer| (id, customer)));
        }
        Ok(Self {
            company: found.take(&company)?.ok_or_else(|| Error::Internal("no company".into()))?,
            departments: found.take_all(store.tenant(), departments)?,
            customers: known,
        })
    }

    /// The link that an input asks for, and everything that is wrong with it.
    fn link(&self, caller: &Caller<Supervisor>, draft: &Draft<LinkInput>) -> Result<(AccessLink, Violations)> {
        let (now, Draft { input, violations }) = (caller.now(), draft);
        let mut violations = violations.clone();
        let department = self.departments.get(&input.department_id);
        if department.is_none() {
            violations.also("department_id", "does not exist");
        }
        let customer = input.customer_id.and_then(|id| self.customers.get(&id));
        if input.customer_id.is_some() && customer.is_none() {
            violations.add("customer_id", "does not exist");
        }
        let phone = input.customer_phone.as_deref().map(|phone| text::phone(phone, &self.company.input.country));
        let phone = phone.transpose().unwrap_or_else(|message| {
            violations.add("customer_phone", message);
            None
        });
        let expires_at = input.expiry(self.company.input.link_ttl_days, now).unwrap_or_else(|error| {
            violations.merge(error);
            now
        });
        let link = AccessLink {
            id: caller.store().mint()?,
            token: text::token(caller.app().chance())?,
            status: LinkStatus::Active,
            department_id: input.department_id,
            department_name: department.map(|department| department.input.name.clone()).unwrap_or_default(),
            customer_id: customer.map(|customer| customer.id),
            customer_name: input.customer_name.clone().or_else(|| Some(customer?.input.name.clone())),
            customer_email: input.customer_email.clone().or_else(|| customer?.input.email.clone()),
            customer_phone: phone.or_else(|| customer?.input.phone.clone()),
            expires_at,
            used_at: None,
            max_uses: input.max_uses,
            use_count: 0,
            inserted_at: now,
        };
        Ok((link, violations))
    }
}
