//! The tenant's users, as managers run them.

use schemars::JsonSchema;
use shared::{
    Error, Result,
    api::{Created, Filters, IfMatch, Merge, Paging, Path, Query, Rows, Shown, Valid},
    auth::{Caller, Manager},
    ids::UserId,
    input::{Fields, Input, rules},
    models::{
        Role, User,
        mail::Letter,
        user::{NewUser, UserView},
    },
    release,
    storage::contend,
};

/// Which users.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    #[schemars(flatten)]
    paging: Paging<User>,
    /// Of this role.
    role: Option<Role>,
    /// Who may, or may not, log in.
    active: Option<bool>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            paging: Paging::read(fields, false),
            role: fields.optional("role", rules::word),
            active: fields.optional("active", rules::boolean),
        }
    }
}

/// The tenant's users.
pub async fn list(caller: Caller<Manager>, Query(wanted): Query<Wanted>) -> Result<Rows<UserView>> {
    let filters = Filters::none().with("role", wanted.role).with("active", wanted.active);
    wanted.paging.list(&caller, filters, |user| user.view()).await
}

/// One user.
pub async fn read(caller: Caller<Manager>, Path(id): Path<UserId>) -> Result<Shown<UserView>> {
    let user = caller.store().find::<User>(id).await?;
    Ok(Shown(user.view(), user.version))
}

/// Makes a user. One without a password is invited by mail to choose it.
pub async fn create(caller: Caller<Manager>, Valid(input): Valid<NewUser>) -> Result<Created<UserView>> {
    if input.password.is_some() || input.user.role == Role::Manager {
        caller.claims.in_person()?;
    }
    let hash = hash(&caller, input.password.as_deref()).await?;
    let user = User::new(caller.store().mint()?, input.user, hash, caller.now());
    contend(|| {
        let write = caller.write().create(&user);
        let write = match user.password_hash {
            Some(_) => write,
            None => write.post(Letter::Invitation { user_id: user.id }, user.inserted_at),
        };
        write.commit(Created(user.view()))
    })
    .await
}

/// Changes a user. Whoever is deactivated or gets another password is logged out everywhere; calls that wait for who is
/// deactivated go back to the queue.
pub async fn update(
    caller: Caller<Manager>,
    Path(id): Path<UserId>,
    matching: IfMatch,
    Merge(patch): Merge<NewUser>,
) -> Result<Shown<UserView>> {
    let store = caller.store();
    let (left, shown) = contend(|| async {
        let seen = store.find::<User>(id).await?;
        matching.check(&seen)?;
        let NewUser { user: input, password } = patch.onto(&NewUser { user: seen.input.clone(), password: None })?;
        // A link that chooses a password goes to the e-mail.
        let becoming = password.is_some() || input.email != seen.input.email;
        if becoming || [input.role, seen.input.role].contains(&Role::Manager) {
            caller.claims.in_person()?;
        }
        if password.is_some() && id == caller.user() {
            return Err(Error::invalid("password", "is your own: change it at /api/v1/users/me/password"));
        }
        let now = caller.now();
        let mut changed = User { input, updated_at: now, ..seen.value.clone() };
        if let Some(hash) = hash(&caller, password.as_deref()).await? {
            changed = changed.with_password(hash, now);
        }
        let left = seen.input.active && !changed.input.active;
        if left {
            changed = User { epoch: changed.epoch + 1, releases_at: Some(release::due(now)), ..changed };
        }
        let shown = caller.write().update(&seen, &changed).commit(Shown(changed.view(), seen.version + 1)).await?;
        Ok((left, shown))
    })
    .await?;
    // What fails here the schedule does.
    if left && let Err(error) = release::release(store, id).await {
        tracing::error!(%error, "calls of a deactivated user");
    }
    Ok(shown)
}

async fn hash(caller: &Caller<Manager>, password: Option<&str>) -> Result<Option<String>> {
    match password {
        Some(password) => caller.app().passwords().hash(password).await.map(Some),
        None => Ok(None),
    }
}
