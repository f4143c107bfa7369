//! Another password for who has forgotten the last, or never had one.

use axum::{Extension, extract::State};
use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    Error, Result,
    api::{Done, Valid},
    app::App,
    auth::context::Context,
    clock::Time,
    ids::{Id, MailId},
    input::{self, Fields, Input, rules},
    mail,
    models::{
        Mail, User,
        mail::{Letter, Pass},
    },
    storage::{Entity, Stored, contend, entity},
    text,
};

/// What was done, in a sentence.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Said {
    /// The sentence.
    message: &'static str,
}

impl Said {
    fn done(message: &'static str) -> Done<Self> {
        Done(Self { message })
    }
}

/// Whose password was forgotten.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "ForgotPassword")]
pub struct Forgot {
    /// The e-mail, in any case.
    #[schemars(length(max = 254))]
    email: String,
    /// The tenant's slug.
    #[schemars(length(max = 200))]
    tenant: String,
}

impl Input for Forgot {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { email: fields.required("email", rules::line(254)), tenant: fields.required("tenant", rules::line(200)) }
    }
}

/// Sends a link by mail if there is such an account. Whether there is, neither the answer tells nor its time: nobody is looked
/// up before the mail is sent.
pub async fn forgot(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    Valid(input): Valid<Forgot>,
) -> Result<Done<Said>> {
    // What is no slug or no e-mail is nobody's; it must not reach a key.
    if text::is_slug(&input.tenant)
        && let Ok(email) = text::email(&input.email)
    {
        context.admitted().await?;
        let now = app.clock().now();
        let minute = Time::from_epoch(now.epoch() / 60 * 60);
        let like = MailId::of(minute.epoch() * 1000, [0; 10]).uuid();
        // One mail a minute, however often and from wherever it is asked for.
        let id = MailId::derived(like, &[input.tenant.as_bytes(), text::caseless(&email).as_bytes()]);
        app.store(&input.tenant).insert(&Mail::new(id, Letter::PasswordReset { email }, now)).await?;
    }
    Ok(Said::done("If there is such an account, a mail is on its way"))
}

/// A link's token and the next password.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "ResetPassword")]
pub struct Reset {
    /// What the mail's link bears.
    #[schemars(length(max = 200))]
    token: String,
    /// The next password: not the e-mail, not a common one.
    #[schemars(length(min = 10, max = 128))]
    password: String,
}

impl Input for Reset {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { token: fields.required("token", rules::line(200)), password: fields.required("password", rules::password("")) }
    }
}

/// Sets a password by a mail's link, once. Every session of the user ends.
pub async fn reset(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    Valid(input): Valid<Reset>,
) -> Result<Done<Said>> {
    let refused = || Error::invalid("token", "is invalid or has expired");
    let digest = mail::digest(&input.token);
    contend(|| async {
        let item = app.db().item(&Pass::key("", digest)).await?.ok_or_else(refused)?;
        let pass: Stored<Pass> = entity::from_item(item)?;
        let store = app.store(&pass.tenant).gated(context.gate());
        let user: Stored<User> = store.get(pass.user_id).await?.ok_or_else(refused)?;
        let now = app.clock().now();
        if pass.expires_at <= now || pass.epoch != user.epoch || !user.input.active {
            return Err(refused());
        }
        input::check("password", &input.password, rules::password(&user.input.email))?;
        context.admitted().await?;
        let hash = app.passwords().hash(&input.password).await?;
        let changed = user.with_password(hash, now);
        store.write().update(&user, &changed).delete(&pass).commit(()).await
    })
    .await?;
    Ok(Said::done("The password has been changed"))
}
