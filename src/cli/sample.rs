//! `rescore sample`: a believable book to try things on.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::console::{Progress, plain_path, print_json, say, thousands};
use crate::day::Day;
use crate::failure::{Failure, Kind, failure};
use crate::own;
use crate::sample::{self, Sample, Totals};

#[derive(Debug, Args)]
pub(super) struct SampleArgs {
    /// Where to write; must hold no sample yet
    dir: PathBuf,
    /// How many accounts
    #[arg(long)]
    accounts: u32,
    /// First delivery
    #[arg(long, value_name = "DATE")]
    from: Day,
    /// Last delivery
    #[arg(long, value_name = "DATE")]
    to: Day,
    /// Snapshots of the lines are written for so many days up to the last delivery
    #[arg(long, value_name = "N", default_value_t = sample::LINE_DAYS)]
    line_days: u32,
    /// The same seed makes the same bytes
    #[arg(long)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: SampleArgs, progress: &Progress) -> Result<()> {
    let sample = Sample {
        dir: args.dir,
        accounts: args.accounts,
        from: civil(args.from)?,
        to: civil(args.to)?,
        line_days: args.line_days,
        seed: args.seed,
    };
    progress.stage("days", u64::try_from(args.to.since(args.from) + 1).unwrap_or(0));
    let totals = sample::write(&sample, &|days| progress.reach(days));
    progress.finish();
    let totals = totals.map_err(|error| {
        let error = own::unwritable(error);
        if error.is::<Failure>() { error } else { failure(Kind::Usage, format!("{error:#}")) }
    })?;
    if args.json {
        let figures = SampleFigures { directory: plain_path(&sample.dir), totals: &totals };
        print_json(&serde_json::to_string(&figures)?);
        return Ok(());
    }
    say(&format!(
        "{}: {} transactions, {} repayments of {} bills, {} lines, {} bad rows, {} late ones, {} bytes",
        plain_path(&sample.dir),
        thousands(totals.transactions.into()),
        thousands(totals.repayments.into()),
        thousands(totals.bills.into()),
        thousands(totals.lines.into()),
        thousands(totals.bad_rows.into()),
        thousands(totals.late_rows.into()),
        thousands(totals.bytes.into()),
    ));
    Ok(())
}

/// The day as the generator's calendar has it.
fn civil(day: Day) -> Result<jiff::civil::Date> {
    Ok(day.to_string().parse()?)
}

/// What `--json` prints.
#[derive(Serialize)]
struct SampleFigures<'a> {
    directory: String,
    #[serde(flatten)]
    totals: &'a Totals,
}
