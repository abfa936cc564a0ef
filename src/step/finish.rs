//! Step `finish`: the tables of a range of accounts, once it is known where budgets end.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::cut::CutReport;
use super::part::{PartReport, range_of};
use super::report::GivenReports;
use super::work_dir;
use super::worker::Worker;
use crate::expr::Column;
use crate::failure::input;
use crate::features::FeatureTable;
use crate::input::lines::Lines;
use crate::input::reject_log::{RejectLog, RejectedRows};
use crate::policy::{apply_cuts, decide_unbudgeted, queued_raises};
use crate::publish::commit::write_table;
use crate::publish::written_file::WrittenFile;
use crate::publish::{Results, tables};
use crate::run::{BookFigures, EmptyRange, NightBook};
use crate::run_dir::RunDirectory;
use crate::run_dir::manifest::Counts;
use crate::run_dir::rows;

/// What is reported of a finished range.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FinishReport {
    /// Rows of the snapshot that are of the range.
    pub lines: Counts,
    /// Those that were left out, packed.
    pub rejects: WrittenFile,
    /// Adjustments whose line is not in the snapshot.
    pub issued_unknown: u64,
    /// Bills for which one delivery holds more than one pair of terms.
    pub bill_conflicts: u64,
    /// Tables and figures; `None` where there is no account.
    pub book: Option<FinishedBook>,
}

/// The tables of a range, and the figures over them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FinishedBook {
    /// In the order of [`TABLES_IN_PARTS`].
    pub tables: Vec<WrittenFile>,
    /// Figures over them.
    pub figures: BookFigures,
}

/// The tables that lie in parts.
pub const TABLES_IN_PARTS: [&str; 4] = ["adjustments", "decisions", "features", "scores"];

/// Finishes the range of a task.
pub fn finish(worker: &Worker, task: usize, given: &GivenReports) -> Result<FinishReport> {
    let part: PartReport = given.of("part", task)?;
    let cuts: CutReport = given.of("cut", 0)?;
    let range = range_of(worker, task)?;
    let directory =
        work_dir::attempt(&worker.directory.join(format!("finish-{task:05}")), worker.job.access)?;
    let book = worker.inputs().book(range, &worker.scratch, worker.progress)?;
    let (tally, issued_unknown) = match &book {
        Ok(NightBook { lines, issued_unknown }) => (&lines.tally, *issued_unknown),
        Err(EmptyRange { tally, issued_unknown }) => (tally, *issued_unknown),
    };
    let rejects = write_rejects(worker, &directory, &tally.rejects)?;
    let lines = Counts::from(tally);
    let book = match (&book, &part.features) {
        (Ok(NightBook { lines, .. }), Some(features)) => {
            Some(finish_book(worker, lines, features, &cuts, &directory)?)
        }
        (Err(_), None) => None,
        _ => return Err(input(format!("the lines of part {task} are not those of its step `part`"))),
    };
    worker.files.check_unchanged()?;
    Ok(FinishReport { lines, rejects, issued_unknown, bill_conflicts: part.bill_conflicts, book })
}

fn finish_book(
    worker: &Worker,
    lines: &Lines,
    file: &WrittenFile,
    cuts: &CutReport,
    directory: &Path,
) -> Result<FinishedBook> {
    let job = &worker.job;
    let features = read_features(worker, lines, file)?;
    let scores = worker.inputs().scores(lines, &features)?;
    let mut decisions = decide_unbudgeted(job, worker.plan.as_of, lines, &features, &scores);
    for (remit, cuts) in job.remits().iter().zip(&cuts.policies) {
        let queue = queued_raises(remit, lines, &scores, &decisions);
        apply_cuts(cuts, lines, &queue, &mut decisions);
    }
    let none = RejectLog::default();
    let results = Results {
        job,
        dates: worker.dates(),
        lines,
        features: &features,
        scores: &scores,
        decisions: &decisions,
        rejects: [&none; 3],
    };
    let adjusted = tables::adjusted_rows(&results);
    let all =
        [tables::adjustments(&results, &adjusted), tables::decisions(&results), tables::scores(&results)];
    let mut tables = Vec::new();
    for table in &all {
        let path = directory.join(format!("{}.parquet", table.name));
        tables.push(write_table(&results, table, &path)?);
    }
    tables.insert(2, file.clone());
    Ok(FinishedBook { tables, figures: BookFigures::of(&results) })
}

/// The features that step `part` has written, of the accounts of some lines.
fn read_features(worker: &Worker, lines: &Lines, file: &WrittenFile) -> Result<FeatureTable> {
    file.check()?;
    let directory = file.path.parent().unwrap_or(Path::new(""));
    let directory = RunDirectory::unchecked(directory, &[file.as_output("features.parquet")])?;
    let read = rows::read(&directory, "features", None)?;
    if *read.column("account_id")? != lines.accounts.ids.to_column() {
        let message =
            format!("{} is not of the accounts of its range: run step `part` again", file.path.display());
        return Err(input(message));
    }
    let columns = worker.job.features.iter().map(|feature| read.column(&feature.name).cloned());
    Ok(FeatureTable::of(&columns.collect::<Result<Vec<Column>>>()?))
}

fn write_rejects(worker: &Worker, directory: &Path, log: &RejectLog) -> Result<WrittenFile> {
    let mut rows = RejectedRows::default();
    for row in log.rows() {
        rows.push_row(&row?);
    }
    WrittenFile::write_bytes(&directory.join("rejects"), rows.bytes(), worker.job.access)
}
