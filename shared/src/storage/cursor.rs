//! Cursors: opaque, signed, bound to the tenant, the filter and the sort for which they were given.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The key that signs cursors.
#[derive(Clone)]
pub struct CursorKey(std::sync::Arc<[u8]>);

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey")
    }
}

/// Bytes of the signature that a cursor carries.
const TAG: usize = 16;

impl CursorKey {
    /// The key from its bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The cursor of a place in a list; `list` says which list it is.
    #[must_use]
    pub fn seal(&self, list: &str, place: &str) -> String {
        let mut bytes = self.tag(list, place);
        bytes.extend_from_slice(place.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place of a cursor, when it was given for this list.
    #[must_use]
    pub fn open(&self, list: &str, cursor: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (tag, place) = bytes.split_at_checked(TAG)?;
        let place = std::str::from_utf8(place).ok()?;
        let mut mac = self.mac()?;
        mac.update(list.as_bytes());
        mac.update(&[0]);
        mac.update(place.as_bytes());
        mac.verify_truncated_left(tag).ok()?;
        Some(place.to_owned())
    }

    fn tag(&self, list: &str, place: &str) -> Vec<u8> {
        let Some(mut mac) = self.mac() else { return Vec::new() };
        mac.update(list.as_bytes());
        mac.update(&[0]);
        mac.update(place.as_bytes());
        let mut tag = mac.finalize().into_bytes().to_vec();
        tag.truncate(TAG);
        tag
    }

    fn mac(&self) -> Option<Hmac<Sha256>> {
        Hmac::new_from_slice(&self.0).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_for_its_own_list_alone() {
        let key = CursorKey::new(b"one");
        let cursor = key.seal("acme call status=queued", "place#1");
        assert_eq!(key.open("acme call status=queued", &cursor).as_deref(), Some("place#1"));
        assert_eq!(key.open("acme call", &cursor), None);
        assert_eq!(key.open("other call status=queued", &cursor), None);
        assert_eq!(CursorKey::new(b"two").open("acme call status=queued", &cursor), None);
    }

    #[test]
    fn a_tampered_cursor_does_not_open() {
        let key = CursorKey::new(b"one");
        let cursor = key.seal("list", "place#1");
        for at in 0..cursor.len() {
            let mut bytes = cursor.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let tampered = String::from_utf8(bytes).unwrap();
            assert!(
                tampered == cursor
                    || key
                        .open("list", &tampered)
                        .is_none_or(|_| URL_SAFE_NO_PAD.decode(&tampered).ok() == URL_SAFE_NO_PAD.decode(&cursor).ok())
            );
        }
        for bad in ["", "AAAA", "not base64!", "%00"] {
            assert_eq!(key.open("list", bad), None);
        }
    }
}
