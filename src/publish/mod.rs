//! From results to a published run: gates, tables, manifest, atomic commit.

pub mod commit;
pub mod gates;
pub mod manifest;
mod recount;
pub mod release;
pub mod tables;
pub mod verify;

use crate::day::Day;
use crate::features::FeatureTable;
use crate::input::lines::Lines;
use crate::input::rejects::Reject;
use crate::job::Job;
use crate::policy::Decision;
use crate::score::Scores;

/// Everything a run has computed.
pub struct Results<'a> {
    /// The job.
    pub job: &'a Job,
    /// The business date scored for.
    pub as_of: Day,
    /// Only deliveries of this day or before are seen.
    pub known_on: Day,
    /// The book.
    pub lines: &'a Lines,
    /// One row an account.
    pub features: &'a FeatureTable,
    /// One row an account.
    pub scores: &'a Scores,
    /// One a line.
    pub decisions: &'a [Decision],
    /// Sorted.
    pub rejects: &'a [Reject],
}
