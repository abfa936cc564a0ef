//! `rescore scorecard`: arguments, and what is printed.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::console::{print, print_json};
use crate::job::{InputColumns, RawJob};
use crate::run_dir::PublishedRun;
use crate::scorecard::{ScorecardTable, text};

#[derive(Debug, Args)]
pub(super) struct ScorecardArgs {
    /// The job file
    job: PathBuf,
    /// A run's directory, published or held: count its accounts in the bins
    run: Option<PathBuf>,
    /// Print JSON: shares in basis points, means in thousandths
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &ScorecardArgs) -> Result<()> {
    let mut raw = RawJob::read(&args.job)?;
    // No input is looked at: what only its columns tell is not needed to read bins and points.
    let job = raw.bind(&InputColumns::default());
    raw.diagnostics.check()?;
    let job = job.expect("a job without mistakes is bound");
    let table = match &args.run {
        None => ScorecardTable::of_job(&job),
        Some(run) => ScorecardTable::of_run(&job, &PublishedRun::open(run)?)?,
    };
    if args.json {
        print_json(&serde_json::to_string(&table)?);
    } else {
        print(&text::for_people(&table));
    }
    Ok(())
}
