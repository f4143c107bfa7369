//! The second factor: set up, enabled by its first code, disabled.

use futures_util::FutureExt;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use shared::{
    Error, Result,
    api::{NoContent, Path, Told, Valid, answer::Masked},
    auth::{Attendant, Caller, Manager, Oneself},
    crypto::totp::Seed,
    ids::UserId,
    input::{Fields, Input, rules},
    models::{Mfa, Session, User, mfa::recovery_codes},
    storage::{Entity, Stored, contend},
    text,
};

/// What goes into an authenticator.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MfaSetup")]
pub struct Setup {
    /// The seed, base32.
    secret: String,
    /// The same as authenticators read it.
    otpauth_url: String,
    /// The same as a picture to point a camera at, SVG.
    qr_svg: String,
}

impl Masked for Setup {
    fn masked(&self) -> Value {
        json!({ "secret": "••••", "otpauth_url": "••••", "qr_svg": "••••" })
    }
}

/// Makes a seed; the one before, not enabled yet, is forgotten.
pub async fn setup(caller: Caller<Oneself>) -> Result<Told<Setup>> {
    let vault = caller.app().vault()?;
    let fresh = Seed::new(caller.app().chance().draw()?);
    contend(|| async {
        let seen = caller.store().find::<User>(caller.user()).await?;
        if seen.mfa_enabled() {
            return Err(Error::Refused("Multi-factor authentication is enabled; disable it first".into()));
        }
        let mfa = Some(Mfa::begin(caller.tenant(), &seen, &fresh, &vault)?);
        let answer = Told(shown(&fresh, caller.tenant(), &seen)?);
        caller.write().update(&seen, &User { mfa, ..seen.value.clone() }).commit(answer).await
    })
    .await
}

/// The seed as a URL (the Key URI format of Google Authenticator) and as a picture of it.
fn shown(seed: &Seed, tenant: &str, user: &User) -> Result<Setup> {
    let secret = seed.text();
    let label: String = url::form_urlencoded::byte_serialize(user.input.email.as_bytes()).collect();
    let otpauth_url = format!("otpauth://totp/Voki%20{tenant}:{label}?secret={secret}&issuer=Voki%20{tenant}");
    let qr_svg = text::qr_svg(&otpauth_url)?;
    Ok(Setup { secret, otpauth_url, qr_svg })
}

/// A code of the authenticator.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "MfaCode")]
pub struct Code {
    /// Six digits.
    #[schemars(length(max = 40))]
    code: String,
}

impl Input for Code {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { code: fields.required("code", rules::line(40)) }
    }
}

/// Recovery codes, each good for one login without the authenticator.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RecoveryCodes")]
pub struct Codes {
    /// Ten of them.
    recovery_codes: Vec<String>,
}

impl Masked for Codes {
    fn masked(&self) -> Value {
        json!({ "recovery_codes": vec!["••••"; self.recovery_codes.len()] })
    }
}

/// Enables the second factor by its first code. Every other session ends.
pub async fn enable(caller: Caller<Oneself>, Valid(input): Valid<Code>) -> Result<Told<Codes>> {
    let vault = caller.app().vault()?;
    let codes = recovery_codes(caller.app().chance())?;
    let guess = caller.guess().shared();
    contend(|| async {
        let ((seen, session), ()) = tokio::try_join!(oneself(&caller), guess.clone())?;
        let begun = seen.mfa.as_ref().filter(|mfa| !mfa.enabled);
        let begun = begun.ok_or_else(|| Error::Refused("There is no setup of multi-factor authentication to enable".into()))?;
        let enabled = begun.enable(caller.tenant(), &seen, &input.code, &codes, &vault, caller.now())?;
        let mfa = Some(enabled.ok_or_else(|| Error::invalid("code", "is not right"))?);
        let answer = Told(Codes { recovery_codes: codes.clone() });
        commit(&caller, &seen, &session, mfa, answer).await
    })
    .await
}

/// Who wants to be without it.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "MfaDisable")]
pub struct Disable {
    /// The user's password.
    #[schemars(length(max = 1024))]
    password: String,
    /// Six digits of the authenticator, or a recovery code.
    #[schemars(length(max = 40))]
    code: String,
}

impl Input for Disable {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { password: fields.required("password", rules::secret), code: fields.required("code", rules::line(40)) }
    }
}

/// Takes the second factor away, for who has password and code. Every other session ends.
pub async fn disable(caller: Caller<Attendant>, Valid(input): Valid<Disable>) -> Result<NoContent> {
    let vault = caller.app().vault()?;
    let guess = caller.guess().shared();
    contend(|| async {
        let ((seen, session), ()) = tokio::try_join!(oneself(&caller), guess.clone())?;
        let enabled = seen.mfa.as_ref().filter(|mfa| mfa.enabled);
        let enabled = enabled.ok_or_else(|| Error::Refused("Multi-factor authentication is not enabled".into()))?;
        if !caller.app().passwords().verify(&input.password, seen.password_hash.as_deref()).await? {
            return Err(Error::invalid("password", "is not right"));
        }
        if enabled.used(caller.tenant(), &seen, &input.code, &vault, caller.now())?.is_none() {
            return Err(Error::invalid("code", "is not right"));
        }
        commit(&caller, &seen, &session, None, NoContent).await
    })
    .await
}

/// Takes the second factor of somebody away who has lost it. All their sessions end.
pub async fn reset(caller: Caller<Manager>, Path(id): Path<UserId>) -> Result<NoContent> {
    caller.claims.in_person()?;
    if id == caller.user() {
        return Err(Error::Refused("Your own is taken away at /api/v1/users/me/mfa".into()));
    }
    contend(|| async {
        let seen = caller.store().find::<User>(id).await?;
        if seen.mfa.is_none() {
            return Ok(NoContent);
        }
        let changed = User { mfa: None, epoch: seen.epoch + 1, updated_at: caller.now(), ..seen.value.clone() };
        caller.write().update(&seen, &changed).commit(NoContent).await
    })
    .await
}

/// The caller and the caller's session, which stands: one that has ended meanwhile is not begun anew by what its user writes.
pub(crate) async fn oneself<R>(caller: &Caller<R>) -> Result<(Stored<User>, Stored<Session>)> {
    let store = caller.store();
    let keys = [User::key(store.tenant(), caller.user()), Session::key(store.tenant(), (caller.user(), caller.claims.sid))];
    let mut found = store.db().items(&keys).await?;
    match (found.take::<User>(&keys[0])?, found.take::<Session>(&keys[1])?) {
        (Some(user), Some(session)) if session.stands(&user, caller.now()) => Ok((user, session)),
        _ => Err(Error::Unauthenticated("Session has ended")),
    }
}

/// Writes another second factor; the caller's session alone goes on.
async fn commit<R, A: shared::storage::write::Answer>(
    caller: &Caller<R>,
    seen: &Stored<User>,
    session: &Stored<Session>,
    mfa: Option<Mfa>,
    answer: A,
) -> Result<A> {
    let changed = User { mfa, epoch: seen.epoch + 1, updated_at: caller.now(), ..seen.value.clone() };
    let kept = Session { epoch: changed.epoch, ..session.value.clone() };
    caller.write().update(seen, &changed).update(session, &kept).commit(answer).await
}
