//! From results to a published run: gates, tables, manifest, atomic commit.

pub mod commit;
pub mod gates;
pub mod tables;

use crate::day::Day;
use crate::features::FeatureTable;
use crate::input::lines::Lines;
use crate::input::reject_log::RejectLog;
use crate::job::Job;
use crate::policy::Decision;
use crate::score::Scores;

/// The dates that a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dates {
    /// D: the business date scored for.
    pub as_of: Day,
    /// K: only deliveries of this day or before are seen.
    pub known_on: Day,
    /// The first day of the simulation that the run is a day of; `None` for a night.
    pub chain_from: Option<Day>,
}

impl Dates {
    /// The day by which the lines must have been delivered.
    pub fn lines_by(self) -> Day {
        self.chain_from.unwrap_or(self.as_of)
    }
}

/// Everything a run has computed.
pub struct Results<'a> {
    /// The job.
    pub job: &'a Job,
    /// What it is for.
    pub dates: Dates,
    /// The book.
    pub lines: &'a Lines,
    /// One row an account.
    pub features: &'a FeatureTable,
    /// One row an account.
    pub scores: &'a Scores,
    /// One a line.
    pub decisions: &'a [Decision],
    /// By input, in order of its name.
    pub rejects: [&'a RejectLog; 3],
}
