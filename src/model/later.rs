//! What happened to the accounts of published nights: as for the rows of a sample, night by night.

use std::path::Path;

use anyhow::Result;

use super::bind::BoundModel;
use super::draw::outcomes;
use super::file::{Match, ModelFile, Outcome};
use super::outcome_file::OutcomeFile;
use super::rows::SpineRows;
use super::sample::RowOutcome;
use crate::console::Progress;
use crate::day::{Dates, Day};
use crate::expr::Column;
use crate::input::footer_cache::FooterCache;
use crate::job::{Job, RawJob};
use crate::run::prepare;
use crate::spine::{FeatureSweep, SweepOptions};

/// Where it is known from what happened after a night.
pub struct LaterOutcomes<'a> {
    source: LaterSource<'a>,
    progress: &'a Progress,
    /// What to warn of, each once.
    pub warnings: Vec<String>,
}

enum LaterSource<'a> {
    File(Box<OutcomeFile>, Match),
    Computed(&'a ModelFile, Box<FeatureSweep>),
}

impl<'a> LaterOutcomes<'a> {
    /// From a file; `job` is one of the nights'.
    pub fn of_file(
        path: &Path,
        column: &str,
        by: Match,
        job: &Job,
        progress: &'a Progress,
    ) -> Result<LaterOutcomes<'a>> {
        let file = OutcomeFile::read(path, column, false, job, progress)?;
        let source = LaterSource::File(Box::new(file), by);
        Ok(LaterOutcomes { source, progress, warnings: Vec::new() })
    }

    /// As a model file says; `job` is one of the nights', `last` their last. Outcomes that are computed are computed from
    /// the inputs of the model file's own job.
    pub fn of_model(
        model: &'a ModelFile,
        job: &Job,
        last: Day,
        options: SweepOptions,
        progress: &'a Progress,
    ) -> Result<LaterOutcomes<'a>> {
        if let Outcome::File { path, column, by } = &model.outcome {
            return LaterOutcomes::of_file(path, column, *by, job, progress);
        }
        let mut footers = FooterCache::default();
        let last = Dates { as_of: last, known_on: last, chain_from: None };
        let (job, deliveries) = prepare(&mut RawJob::read(&model.job)?, Some(last), &mut footers)?;
        let sweep = FeatureSweep::new(job, deliveries, footers, options);
        let source = LaterSource::Computed(model, Box::new(sweep));
        Ok(LaterOutcomes { source, progress, warnings: Vec::new() })
    }

    /// What happened to accounts after a night, in their order.
    pub fn of_night(&mut self, accounts: Column, as_of: Day) -> Result<Vec<RowOutcome>> {
        let rows = SpineRows::of_night(accounts, as_of);
        match &mut self.source {
            LaterSource::File(file, by) => Ok(file.of_rows(&rows, *by)),
            LaterSource::Computed(model, sweep) => {
                let bound = BoundModel::bind_outcome(model, &sweep.job)?;
                let found = outcomes(model, &bound, &rows, sweep, self.progress)?;
                for warning in found.warnings {
                    if !self.warnings.contains(&warning) {
                        self.warnings.push(warning);
                    }
                }
                Ok(found.by_row)
            }
        }
    }
}
