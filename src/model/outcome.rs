//! What happened to the rows of a sample: from a file, or from the bills that fell due.

use anyhow::Result;

use super::bind::BoundModel;
use super::file::{ModelFile, Outcome};
use super::rows::SpineRows;
use super::sample::RowOutcome;
use super::{outcome_bills, outcome_file};
use crate::console::Progress;
use crate::day::Day;
use crate::spine::FeatureSweep;

/// What happened, and what is told about how that is known.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    /// By row: good, bad, indeterminate, immature or unmatched.
    pub by_row: Vec<RowOutcome>,
    /// The last day of which anything is known; `None` where nothing is known of any day.
    pub known_until: Option<Day>,
    /// Rows of a file of outcomes that say what another row says, too.
    pub repeats: u64,
    /// Rows of a file of outcomes without an account or a date.
    pub without_key: u64,
    /// Rows of the sample that are unmatched since repayments have no delivery of the day on which their outcome
    /// would be seen.
    pub not_delivered: u64,
    /// What to warn of.
    pub warnings: Vec<String>,
}

/// Finds what happened to each row.
pub(super) fn outcomes(
    model: &ModelFile,
    bound: &BoundModel,
    rows: &SpineRows,
    sweep: &mut FeatureSweep,
    progress: &Progress,
) -> Result<Outcomes> {
    match &model.outcome {
        Outcome::File { path, column, by } => {
            outcome_file::look_up(path, column, *by, rows, &sweep.job, progress)
        }
        Outcome::Computed { due_within_days, seen_after_days, known_until, .. } => {
            let window = outcome_bills::OutcomeWindow {
                due_within_days: *due_within_days,
                seen_after_days: *seen_after_days,
                known_until: *known_until,
            };
            outcome_bills::compute(window, bound, rows, sweep, progress)
        }
    }
}
