//! The figures of a case, and how they are written.

use std::{fmt, str::FromStr};

use crate::wire::Call;

/// What a case costs, or may cost at most.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Rounds: the sequential chain.
    pub chain: f64,
    /// Calls.
    pub calls: f64,
    /// Read units.
    pub read: f64,
    /// Write units.
    pub write: f64,
    /// Kilobytes of all bodies, there and back.
    pub kilobytes: f64,
}

impl Figures {
    /// What calls come to.
    #[must_use]
    pub fn of(calls: &[Call]) -> Self {
        let sum = |part: fn(&Call) -> f64| calls.iter().map(part).sum::<f64>() + 0.0;
        Self {
            chain: count(calls.iter().map(|call| call.round).max().unwrap_or(0)),
            calls: count(calls.len()),
            read: sum(|call| call.read),
            write: sum(|call| call.write),
            kilobytes: (sum(|call| count(call.sent + call.received)) / 102.4).round() / 10.0,
        }
    }

    /// These, and so many times what each comes to.
    #[must_use]
    pub fn plus(self, each: Self, times: f64) -> Self {
        let sum = |own: f64, each: f64| own + (each * times).ceil();
        Self {
            chain: sum(self.chain, each.chain),
            calls: sum(self.calls, each.calls),
            read: sum(self.read, each.read),
            write: sum(self.write, each.write),
            kilobytes: sum(self.kilobytes, each.kilobytes),
        }
    }

    /// None exceeds its ceiling.
    #[must_use]
    pub fn within(&self, ceiling: &Self) -> bool {
        let pairs = [
            (self.chain, ceiling.chain),
            (self.calls, ceiling.calls),
            (self.read, ceiling.read),
            (self.write, ceiling.write),
            (self.kilobytes, ceiling.kilobytes),
        ];
        pairs.iter().all(|(figure, ceiling)| figure <= ceiling)
    }

    /// The same but for bytes, which vary with the lengths of numbers.
    #[must_use]
    pub fn same_work(&self, other: &Self) -> bool {
        Self { kilobytes: 0.0, ..*self } == Self { kilobytes: 0.0, ..*other }
    }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}

/// `2 / 3 / 3.5 / 0 / 4.2`: chain, calls, read, write, kilobytes.
impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chain, calls, read, write, kilobytes } = self;
        write!(f, "{chain} / {calls} / {read} / {write} / {kilobytes}")
    }
}

impl FromStr for Figures {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Result<Vec<f64>, _> = text.split('/').map(|part| part.trim().parse()).collect();
        match parts.as_deref() {
            Ok([chain, calls, read, write, kilobytes]) => {
                Ok(Self { chain: *chain, calls: *calls, read: *read, write: *write, kilobytes: *kilobytes })
            }
            _ => Err(format!("{text:?} is not chain / calls / read / write / kilobytes")),
        }
    }
}
