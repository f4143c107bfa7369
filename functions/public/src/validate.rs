//! Looking at an access link without using it.

use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    Result,
    api::{Done, Segment},
    app::App,
    models::{AccessLink, Company, Department, access_link::LinkStatus, department::Desk},
    storage::{Entity, Key, Stored},
    waiting,
};

use crate::{Lead, NO_LINK, follow};

/// What a link leads to.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Destination")]
pub struct Valid {
    valid: bool,
    department_name: String,
    company_name: String,
    company_logo_url: Option<String>,
    primary_color: Option<String>,
    /// Calls that wait.
    queue_size: u64,
    /// Seconds until a new call is likely served.
    estimated_wait_time: u64,
    /// Agents on line.
    online_agents: u64,
}

/// Says where a link leads. Never consumes: mail scanners follow links.
pub async fn validate(State(app): State<App>, Segment(token): Segment) -> Result<Done<Valid>> {
    let Lead { store, link, department } = follow(&app, &token).await?;
    let (tenant, now) = (store.tenant(), app.clock().now());
    let keys = [
        AccessLink::key(tenant, link),
        Department::key(tenant, department),
        Company::key(tenant, ()),
        Key::desk(tenant, department),
    ];
    let (mut found, queue_size) = tokio::try_join!(store.db().items(&keys), waiting::length(&store, department, now))?;
    let link: Stored<AccessLink> = found.take(&keys[0])?.ok_or(NO_LINK)?;
    if link.at(now).status != LinkStatus::Active {
        return Err(NO_LINK);
    }
    let department: Stored<Department> = found.take(&keys[1])?.ok_or(NO_LINK)?;
    let company: Stored<Company> = found.take(&keys[2])?.ok_or(NO_LINK)?;
    Ok(Done(Valid {
        valid: true,
        department_name: department.input.name.clone(),
        company_name: company.input.name.clone(),
        company_logo_url: company.input.logo_url.clone(),
        primary_color: company.input.primary_color.clone(),
        queue_size,
        estimated_wait_time: Desk::of(found.item(&keys[3])).estimate(queue_size, department.user_count),
        online_agents: 0,
    }))
}
