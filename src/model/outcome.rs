//! What happened to the rows of a sample, and how that is known.

use super::sample::RowOutcome;
use crate::day::Day;

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
