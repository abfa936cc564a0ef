//! The arguments of `monitor`, and what it prints.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::console::{Progress, plain_path, print_json, say};
use crate::day::Day;
use crate::failure::{Kind, failure};
use crate::model::{Match, ValidationBounds};
use crate::monitor::{MonitorRequest, OutcomeArgument, monitor, text};

#[derive(Debug, Args)]
pub(super) struct MonitorArgs {
    /// The output directory whose published nights are looked at
    runs: PathBuf,
    /// What happened: a model file, by its [outcome] and [validate], or a Parquet file of account_id, as_of and a column
    #[arg(long, value_name = "FILE")]
    outcome: PathBuf,
    /// Of a Parquet file: its column of 0 (good) and 1 (bad) [default: bad]
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// Of a Parquet file: its row of the night's own date, or the account's next
    #[arg(long = "match", value_enum, value_name = "HOW")]
    by: Option<MatchArgument>,
    /// With --match next: how many days later that may be
    #[arg(long, value_name = "DAYS")]
    within: Option<u32>,
    /// The first night
    #[arg(long, value_name = "DATE")]
    from: Option<Day>,
    /// The last night
    #[arg(long, value_name = "DATE")]
    to: Option<Day>,
    /// End with 4 where the AUC of a month is below so many ten-thousandths
    #[arg(long, value_name = "BP")]
    min_auc_bp: Option<u32>,
    /// End with 4 where a night's score has a stability index above so many thousandths
    #[arg(long, value_name = "MILLI")]
    max_psi_milli: Option<u32>,
    /// Where monitor.json and monitor.html go
    #[arg(long, value_name = "DIR", default_value = "monitor")]
    out: PathBuf,
    /// Print monitor.json
    #[arg(long)]
    json: bool,
}

/// Which row of the outcomes belongs to a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MatchArgument {
    /// That of the night's own date
    Exact,
    /// The account's first on that date or later, within --within days
    Next,
}

/// Monitors and prints; the exit code.
pub(super) fn execute(args: MonitorArgs, progress: &Progress) -> Result<u8> {
    let request = MonitorRequest {
        outcome: outcome(&args)?,
        runs: args.runs,
        from: args.from,
        to: args.to,
        bounds: ValidationBounds {
            min_auc_bp: args.min_auc_bp,
            max_psi_milli: args.max_psi_milli,
            by: Vec::new(),
        },
        out: args.out,
    };
    let outcome = monitor(&request, progress);
    progress.finish();
    let outcome = outcome?;
    if args.json {
        print_json(&outcome.json);
    } else {
        let out = plain_path(&request.out);
        say(&format!("{}\n\nwrote {out}: monitor.json, monitor.html", text::for_people(&outcome.figures)));
    }
    Ok(if outcome.figures.holds { 0 } else { Kind::Held.exit_code() })
}

fn outcome(args: &MonitorArgs) -> Result<OutcomeArgument> {
    let path = args.outcome.clone();
    let usage = |message: &str| failure(Kind::Usage, message);
    if OutcomeArgument::is_model(&path) {
        if args.column.is_some() || args.by.is_some() || args.within.is_some() {
            return Err(usage(
                "--column, --match and --within go with a Parquet file; a model file says them itself",
            ));
        }
        return Ok(OutcomeArgument::Model(path));
    }
    let by = match (args.by, args.within) {
        (None | Some(MatchArgument::Exact), None) => Match::Exact,
        (Some(MatchArgument::Next), Some(within_days)) => Match::Next { within_days },
        (Some(MatchArgument::Next), None) => {
            return Err(usage(
                "--match next needs --within: --within 60 takes the account's first outcome within 60 days",
            ));
        }
        (_, Some(_)) => return Err(usage("--within goes with --match next")),
    };
    let column = args.column.clone().unwrap_or_else(|| "bad".to_string());
    Ok(OutcomeArgument::File { path, column, by })
}
