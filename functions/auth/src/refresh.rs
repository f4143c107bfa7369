//! Refreshing and ending a session.

use axum::{Extension, extract::State};
use schemars::JsonSchema;
use shared::{
    Error, Result,
    api::{NoContent, Valid},
    app::App,
    auth::{Caller, Oneself, context::Context, token::Refresh},
    input::{Fields, Input, rules},
    models::{Company, Session, User, session},
    storage::{Entity, Stored, contend},
};

use crate::session::{Opened, SignedIn};

/// A refresh token.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Refresh")]
pub struct RefreshInput {
    /// The latest one of the session.
    #[schemars(length(max = 1000))]
    refresh_token: String,
}

impl Input for RefreshInput {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { refresh_token: fields.required("refresh_token", rules::line(1000)) }
    }
}

const REFUSED: Error = Error::Unauthenticated("Invalid refresh token");

/// Gives a new pair. The token just replaced gives the same successor for 30 seconds; an older one ends the session.
pub async fn refresh(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    Valid(input): Valid<RefreshInput>,
) -> Result<Opened<200>> {
    let token = Refresh::parse(&input.refresh_token).ok_or(REFUSED)?;
    let store = app.store(&token.tenant).gated(context.gate());
    let secret = app.auth_secret()?;
    let keys = app.keys().signing().await?;
    contend(|| async {
        let places = [
            Session::key(&token.tenant, (token.user, token.session)),
            User::key(&token.tenant, token.user),
            Company::key(&token.tenant, ()),
        ];
        let mut found = app.db().items(&places).await?;
        let company = found.take::<Company>(&places[2])?.ok_or(REFUSED)?;
        let seen = found.take::<Session>(&places[0])?.filter(|session| token.proves(secret, session)).ok_or(REFUSED)?;
        let now = app.clock().now();
        let user = found.take::<User>(&places[1])?.filter(|user| seen.stands(user, now)).ok_or(REFUSED)?;
        let answer = |session: &Session| SignedIn::new(&app, &keys, &company, &user, session).map(Opened::new);
        match seen.refresh(token.generation, now) {
            session::Refresh::Rotate => {
                let rotated = seen.rotated(now);
                let answer = answer(&rotated)?;
                store.write().update(&seen, &rotated).commit(answer).await
            }
            session::Refresh::Repeat => answer(&seen),
            session::Refresh::Revoke => {
                store.write().delete(&seen).commit(()).await?;
                Err(REFUSED)
            }
            session::Refresh::Lapsed => Err(REFUSED),
        }
    })
    .await
}

/// Ends the caller's session: its refresh tokens die at once.
pub async fn logout(caller: Caller<Oneself>) -> Result<NoContent> {
    contend(|| async {
        let id = (caller.user(), caller.claims.sid);
        let seen: Option<Stored<Session>> = caller.store().get(id).await?;
        match seen {
            Some(session) => caller.write().delete(&session).commit(NoContent).await,
            None => Ok(NoContent),
        }
    })
    .await
}
