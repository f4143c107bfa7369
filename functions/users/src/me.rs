//! What everybody does to oneself.

use futures_util::FutureExt;
use schemars::JsonSchema;
use shared::{
    Error, Result,
    api::{IfMatch, Merge, NoContent, Shown, Valid},
    auth::{Attendant, Caller, Oneself},
    input::{self, Fields, Input, rules},
    models::{
        Session, User,
        user::{Profile, UserInput, UserView},
    },
    storage::contend,
};

use crate::mfa::oneself;

/// The caller.
pub async fn read(caller: Caller<Oneself>) -> Result<Shown<UserView>> {
    let user = caller.store().find::<User>(caller.user()).await?;
    Ok(Shown(user.view(), user.version))
}

/// Changes the caller's own profile.
pub async fn update(caller: Caller<Attendant>, matching: IfMatch, Merge(patch): Merge<Profile>) -> Result<Shown<UserView>> {
    contend(|| async {
        let seen = caller.store().find::<User>(caller.user()).await?;
        matching.check(&seen)?;
        let Profile { name, locale, avatar_url } = patch.onto(&seen.profile())?;
        let input = UserInput { name, locale, avatar_url, ..seen.input.clone() };
        let changed = User { input, updated_at: caller.now(), ..seen.value.clone() };
        caller.write().update(&seen, &changed).commit(Shown(changed.view(), seen.version + 1)).await
    })
    .await
}

/// The present password and the next.
#[derive(Debug, JsonSchema)]
pub struct Passwords {
    /// The present one.
    #[schemars(length(max = 1024))]
    current_password: String,
    /// The next one: not the e-mail, not a common one.
    #[schemars(length(min = 10, max = 128))]
    password: String,
}

impl Input for Passwords {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            current_password: fields.required("current_password", rules::secret),
            password: fields.required("password", rules::password("")),
        }
    }
}

/// Changes the caller's password. Every other session ends.
pub async fn password(caller: Caller<Attendant>, Valid(wanted): Valid<Passwords>) -> Result<NoContent> {
    let passwords = caller.app().passwords();
    let guess = caller.guess().shared();
    contend(|| async {
        let ((seen, session), ()) = tokio::try_join!(oneself(&caller), guess.clone())?;
        input::check("password", &wanted.password, rules::password(&seen.input.email))?;
        if !passwords.verify(&wanted.current_password, seen.password_hash.as_deref()).await? {
            return Err(Error::invalid("current_password", "is not right"));
        }
        let changed = seen.with_password(passwords.hash(&wanted.password).await?, caller.now());
        let kept = Session { epoch: changed.epoch, ..session.value.clone() };
        caller.write().update(&seen, &changed).update(&session, &kept).commit(NoContent).await
    })
    .await
}
