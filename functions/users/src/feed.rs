//! The caller's appointments for a calendar that subscribes to them, by a URL that is the only key.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use shared::{
    Error, Result,
    api::{
        CalendarFile, NoContent, Segment, Told,
        answer::{Masked, tagged},
        document::{Described, Draft},
    },
    app::App,
    auth::{Attendant, Caller},
    calendar::ics::{Calendar, Method},
    clock::{Time, days},
    ids::{Id, UserId},
    mail::digest,
    models::{Appointment, Feed, User, appointment::AppointmentStatus},
    storage::{
        Key, Store, Stored, contend, entity,
        list::{Query, Start},
    },
    text,
};

/// Where a calendar subscribes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "CalendarAddress")]
pub struct Address {
    /// The URL; whoever has it reads the caller's appointments.
    url: String,
}

impl Masked for Address {
    fn masked(&self) -> Value {
        json!({ "url": "••••" })
    }
}

/// Makes the URL, on the host at which the API was reached; the one before leads nowhere from then on.
pub async fn subscribe(caller: Caller<Attendant>, headers: HeaderMap) -> Result<Told<Address>> {
    let token = text::token(caller.app().chance())?;
    let url = format!("{}/api/v1/calendar/{token}.ics", host(&headers)?);
    let feed = Feed { user_id: caller.user(), digest: digest(&token), inserted_at: caller.now() };
    contend(|| async {
        let write = match caller.store().get::<Feed>(caller.user()).await? {
            Some(seen) => caller.write().update(&seen, &feed),
            None => caller.write().create(&feed),
        };
        write.commit(Told(Address { url: url.clone() })).await
    })
    .await
}

/// Scheme and host of the API, as its client has them.
fn host(headers: &HeaderMap) -> Result<String> {
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = header("host").ok_or_else(|| Error::Malformed("The header Host is missing".into()))?;
    let scheme = header("x-forwarded-proto").filter(|scheme| *scheme == "https").unwrap_or("http");
    Ok(format!("{scheme}://{host}"))
}

/// Takes the URL away.
pub async fn unsubscribe(caller: Caller<Attendant>) -> Result<NoContent> {
    contend(|| async {
        let seen = caller.store().find::<Feed>(caller.user()).await?;
        caller.write().delete(&seen).commit(NoContent).await
    })
    .await
}

/// Days of the past, and of the future.
const DAYS: (u64, u64) = (30, 365);
/// Appointments that are read at once, and that are read of one status.
const MOST: usize = 1_000;
/// What a function may answer is 6 MB; texts may double when they are escaped.
const MOST_BYTES: usize = 2_500_000;

const NO_FEED: Error = Error::NotFound("Resource not found");

/// The appointments of whose URL it is, for as long as they serve: what is scheduled or confirmed. What was called off is
/// not in it, hence no longer in the calendar.
pub async fn read(State(app): State<App>, headers: HeaderMap, Segment(file): Segment) -> Result<Subscribed> {
    let token = file.strip_suffix(".ics").filter(|token| token.len() == 22 && token.bytes().all(|b| b.is_ascii_alphanumeric()));
    let lead = app.db().item(&Key::feed_token(&digest(token.ok_or(NO_FEED)?))).await?.ok_or(NO_FEED)?;
    let tenant = entity::text(&lead, "tenant").map(|tenant| app.store(tenant));
    let Some((store, user)) = tenant.zip(entity::text(&lead, "user").and_then(UserId::from_key)) else {
        return Err(Error::Internal("feed leads nowhere".into()));
    };
    let now = app.clock().now();
    let open = |status| of_status(&store, user, status, now);
    let (agent, scheduled, confirmed) =
        tokio::try_join!(store.get::<User>(user), open(AppointmentStatus::Scheduled), open(AppointmentStatus::Confirmed))?;
    let agent = agent.filter(|agent| agent.input.active).ok_or(NO_FEED)?;
    let mut open = [scheduled, confirmed].concat();
    open.sort_by_key(|appointment| (appointment.scheduled_at, appointment.id));
    let mut bytes = 0;
    let fitting = open.iter().take_while(|appointment| {
        bytes += 1_000 + appointment.title.len() + appointment.description.as_ref().map_or(0, String::len);
        bytes < MOST_BYTES
    });
    let events = fitting.map(|it| it.entry(it.version, it.updated_at, Some(&agent.input.email))).collect();
    let calendar = Calendar { method: Method::Publish, name: Some(agent.input.name.clone()), events };
    Ok(Subscribed::of(calendar, &headers))
}

/// The appointments of an agent that stand so, the earliest first.
async fn of_status(store: &Store, user: UserId, status: AppointmentStatus, now: Time) -> Result<Vec<Stored<Appointment>>> {
    let query = Query {
        filters: vec![("user_id", user.to_string()), ("status", status.to_string())],
        search: None,
        sort: "scheduled_at",
        descending: false,
        range: Some(((now - days(DAYS.0)).key(), (now + days(DAYS.1)).key())),
        ranged: None,
        start: Start::Skip(0),
        size: MOST,
    };
    store.rows::<Appointment>(&query).await.map(|(rows, _)| rows)
}

/// 200 with the file, 304 when the client has it.
#[derive(Debug)]
pub struct Subscribed(Response);

impl Subscribed {
    fn of(calendar: Calendar, headers: &HeaderMap) -> Self {
        let tag = text::hex(&digest(&calendar.to_string())[..8]);
        let response = CalendarFile { name: "appointments".into(), calendar }.into_response();
        Self(tagged(response, &tag, headers))
    }
}

impl IntoResponse for Subscribed {
    fn into_response(self) -> Response {
        self.0
    }
}

impl Described for Subscribed {
    fn describe(draft: &mut Draft<'_>) {
        draft.header("If-None-Match", "What `ETag` said.");
        draft.answers(200, "The file.", &["Content-Disposition", "ETag"], &CalendarFile::content());
        draft.answers(304, "The file has not changed.", &["ETag"], &json!({}));
    }
}
