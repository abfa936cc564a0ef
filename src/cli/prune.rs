//! `rescore prune`: removes runs that nobody needs any more; dry unless it is confirmed.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::console::{bytes, plain_path, print, print_json};
use crate::day::Day;
use crate::prune::{PruneRequest, PrunedRun, prune};

#[derive(Debug, Args)]
pub(super) struct PruneArgs {
    /// The output directory
    out: PathBuf,
    /// How many of the newest published nights stay, however old they are
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: u32,
    /// Only nights whose as-of date is more than so many days before today (UTC)
    #[arg(long, value_name = "DAYS")]
    older_than: u32,
    /// Remove them; without it nothing is removed, only named
    #[arg(long)]
    yes: bool,
    /// Print JSON: one object
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &PruneArgs) -> Result<()> {
    let today = Day::of_instant(Timestamp::now().as_second(), &TimeZone::UTC);
    let request = PruneRequest {
        out: args.out.clone(),
        keep: args.keep as usize,
        older_than_days: args.older_than,
        today: today.unwrap_or(Day(0)),
        is_confirmed: args.yes,
    };
    let runs = prune(&request)?;
    if args.json {
        print_json(&serde_json::to_string(&PruneFigures::of(args, &runs))?);
    } else {
        print(&text(args, &runs));
    }
    Ok(())
}

/// The runs that go, then those that are old enough and stay all the same.
fn text(args: &PruneArgs, runs: &[PrunedRun]) -> String {
    let verb = if args.yes { "removed" } else { "would be removed" };
    let (gone, kept): (Vec<&PrunedRun>, Vec<&PrunedRun>) = runs.iter().partition(|run| run.stays.is_none());
    let mut lines: Vec<String> = Vec::new();
    for run in &gone {
        lines.push(format!("{verb}  {}  {}", plain_path(&run.directory), bytes(run.bytes)));
    }
    for run in &kept {
        let why = run.stays.as_deref().unwrap_or_default();
        lines.push(format!("stays  {}  {why}", plain_path(&run.directory)));
    }
    let size: u64 = gone.iter().map(|run| run.bytes).sum();
    let noun = if gone.len() == 1 { "run" } else { "runs" };
    let next = if args.yes || gone.is_empty() { "" } else { "; run again with --yes to remove" };
    let next = match (next.is_empty(), gone.len()) {
        (true, _) => String::new(),
        (false, 1) => format!("{next} it"),
        (false, _) => format!("{next} them"),
    };
    lines.push(format!("{} {noun} {verb}, {}; {} stay{next}", gone.len(), bytes(size), kept.len()));
    lines.join("\n")
}

/// What `--json` prints.
#[derive(Serialize)]
struct PruneFigures<'a> {
    out: &'a Path,
    /// Whether nothing was removed, only looked at.
    dry: bool,
    /// The size of the runs that go.
    bytes: u64,
    removed: Vec<PrunedLine<'a>>,
    stay: Vec<PrunedLine<'a>>,
}

#[derive(Serialize)]
struct PrunedLine<'a> {
    directory: String,
    as_of: Day,
    known_on: Day,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

impl<'a> PruneFigures<'a> {
    fn of(args: &'a PruneArgs, runs: &'a [PrunedRun]) -> PruneFigures<'a> {
        let lines = |goes: bool| {
            let chosen = runs.iter().filter(move |run| run.stays.is_none() == goes);
            let line = |run: &'a PrunedRun| PrunedLine {
                directory: plain_path(&run.directory),
                as_of: run.as_of,
                known_on: run.known_on,
                bytes: run.bytes,
                why: run.stays.as_deref(),
            };
            chosen.map(line).collect::<Vec<_>>()
        };
        let bytes = runs.iter().filter(|run| run.stays.is_none()).map(|run| run.bytes).sum();
        PruneFigures { out: &args.out, dry: !args.yes, bytes, removed: lines(true), stay: lines(false) }
    }
}
