//! Logging in.

use axum::{Extension, extract::State};
use schemars::JsonSchema;
use shared::{
    Error, Result,
    api::Valid,
    app::App,
    auth::context::Context,
    ids::{Id, UserId},
    input::{Fields, Input, rules},
    models::{Company, User},
    storage::{Entity, entity},
    text,
};

use crate::{
    mfa::Ticket,
    session::{self, Opened, SignedIn},
};

/// Who wants to log in.
#[derive(Debug, JsonSchema)]
pub struct Login {
    /// The e-mail, in any case.
    #[schemars(length(max = 254))]
    email: String,
    /// The password.
    #[schemars(length(max = 1024))]
    password: String,
    /// The tenant's slug.
    #[schemars(length(max = 200))]
    tenant: String,
}

impl Input for Login {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            email: fields.required("email", rules::line(254)),
            password: fields.required("password", rules::secret),
            tenant: fields.required("tenant", rules::line(200)),
        }
    }
}

/// Opens a session, or asks for the second factor. A wrong tenant, e-mail or password and an inactive user are one and the same refusal, in the same
/// time.
pub async fn login(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    Valid(input): Valid<Login>,
) -> Result<Opened<200>> {
    let (keys, found) = tokio::try_join!(app.keys().signing(), find(&app, &input))?;
    context.admitted().await?;
    let hash = found.as_ref().and_then(|(user, _)| user.password_hash.as_deref());
    let right = app.passwords().verify(&input.password, hash).await?;
    let (user, company) =
        found.filter(|(user, _)| right && user.input.active).ok_or(Error::Unauthenticated("Invalid credentials"))?;
    if user.mfa_enabled() {
        return Ok(Opened::half(Ticket::of(app.auth_secret()?, &input.tenant, &user, app.clock().now())));
    }
    let store = app.store(&input.tenant).gated(context.gate());
    let session = session::begin(&store, app.chance(), &user, context.client())?;
    let answer = Opened::new(SignedIn::new(&app, &keys, &company, &user, &session)?);
    store.write().create(&session).commit(answer).await
}

async fn find(app: &App, input: &Login) -> Result<Option<(User, Company)>> {
    // What is no slug is no tenant; it must not reach a key.
    let tenant = if text::is_slug(&input.tenant) { input.tenant.as_str() } else { "-" };
    let email = if text::email(&input.email).is_ok() { input.email.as_str() } else { "-" };
    let guard = app.db().item(&User::by_email(tenant, email)).await?;
    // Nobody is looked up as well: the time must not tell.
    let id = guard.as_ref().and_then(|item| entity::text(item, "id")).and_then(UserId::from_key).unwrap_or_default();
    let keys = [User::key(tenant, id), Company::key(tenant, ())];
    let mut found = app.db().items(&keys).await?;
    Ok(found.take::<User>(&keys[0])?.zip(found.take::<Company>(&keys[1])?).map(|(user, company)| (user.value, company.value)))
}
