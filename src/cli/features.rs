//! The arguments of `features`, and what it prints.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::shared::EngineArgs;
use crate::console::{self, Progress, plain_path, plural, print_json, say, table, thousands, visible};
use crate::day::Day;
use crate::spine::{AnsweredDays, SpineOutcome, SpineRequest, answer_spine};

#[derive(Debug, Args)]
pub(super) struct FeaturesArgs {
    /// The job file
    job: PathBuf,
    /// A Parquet file that names an account and a day a row: account_id, as_of and perhaps known_on
    #[arg(long, value_name = "FILE")]
    spine: PathBuf,
    /// Where its rows go, with their features
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Write score, band, points and reasons, too
    #[arg(long)]
    scores: bool,
    #[command(flatten)]
    engine: EngineArgs,
    /// Print figures as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: FeaturesArgs, progress: &Progress) -> Result<()> {
    args.engine.start_threads()?;
    let request = SpineRequest {
        job: args.job,
        spine: args.spine,
        out: args.out,
        with_scores: args.scores,
        memory_bytes: args.engine.memory,
        from_scratch: args.engine.from_scratch,
    };
    let outcome = answer_spine(&request, progress);
    progress.finish();
    let outcome = outcome?;
    if outcome.is_stdout {
        return Ok(());
    }
    if args.json {
        print_json(&serde_json::to_string(&SpineFigures::of(&request, &outcome))?);
    } else {
        say(&text(&request, &outcome));
    }
    Ok(())
}

fn text(request: &SpineRequest, outcome: &SpineOutcome) -> String {
    let number = |count: u64| thousands(count.into());
    let mut parts = vec![format!(
        "{}: {} of {} rows of {} have their features",
        visible(&outcome.job),
        number(outcome.answered()),
        number(outcome.rows),
        console::plain_path(&request.spine),
    )];
    if let Some(days) = outcome.days {
        let AnsweredDays { count, first, last } = days;
        let on = if count == 1 { first.to_string() } else { format!("{count} days, {first} to {last}") };
        parts.push(format!("{} on {on}", plural(outcome.accounts as usize, "account")));
    }
    let left_out = outcome.left_out.iter().filter(|(_, rows)| **rows > 0);
    let rows: Vec<Vec<String>> =
        left_out.map(|(reason, rows)| vec![reason.name().to_string(), number(*rows)]).collect();
    if !rows.is_empty() {
        parts.push(format!("\n{}\n", table(&["left out", "rows"], &rows)));
    }
    let scores = if request.with_scores { " and the score" } else { "" };
    let out = console::plain_path(&request.out);
    parts.push(format!("wrote {out}: {}{scores} a row", plural(outcome.features, "feature")));
    parts.join("\n")
}

/// What `--json` prints.
#[derive(Serialize)]
struct SpineFigures<'a> {
    job: &'a str,
    spine: String,
    out: String,
    rows: u64,
    answered: u64,
    left_out: BTreeMap<&'static str, u64>,
    accounts: u64,
    days: usize,
    first: Option<Day>,
    last: Option<Day>,
    features: usize,
}

impl<'a> SpineFigures<'a> {
    fn of(request: &'a SpineRequest, outcome: &'a SpineOutcome) -> SpineFigures<'a> {
        let left_out = outcome.left_out.iter().map(|(reason, rows)| (reason.name(), *rows));
        SpineFigures {
            job: &outcome.job,
            spine: plain_path(&request.spine),
            out: plain_path(&request.out),
            rows: outcome.rows,
            answered: outcome.answered(),
            left_out: left_out.collect(),
            accounts: outcome.accounts,
            days: outcome.days.map_or(0, |days| days.count),
            first: outcome.days.map(|days| days.first),
            last: outcome.days.map(|days| days.last),
            features: outcome.features,
        }
    }
}
