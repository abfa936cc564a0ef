//! `rescore check`: job files, schemas and deliveries looked over without a run.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::shared::check_dates;
use crate::check::check;
use crate::console::print;
use crate::day::Day;

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The job file
    job: PathBuf,
    /// Also check that a run of this date could start
    #[arg(long, value_name = "DATE")]
    date: Option<Day>,
    /// With --date: as `run` takes it
    #[arg(long, value_name = "DATE", requires = "date")]
    known_on: Option<Day>,
}

pub(super) fn execute(args: &CheckArgs) -> Result<()> {
    check_dates(args.date, args.known_on)?;
    let report = check(&args.job, args.date, args.known_on)?;
    print(&format!("{}\n\nno mistakes, {} warnings", report.text, report.warnings));
    Ok(())
}
