//! What calendars are about, without tables and requests: working hours, who is free when, files that other calendars read.

pub mod availability;
pub mod hours;
pub mod ics;

#[cfg(test)]
mod lcg;
