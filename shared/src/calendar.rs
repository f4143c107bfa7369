//! What calendars are about, without tables and requests: files that other calendars read.

pub mod ics;

#[cfg(test)]
mod lcg;
