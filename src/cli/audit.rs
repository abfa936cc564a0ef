//! `rescore audit`: a night run again from scratch and held against what is published.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::shared::check_dates;
use crate::audit::{Audit, AuditRequest, FileDifference, audit};
use crate::console::{Progress, plain_path, print, print_json, say};
use crate::day::Day;
use crate::run::AskedDate;

#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    /// The job file
    job: PathBuf,
    /// The run's as-of date
    #[arg(long, value_name = "DATE")]
    date: AskedDate,
    /// Its known-on date [default: the as-of date]
    #[arg(long, value_name = "DATE")]
    known_on: Option<Day>,
    /// Where the run lies, instead of the job's output directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print JSON: one object
    #[arg(long)]
    json: bool,
}

/// Exit code where something differs.
const DIFFERENT: u8 = 1;

/// What `--json` prints.
#[derive(Serialize)]
struct AuditFigures<'a> {
    run: String,
    as_of: Day,
    known_on: Day,
    files: usize,
    same: bool,
    differences: &'a [FileDifference],
}

pub(super) fn execute(args: AuditArgs, progress: &Progress) -> Result<u8> {
    let as_of = args.date.day(&args.job)?;
    check_dates(Some(as_of), args.known_on)?;
    let AuditArgs { job, known_on, out, json, .. } = args;
    let known_on = known_on.unwrap_or(as_of);
    let found = audit(&AuditRequest { job, as_of, known_on, out }, progress);
    progress.finish();
    let found = found?;
    let Audit { directory, files, differences } = &found;
    let same = differences.is_empty();
    let run = plain_path(directory);
    if json {
        let figures = AuditFigures { run, as_of, known_on, files: *files, same, differences };
        print_json(&serde_json::to_string(&figures)?);
    } else if same {
        say(&format!("{run}: run again from scratch, {files} files come to the same bytes"));
    } else {
        let lines = differences.iter().map(|FileDifference { file, row, what }| match row {
            Some(row) => format!("  {file}: row {row}: {what}"),
            None => format!("  {file}: {what}"),
        });
        let lines: Vec<String> = lines.collect();
        let count = differences.len();
        print(&format!(
            "{run}: run again from scratch, {count} of {files} files differ\n{}",
            lines.join("\n")
        ));
    }
    Ok(if same { 0 } else { DIFFERENT })
}
