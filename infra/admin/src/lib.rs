//! What an operator does, on one machine or in the cloud.

mod export;

use std::sync::Arc;

use shared::{
    Error, Result,
    app::App,
    error::Violations,
    input::{self, rules},
    models::{Company, User, company::Plan, mail::Letter, user::UserInput},
    storage::{
        Gate, Key, Store, Stored,
        audit::{Actor, Author},
        contend,
    },
};

/// What can be asked.
pub const USAGE: &str = "admin tenant create <slug> <company> <manager's name> <manager's e-mail>
admin tenant plan <slug> <free|basic|advanced|professional|enterprise>
admin tenant export <slug> <file>
admin tenant delete <slug> for-good
admin keys rotate";

/// Does what is asked; answers what was done, in a sentence.
///
/// # Errors
/// What stands in the way; [`Error::Malformed`] with the usage when it is none of the commands.
pub async fn command(app: &App, arguments: &[&str]) -> Result<String> {
    match arguments {
        ["tenant", "create", slug, company, name, email] => create(app, slug, company, name, email).await,
        ["tenant", "plan", slug, plan] => change_plan(app, slug, plan).await,
        ["tenant", "export", slug, file] => {
            let rows = export::to_file(app, &living(app, slug).await?.slug, file.as_ref()).await?;
            Ok(format!("{rows} objects of the tenant {slug} are in {file}"))
        }
        ["tenant", "delete", slug, "for-good"] => delete(app, slug).await,
        ["keys", "rotate"] => {
            let (key, from) = app.keys().rotate().await?;
            Ok(format!("The key {} signs from {from} on", key.kid))
        }
        _ => Err(Error::Malformed(USAGE.into())),
    }
}

/// A tenant's objects; changes are the operator's in its audit trail.
fn store(app: &App, tenant: &str) -> Store {
    let actor = Actor { kind: "operator".into(), id: "admin".into() };
    let author = Author { actor, ip: None, request_id: String::new() };
    app.store(tenant).gated(Gate { author: Some(Arc::new(author)), ..Gate::default() })
}

/// Makes a tenant whose first manager is invited by mail.
async fn create(app: &App, slug: &str, company: &str, name: &str, email: &str) -> Result<String> {
    let mut violations = Violations::default();
    let slug = input::check("slug", slug, rules::slug(3)).map_err(|error| violations.merge(error)).unwrap_or_default();
    let company = input::check("company", company, rules::name).map_err(|error| violations.merge(error)).unwrap_or_default();
    let fields = serde_json::json!({ "name": name, "email": email, "role": "manager" });
    let manager = input::read::<UserInput>(fields.as_object().unwrap_or(&serde_json::Map::new()));
    let manager = manager.map_err(|error| violations.merge(error)).ok();
    let Some(manager) = violations.into_result(manager)? else { return Err(Error::Internal("no manager".into())) };
    let store = store(app, &slug);
    contend(|| async {
        let (now, plan) = (app.clock().now(), app.settings().default_plan);
        let company = Company::new(store.mint()?, company.clone(), slug.clone(), plan, now);
        let user = User::new(store.mint()?, manager.clone(), None, now);
        let invitation = Letter::Invitation { user_id: user.id };
        let write = company.founded(store.write(), &user).post(invitation, now);
        match write.commit(()).await {
            Err(Error::Conflict) if store.get::<Company>(()).await?.is_some() => {
                Err(Error::invalid("slug", "has already been taken"))
            }
            written => written,
        }
    })
    .await?;
    Ok(format!("The tenant {slug} is there; {email} is invited by mail"))
}

const UNKNOWN: Error = Error::NotFound("There is no such tenant");

/// The company of a tenant, deleted or not.
async fn company(app: &App, slug: &str) -> Result<Stored<Company>> {
    let slug = input::check("slug", slug, rules::slug(3))?;
    app.store(&slug).get::<Company>(()).await?.ok_or(UNKNOWN)
}

/// The company of a tenant that is not deleted.
async fn living(app: &App, slug: &str) -> Result<Stored<Company>> {
    Some(company(app, slug).await?).filter(|company| company.deleted_at.is_none()).ok_or(UNKNOWN)
}

/// Deletes what a tenant has; its slug stays taken. Doing it again removes what was written meanwhile.
async fn delete(app: &App, slug: &str) -> Result<String> {
    contend(|| async {
        let seen = company(app, slug).await?;
        app.store(&seen.slug).write().update(&seen, &seen.deleted(app.clock().now())).commit(()).await
    })
    .await?;
    let removed = app.db().wipe(slug, &Key::company(slug)).await?;
    Ok(format!("The tenant {slug} is deleted: {removed} items"))
}

/// Changes what a tenant pays for. What exceeds the new plan stays, and nothing is added to it.
async fn change_plan(app: &App, slug: &str, plan: &str) -> Result<String> {
    let plan: Plan = input::check("plan", plan, rules::word)?;
    contend(|| async {
        let seen = living(app, slug).await?;
        let store = store(app, &seen.slug);
        let changed = Company { plan, updated_at: app.clock().now(), ..seen.value.clone() };
        store.write().update(&seen, &changed).tally(&Key::usage(slug), |usage| plan.apply(usage)).commit(()).await
    })
    .await?;
    Ok(format!("The tenant {slug} has the plan {plan}"))
}
