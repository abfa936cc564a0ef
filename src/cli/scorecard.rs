//! `rescore scorecard`: arguments, and what is printed.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::console::{print, print_json};
use crate::failure::{Kind, failure};
use crate::job::{InputColumns, Job, RawJob};
use crate::run_dir::PublishedRun;
use crate::scorecard::{ScorecardTable, text};
use crate::suggest::listing;

#[derive(Debug, Args)]
pub(super) struct ScorecardArgs {
    /// The job file
    job: PathBuf,
    /// A run's directory, published or held: count its accounts in the bins
    run: Option<PathBuf>,
    /// Which of the job's scorecards: `own` (as without), a segment's name, or `challenger`
    #[arg(long, value_name = "NAME")]
    card: Option<String>,
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
    let number = card_number(&job, args.card.as_deref())?;
    let table = match &args.run {
        None => ScorecardTable::of_job(&job, number),
        Some(run) => ScorecardTable::of_run(&job, number, &PublishedRun::open(run)?)?,
    };
    if args.json {
        print_json(&serde_json::to_string(&table)?);
    } else {
        print(&text::for_people(&table));
    }
    Ok(())
}

/// The position of a scorecard of the job by its name.
fn card_number(job: &Job, name: Option<&str>) -> Result<usize> {
    let Some(name) = name else { return Ok(0) };
    let cards = job.cards().len();
    (0..cards).find(|number| job.card_name(*number) == name).ok_or_else(|| {
        let names = listing((0..cards).map(|number| job.card_name(number)));
        failure(Kind::Usage, format!("--card {name}: the job has no such scorecard; it has {names}"))
    })
}
