//! The `run` command: its arguments, and what it prints of a night and of a range.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::next_steps::next_steps;
use super::run_figures::RunFigures;
use super::shared::{EngineArgs, check_dates};
use super::{plan, show};
use crate::console::{
    Progress, Tone, money, paint, plain, plain_path, plural, print_beside_error, print_error, print_json,
    say, thousands, visible, width,
};
use crate::day::Day;
use crate::failure::{Kind, exit_code, failure};
use crate::job::Action;
use crate::operations::Watcher;
use crate::run::{AskedDate, Ending, NightOutcome, Nights, RunRequest, run};
use crate::run_dir::PublishedRun;
use crate::run_dir::gates::{self, GateVerdict};
use crate::run_dir::manifest::ControlTotals;
use crate::summary::{self, headline};

/// Either a date or a range.
const USAGE: &str = "\
rescore run [OPTIONS] <JOB> --date <DATE>
       rescore run [OPTIONS] <JOB> --from <DATE> --to <DATE>";

#[derive(Debug, Args)]
#[command(override_usage = USAGE)]
pub(super) struct RunArgs {
    /// The job file
    job: PathBuf,
    /// As-of date D: everything is computed as at the end of this day. `latest` is the last day of which
    /// transactions are delivered, `yesterday` the day before today in the job's time zone
    #[arg(long, value_name = "DATE", required_unless_present = "from")]
    date: Option<AskedDate>,
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
    /// Print figures as JSON, a line a night; errors, too
    #[arg(long)]
    json: bool,
}

impl RunArgs {
    fn nights(&self) -> Result<Nights> {
        let date = self.date.map(|date| date.day(&self.job)).transpose()?;
        check_dates(date, self.known_on)?;
        match (date, self.from, self.to) {
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

/// Runs what is asked for; the exit code.
pub(super) fn execute(args: RunArgs, verbose: u8, progress: &Progress) -> Result<u8> {
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
    if args.plan {
        return plan::execute(&request, args.json).map(|()| 0);
    }
    let mut watcher = Watcher::begin(&request);
    let ended = match nights {
        Nights::One { .. } => run_night(&request, args.json, verbose > 0, progress, &mut watcher),
        Nights::Range { .. } => run_range(&request, args.json, progress, &mut watcher).map(|()| 0),
    };
    watcher.run_ended(ended.as_ref().err());
    ended
}

/// Runs one night. What holds it is told first, and what may be done about it, then what it came to.
fn run_night(
    request: &RunRequest,
    json: bool,
    has_tables: bool,
    progress: &Progress,
    watcher: &mut Watcher,
) -> Result<u8> {
    let mut held = Ok(());
    run(request, progress, &mut |outcome| {
        progress.finish();
        watcher.night_ended(&outcome);
        warn_of_gates(&outcome);
        if outcome.ending == Ending::Held {
            held = gates::held(&outcome.as_gated());
        }
        if json {
            print_json(&serde_json::to_string(&RunFigures::of(&outcome))?);
            return Ok(());
        }
        if let Err(error) = &held {
            print_error(error);
            // Beside the error, so that it is in the mail of a quiet night, too.
            print_beside_error(&next_steps(&outcome.directory, &outcome.manifest));
        }
        say(&text(&outcome, has_tables)?);
        Ok(())
    })
    .inspect_err(|_| progress.finish())?;
    match held {
        Err(error) if json => Err(error),
        Err(error) => Ok(exit_code(&error)),
        Ok(()) => Ok(0),
    }
}

/// Warns of the gates that do not hold and do not hold the run.
fn warn_of_gates(outcome: &NightOutcome) {
    let gates = outcome.manifest.gates.iter().filter(|gate| gate.verdict() == GateVerdict::Warns);
    for gate in gates {
        tracing::warn!("night of {}: {}", outcome.manifest.as_of, plain(&gate.line(outcome.minor_units)));
    }
}

fn run_range(request: &RunRequest, json: bool, progress: &Progress, watcher: &mut Watcher) -> Result<()> {
    let mut so_far = SoFar::default();
    let outcome = run(request, progress, &mut |outcome| {
        so_far.add(&outcome);
        watcher.night_ended(&outcome);
        if json {
            print_json(&serde_json::to_string(&RunFigures::of(&outcome))?);
        } else {
            say(&line(&outcome));
        }
        Ok(())
    });
    progress.finish();
    if !json && so_far.nights > 0 {
        say(&so_far.text(request.nights));
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
    let date = outcome.manifest.as_of;
    let ended = painted_ending(ending(outcome), 12);
    let accounts = |columns| counted(totals.accounts, "account", columns);
    let adjustments = |columns| counted(totals.adjustments, "adjustment", columns);
    let change = money(totals.new_limit_total - totals.old_limit_total, outcome.minor_units);
    /// Narrower terminals get a shorter line.
    const WIDE: u16 = 150;
    let mut line = if width().is_some_and(|columns| columns < WIDE) {
        format!("{date}  {ended} {} {} {change:>14}", accounts(9), adjustments(7))
    } else {
        let actions = actions(totals);
        format!(
            "{date}  {ended}  {}  {}  limits change by {change:>16}{actions}",
            accounts(11),
            adjustments(9)
        )
    };
    for gate in gates::not_holding(&outcome.manifest.gates) {
        line.push_str(&format!("\n  {}", gate.line(outcome.minor_units)));
    }
    line
}

/// A count in so many columns and what is counted, as wide for one as for many.
fn counted(count: u64, noun: &str, columns: usize) -> String {
    let ending = if count == 1 { " " } else { "s" };
    format!("{:>columns$} {noun}{ending}", thousands(count.into()))
}

/// What became of a night, as wide as it is to be.
fn painted_ending(ending: &str, columns: usize) -> String {
    let padded = format!("{ending:<columns$}");
    match ending {
        "published" => paint(Tone::Good, &padded),
        "held" | "held already" => paint(Tone::Failure, &padded),
        _ => padded,
    }
}

/// How many lines each action changes.
fn actions(totals: &ControlTotals) -> String {
    let changing = Action::ALL.into_iter().filter(|action| *action != Action::Hold);
    let actions: Vec<String> = changing
        .map(|action| (action.name(), totals.lines_of(action)))
        .filter(|(_, lines)| *lines > 0)
        .map(|(name, lines)| format!("{name} {}", thousands(lines.into())))
        .collect();
    if actions.is_empty() { String::new() } else { format!("  {}", actions.join(", ")) }
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
        let of = if self.nights == all { String::new() } else { format!("{} of ", self.nights) };
        let counted = ENDINGS.iter().filter_map(|ending| Some((ending, self.endings.get(ending)?)));
        let endings: Vec<String> = counted.map(|(ending, nights)| format!("{nights} {ending}")).collect();
        format!(
            "\n{} {nights}: {of}{}: {}; {}, limits change by {}",
            visible(&self.job),
            plural(all, "night"),
            endings.join(", "),
            plural(self.adjustments as usize, "adjustment"),
            money(self.change, self.minor_units),
        )
    }

    /// Fails if some night is held.
    fn check(&self) -> Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let days: Vec<String> = self.held.iter().map(Day::to_string).collect();
        let are = if days.len() == 1 { "is" } else { "are" };
        let message = format!(
            "{} of {} {are} held by gates: {}",
            days.len(),
            plural(self.nights, "night"),
            days.join(", ")
        );
        Err(failure(Kind::Held, message))
    }
}

/// What a night came to: a line, tables where they are asked for, and of a held one what may be done about it.
fn text(outcome: &NightOutcome, has_tables: bool) -> Result<String> {
    let NightOutcome { manifest, directory, minor_units, currency, .. } = outcome;
    let from = manifest.chain_from.map_or(String::new(), |from| format!(" from {from}"));
    let verb = match ending(outcome) {
        "published" => paint(Tone::Good, "published"),
        "simulated" => format!("a simulation{from}, its gates hold nothing:"),
        "left alone" => "left alone, published already from the same inputs:".to_string(),
        "held" => paint(Tone::Failure, "held"),
        _ => format!("left alone, {} already from the same inputs:", paint(Tone::Failure, "held")),
    };
    let mut parts = vec![format!(
        "{}; {verb} {}",
        headline(manifest, *minor_units, currency.as_deref()),
        plain_path(directory)
    )];
    if has_tables {
        let bands = match &outcome.summary {
            Some(summary) => summary.bands.clone(),
            None => show::bands(&PublishedRun::open(directory)?)?,
        };
        parts.extend(summary::sections(manifest, &bands, *minor_units));
    }
    Ok(parts.join(if has_tables { "\n\n" } else { "\n" }))
}
