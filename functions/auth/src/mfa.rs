//! The second step of logging in.

use axum::{Extension, extract::State};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::FutureExt;
use hmac::Mac;
use schemars::JsonSchema;
use shared::{
    Error, Result,
    api::Valid,
    app::App,
    auth::{context::Context, guess},
    clock::Time,
    crypto::secret::Secret,
    ids::{Id, UserId},
    input::{Fields, Input, rules},
    models::{Company, User},
    storage::{Entity, Stored, contend},
    text,
};

use crate::session::{self, Opened, SignedIn};

/// Seconds between the password and the code.
const LIFE: u64 = 300;
const REFUSED: Error = Error::Unauthenticated("Invalid code");

/// What was given for the right password: `slug.user.expiry.proof`. It dies with the user's sessions.
pub struct Ticket {
    tenant: String,
    user: UserId,
    expires_at: Time,
    proof: Vec<u8>,
}

impl Ticket {
    /// A new one.
    pub fn of(secret: &Secret, tenant: &str, user: &User, now: Time) -> String {
        let text = format!("{tenant}.{}.{}", user.id.key(), (now + std::time::Duration::from_secs(LIFE)).key());
        let proof = mac(secret, &text, user).finalize().into_bytes();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(proof))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let ticket = Self {
            tenant: parts.next().filter(|slug| text::is_slug(slug))?.to_owned(),
            user: UserId::from_key(parts.next()?)?,
            expires_at: Time::from_epoch(parts.next().filter(|text| text.len() == 10)?.parse().ok()?),
            proof: URL_SAFE_NO_PAD.decode(parts.next()?).ok()?,
        };
        parts.next().is_none().then_some(ticket)
    }

    fn proves(&self, secret: &Secret, user: &User) -> bool {
        let text = format!("{}.{}.{}", self.tenant, self.user.key(), self.expires_at.key());
        mac(secret, &text, user).verify_slice(&self.proof).is_ok()
    }
}

fn mac(secret: &Secret, text: &str, user: &User) -> hmac::Hmac<sha2::Sha256> {
    secret.derive("mfa").mac(&[text.as_bytes(), &user.epoch.to_be_bytes()])
}

/// A code for the second step.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "MfaVerify")]
pub struct Verify {
    /// What logging in answered.
    #[schemars(length(max = 1000))]
    mfa_token: String,
    /// Six digits of the authenticator, or a recovery code.
    #[schemars(length(max = 40))]
    code: String,
}

impl Input for Verify {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { mfa_token: fields.required("mfa_token", rules::line(1000)), code: fields.required("code", rules::line(40)) }
    }
}

/// Opens a session for a code of the authenticator or a recovery code, each good once.
pub async fn verify(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    Valid(input): Valid<Verify>,
) -> Result<Opened<200>> {
    let ticket = Ticket::parse(&input.mfa_token).ok_or(REFUSED)?;
    let tenant = ticket.tenant.as_str();
    let store = app.store(tenant).gated(context.gate());
    let (secret, vault) = (app.auth_secret()?, app.vault()?);
    let keys = [User::key(tenant, ticket.user), Company::key(tenant, ())];
    let guess = guess(&app, tenant, ticket.user).shared();
    contend(|| async {
        let (signing, mut found) = tokio::try_join!(app.keys().signing(), app.db().items(&keys))?;
        let now = app.clock().now();
        let user: Stored<User> = found.take(&keys[0])?.ok_or(REFUSED)?;
        let company: Stored<Company> = found.take(&keys[1])?.ok_or(REFUSED)?;
        let stands = now < ticket.expires_at && ticket.proves(secret, &user) && user.input.active;
        let enabled = user.mfa.as_ref().filter(|mfa| stands && mfa.enabled).ok_or(REFUSED)?;
        guess.clone().await?;
        let spent = enabled.used(tenant, &user, &input.code, &vault, now)?.ok_or(REFUSED)?;
        let changed = User { mfa: Some(spent), ..user.value.clone() };
        let session = session::begin(&store, app.chance(), &changed, context.client())?;
        let answer = Opened::new(SignedIn::new(&app, &signing, &company, &changed, &session)?);
        store.write().update(&user, &changed).create(&session).commit(answer).await
    })
    .await
}
