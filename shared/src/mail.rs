//! Sending mails: who they are for, what they say, and what becomes of them.

mod letters;

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::{
    app::App,
    clock::{Time, days},
    error::Result,
    ids::{Id, UserId},
    models::{
        Appointment, Company, Mail, User,
        mail::{Letter, Pass},
    },
    remind::with_whom,
    storage::{
        Entity, Store, Stored, entity,
        list::{Query, Start},
    },
    text,
};

use letters::{Reader, written};

/// How long a link of an invitation is good.
pub const INVITATION: Duration = days(7);
/// How long a link for another password is good.
pub const RESET: Duration = Duration::from_secs(3600);
/// Managers who are told of something.
const TOLD: usize = 50;

/// The digest under which a link's token is known.
#[must_use]
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Sends a mail and writes that it was; nothing when it was sent or given up before, or another is at it. What SES does not
/// take is tried again later; so is what a crash interrupts, which may send it twice. Answers whether there was something to
/// do.
///
/// # Errors
/// [`crate::Error::Internal`] when the table does not answer.
pub async fn send(app: &App, tenant: &str, mail: &Stored<Mail>) -> Result<bool> {
    let store = app.store(tenant);
    let now = app.clock().now();
    if mail.due_at.is_none() {
        return Ok(false);
    }
    let Some(held) = store.supersede(mail, &mail.held(now)).await? else { return Ok(false) };
    match post(app, &store, &held, now).await {
        Ok(()) => drop(store.supersede(&held, &held.done()).await?),
        Err(error) => tracing::error!(tenant, mail = %mail.id, %error, "mail not sent"),
    }
    Ok(true)
}

/// Sends a mail, if there still is somebody to send it to.
async fn post(app: &App, store: &Store, mail: &Mail, now: Time) -> Result<()> {
    match &mail.letter {
        Letter::Invitation { user_id } => pass(app, store, mail, Some(*user_id), ("invitation", INVITATION), now).await,
        Letter::PasswordReset { email } => {
            let guard = app.db().item(&User::by_email(store.tenant(), email)).await?;
            let id = guard.as_ref().and_then(|item| entity::text(item, "id")).and_then(UserId::from_key);
            pass(app, store, mail, id, ("reset-password", RESET), now).await
        }
        Letter::Reminder { appointment_id, scheduled_at } => {
            let (seen, company) = tokio::try_join!(store.get::<Appointment>(*appointment_id), store.get::<Company>(()))?;
            let ahead =
                |seen: &Stored<Appointment>| seen.status.is_open() && seen.scheduled_at == *scheduled_at && now < *scheduled_at;
            let Some((seen, company)) = seen.filter(ahead).zip(company) else { return Ok(()) };
            let (appointment, Some(email)) = with_whom(store, &seen).await? else { return Ok(()) };
            let name = appointment.customer_name.as_deref().unwrap_or_default();
            let reader = Reader { name, email: &email, locale: company.locale() };
            let when = letters::moment(appointment.scheduled_at, company.zone(), reader.locale);
            let facts = [&appointment.title, &when, &appointment.user_name, &appointment.department_name].map(String::as_str);
            app.mailer().send(vec![email.clone()], written(&mail.letter, &company.input.name, reader, &facts)).await
        }
        Letter::WebhookDisabled { url, reason, .. } => {
            let (company, managers) = tokio::try_join!(store.get::<Company>(()), managers(store))?;
            let Some((company, first)) = company.zip(managers.first()) else { return Ok(()) };
            let text = written(&mail.letter, &company.input.name, (&first.input).into(), &[url, reason]);
            app.mailer().send(managers.iter().map(|user| user.input.email.clone()).collect(), text).await
        }
    }
}

/// Sends a user a link to a page where a password is chosen, which is good for a while.
async fn pass(
    app: &App,
    store: &Store,
    mail: &Mail,
    user: Option<UserId>,
    (page, life): (&str, Duration),
    now: Time,
) -> Result<()> {
    let expires_at = mail.inserted_at + life;
    let Some(id) = user.filter(|_| now < expires_at) else { return Ok(()) };
    let keys = [User::key(store.tenant(), id), Company::key(store.tenant(), ())];
    let mut found = app.db().items(&keys).await?;
    let found = found.take::<User>(&keys[0])?.zip(found.take::<Company>(&keys[1])?);
    let Some((user, company)) = found.filter(|(user, _)| user.input.active) else { return Ok(()) };
    let token = text::token(app.chance())?;
    let tenant = store.tenant().to_owned();
    store.insert(&Pass { digest: digest(&token), tenant, user_id: id, epoch: user.epoch, expires_at }).await?;
    let link = format!("{}/{page}?token={token}", app.settings().public_url);
    let text = written(&mail.letter, &company.input.name, (&user.input).into(), &[&link]);
    app.mailer().send(vec![user.input.email.clone()], text).await
}

/// The active managers.
async fn managers(store: &Store) -> Result<Vec<Stored<User>>> {
    let query = Query {
        filters: vec![("role", "manager".to_owned()), ("active", "true".to_owned())],
        search: None,
        sort: "name",
        descending: false,
        range: None,
        ranged: None,
        start: Start::Skip(0),
        size: TOLD,
    };
    Ok(store.rows::<User>(&query).await?.0)
}
