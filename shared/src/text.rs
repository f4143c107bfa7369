//! Pure parsers and normalisers for what people type: each turns a text into its one form, or
//! says in words for the client what is wrong with it.
//!
//! Nothing here reads a clock, a setting or a store.

mod country;
mod document;
mod email;
mod fold;
mod line;
mod passwords;
mod person;
mod phone;
mod qr;
mod slug;
mod time;
mod token;

pub use country::country;
pub use document::{DocumentType, document_type};
pub use email::email;
pub use fold::{MAX_WORDS, are_found, caseless, fold, query_words, sort_key, words};
pub use line::{clean_line, clean_text, is_blank_text};
pub use passwords::is_common as is_common_password;
pub use person::{document_key, person_query, person_words};
pub use phone::{PROBLEM as BAD_PHONE, may_be_phone, phone};
pub use qr::qr_svg;
pub use slug::{SLUG, color, is_slug, slug_from};
pub use time::{DateOrTime, date_or_time, day_range, format_time, time};
pub use token::{hex, token};
