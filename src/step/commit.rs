//! Step `commit`: adds up what ranges have reported, measures the gates, and publishes the run.

use anyhow::Result;

use super::finish::{FinishReport, TABLES_IN_PARTS};
use super::report::GivenReports;
use super::sort::check_sorted;
use super::worker::Worker;
use crate::console::plain_path;
use crate::failure::input;
use crate::input::reject_log::{RejectLog, RejectedRow, RejectedRows};
use crate::input::snapshot;
use crate::input::stream::ReadTally;
use crate::publish::commit::Lock;
use crate::publish::written_file::PartOfTable;
use crate::run::{BookFigures, NightOutcome, StepResults, StepsEnd, Work};
use crate::run_dir::manifest::Counts;
use crate::run_dir::table_files::part_name;

/// Publishes the run.
pub fn commit(worker: &Worker, given: &GivenReports) -> Result<NightOutcome> {
    let plan = &worker.plan;
    let end = StepsEnd {
        inputs: worker.inputs(),
        out: &plan.out,
        replace: plan.replace,
        fingerprint: &plan.fingerprint,
    };
    check_sorted(plan, given)?;
    let path = plain_path(&worker.job.sources.job.path);
    let what = format!("publishing {path} ({} of {})", worker.job.name, plan.as_of);
    let lock = Lock::take(&plan.out, &what, worker.job.access)?;
    if let Some(existing) = end.existing()? {
        return Ok(existing);
    }
    let reports: Vec<FinishReport> = given.all("finish", plan.ranges.len())?;
    let (lines, counts) = lines(worker, &reports)?;
    let figures = figures(&reports);
    let Some(figures) = figures else {
        return Err(snapshot::none_accepted(&lines, worker.files.snapshot));
    };
    let mut copies = worker.copies();
    let mut work =
        Work { copies: &mut copies, scratch: &worker.scratch, progress: worker.progress, lap: &mut |_| {} };
    let intake = worker.rows().intake(worker.day(), &mut work)?;
    let results = StepResults {
        intake,
        lines: lines.rejects,
        counts,
        figures,
        issued_unknown: reports.iter().map(|report| report.issued_unknown).sum(),
        bill_conflicts: reports.iter().map(|report| report.bill_conflicts).sum(),
        tables: tables(&reports),
    };
    end.publish(&lock, results)
}

/// The rows of the snapshot that were read and left out.
fn lines(worker: &Worker, reports: &[FinishReport]) -> Result<(ReadTally, Counts)> {
    let mut counts = Counts::default();
    let mut rejected: Vec<RejectedRow> = Vec::new();
    for report in reports {
        counts.read += report.lines.read;
        counts.accepted += report.lines.accepted;
        for (reason, rows) in &report.lines.rejected {
            *counts.rejected.entry(*reason).or_default() += rows;
        }
        let rows = RejectedRows::of(report.rejects.read()?);
        rejected.extend(rows.rows().collect::<Result<Vec<_>>>()?);
    }
    let rows: u64 = worker.files.snapshot_files().map(|file| file.rows()).sum();
    if counts.read != rows {
        let message = format!(
            "read lines: {} of {rows} rows are of some part: the statistics of a file's account_id are not those of \
             its rows: have it written anew without them",
            counts.read
        );
        return Err(input(message));
    }
    rejected.sort_unstable_by_key(|row| (row.file, row.row));
    let files: Vec<_> = worker.files.snapshot_files().cloned().collect();
    let mut rejects = RejectLog::new(worker.job.inputs.lines.name, &files, &worker.scratch);
    rejects.merge(rejected.into_iter().map(Ok), std::iter::empty())?;
    if rejects.counts != counts.rejected {
        return Err(input(
            "the rejected lines are not as many as were counted: run the steps again".to_string(),
        ));
    }
    Ok((ReadTally { read: counts.read, rejects }, counts))
}

/// The figures over the whole book; `None` where no line is accepted.
fn figures(reports: &[FinishReport]) -> Option<BookFigures> {
    reports.iter().filter_map(|report| report.book.as_ref()).map(|book| book.figures.clone()).reduce(
        |mut all, more| {
            all.add(more);
            all
        },
    )
}

/// The parts of each table, numbered in order of account.
fn tables(reports: &[FinishReport]) -> Vec<PartOfTable> {
    let mut parts = Vec::new();
    let books = reports.iter().filter_map(|report| report.book.as_ref()).enumerate();
    for (number, book) in books {
        for (table, file) in TABLES_IN_PARTS.iter().zip(&book.tables) {
            parts.push(PartOfTable { name: part_name(table, number), file: file.clone() });
        }
    }
    parts
}
