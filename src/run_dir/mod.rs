//! A run directory read back: its manifest, its job files as used, its tables.
//!
//! - here: the run, its copies of the job files;
//! - `listing`, `nights`: the runs in a directory, and the days between them;
//! - `directory`: its directory, held open, and its files, checked against the manifest;
//! - `fetch`: objects of a store, fetched whole;
//! - `table_files`: which files a table is: one, or parts;
//! - `tree`: all runs of an output directory;
//! - `rows`: a table's columns by name, of one account or all;
//! - `decisions`: what was decided, line by line, and the lines as they were before;
//! - `feature_profile`: what a manifest says of a feature's values;
//! - `facts`: accounts with all that is needed to decide about them again.

pub mod decisions;
pub mod directory;
mod facts;
pub mod feature_profile;
pub mod fetch;
pub mod gates;
pub mod layout;
mod listing;
pub mod manifest;
pub mod nights;
pub mod release_note;
pub mod rows;
pub mod table_files;
pub mod tree;

use std::collections::HashSet;
use std::path::Path;

use anyhow::Result;

use crate::console::visible;
use crate::expr::Type;
use crate::failure::{Kind, laid_out};
use crate::job::input_names::LINES;
use crate::job::{
    Arm, CHALLENGER_POLICY, CHALLENGER_SCORECARD, DecisionColumn, FileColumns, InputColumns, Job, JobSources,
    LINE_COLUMNS, OtherSource, RUN_FILES, RawJob, Remit, Source, segment_file,
};
use crate::policy::Purse;
use crate::run_dir::manifest::Manifest;

pub use directory::RunDirectory;
pub use facts::{Decided, Facts};
pub use listing::{dated_runs, is_there, names_in, no_run, published_before};

/// The files of one scorecard and one policy of a run.
#[derive(Debug, Clone)]
pub struct DecidingFiles<'a> {
    /// The scorecard.
    pub scorecard: &'a Source,
    /// The policy.
    pub policy: &'a Source,
    /// The other scorecards of the run, whose features the policy sees, too.
    pub others: Vec<&'a Source>,
}

impl JobSources {
    /// Reads the copies that lie in a run's directory.
    pub fn read(run: &RunDirectory) -> Result<JobSources> {
        let copy = |name: &str| run.text(name).map(|text| Source { path: run.path().join(name), text });
        let [job, scorecard, policy] = RUN_FILES.map(copy);
        let mut others = Vec::new();
        for name in run.texts().filter(|name| name.ends_with(".toml") && !RUN_FILES.contains(name)) {
            others.push(OtherSource { name: name.to_string(), source: copy(name)? });
        }
        Ok(JobSources { job: job?, scorecard: scorecard?, policy: policy?, others })
    }

    /// The files of the scorecard and the policy that decide about the accounts of an arm and a segment.
    pub fn deciding(&self, arm: Arm, segment: Option<&str>) -> DecidingFiles<'_> {
        let challenger = |name: &str| self.other(name).filter(|_| arm == Arm::Challenger);
        let of_segment = segment.and_then(|segment| self.other(&segment_file(segment)));
        let scorecard = challenger(CHALLENGER_SCORECARD).or(of_segment).unwrap_or(&self.scorecard);
        let of_others = self.others.iter().filter(|other| other.name != CHALLENGER_POLICY);
        let cards = std::iter::once(&self.scorecard).chain(of_others.map(|other| &other.source));
        DecidingFiles {
            scorecard,
            policy: challenger(CHALLENGER_POLICY).unwrap_or(&self.policy),
            others: cards.filter(|card| card.path != scorecard.path).collect(),
        }
    }

    /// Decimal places of money; `None` where the job file is not understood.
    pub fn minor_units(&self) -> Option<u32> {
        let job: toml::Table = self.job.text.parse().ok()?;
        u32::try_from(job.get("minor_units")?.as_integer()?).ok()
    }

    /// What money is counted in; `None` where the job file does not say.
    pub fn currency(&self) -> Option<String> {
        let job: toml::Table = self.job.text.parse().ok()?;
        Some(job.get("output")?.get("currency")?.as_str()?.to_string())
    }
}

/// A whole run, published or held. Its tables are read when they are asked for.
pub struct PublishedRun {
    /// Where it lies.
    pub directory: RunDirectory,
    /// What it says of itself.
    pub manifest: Manifest,
    /// The job files it keeps, resolved. Inputs are not looked at, so what only they show is unknown:
    /// the features' own expressions over inputs must not be evaluated.
    pub job: Job,
}

impl PublishedRun {
    /// Opens a run's directory. Fails where it is no whole run, or its job files cannot be read.
    pub fn open(path: &Path) -> Result<PublishedRun> {
        let (directory, manifest) = RunDirectory::open(path)?;
        PublishedRun::of(directory, manifest)
    }

    /// Opens a run that this process is making, whose manifest is not written yet.
    pub fn in_the_making(path: &Path, manifest: Manifest) -> Result<PublishedRun> {
        PublishedRun::of(RunDirectory::unchecked(path, &manifest.outputs)?, manifest)
    }

    fn of(directory: RunDirectory, manifest: Manifest) -> Result<PublishedRun> {
        let mut draft = RawJob::of_run(JobSources::read(&directory)?);
        let columns = InputColumns {
            lines: Some(line_columns(rows::columns(&directory, "decisions")?)),
            lines_had_more: true,
            ..InputColumns::default()
        };
        let job = draft.bind(&columns);
        draft.diagnostics.check().map_err(|error| {
            let directory = directory.path().display().to_string();
            let message = format!(
                "read {}: its job files are not what this version takes\n{error}",
                visible(&directory)
            );
            laid_out(Kind::Input, message)
        })?;
        let job = job.expect("a job without mistakes is bound");
        Ok(PublishedRun { directory, manifest, job })
    }
}

impl PublishedRun {
    /// What a budget of an arm's policy came to in the run, minor units; 0 where there is none.
    pub fn budget(&self, arm: Arm, purse: Purse) -> i128 {
        let Remit { policy, arm } = self.job.remit_of(arm);
        let totals = &self.manifest.control_totals;
        let of_arm = arm.and_then(|arm| totals.arms.get(arm.name()));
        let actions = of_arm.map_or(&totals.actions, |of_arm| &of_arm.actions);
        let is_counted =
            |name: &str| policy.product(name).is_some_and(|product| purse.counts(policy, product));
        let products = actions.iter().filter(|(name, _)| is_counted(name));
        let limits = products.flat_map(|(_, actions)| actions.values()).map(|totals| totals.old_limit).sum();
        purse.budget(policy).map_or(0, |budget| budget.amount(limits))
    }
}

/// The columns of the lines as far as decisions (`found`) carry them: the contract's, and the extra ones
/// that rules read.
pub fn line_columns(found: Vec<(String, Type)>) -> FileColumns {
    let id = found.iter().find(|(name, _)| name == "account_id").map(|(_, kind)| *kind);
    let contract = LINE_COLUMNS.iter().map(|(name, kind)| match (*name, id) {
        ("account_id", Some(id)) => (name.to_string(), Ok(id)),
        _ => (name.to_string(), Ok(*kind)),
    });
    let extra = found
        .iter()
        .filter(|(name, _)| name != "account_id" && DecisionColumn::named(name).is_none())
        .map(|(name, kind)| (name.clone(), Ok(*kind)));
    contract.chain(extra).collect()
}

/// The ids, as text, of the accounts of which the run's snapshot holds a rejected row.
pub fn rejected_accounts(run: &RunDirectory) -> Result<HashSet<String>> {
    let mut found = HashSet::new();
    rows::for_batches(run, "rejects", &["input", "account_id"], |rows| {
        let (input, account) = (rows.texts("input")?, rows.texts("account_id")?);
        let of_lines = (0..rows.len).filter(|row| input.get(*row) == Some(LINES));
        found.extend(of_lines.filter_map(|row| account.get(row)).map(str::to_string));
        Ok(())
    })?;
    Ok(found)
}
