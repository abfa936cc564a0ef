//! `rescore check`: job files, schemas and deliveries looked over without a run.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::shared::check_dates;
use crate::check::check;
use crate::console::{plural, print_json, say};
use crate::day::Day;
use crate::run::AskedDate;

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The job file
    job: PathBuf,
    /// Also check that a run of this date could start; or `latest`, or `yesterday`, as `run` takes it
    #[arg(long, value_name = "DATE")]
    date: Option<AskedDate>,
    /// With --date: as `run` takes it
    #[arg(long, value_name = "DATE", requires = "date")]
    known_on: Option<Day>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &CheckArgs) -> Result<()> {
    let date = args.date.map(|date| date.day(&args.job)).transpose()?;
    check_dates(date, args.known_on)?;
    let report = check(&args.job, date, args.known_on)?;
    if args.json {
        print_json(&serde_json::to_string(&report.figures)?);
    } else {
        let warnings = plural(report.figures.warnings, "warning");
        say(&format!("{}\n\nno mistakes, {warnings}", report.text));
    }
    Ok(())
}
