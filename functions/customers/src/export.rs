//! Everything that is kept about a customer, for who asks for it (LGPD, art. 18 II and V).

use std::collections::BTreeSet;

use axum::{
    Json,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::{
    Error, Result,
    api::{
        Path, Query,
        document::{Described, Draft, json_content},
    },
    auth::{Admitted, Caller, Manager},
    forget::{self, Bears},
    ids::{AccessLinkId, CustomerId, Id},
    input::{Fields, Input, rules},
    matching,
    merging::Names,
    models::{AccessLink, Appointment, Call, Customer, Role, access_link::LinkView, call::CallView, customer::CustomerView},
    storage::{
        Entity, Key, Store, Stored, entity, keys,
        list::{self, Start},
    },
    tags,
};

/// Objects of each kind that are read at once: with the longest texts in all of them they have less than 4 MB.
const PAGE: usize = 20;
/// Bytes after which an answer reads no further: it stays below what a function may answer, 6 MB.
const ENOUGH: usize = 2_000_000;

/// From where on.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    /// Reads on: `meta.next_cursor` of the answer before.
    #[schemars(length(max = 4096))]
    cursor: Option<String>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { cursor: fields.optional("cursor", rules::line(4096)) }
    }
}

/// What is kept about a customer, up to some megabytes in one answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CustomerExport")]
pub struct Held {
    /// The customer.
    customer: CustomerView,
    #[serde(flatten)]
    objects: Objects,
}

/// What is theirs.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Objects {
    /// The calls, the earliest first, as a manager sees them.
    calls: Vec<CallView>,
    /// The appointments, the earliest first.
    appointments: Vec<Appointment>,
    /// The access links that were made for the customer, then those for the e-mail alone.
    access_links: Vec<LinkView>,
}

/// Whether there is more.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExportMeta")]
pub struct Further {
    /// What `cursor` takes to read on; null when that was all.
    next_cursor: Option<String>,
}

/// The answer, to be kept as a file.
#[derive(Debug, Serialize)]
pub struct Export {
    data: Held,
    meta: Further,
}

/// How far each kind was read.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Places {
    calls: Place,
    appointments: Place,
    links: Place,
    addressed: Place,
}

impl Places {
    fn at_end(&self) -> bool {
        [&self.calls, &self.appointments, &self.links, &self.addressed].iter().all(|place| **place == Place::End)
    }
}

/// How far one kind was read.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
enum Place {
    /// Nothing yet.
    #[default]
    First,
    /// To here.
    After(String),
    /// To the end.
    End,
}

/// What is kept about a customer.
pub async fn export(
    Admitted(caller): Admitted<Manager>,
    Path(id): Path<CustomerId>,
    Query(wanted): Query<Wanted>,
) -> Result<Export> {
    let store = caller.store();
    let mut places = opened(&caller, id, wanted.cursor.as_deref())?;
    // Who is not there is told so as the one whom the path names.
    let (customer, names) = tokio::join!(matching::find(store, id), Names::of(store, Some(id)));
    let (customer, names) = (customer?, names?);
    let (mut objects, mut size) = (Objects::default(), 0);
    while !places.at_end() && size < ENOUGH {
        let mut more = Box::pin(further(&caller, &customer, &names, &mut places)).await?;
        size += serde_json::to_vec(&more).map_err(|e| Error::internal("export", e))?.len();
        objects.calls.append(&mut more.calls);
        objects.appointments.append(&mut more.appointments);
        objects.access_links.append(&mut more.access_links);
    }
    let data = Held { customer: customer.view(), objects };
    Ok(Export { data, meta: Further { next_cursor: sealed(&caller, id, &places)? } })
}

/// Reads on in each kind.
async fn further(caller: &Caller<Manager>, customer: &Customer, names: &Names, places: &mut Places) -> Result<Objects> {
    let store = caller.store();
    let (calls, appointments, links, addressed) = tokio::try_join!(
        listed::<Call>(store, names, "inserted_at", &places.calls),
        listed::<Appointment>(store, names, "scheduled_at", &places.appointments),
        links(store, names, &places.links),
        addressed(store, customer, &places.addressed),
    )?;
    let labels = tags::labels(store, &calls.0.iter().map(|call| &call.value).collect::<Vec<_>>()).await?;
    let (now, site) = (caller.now(), &caller.app().settings().public_url);
    let view = |call: &Stored<Call>| call.view(Role::Manager, None, labels.of(call), now);
    *places = Places { calls: calls.1, appointments: appointments.1, links: links.1, addressed: addressed.1 };
    Ok(Objects {
        calls: calls.0.iter().map(view).collect(),
        appointments: appointments.0.into_iter().map(|appointment| appointment.value).collect(),
        access_links: links.0.iter().chain(&addressed.0).map(|link| link.view(site, now)).collect(),
    })
}

/// What a cursor is bound to.
fn binding(caller: &Caller<Manager>, id: CustomerId) -> String {
    format!("{}\nexport of {id}", caller.tenant())
}

fn opened(caller: &Caller<Manager>, id: CustomerId, cursor: Option<&str>) -> Result<Places> {
    let Some(cursor) = cursor else { return Ok(Places::default()) };
    let places = caller.cursor().open(&binding(caller, id), cursor).and_then(|text| serde_json::from_str(&text).ok());
    places.ok_or_else(|| Error::invalid("cursor", "is not a cursor of this list"))
}

/// The cursor of these places; none when all was read.
fn sealed(caller: &Caller<Manager>, id: CustomerId, places: &Places) -> Result<Option<String>> {
    if places.at_end() {
        return Ok(None);
    }
    let text = serde_json::to_string(places).map_err(|e| Error::internal("cursor", e))?;
    Ok(Some(caller.cursor().seal(&binding(caller, id), &text)))
}

/// The next of a kind, along its index.
async fn listed<T: Bears>(store: &Store, names: &Names, sort: &'static str, place: &Place) -> Result<(Vec<Stored<T>>, Place)> {
    let start = match place {
        Place::First => Start::Skip(0),
        Place::After(place) => Start::After(place.clone()),
        Place::End => return Ok((Vec::new(), Place::End)),
    };
    let filters = names.ids().iter().map(|id| ("customer_id", id.to_string())).collect();
    let query = list::Query { filters, search: None, sort, descending: false, range: None, ranged: None, start, size: PAGE };
    let (rows, next) = store.rows::<T>(&query).await?;
    Ok((rows, next.map_or(Place::End, Place::After)))
}

/// The next links, along the rows beside the customer.
async fn links(store: &Store, names: &Names, place: &Place) -> Result<(Vec<Stored<AccessLink>>, Place)> {
    let from = match place {
        Place::First => keys::LINKS,
        Place::After(place) => place,
        Place::End => return Ok((Vec::new(), Place::End)),
    };
    let most = i32::try_from(PAGE + 1).unwrap_or(i32::MAX);
    let mut ids = BTreeSet::new();
    for id in names.ids() {
        let rows = store.db().from(&keys::object_partition(store.tenant(), Customer::KIND, &id.key()), from, most).await?;
        ids.extend(rows.iter().filter_map(|row| entity::text(row, "SK")?.strip_prefix(keys::LINKS)).map(ToOwned::to_owned));
    }
    let ids: Vec<String> = ids.into_iter().collect();
    let next = ids.get(PAGE).map_or(Place::End, |id| Place::After(format!("{}{id}", keys::LINKS)));
    let keys: Vec<Key> = ids.iter().take(PAGE).map(|id| AccessLink::key_at(store.tenant(), id)).collect();
    let mut found = store.db().items(&keys).await?;
    Ok((keys.iter().filter_map(|key| found.take(key).transpose()).collect::<Result<_>>()?, next))
}

/// The next links that were made for the e-mail alone.
async fn addressed(store: &Store, customer: &Customer, place: &Place) -> Result<(Vec<Stored<AccessLink>>, Place)> {
    let after = match place {
        Place::First => None,
        Place::After(id) => AccessLinkId::from_key(id),
        Place::End => return Ok((Vec::new(), Place::End)),
    };
    let (links, next) = forget::links_for(store, customer, after, PAGE).await?;
    Ok((links, next.map_or(Place::End, |id| Place::After(id.key()))))
}

impl IntoResponse for Export {
    fn into_response(self) -> Response {
        let disposition = format!("attachment; filename=\"customer-{}.json\"", self.data.customer.id);
        let mut response = Json(self).into_response();
        if let Ok(disposition) = HeaderValue::from_str(&disposition) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
        }
        response
    }
}

impl Described for Export {
    fn describe(draft: &mut Draft<'_>) {
        let (data, meta) = (draft.schemas.answered::<Held>(), draft.schemas.answered::<Further>());
        let schema = json!({ "type": "object", "required": ["data", "meta"], "properties": { "data": data, "meta": meta } });
        draft.answers(200, "What is kept.", &["Content-Disposition"], &json_content(&schema));
    }
}
