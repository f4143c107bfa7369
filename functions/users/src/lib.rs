//! `/users`: who works for the tenant.

use schemars::JsonSchema;
use shared::{
    Result,
    api::{Created, Filters, Paging, Query, Routes, Rows, Shown, Valid},
    auth::{Attendant, Caller, Manager},
    input::{Fields, Input, rules},
    models::{
        Role, User,
        user::{NewUser, UserView},
    },
};

/// The group's routes.
pub fn routes() -> Routes {
    Routes::of("Users", "Who works for the tenant.")
        .get("/api/v1/users/me", me, "getMe", "The caller")
        .get("/api/v1/users", list, "listUsers", "The tenant's users")
        .post("/api/v1/users", create, "createUser", "Makes a user with a first password")
}

/// The caller.
async fn me(caller: Caller<Attendant>) -> Result<Shown<UserView>> {
    let user = caller.store().find::<User>(caller.user()).await?;
    Ok(Shown(user.view(), user.version))
}

/// Which users.
#[derive(Debug, JsonSchema)]
struct Wanted {
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
async fn list(caller: Caller<Manager>, Query(wanted): Query<Wanted>) -> Result<Rows<UserView>> {
    let filters = Filters::none().with("role", wanted.role).with("active", wanted.active);
    wanted.paging.list(&caller, filters, |user| user.view()).await
}

/// Makes a user with a first password.
async fn create(caller: Caller<Manager>, Valid(input): Valid<NewUser>) -> Result<Created<UserView>> {
    let hash = caller.app().passwords().hash(&input.password).await?;
    let user = User::new(caller.store().mint()?, input.user, hash, caller.now());
    shared::storage::contend(|| caller.write().create(&user).commit(Created(user.view()))).await
}
