//! The command line: arguments, and which verb they ask for.

mod diff;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use serde::Serialize;

use crate::console::{self, Progress, money, thousands};
use crate::day::Day;
use crate::failure::{Kind, failure};
use crate::publish::gates;
use crate::publish::manifest::{ControlTotals, Counts};
use crate::publish::release::release;
use crate::publish::verify::verify;
use crate::run::{Ending, Outcome, Request, run};
use crate::sample::{self, Sample};
use crate::summary::Summary;
use crate::{check, signal, summary};

/// Nightly batch rescoring: reads a day's transactions and repayments and the book of credit lines,
/// rescores every account, applies the limit policy and publishes the adjustments.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Say more on stderr: -v stages and times, -vv details
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// No progress bar
    #[arg(short, long, global = true)]
    quiet: bool,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    done (diff: no difference)
  1    diff: differences
  2    usage, or a mistake in a job file
  3    input: not delivered, unreadable, wrong schema, a result out of range
  4    held by a gate
  5    another run holds the lock of the output directory
  6    refused: published already from other inputs or job files
  70   a fault of the program
  130  stopped by a signal";

#[derive(Debug, Subcommand)]
enum Command {
    /// Score and decide for a date, and publish
    #[command(after_help = "\
Examples:
  rescore run jobs/nightly.toml --date 2026-11-20
  rescore run jobs/nightly.toml --date 2026-11-17 --known-on 2026-11-20   # with what has arrived since
  rescore run jobs/nightly.toml --date 2026-11-20 --out /tmp/trial --json")]
    Run(RunArgs),
    /// Look over job files, schemas and deliveries without running
    #[command(after_help = "\
Examples:
  rescore check jobs/nightly.toml
  rescore check jobs/nightly.toml --date 2026-11-20")]
    Check(CheckArgs),
    /// Say what changed between two runs, for whom, by how much money, and why
    #[command(after_help = "\
Examples:
  rescore diff out/date=2026-11-19 out/date=2026-11-20
  rescore diff out/date=2026-11-20 trial/date=2026-11-20 --where \"product = 'huabei'\" --out changes.csv
  rescore diff out trial --only decisions                # a line a date
  rescore diff a.parquet b.parquet --key account_id,product --tolerance balance=100

Exit codes: 0 no difference, 1 differences, 2 or 3 trouble")]
    Diff(diff::DiffArgs),
    /// Check that a run's files are whole and what its manifest says
    #[command(after_help = "\
Examples:
  rescore verify out/date=2026-11-20")]
    Verify {
        /// A run's directory
        run: PathBuf,
    },
    /// Publish a held run, unchanged
    #[command(after_help = "\
Examples:
  rescore release out --date 2026-11-20")]
    Release(ReleaseArgs),
    /// Write a believable book to try things on
    #[command(after_help = "\
Examples:
  rescore sample /tmp/book --accounts 100000 --from 2025-11-21 --to 2026-11-20 --seed 1")]
    Sample(SampleArgs),
    /// Print a completion script for a shell
    #[command(after_help = "\
Examples:
  rescore completions bash > ~/.local/share/bash-completion/completions/rescore")]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page
    #[command(after_help = "\
Examples:
  rescore man > ~/.local/share/man/man1/rescore.1")]
    Man,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// The job file
    job: PathBuf,
    /// As-of date D: everything is computed as at the end of this day
    #[arg(long, value_name = "DATE")]
    date: Day,
    /// Known-on date K, not before D: only deliveries of this day or before are seen [default: D]
    #[arg(long, value_name = "DATE")]
    known_on: Option<Day>,
    /// Publish below this directory instead of the job's
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace a run published from other inputs or job files
    #[arg(long)]
    replace: bool,
    /// Threads to use; no output depends on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print the run's figures as JSON instead of tables
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// The job file
    job: PathBuf,
    /// Also check that a run of this date could start
    #[arg(long, value_name = "DATE")]
    date: Option<Day>,
    /// With --date: as `run` takes it
    #[arg(long, value_name = "DATE", requires = "date")]
    known_on: Option<Day>,
}

#[derive(Debug, Args)]
struct ReleaseArgs {
    /// The output directory
    out: PathBuf,
    /// The held run's as-of date
    #[arg(long, value_name = "DATE")]
    date: Day,
    /// Its known-on date [default: the as-of date]
    #[arg(long, value_name = "DATE")]
    known_on: Option<Day>,
}

#[derive(Debug, Args)]
struct SampleArgs {
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
    /// The same seed makes the same bytes
    #[arg(long)]
    seed: u64,
}

/// Parses the arguments and does what they ask; the exit code.
pub fn main() -> Result<u8> {
    let cli = Cli::parse();
    console::start_log(cli.verbose);
    signal::listen();
    let progress = Progress::on_terminal(cli.quiet);
    let done = match cli.command {
        Command::Run(args) => run_command(args, &progress),
        Command::Diff(args) => return diff::command(args),
        Command::Check(args) => {
            check_dates(args.date, args.known_on)?;
            let report = check::check(&args.job, args.date, args.known_on)?;
            print(&report.text)?;
            print(&format!("\nno mistakes, {} warnings", report.warnings))
        }
        Command::Verify { run } => {
            let manifest = verify(&run)?;
            let files = manifest.outputs.len();
            print(&format!("{}: {files} files, whole and as the manifest says", run.display()))
        }
        Command::Release(args) => {
            check_dates(Some(args.date), args.known_on)?;
            let known_on = args.known_on.unwrap_or(args.date);
            let (directory, overruled) = release(&args.out, args.date, known_on)?;
            print(&format!("published {}", console::plain_path(&directory)))?;
            overruled.iter().try_for_each(|gate| print(&format!("overruled {}", gate.line())))
        }
        Command::Sample(args) => sample_command(args, &progress),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "rescore", &mut script);
            write_all(&script)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            write_all(&page)
        }
    };
    done.map(|()| 0)
}

fn check_dates(date: Option<Day>, known_on: Option<Day>) -> Result<()> {
    match (date, known_on) {
        (Some(date), Some(known_on)) if known_on < date => {
            let message =
                format!("--known-on {known_on} is before --date {date}: nothing can be known earlier");
            Err(failure(Kind::Usage, message))
        }
        _ => Ok(()),
    }
}

fn run_command(args: RunArgs, progress: &Progress) -> Result<()> {
    check_dates(Some(args.date), args.known_on)?;
    if let Some(threads) = args.threads {
        rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build_global()?;
    }
    let request = Request {
        job: args.job,
        as_of: args.date,
        known_on: args.known_on.unwrap_or(args.date),
        out: args.out,
        replace: args.replace,
    };
    let outcome = run(&request, progress);
    progress.finish();
    let outcome = outcome?;
    match args.json {
        true => print(&serde_json::to_string_pretty(&Figures::of(&outcome))?)?,
        false => print(&text(&outcome))?,
    }
    match outcome.ending {
        Ending::Held => gates::held(&outcome.manifest.gates, &outcome.directory),
        Ending::Published | Ending::Unchanged => Ok(()),
    }
}

fn text(outcome: &Outcome) -> String {
    let manifest = &outcome.manifest;
    let figures = summary::for_people(manifest, outcome.summary.as_ref(), outcome.minor_units);
    let totals = &manifest.control_totals;
    let change = totals.new_limit_total - totals.old_limit_total;
    let verb = match outcome.ending {
        Ending::Published => "published",
        Ending::Held => "held",
        Ending::Unchanged => "left alone, published already from the same inputs:",
    };
    format!(
        "{} of {}, known on {}: {} accounts, {} lines, {} adjustments, limits change by {}\n\n{figures}\n\n{verb} {}",
        manifest.job,
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
struct Figures<'a> {
    ending: &'static str,
    directory: &'a Path,
    job: &'a str,
    as_of: Day,
    known_on: Day,
    summary: Option<&'a Summary>,
    control_totals: &'a ControlTotals,
    counts: &'a BTreeMap<String, Counts>,
    missing_days: &'a BTreeMap<String, Vec<Day>>,
    gates: &'a [gates::Outcome],
}

impl<'a> Figures<'a> {
    fn of(outcome: &'a Outcome) -> Figures<'a> {
        let manifest = &outcome.manifest;
        Figures {
            ending: match outcome.ending {
                Ending::Published => "published",
                Ending::Held => "held",
                Ending::Unchanged => "unchanged",
            },
            directory: &outcome.directory,
            job: &manifest.job,
            as_of: manifest.as_of,
            known_on: manifest.known_on,
            summary: outcome.summary.as_ref(),
            control_totals: &manifest.control_totals,
            counts: &manifest.counts,
            missing_days: &manifest.missing_days,
            gates: &manifest.gates,
        }
    }
}

fn sample_command(args: SampleArgs, progress: &Progress) -> Result<()> {
    let date = |day: Day| day.to_string().parse::<jiff::civil::Date>();
    let sample = Sample {
        dir: args.dir,
        accounts: args.accounts,
        from: date(args.from)?,
        to: date(args.to)?,
        seed: args.seed,
    };
    progress.stage("days", u64::try_from(args.to.since(args.from) + 1).unwrap_or(0));
    let totals = sample::write(&sample, &|days| progress.reach(days));
    progress.finish();
    let totals = totals.map_err(|error| failure(Kind::Usage, format!("{error:#}")))?;
    print(&format!(
        "{}: {} transactions, {} repayments of {} bills, {} lines, {} bad rows, {} late ones, {} bytes",
        sample.dir.display(),
        thousands(totals.transactions.into()),
        thousands(totals.repayments.into()),
        thousands(totals.bills.into()),
        thousands(totals.lines.into()),
        thousands(totals.bad_rows.into()),
        thousands(totals.late_rows.into()),
        thousands(totals.bytes.into()),
    ))
}

fn print(line: &str) -> Result<()> {
    write_all(format!("{line}\n").as_bytes())
}

/// Writes results to stdout; a reader that has gone away is no fault.
fn write_all(bytes: &[u8]) -> Result<()> {
    match std::io::stdout().write_all(bytes) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        outcome => Ok(outcome?),
    }
}
