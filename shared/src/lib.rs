//! What every function shares. A module uses only those before it:
//! `error, chance, text, clock, ids, input, calendar → storage → models → events, tags, batch, forget, erase, lapse, matching, merging, release, remind, untag, waiting → queue, outbound, mailer, crypto → app → deliver,
//! dispatch, mail → auth → api, worker`.

pub mod api;
pub mod app;
pub mod auth;
pub mod batch;
pub mod calendar;
pub mod chance;
pub mod clock;
pub mod crypto;
pub mod deliver;
pub mod dispatch;
pub mod erase;
pub mod error;
pub mod events;
pub mod forget;
pub mod ids;
pub mod input;
pub mod lapse;
pub mod mail;
pub mod mailer;
pub mod matching;
pub mod merging;
pub mod models;
pub mod outbound;
pub mod queue;
pub mod release;
pub mod remind;
pub mod storage;
pub mod tags;
pub mod text;
pub mod untag;
pub mod waiting;
pub mod worker;

pub use error::{Error, Result};
