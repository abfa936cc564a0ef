//! A night in steps, done one after the other in this process.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rescore::console::Progress;
use rescore::run::{NightOutcome, RunRequest};
use rescore::step::plan::{StepsRequest, plan};
use rescore::step::{GivenReports, Worker, commit, cut, finish, keys, part, report_line, sort};
use serde::Serialize;

use super::once_unlocked;

/// The reports of each step of a plan.
#[derive(Debug, Clone, Default)]
pub struct Reports {
    pub keys: Vec<String>,
    pub sort: Vec<String>,
    pub part: Vec<String>,
    pub cut: Vec<String>,
    pub finish: Vec<String>,
}

/// How a night is shared out.
#[derive(Debug, Clone, Copy)]
pub struct SharedOut {
    pub parts: usize,
    pub key_shards: usize,
}

/// A plan, and where its night has come to.
pub struct Night {
    pub plan: PathBuf,
    pub reports: Reports,
}

fn given<'l>(lines: impl IntoIterator<Item = &'l String>) -> Result<GivenReports> {
    GivenReports::of_lines(lines.into_iter().cloned().map(Ok))
}

fn lines<T: Serialize>(step: &str, tasks: usize, each: impl Fn(usize) -> Result<T>) -> Result<Vec<String>> {
    (0..tasks).map(|task| report_line(step, task, &each(task)?)).collect()
}

/// What is asked of a plan.
pub fn steps_request(run: &RunRequest, work: &Path, shared: SharedOut) -> StepsRequest {
    let SharedOut { parts, key_shards } = shared;
    StepsRequest { run: run.clone(), parts, work: work.to_path_buf(), key_shards }
}

/// Plans a night; an error, or the outcome where it is there already.
pub fn planned(
    run: &RunRequest,
    work: &Path,
    shared: SharedOut,
) -> Result<std::result::Result<Night, NightOutcome>> {
    Ok(plan(&steps_request(run, work, shared))?
        .map(|report| Night { plan: report.plan.expect("it is not there yet"), reports: Reports::default() }))
}

impl Night {
    pub fn worker<'p>(&self, progress: &'p Progress) -> Result<Worker<'p>> {
        Worker::open(&self.plan, progress)
    }

    /// Sorts, with what comes before that.
    pub fn sort(&mut self) -> Result<()> {
        let progress = Progress::hidden();
        let worker = self.worker(&progress)?;
        self.reports.keys = lines("keys", worker.plan.keys.len(), |task| keys::keys(&worker, task))?;
        let reports = given(&self.reports.keys)?;
        self.reports.sort =
            lines("sort", worker.plan.to_sort.len(), |task| sort::sort(&worker, task, &reports, None))?;
        Ok(())
    }

    /// Computes the parts.
    pub fn parts(&mut self) -> Result<()> {
        let progress = Progress::hidden();
        let worker = self.worker(&progress)?;
        let reports = given(&self.reports.sort)?;
        self.reports.part =
            lines("part", worker.plan.ranges.len(), |task| part::part(&worker, task, &reports))?;
        Ok(())
    }

    /// Finds where budgets end, and writes the tables.
    pub fn finish(&mut self) -> Result<()> {
        let progress = Progress::hidden();
        let worker = self.worker(&progress)?;
        self.reports.cut = lines("cut", 1, |_| cut::cut(&worker, &given(&self.reports.part)?))?;
        self.reports.finish = lines("finish", worker.plan.ranges.len(), |task| {
            let part = &self.reports.part[task];
            finish::finish(&worker, task, &given([part].into_iter().chain(&self.reports.cut))?)
        })?;
        Ok(())
    }

    /// Publishes.
    pub fn commit(&self) -> Result<NightOutcome> {
        let Reports { sort, part, cut, finish, .. } = &self.reports;
        let (progress, given) =
            (Progress::hidden(), given(sort.iter().chain(part).chain(cut).chain(finish))?);
        once_unlocked(|| commit::commit(&self.worker(&progress)?, &given))
    }
}

/// Runs a night in steps.
pub fn run_in_steps(run: &RunRequest, work: &Path, shared: SharedOut) -> Result<NightOutcome> {
    let mut night = match planned(run, work, shared)? {
        Ok(night) => night,
        Err(existing) => return Ok(existing),
    };
    night.sort()?;
    night.parts()?;
    night.finish()?;
    night.commit()
}
