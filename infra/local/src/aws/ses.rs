//! SES, as a mailbox that keeps every mail and sends none.
//!
//! It speaks the one call that the product makes, `SendEmail` of the v2 API with simple content, and refuses what the SES
//! reference says is refused; identities, configuration sets and signatures are not checked. A mail is on the disk before
//! it is answered, one line of `mails.jsonl` per recipient, so that a kill loses none.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::clock::{Clock, Time};
use shared::{chance::Chance, text};

use super::{Server, StartError, Stop, listen};

/// Serves the mailbox in `folder`, or one in memory; its mails bear the time of `clock`.
#[expect(clippy::disallowed_methods, reason = "no part of the API")]
pub(super) async fn start(folder: Option<&Path>, clock: Clock, stop: Stop) -> Result<(Server, Arc<Mailbox>), StartError> {
    let mailbox = Arc::new(Mailbox::open(folder, clock)?);
    let router = Router::new().route("/v2/email/outbound-emails", post(send)).layer(DefaultBodyLimit::disable());
    Ok((Server::spawn(listen("SES").await?, router.with_state(Arc::clone(&mailbox)), stop), mailbox))
}

async fn send(State(mailbox): State<Arc<Mailbox>>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let unreadable = |error: serde_json::Error| Refusal(StatusCode::BAD_REQUEST, "SerializationException", error.to_string());
    let mails = serde_json::from_slice::<Request>(&body).map_err(unreadable)?.mails()?;
    // Off the runtime's threads, as the disk blocks; and to its end, even if the caller goes away.
    let kept = tokio::task::spawn_blocking(move || mailbox.keep(mails)).await.unwrap_or_else(|error| Err(error.into()));
    let unkept = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "a mail could not be kept");
        Refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", "The mail could not be kept.".to_owned())
    };
    kept.map_err(|error| unkept(&error))?;
    let id = Chance::default().draw::<16>().map_err(|error| unkept(&error))?;
    Ok(Json(json!({ "MessageId": format!("{}-000000", text::hex(&id)) })))
}

/// A mail as one recipient got it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Mail {
    /// The recipient's address, without a name.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The body as plain text.
    pub text: Option<String>,
    /// The body as HTML.
    pub html: Option<String>,
    /// When it was sent, by the stack's clock.
    pub inserted_at: Time,
}

/// The mails that were sent.
#[derive(Debug)]
pub struct Mailbox {
    clock: Clock,
    mails: RwLock<Vec<Mail>>,
    /// None in memory; locked for a whole write, which gives the mails their order.
    file: Mutex<Option<File>>,
}

impl Mailbox {
    fn open(folder: Option<&Path>, clock: Clock) -> Result<Self, StartError> {
        let mut mails = Vec::new();
        let mut file = None;
        if let Some(path) = folder.map(|folder| folder.join("mails.jsonl")) {
            file = Some(read(&path, &mut mails).map_err(|source| StartError::Folder { path, source })?);
        }
        Ok(Self { clock, mails: RwLock::new(mails), file: Mutex::new(file) })
    }

    /// The mails, newest first.
    #[must_use]
    pub fn newest_first(&self) -> Vec<Mail> {
        self.mails.read().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }

    fn keep(&self, mut mails: Vec<Mail>) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        for mail in &mut mails {
            mail.inserted_at = now;
        }
        if let Some(file) = &mut *file {
            append(file, &mails)?;
        }
        self.mails.write().unwrap_or_else(PoisonError::into_inner).extend(mails);
        Ok(())
    }
}

/// Opens the file and reads its mails; what a kill left of a last line goes, as nobody was told that it is there.
fn read(path: &Path, mails: &mut Vec<Mail>) -> io::Result<File> {
    let mut file = File::options().read(true).append(true).create(true).open(path)?;
    let mut lines = Vec::new();
    file.read_to_end(&mut lines)?;
    lines.truncate(lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
    for mail in serde_json::Deserializer::from_slice(&lines).into_iter() {
        mails.push(mail?);
    }
    file.set_len(lines.len() as u64)?;
    Ok(file)
}

/// Writes mails to the disk: all, or none where that fails.
fn append(file: &mut File, mails: &[Mail]) -> io::Result<()> {
    let length = file.metadata()?.len();
    let mut lines = Vec::new();
    for mail in mails {
        serde_json::to_writer(&mut lines, mail)?;
        lines.push(b'\n');
    }
    let written = file.write_all(&lines).and_then(|()| file.sync_data());
    written.or_else(|error| file.set_len(length).and(Err(error)))
}

/// What `SendEmail` is asked; tags and settings are of no matter here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    from_email_address: Option<String>,
    #[serde(default)]
    destination: Destination,
    #[serde(default)]
    reply_to_addresses: Vec<String>,
    #[serde(default)]
    content: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Destination {
    to_addresses: Vec<String>,
    cc_addresses: Vec<String>,
    bcc_addresses: Vec<String>,
}

impl Request {
    /// The mail asked for, once per recipient and not yet sent.
    fn mails(self) -> Result<Vec<Mail>, Refusal> {
        let missing = |what: &str| Refusal::bad(format!("Missing required parameter {what}."));
        let Destination { to_addresses: to, cc_addresses: cc, bcc_addresses: bcc } = self.destination;
        address(&self.from_email_address.ok_or_else(|| missing("FromEmailAddress"))?)?;
        self.reply_to_addresses.iter().try_for_each(|it| address(it).map(drop))?;
        let recipients = [to, cc, bcc].iter().flatten().map(|it| address(it)).collect::<Result<Vec<_>, _>>()?;
        match recipients.len() {
            0 => return Err(missing("Destination")),
            1..=50 => {}
            _ => return Err(Refusal::bad("Recipient count exceeds 50.")),
        }
        if self.content["Simple"].is_null() {
            return Err(Refusal::bad("The local SES takes Content.Simple alone."));
        }
        let part = |path| self.content.pointer(path).map(content).transpose();
        let subject = part("/Simple/Subject")?.ok_or_else(|| missing("Subject"))?;
        if subject.contains(char::is_control) {
            return Err(Refusal::bad("The subject contains control characters."));
        }
        let (text, html) = (part("/Simple/Body/Text")?, part("/Simple/Body/Html")?);
        if text.is_none() && html.is_none() {
            return Err(missing("Body"));
        }
        let mail = Mail { to: String::new(), subject, text, html, inserted_at: Time::default() };
        Ok(recipients.into_iter().map(|to| Mail { to, ..mail.clone() }).collect())
    }
}

/// The text of a subject or body; without a character set it must be ASCII.
fn content(part: &Value) -> Result<String, Refusal> {
    let data = part["Data"].as_str().ok_or_else(|| Refusal::bad("Missing required parameter Data."))?;
    let sound = part["Charset"].is_string() || data.is_ascii();
    if sound { Ok(data.to_owned()) } else { Err(Refusal::bad("Text that is not 7-bit ASCII needs a Charset.")) }
}

/// The address of `address` or `Name <address>`, all of it in ASCII; a name with special characters (RFC 5322 §3.2.3) is
/// quoted, as it would else read as several addresses.
fn address(given: &str) -> Result<String, Refusal> {
    let (name, bare) = given.strip_suffix('>').and_then(|given| given.rsplit_once('<')).unwrap_or(("", given));
    let marks = name.replace("\\\"", "").matches('"').count();
    let quoted = marks == 2 && name.starts_with('"') && name.trim_end().ends_with('"');
    let phrase = quoted || !name.contains(['(', ')', '<', '>', '[', ']', ':', ';', '@', '\\', ',', '"']);
    let plain = given.is_ascii() && !given.contains(char::is_control) && !bare.contains(' ');
    text::email(bare).ok().filter(|_| phrase && plain).ok_or_else(|| Refusal::bad("Illegal address"))
}

/// An error as AWS shapes it, in words close to its own.
#[derive(Debug)]
struct Refusal(StatusCode, &'static str, String);

impl Refusal {
    fn bad(message: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, "BadRequestException", message.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, [("x-amzn-errortype", self.1)], Json(json!({ "message": self.2 }))).into_response()
    }
}
