//! From results to a published run: gates, tables, manifest, atomic commit.

pub mod commit;
mod decision_columns;
pub mod encode;
pub mod gates;
pub mod identity;
pub mod output_table;
pub mod stored_table;
pub mod tables;
pub mod totals;
pub mod written_file;

use self::written_file::PartOfTable;
use crate::day::Dates;
use crate::features::FeatureTable;
use crate::input::lines::Lines;
use crate::input::reject_log::RejectLog;
use crate::job::Job;
use crate::policy::Decision;
use crate::score::Scores;

/// What is published of a run whose tables lie there already, in parts.
pub struct Publication<'a> {
    /// The job.
    pub job: &'a Job,
    /// What the run is for.
    pub dates: Dates,
    /// The parts of its tables.
    pub tables: &'a [PartOfTable],
    /// By input, in order of its name.
    pub rejects: [&'a RejectLog; 3],
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
