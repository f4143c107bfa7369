//! The caller as an extractor: a handler says in its signature who may call, and cannot forget it.

use std::marker::PhantomData;

use axum::{
    extract::{FromRequestParts, MatchedPath},
    http::{Method, request::Parts},
};

use super::{context::Context, guess, token::Claims};
use crate::{
    app::App,
    clock::Time,
    crypto::keys::Keys,
    error::{Error, Result},
    ids::UserId,
    models::Role,
    storage::{Store, Write, cursor::CursorKey},
};

/// What a minimum role is, as a type.
pub trait Minimum: Send + Sync + 'static {
    /// The role; every role above it is admitted too.
    const ROLE: Role;
    /// Who has yet to set a second factor up is admitted.
    const MFA_PENDING: bool = false;
}

/// Everybody who works for the tenant, even with a second factor still to be set up.
#[derive(Debug)]
pub struct Oneself;
/// Everybody who works for the tenant.
#[derive(Debug)]
pub struct Attendant;
/// Supervisors and managers.
#[derive(Debug)]
pub struct Supervisor;
/// Managers.
#[derive(Debug)]
pub struct Manager;

impl Minimum for Oneself {
    const ROLE: Role = Role::Attendant;
    const MFA_PENDING: bool = true;
}
impl Minimum for Attendant {
    const ROLE: Role = Role::Attendant;
}
impl Minimum for Supervisor {
    const ROLE: Role = Role::Supervisor;
}
impl Minimum for Manager {
    const ROLE: Role = Role::Manager;
}

/// A user of at least this role. A request that changes something is let through while the session is still being
/// looked up; nothing is written, and nothing is answered, before it is known to stand.
#[derive(Debug)]
pub struct Caller<R> {
    /// What the access token says.
    pub claims: Claims,
    store: Store,
    keys: Keys,
    app: App,
    minimum: PhantomData<fn() -> R>,
}

impl<R> Caller<R> {
    /// The caller's tenant.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The caller's tenant by its slug.
    #[must_use]
    pub fn tenant(&self) -> &str {
        self.store.tenant()
    }

    /// A transaction in the caller's tenant.
    pub fn write(&self) -> Write<'_> {
        self.store.write()
    }

    /// The key that signs cursors.
    #[must_use]
    pub fn cursor(&self) -> &CursorKey {
        self.keys.cursor()
    }

    /// What every function is given.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Time {
        self.app.clock().now()
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.claims.sub
    }

    /// Counts a guess at the caller's own password or code; whoever stole a session shall not find them out.
    ///
    /// # Errors
    /// As [`guess`].
    pub async fn guess(&self) -> Result<()> {
        guess(&self.app, self.tenant(), self.user()).await
    }

    /// The caller has at least this role.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.claims.role >= role
    }
}

impl<R: Minimum> FromRequestParts<App> for Caller<R> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let context = parts.extensions.get::<Context>().ok_or_else(|| Error::Internal("no context".into()))?;
        let claims = context.claims()?.clone();
        if claims.role < R::ROLE {
            return Err(Error::Forbidden(format!("Requires the {} role", R::ROLE)));
        }
        let route = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
        claims.within(route, matches!(parts.method, Method::GET | Method::HEAD))?;
        if claims.mfa_pending && !R::MFA_PENDING {
            return Err(Error::Forbidden("The company requires multi-factor authentication; set it up first".into()));
        }
        context.admit(app);
        let store = app.store(&claims.tenant).gated(context.gate());
        Ok(Self { claims, store, keys: context.keys()?.clone(), app: app.clone(), minimum: PhantomData })
    }
}

/// A caller whose session was looked up first: for reads that hand out files.
#[derive(Debug)]
pub struct Admitted<R>(pub Caller<R>);

impl<R: Minimum> FromRequestParts<App> for Admitted<R> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let caller = Caller::from_request_parts(parts, app).await?;
        if let Some(context) = parts.extensions.get::<Context>() {
            context.look_up(app);
            context.admitted().await?;
        }
        Ok(Self(caller))
    }
}
