//! The `run` command: its arguments, and what it prints of a night and of a range.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::plan;
use super::shared::{EngineArgs, check_dates};
use crate::console::{self, Progress, money, print, print_json, thousands, visible};
use crate::day::Day;
use crate::failure::{Kind, failure};
use crate::job::Action;
use crate::run::{Ending, NightOutcome, Nights, RunRequest, run};
use crate::run_dir::gates;
use crate::run_dir::manifest::{ControlTotals, Counts};
use crate::summary::{self, Summary};

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The job file
    job: PathBuf,
    /// As-of date D: everything is computed as at the end of this day
    #[arg(long, value_name = "DATE", required_unless_present = "from")]
    date: Option<Day>,
    /// Known-on date K, not before D: only deliveries of this day or before are seen [default: D]
    #[arg(long, value_name = "DATE", requires = "date", conflicts_with = "from")]
    known_on: Option<Day>,
    /// A range: every day from this one, in order, each published as it is done
    #[arg(long, value_name = "DATE", requires = "to", conflicts_with = "date")]
    from: Option<Day>,
    /// The last day of the range
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<Day>,
    /// Publish below this directory instead of the job's
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Run again what is published already, and replace it
    #[arg(long)]
    replace: bool,
    /// A simulation: the first day's snapshot serves every day, and each day sees what the days before
    /// it issued; gates hold nothing. Needs an --out of its own
    #[arg(long)]
    chain: bool,
    /// Only say what would be read and done, date by date; publish nothing
    #[arg(long)]
    plan: bool,
    #[command(flatten)]
    engine: EngineArgs,
    /// Print figures as JSON instead of tables; of a range, one object a line, a line a day
    #[arg(long)]
    json: bool,
}

impl RunArgs {
    fn nights(&self) -> Result<Nights> {
        check_dates(self.date, self.known_on)?;
        match (self.date, self.from, self.to) {
            (Some(as_of), _, _) => Ok(Nights::One { as_of, known_on: self.known_on.unwrap_or(as_of) }),
            (None, Some(from), Some(to)) if from <= to => Ok(Nights::Range { from, to }),
            (None, Some(from), Some(to)) => {
                let message =
                    format!("--to {to} is before --from {from}: a range ends on its first day or later");
                Err(failure(Kind::Usage, message))
            }
            _ => unreachable!("clap asks for a date or a range"),
        }
    }
}

pub(super) fn execute(args: RunArgs, progress: &Progress) -> Result<()> {
    let nights = args.nights()?;
    args.engine.start_threads()?;
    let request = RunRequest {
        job: args.job,
        nights,
        out: args.out,
        replace: args.replace,
        chain: args.chain,
        from_scratch: args.engine.from_scratch,
        memory_bytes: args.engine.memory,
    };
    match (args.plan, nights) {
        (true, _) => plan::execute(&request, args.json),
        (false, Nights::One { .. }) => run_night(&request, args.json, progress),
        (false, Nights::Range { .. }) => run_range(&request, args.json, progress),
    }
}

fn run_night(request: &RunRequest, json: bool, progress: &Progress) -> Result<()> {
    let mut held = Ok(());
    let outcome = run(request, progress, &mut |outcome| {
        progress.finish();
        if outcome.ending == Ending::Held {
            held = gates::held(&outcome.manifest.gates, &outcome.directory);
        }
        if json {
            print_json(&serde_json::to_string_pretty(&RunFigures::of(&outcome))?);
        } else {
            print(&text(&outcome));
        }
        Ok(())
    });
    progress.finish();
    outcome.and(held)
}

fn run_range(request: &RunRequest, json: bool, progress: &Progress) -> Result<()> {
    let mut so_far = SoFar::default();
    let outcome = run(request, progress, &mut |outcome| {
        so_far.add(&outcome);
        progress.pause(|| {
            if json {
                print_json(&serde_json::to_string(&RunFigures::of(&outcome))?);
            } else {
                print(&line(&outcome));
            }
            Ok(())
        })
    });
    progress.finish();
    if !json && so_far.nights > 0 {
        print(&so_far.text(request.nights));
    }
    outcome?;
    so_far.check()
}

/// What can become of a night, as a total counts it.
const ENDINGS: [&str; 5] = ["published", "simulated", "left alone", "held", "held already"];

/// What became of a night: one of [`ENDINGS`].
fn ending(outcome: &NightOutcome) -> &'static str {
    match (outcome.ending, outcome.is_left_alone(), outcome.manifest.chain_from) {
        (Ending::Held, true, _) => "held already",
        (Ending::Held, false, _) => "held",
        (Ending::Unchanged, ..) => "left alone",
        (Ending::Published, _, None) => "published",
        (Ending::Published, _, Some(_)) => "simulated",
    }
}

/// A night of a range: a line, and the gates that do not hold.
fn line(outcome: &NightOutcome) -> String {
    let totals = &outcome.manifest.control_totals;
    let mut line = format!(
        "{}  {:<12}  {:>11} accounts  {:>9} adjustments  limits change by {:>16}",
        outcome.manifest.as_of,
        ending(outcome),
        thousands(totals.accounts.into()),
        thousands(totals.adjustments.into()),
        money(totals.new_limit_total - totals.old_limit_total, outcome.minor_units),
    );
    let changing = Action::ALL.into_iter().filter(|action| *action != Action::Hold);
    let actions: Vec<String> = changing
        .map(|action| (action.name(), totals.lines_of(action)))
        .filter(|(_, lines)| *lines > 0)
        .map(|(name, lines)| format!("{name} {}", thousands(lines.into())))
        .collect();
    if !actions.is_empty() {
        line.push_str(&format!("  {}", actions.join(", ")));
    }
    for gate in gates::failed(&outcome.manifest.gates) {
        line.push_str(&format!("\n  {}", gate.line()));
    }
    line
}

/// A range so far; what is held has issued nothing.
#[derive(Default)]
struct SoFar {
    nights: usize,
    job: String,
    minor_units: u32,
    endings: BTreeMap<&'static str, usize>,
    adjustments: u64,
    change: i128,
    held: Vec<Day>,
}

impl SoFar {
    fn add(&mut self, outcome: &NightOutcome) {
        let totals = &outcome.manifest.control_totals;
        self.nights += 1;
        self.job.clone_from(&outcome.manifest.job);
        self.minor_units = outcome.minor_units;
        *self.endings.entry(ending(outcome)).or_default() += 1;
        if outcome.ending == Ending::Held {
            return self.held.push(outcome.manifest.as_of);
        }
        self.adjustments += totals.adjustments;
        self.change += totals.new_limit_total - totals.old_limit_total;
    }

    fn text(&self, nights: Nights) -> String {
        let all = nights.all().len();
        let of = if self.nights == all { String::new() } else { format!(" of {all}") };
        let counted = ENDINGS.iter().filter_map(|ending| Some((ending, self.endings.get(ending)?)));
        let endings: Vec<String> = counted.map(|(ending, nights)| format!("{nights} {ending}")).collect();
        format!(
            "\n{} {nights}: {}{of} nights: {}; {} adjustments, limits change by {}",
            visible(&self.job),
            self.nights,
            endings.join(", "),
            thousands(self.adjustments.into()),
            money(self.change, self.minor_units),
        )
    }

    /// Fails if some night is held.
    fn check(&self) -> Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let days: Vec<String> = self.held.iter().map(Day::to_string).collect();
        let message =
            format!("{} of {} nights are held by gates: {}", days.len(), self.nights, days.join(", "));
        Err(failure(Kind::Held, message))
    }
}

fn text(outcome: &NightOutcome) -> String {
    let manifest = &outcome.manifest;
    let figures = summary::for_people(manifest, outcome.summary.as_ref(), outcome.minor_units);
    let totals = &manifest.control_totals;
    let change = totals.new_limit_total - totals.old_limit_total;
    let verb = match (outcome.ending, manifest.chain_from) {
        (Ending::Published, None) => "published".to_string(),
        (Ending::Published, Some(from)) => format!("a simulation from {from}, its gates hold nothing:"),
        (Ending::Held, _) => "held".to_string(),
        (Ending::Unchanged, _) => "left alone, published already from the same inputs:".to_string(),
    };
    format!(
        "{} of {}, known on {}: {} accounts, {} lines, {} adjustments, limits change by {}\n\n{figures}\n\n{verb} {}",
        visible(&manifest.job),
        manifest.as_of,
        manifest.known_on,
        thousands(totals.accounts.into()),
        thousands(totals.lines.into()),
        thousands(totals.adjustments.into()),
        money(change, outcome.minor_units),
        console::plain_path(&outcome.directory),
    )
}

/// What `--json` prints: the summary's figures and the manifest's. Sums may need more than 64 bits, so
/// they are written as they are and never pass through a `serde_json::Value`.
#[derive(Serialize)]
struct RunFigures<'a> {
    ending: &'static str,
    directory: &'a Path,
    job: &'a str,
    as_of: Day,
    known_on: Day,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_from: Option<Day>,
    summary: Option<&'a Summary>,
    control_totals: &'a ControlTotals,
    counts: &'a BTreeMap<String, Counts>,
    missing_days: &'a BTreeMap<String, Vec<Day>>,
    gates: &'a [gates::GateOutcome],
}

impl<'a> RunFigures<'a> {
    fn of(outcome: &'a NightOutcome) -> RunFigures<'a> {
        let manifest = &outcome.manifest;
        RunFigures {
            ending: match outcome.ending {
                Ending::Published => "published",
                Ending::Held => "held",
                Ending::Unchanged => "unchanged",
            },
            directory: &outcome.directory,
            job: &manifest.job,
            as_of: manifest.as_of,
            known_on: manifest.known_on,
            chain_from: manifest.chain_from,
            summary: outcome.summary.as_ref(),
            control_totals: &manifest.control_totals,
            counts: &manifest.counts,
            missing_days: &manifest.missing_days,
            gates: &manifest.gates,
        }
    }
}
