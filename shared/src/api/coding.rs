//! How a body is coded for a client.

use axum::http::{HeaderMap, header};

/// The client takes gzip, and does not rule it out.
#[must_use]
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(',')).any(
        |coding| {
            let mut parts = coding.split(';').map(str::trim);
            let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
            let refused = parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0)));
            named && !refused
        },
    )
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn gzip_is_taken_unless_it_is_ruled_out() {
        let takes =
            |text: &'static str| takes_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(text))]));
        assert!(takes("gzip") && takes("br, gzip;q=0.5") && !takes("gzip;q=0") && !takes("br") && !takes("identity"));
    }
}
