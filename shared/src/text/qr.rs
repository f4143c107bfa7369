//! Texts as pictures for cameras.

use qrcode::{QrCode, render::svg};

use crate::error::{Error, Result};

/// A text as a QR code (ISO/IEC 18004), an SVG of at least 200 × 200 with a margin.
///
/// # Errors
/// [`Error::Internal`] when it is longer than a code can be.
pub fn qr_svg(text: &str) -> Result<String> {
    let code = QrCode::new(text).map_err(|e| Error::internal("QR code", e))?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(200, 200).build())
}
