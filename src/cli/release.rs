//! `rescore release`: a held run published on somebody's word.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde::Serialize;

use super::shared::check_dates;
use crate::console::{Tone, paint, plain_path, print_json, say};
use crate::day::Day;
use crate::release::{ReleaseRequest, Released, list, release};
use crate::run_dir::release_note::ReleaseNote;

#[derive(Debug, Args)]
pub(super) struct ReleaseArgs {
    /// The output directory
    out: PathBuf,
    /// The held run's as-of date
    #[arg(long, value_name = "DATE")]
    date: Day,
    /// Its known-on date [default: the as-of date]
    #[arg(long, value_name = "DATE")]
    known_on: Option<Day>,
    /// Also where later nights are published, which have not seen what this one issues
    #[arg(long)]
    anyway: bool,
    /// Who releases it: recorded in released.json
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    by: Option<String>,
    /// Why: recorded likewise
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    why: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: ReleaseArgs) -> Result<()> {
    check_dates(Some(args.date), args.known_on)?;
    let known_on = args.known_on.unwrap_or(args.date);
    let ReleaseArgs { out, date: as_of, anyway, by, why, json, .. } = args;
    let released = release(&ReleaseRequest { out, as_of, known_on, anyway, by, why })?;
    if json {
        print_json(&serde_json::to_string(&ReleaseFigures::of(&released))?);
        return Ok(());
    }
    say(&format!("{} {}", paint(Tone::Good, "published"), plain_path(&released.directory)));
    released.note.overruled.iter().for_each(|gate| say(&format!("  {}", gate.line(released.minor_units))));
    if !released.unaware.is_empty() {
        say(&format!("run again with --replace, in this order: {}", list(&released.unaware)));
    }
    Ok(())
}

/// What `--json` prints.
#[derive(Serialize)]
struct ReleaseFigures<'a> {
    directory: String,
    #[serde(flatten)]
    note: &'a ReleaseNote,
    /// Later nights, which are to be run again.
    run_again: &'a [Day],
}

impl<'a> ReleaseFigures<'a> {
    fn of(released: &'a Released) -> ReleaseFigures<'a> {
        let directory = plain_path(&released.directory);
        ReleaseFigures { directory, note: &released.note, run_again: &released.unaware }
    }
}
