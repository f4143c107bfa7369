//! The document, and the page that shows it: files within the program, none from elsewhere.

use std::{
    io::{self, Read, Write},
    marker::PhantomData,
    sync::LazyLock,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::{
    Error, Result,
    api::{
        Segment, answer,
        coding::takes_gzip,
        document::{Described, Draft},
    },
    text::hex,
};

use crate::OPENAPI;

/// What the page may do: it reaches this site alone, and runs nothing but its files.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Of what is asked for each time whether it has changed.
const ASKED: &str = "no-cache";
/// Of what changes its name when it changes.
const KEPT: &str = "public, max-age=31536000, immutable";

/// A file of the page.
struct File {
    stem: &'static str,
    extension: &'static str,
    media: &'static str,
    bytes: &'static [u8],
    /// It lies here compressed.
    zipped: bool,
}

const CSS: File = File {
    stem: "page",
    extension: "css",
    media: "text/css; charset=utf-8",
    bytes: include_bytes!("../assets/page.css"),
    zipped: false,
};
const JS: File =
    File { extension: "js", media: "text/javascript; charset=utf-8", bytes: include_bytes!("../assets/page.js"), ..CSS };
const FILES: [File; 4] = [
    CSS,
    JS,
    File { stem: "swagger-ui", bytes: include_bytes!("../assets/swagger-ui/swagger-ui.css.gz"), zipped: true, ..CSS },
    File { stem: "swagger-ui", bytes: include_bytes!("../assets/swagger-ui/swagger-ui-bundle.js.gz"), zipped: true, ..JS },
];

/// The files under the names by which they are asked for: these say what is in them.
static NAMED: LazyLock<Vec<(String, File)>> = LazyLock::new(|| {
    FILES.into_iter().map(|file| (format!("{}-{}.{}", file.stem, digest(file.bytes), file.extension), file)).collect()
});

/// The page, and its digest. It refers to its files by those names.
static PAGE: LazyLock<(String, String)> = LazyLock::new(|| {
    let named = |page: String, (name, file): &(String, File)| page.replace(&format!("{}.{}", file.stem, file.extension), name);
    let page = NAMED.iter().fold(include_str!("../assets/page.html").to_owned(), named);
    let digest = digest(page.as_bytes());
    (page, digest)
});

/// The document compressed, and its digest.
static DOCUMENT: LazyLock<(Bytes, String)> =
    LazyLock::new(|| (zipped(OPENAPI.as_bytes()).unwrap_or_default().into(), digest(OPENAPI.as_bytes())));

/// The document.
pub async fn openapi(headers: HeaderMap) -> Served<Document> {
    let (zipped, digest) = &*DOCUMENT;
    let served = if takes_gzip(&headers) {
        Served::new("application/json", ASKED, zipped.clone()).zipped().tagged(&format!("{digest}-gzip"), &headers)
    } else {
        Served::new("application/json", ASKED, OPENAPI).tagged(digest, &headers)
    };
    served.with(header::VARY, "accept-encoding")
}

/// The page.
pub async fn page(headers: HeaderMap) -> Served<Page> {
    let (page, digest) = &*PAGE;
    Served::new("text/html; charset=utf-8", ASKED, page.as_str())
        .tagged(digest, &headers)
        .with(header::CONTENT_SECURITY_POLICY, POLICY)
        .with(header::REFERRER_POLICY, "no-referrer")
}

/// A file of the page.
pub async fn asset(Segment(name): Segment, headers: HeaderMap) -> Result<Served<Asset>> {
    let (_, file) = NAMED.iter().find(|(known, _)| *known == name).ok_or(Error::NotFound("Resource not found"))?;
    let served = match (file.zipped, takes_gzip(&headers)) {
        (true, true) => Served::new(file.media, KEPT, file.bytes).zipped(),
        (true, false) => Served::new(file.media, KEPT, unzipped(file.bytes).map_err(|e| Error::internal("asset", e))?),
        (false, _) => Served::new(file.media, KEPT, file.bytes),
    };
    Ok(served.with(header::VARY, "accept-encoding"))
}

/// The first 16 hexadecimal digits of the SHA-256.
fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..8])
}

fn zipped(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn unzipped(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut plain)?;
    Ok(plain)
}

/// A file on its way, of a kind that the documentation knows.
#[derive(Debug)]
pub struct Served<K>(Response, PhantomData<fn() -> K>);

impl<K> Served<K> {
    fn new(media: &'static str, caching: &'static str, body: impl Into<Body>) -> Self {
        let headers =
            [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, caching), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
        Self((headers, body.into()).into_response(), PhantomData)
    }

    fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.0.headers_mut().insert(name, HeaderValue::from_static(value));
        self
    }

    fn zipped(self) -> Self {
        self.with(header::CONTENT_ENCODING, "gzip")
    }

    /// With its tag; without its body when the client has it.
    fn tagged(mut self, digest: &str, headers: &HeaderMap) -> Self {
        self.0 = answer::tagged(self.0, digest, headers);
        self
    }
}

impl<K> IntoResponse for Served<K> {
    fn into_response(self) -> Response {
        self.0
    }
}

/// OpenAPI.
#[derive(Debug)]
pub struct Document;
/// HTML.
#[derive(Debug)]
pub struct Page;
/// What a page is made of.
#[derive(Debug)]
pub struct Asset;

/// Its example is short: the document within the document would have no end.
impl Described for Served<Document> {
    fn describe(draft: &mut Draft<'_>) {
        let example = json!({ "openapi": "3.1.0", "info": { "title": "Voki" } });
        tagged(draft, &json!({ "application/json": { "schema": { "type": "object" }, "example": example } }));
    }
}

impl Described for Served<Page> {
    fn describe(draft: &mut Draft<'_>) {
        tagged(draft, &json!({ "text/html": { "schema": { "type": "string" }, "example": "<!doctype html>…" } }));
    }
}

impl Described for Served<Asset> {
    fn describe(draft: &mut Draft<'_>) {
        let text = json!({ "schema": { "type": "string" }, "example": "…" });
        draft.answers(200, "The file.", &["Cache-Control"], &json!({ "text/css": text, "text/javascript": text }));
    }
}

fn tagged(draft: &mut Draft<'_>, content: &Value) {
    draft.header("If-None-Match", "What `ETag` said.");
    draft.answers(200, "The file.", &["Cache-Control", "ETag"], content);
    draft.answers(304, "The file has not changed.", &["Cache-Control", "ETag"], &json!({}));
}
