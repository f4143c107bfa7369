//! What the documentation says of an operation (OpenAPI 3.1): it follows from the handler's signature.
//!
//! What a handler takes and what it answers each describe themselves. None of it runs in a function: routes keep a
//! pointer, and whoever writes the document follows it.

use axum::{
    Json,
    extract::{Extension, State},
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::{envelope, guard, limits, routes::Operation};
use crate::{
    Error,
    auth::{Admitted, Caller, caller::Minimum},
    models::Role,
};

mod schema;

pub use schema::Schemas;

/// Something that a handler takes or answers, as the documentation tells of it.
pub trait Described {
    /// Adds what there is to say.
    fn describe(_: &mut Draft<'_>) {}
}

/// A handler, as the documentation sees it.
pub trait Signature<T> {
    /// Adds what its parts say.
    fn describe(draft: &mut Draft<'_>);
}

macro_rules! signatures {
    ($(($($taken:ident)*))*) => { $(
        impl<F, Answer, $($taken),*> Signature<($($taken,)*)> for F
        where
            F: FnOnce($($taken),*) -> Answer,
            Answer: Future<Output: Described>,
            $($taken: Described),*
        {
            fn describe(draft: &mut Draft<'_>) {
                $($taken::describe(draft);)*
                Answer::Output::describe(draft);
            }
        }
    )* };
}

signatures!(() (A) (A B) (A B C) (A B C D) (A B C D E));

impl<T> Described for State<T> {}
impl<T> Described for Extension<T> {}
impl Described for HeaderMap {}

impl<R: Minimum> Described for Caller<R> {
    fn describe(draft: &mut Draft<'_>) {
        draft.role(R::ROLE);
    }
}

impl<R: Minimum> Described for Admitted<R> {
    fn describe(draft: &mut Draft<'_>) {
        draft.role(R::ROLE);
    }
}

/// What it refuses follows from what it takes.
impl<T: Described> Described for crate::Result<T> {
    fn describe(draft: &mut Draft<'_>) {
        T::describe(draft);
    }
}

impl<T: JsonSchema> Described for Json<T> {
    fn describe(draft: &mut Draft<'_>) {
        let schema = draft.schemas.answered::<T>();
        draft.answers(200, "Done.", &[], &json_content(&schema));
    }
}

/// The documentation of one operation while it is written.
#[derive(Debug)]
pub struct Draft<'a> {
    /// The schemas that it refers to.
    pub schemas: &'a mut Schemas,
    operation: &'a Operation,
    keyed: bool,
    limited: bool,
    slots: Vec<&'static str>,
    parameters: Vec<Value>,
    responses: Map<String, Value>,
    more: Map<String, Value>,
}

impl<'a> Draft<'a> {
    pub(super) fn of(operation: &'a Operation, schemas: &'a mut Schemas) -> Self {
        let slot = |part: &'static str| part.strip_prefix('{')?.strip_suffix('}');
        let mut draft = Self {
            schemas,
            operation,
            keyed: guard::takes_key(operation.method, operation.path),
            limited: limits::limited(operation.method, operation.path),
            slots: operation.path.rsplit('/').filter_map(slot).collect(),
            parameters: Vec::new(),
            responses: Map::new(),
            more: Map::new(),
        };
        draft.refuses(&[500]);
        if draft.limited || operation.method != "GET" {
            draft.refuses(&[429]);
        }
        if operation.method != "GET" {
            draft.refuses(&[422]);
        }
        draft
    }

    /// The next slot of the path is this.
    pub fn slot(&mut self, schema: Value) {
        if let Some(name) = self.slots.pop() {
            self.parameter("path", name, true, schema);
            self.refuses(&[404]);
        }
    }

    /// A header may be sent.
    pub fn header(&mut self, name: &str, about: &str) {
        self.parameter("header", name, false, json!({ "type": "string", "description": about }));
    }

    /// A parameter of the query.
    pub(super) fn query(&mut self, name: &str, required: bool, schema: Value) {
        self.parameter("query", name, required, schema);
        self.refuses(&[422]);
    }

    fn parameter(&mut self, place: &str, name: &str, required: bool, mut schema: Value) {
        let about = schema.as_object_mut().and_then(|schema| schema.remove("description")).unwrap_or_else(|| "".into());
        let parameter = json!({ "name": name, "in": place, "required": required, "description": about, "schema": schema });
        self.parameters.push(parameter);
    }

    /// A body of JSON is taken.
    pub(super) fn body(&mut self, schema: &Value, required: bool) {
        self.more.insert("requestBody".into(), json!({ "required": required, "content": json_content(schema) }));
        self.refuses(&[400, 413, 422]);
    }

    /// Whoever calls has an access token of at least this role.
    fn role(&mut self, role: Role) {
        self.more.insert("security".into(), json!([{ "bearer": [] }]));
        self.more.insert("x-minimum-role".into(), role.to_string().into());
        self.more.insert("description".into(), format!("For the role `{role}` and those above it.").into());
        self.header("X-Tenant", "The tenant's slug; not needed, and refused unless it is the access token's.");
        self.refuses(&[401, 403]);
    }

    /// A success: what it means, its headers beside those of every operation of the kind, its content by media type.
    pub fn answers(&mut self, status: u16, about: &str, headers: &[&str], content: &Value) {
        let shared = [("Idempotent-Replayed", self.keyed), ("RateLimit", self.limited), ("RateLimit-Policy", self.limited)];
        let shared = shared.iter().filter(|(_, there)| *there).map(|(name, _)| *name);
        let headers: Map<String, Value> = headers.iter().copied().chain(shared).map(header_of).collect();
        let answer = json!({ "description": about, "headers": headers, "content": content });
        self.responses.insert(status.to_string(), answer);
    }

    /// It may refuse with these statuses.
    pub fn refuses(&mut self, statuses: &[u16]) {
        for status in statuses {
            let reference = format!("#/components/responses/{}", name_of(*status));
            self.responses.insert(status.to_string(), json!({ "$ref": reference }));
        }
    }

    pub(super) fn finish(mut self) -> Value {
        if self.keyed {
            self.header(
                "Idempotency-Key",
                "1 to 255 characters. For 24 hours the same key gets the answer of its first request.",
            );
            self.refuses(&[400, 409]);
        }
        let Operation { id, summary, group, .. } = self.operation;
        let mut operation = self.more;
        operation.insert("operationId".into(), (*id).into());
        operation.insert("summary".into(), (*summary).into());
        operation.insert("tags".into(), json!([group.name]));
        operation.insert("parameters".into(), self.parameters.into());
        operation.insert("responses".into(), self.responses.into());
        operation.into()
    }
}

/// Content of one media type, JSON.
#[must_use]
pub fn json_content(schema: &Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

/// What operations refer to, with the schemas that they left.
#[must_use]
pub fn components(schemas: Schemas) -> Value {
    let mut schemas = schemas.into_named();
    let text = json!({ "type": "string" });
    let detail = json!({ "type": "object", "required": ["detail"], "properties": { "detail": text } });
    let fields = json!({ "type": "object", "additionalProperties": { "type": "array", "minItems": 1, "items": text } });
    for (name, about, errors) in [
        ("Refusal", "Why the request was refused, in a sentence.", detail),
        ("Violations", "What is wrong with the fields of a request, by their paths.", fields),
    ] {
        let schema =
            json!({ "type": "object", "description": about, "required": ["errors"], "properties": { "errors": errors } });
        schemas.insert(name.into(), schema);
    }
    json!({
        "schemas": schemas,
        "responses": envelope::refusals().map(|(about, error)| refusal(about, error)).into_iter().collect::<Map<_, _>>(),
        "headers": HEADERS.iter().map(|(name, about)| (*name, json!({ "description": about, "schema": text }))).collect::<Value>(),
        "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
    })
}

/// The headers of answers.
const HEADERS: [(&str, &str); 8] = [
    ("Content-Disposition", "The file's name."),
    ("ETag", "The version, for `If-Match` or `If-None-Match`."),
    ("Idempotent-Replayed", "`true` when this is the answer of an earlier request with the same `Idempotency-Key`."),
    ("RateLimit", "What is left of each limit, and the seconds until it is whole again."),
    ("RateLimit-Policy", "Each limit, and the seconds for which it holds."),
    ("Retry-After", "Seconds after which to try again."),
    ("WWW-Authenticate", "`Bearer`."),
    ("Cache-Control", "How long it may be kept."),
];

fn header_of(name: &str) -> (String, Value) {
    (name.into(), json!({ "$ref": format!("#/components/headers/{name}") }))
}

/// A refusal as it is answered, by its name.
fn refusal(about: &str, error: Error) -> (String, Value) {
    let example = envelope::body_of(&error);
    let schema = match error {
        Error::Invalid(_) => {
            json!({ "anyOf": [{ "$ref": "#/components/schemas/Violations" }, { "$ref": "#/components/schemas/Refusal" }] })
        }
        _ => json!({ "$ref": "#/components/schemas/Refusal" }),
    };
    let response = error.into_response();
    let said = |name: &&str| response.headers().contains_key(*name);
    let headers: Map<String, Value> = HEADERS.iter().map(|(name, _)| *name).filter(said).map(header_of).collect();
    let content = json!({ "application/json": { "schema": schema, "example": example } });
    (name_of(response.status().as_u16()), json!({ "description": about, "headers": headers, "content": content }))
}

/// `NotFound` of 404.
fn name_of(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    reason.unwrap_or("Unknown").split(|c: char| !c.is_alphabetic()).collect()
}
