//! A link as a QR code.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::json;
use shared::{
    Result,
    api::{
        Path,
        document::{Described, Draft},
    },
    auth::{Caller, Supervisor},
    ids::AccessLinkId,
    models::AccessLink,
    text,
};

use crate::view;

/// A picture, SVG.
#[derive(Debug)]
pub struct Picture(String);

/// What a link's customer opens, as a picture. It says where the link leads, not whether it still does: one that is used up,
/// expired or cancelled has the same.
pub async fn read(caller: Caller<Supervisor>, Path(id): Path<AccessLinkId>) -> Result<Picture> {
    let link = caller.store().find::<AccessLink>(id).await?;
    text::qr_svg(&view(&caller, &link).url).map(Picture)
}

impl IntoResponse for Picture {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "image/svg+xml")], self.0).into_response()
    }
}

impl Described for Picture {
    fn describe(draft: &mut Draft<'_>) {
        draft.answers(200, "The picture.", &[], &json!({ "image/svg+xml": { "schema": { "type": "string" } } }));
    }
}
