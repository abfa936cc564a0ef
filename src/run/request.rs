//! What a run is asked to do, and for which nights.

use std::fmt;
use std::path::PathBuf;

use crate::day::Day;

/// What a run is asked to do.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// The job file.
    pub job: PathBuf,
    /// Which nights.
    pub nights: Nights,
    /// Instead of the job's output directory.
    pub out: Option<PathBuf>,
    /// Whether to replace runs that are published already.
    pub replace: bool,
    /// Whether the nights are a simulation: one snapshot for all, each sees what those before it issued.
    pub chain: bool,
    /// Whether to leave sorted deliveries of other runs aside, and to keep none.
    pub from_scratch: bool,
    /// How much memory the run may take, half of it for sorted deliveries that are not kept; `None`: as for 512 MiB.
    pub memory_bytes: Option<u64>,
}

/// The nights of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nights {
    /// One, with what was known by a later day perhaps.
    One {
        /// D.
        as_of: Day,
        /// K.
        known_on: Day,
    },
    /// All days of a range, each as it was known on that day.
    Range {
        /// The first D.
        from: Day,
        /// The last one, not before it.
        to: Day,
    },
}

impl fmt::Display for Nights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Nights::One { as_of, .. } => write!(f, "{as_of}"),
            Nights::Range { from, to } => write!(f, "{from} to {to}"),
        }
    }
}

impl Nights {
    /// The first as-of date.
    pub fn first(self) -> Day {
        match self {
            Nights::One { as_of, .. } => as_of,
            Nights::Range { from, .. } => from,
        }
    }

    /// D and K of each night, in order; at least one.
    pub fn all(self) -> Vec<(Day, Day)> {
        match self {
            Nights::One { as_of, known_on } => vec![(as_of, known_on)],
            Nights::Range { from, to } => from.to(to.max(from)).map(|day| (day, day)).collect(),
        }
    }
}
