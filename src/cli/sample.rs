//! `rescore sample`: a believable book to try things on, or the sample of a model file.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::model_sample;
use super::shared::EngineArgs;
use crate::console::{Progress, plain_path, print_json, say, thousands};
use crate::day::Day;
use crate::failure::{Failure, Kind, failure};
use crate::own;
use crate::sample::{self, Sample, Totals};

#[derive(Debug, Args)]
pub(super) struct SampleArgs {
    /// A model file, NAME.toml, whose sample is drawn; or where to write a book, which must hold no sample yet
    path: PathBuf,
    /// A book of how many accounts
    #[arg(long)]
    accounts: Option<u32>,
    /// First delivery of the book
    #[arg(long, value_name = "DATE")]
    from: Option<Day>,
    /// Last delivery of the book
    #[arg(long, value_name = "DATE")]
    to: Option<Day>,
    /// Snapshots of the book's lines are written for so many days up to the last delivery
    #[arg(long, value_name = "N", default_value_t = sample::LINE_DAYS)]
    line_days: u32,
    /// The same seed makes the same bytes of a book
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    engine: EngineArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl SampleArgs {
    /// Whether a model's sample is drawn.
    pub fn is_of_model(&self) -> bool {
        let asks_for_book =
            self.accounts.is_some() || self.from.is_some() || self.to.is_some() || self.seed.is_some();
        self.path.extension().is_some_and(|ending| ending == "toml") && !asks_for_book
    }
}

pub(super) fn execute(args: SampleArgs, progress: &Progress) -> Result<()> {
    if args.is_of_model() {
        return model_sample::draw(&args.path, &args.engine, args.json, progress);
    }
    args.engine.start_threads()?;
    let SampleArgs { path, accounts, from, to, line_days, seed, engine, json } = args;
    let (Some(accounts), Some(from), Some(to), Some(seed)) = (accounts, from, to, seed) else {
        return Err(failure(Kind::Usage, incomplete(&path)));
    };
    if engine.memory.is_some() || engine.from_scratch {
        let message = "--memory and --from-scratch are for a model's sample: a book is made of nothing";
        return Err(failure(Kind::Usage, message));
    }
    make_book(
        Sample { dir: path, accounts, from: civil(from)?, to: civil(to)?, line_days, seed },
        (from, to),
        json,
        progress,
    )
}

fn incomplete(path: &Path) -> String {
    format!(
        "sample {}: a book is made with --accounts, --from, --to and --seed, all four of them; the sample of a model \
         file, NAME.toml, is drawn without any",
        plain_path(path)
    )
}

fn make_book(sample: Sample, (from, to): (Day, Day), json: bool, progress: &Progress) -> Result<()> {
    progress.stage("days", u64::try_from(to.since(from) + 1).unwrap_or(0));
    let totals = sample::write(&sample, &|days| progress.reach(days));
    progress.finish();
    let totals = totals.map_err(|error| {
        let error = own::unwritable(error);
        if error.is::<Failure>() { error } else { failure(Kind::Usage, format!("{error:#}")) }
    })?;
    if json {
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
