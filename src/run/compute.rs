//! From files to decisions: the lines, the features, the scores, of a whole book or a range of its accounts.

use std::path::Path;

use anyhow::Result;

use super::inputs::{Deliveries, Files, read_lines_of};
use super::previous::EarlierRun;
use crate::cards::score_job;
use crate::console::Progress;
use crate::day::Dates;
use crate::features::plan::FeaturePlan;
use crate::features::{Answers, Asked, FeatureTable, Part, from_lines};
use crate::input::account_range::AccountRange;
use crate::input::accounts::{Accounts, Ids};
use crate::input::line_columns::line_columns;
use crate::input::lines::Lines;
use crate::input::stream::ReadTally;
use crate::input::wanted::Units;
use crate::input::{issued, previous as earlier_scores};
use crate::job::{From, Job};
use crate::policy::Decision;
use crate::publish::Results;
use crate::score::Scores;

/// What a night is computed from.
#[derive(Clone, Copy)]
pub struct NightInputs<'a> {
    /// The job.
    pub job: &'a Job,
    /// Its inputs, opened.
    pub files: &'a Files,
    /// Everything delivered.
    pub deliveries: &'a Deliveries,
    /// What the night is for.
    pub dates: Dates,
}

/// The lines as a night sees them.
pub struct NightBook {
    /// With the adjustments of earlier runs laid over them.
    pub lines: Lines,
    /// Adjustments whose line is not in the snapshot.
    pub issued_unknown: u64,
}

/// A range of accounts of which not one has an accepted line.
pub struct EmptyRange {
    /// The rows that were read.
    pub tally: ReadTally,
    /// Adjustments whose line is not in the snapshot.
    pub issued_unknown: u64,
}

/// What a night has computed.
pub struct ComputedNight {
    /// The book.
    pub lines: Lines,
    /// One row an account.
    pub features: FeatureTable,
    /// One row an account.
    pub scores: Scores,
    /// One a line.
    pub decisions: Vec<Decision>,
    /// Rows of transactions and of repayments that are reported.
    pub tallies: [ReadTally; 2],
}

impl ComputedNight {
    /// As it is published.
    pub fn results<'a>(&'a self, job: &'a Job, dates: Dates) -> Results<'a> {
        let ComputedNight { lines, features, scores, decisions, tallies: [transactions, repayments] } = self;
        let rejects = [&lines.tally.rejects, &repayments.rejects, &transactions.rejects];
        Results { job, dates, lines, features, scores, decisions, rejects }
    }
}

impl NightInputs<'_> {
    /// Reads the lines of a range of accounts.
    pub fn book(
        &self,
        range: &AccountRange,
        scratch: &Path,
        progress: &Progress,
    ) -> Result<Result<NightBook, EmptyRange>> {
        let NightInputs { job, files, dates, .. } = *self;
        let units = Units::of(job);
        let overlay =
            |lines: &mut Lines| issued::overlay(&files.issued, dates.as_of, &units, lines, progress);
        match read_lines_of(job, files, range, &units, scratch, progress)? {
            Ok(mut lines) => {
                let issued_unknown = overlay(&mut lines)?;
                Ok(Ok(NightBook { lines, issued_unknown }))
            }
            Err(tally) => {
                let ids = Ids::none(job.scopes.account_kind());
                let mut none = Lines::none(Accounts::within(ids, range.clone()), files.snapshot);
                // A whole book without lines is an error of its own.
                let issued_unknown = if range.is_everything() { 0 } else { overlay(&mut none)? };
                Ok(Err(EmptyRange { tally, issued_unknown }))
            }
        }
    }

    /// All features, from the answers of transactions and repayments and from the lines.
    pub fn features(
        &self,
        lines: &Lines,
        asked: &Asked,
        parts: &[Part],
        mut answers: Answers,
    ) -> Result<FeatureTable> {
        let NightInputs { job, dates, .. } = *self;
        let of_lines = FeaturePlan::new(&job.features, From::Lines);
        answers.add(from_lines(&job.features, &of_lines, asked, parts, &lines.account, |range| {
            line_columns(lines, dates.as_of, range, &of_lines.columns, job.scopes.lines.columns.len())
        })?);
        answers.finish(&job.features, asked, parts)
    }

    /// The scores, beside those of the run before.
    pub fn scores(&self, lines: &Lines, features: &FeatureTable) -> Result<Scores> {
        let NightInputs { job, files, .. } = *self;
        let units = Units::of(job);
        let read = |of: &EarlierRun| earlier_scores::read(&of.spec, &of.files, &units, &lines.accounts);
        let previous = files.previous.as_ref().map(read).transpose()?.unwrap_or_default();
        Ok(Scores { previous, ..score_job(job, features, &lines.accounts.ids) })
    }
}
