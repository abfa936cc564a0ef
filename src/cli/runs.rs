//! `rescore runs`: the nights of an output directory, a line each.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::show::state;
use crate::console::{Tone, money, paint, plain_path, plural, print, print_json, table_of_width, thousands};
use crate::day::Day;
use crate::failure::input;
use crate::run_dir::gates::{GateVerdict, failed, not_holding};
use crate::run_dir::manifest::Manifest;
use crate::run_dir::nights::{RecordedNight, RecordedRun, recorded_nights};
use crate::run_dir::release_note::ReleaseNote;

#[derive(Debug, Args)]
pub(super) struct RunsArgs {
    /// The output directory
    out: PathBuf,
    /// Print JSON, a line a night, money in minor units
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &RunsArgs) -> Result<()> {
    let nights = recorded_nights(&args.out)?;
    if nights.is_empty() {
        let message = "no run lies in it (date=…)";
        return Err(input(format!("list the runs of {}: {message}", plain_path(&args.out))));
    }
    if args.json {
        for night in &nights {
            print_json(&serde_json::to_string(&NightLine::of(night))?);
        }
    } else {
        print(&text(&nights));
    }
    Ok(())
}

/// What the days without a run are called.
const MISSING: &str = "missing";

/// A line a night, below it the gates that do not hold, and how many nights there are of each kind.
fn text(nights: &[RecordedNight]) -> String {
    const HEADER: [&str; 7] = ["date", "it is", "accounts", "adjustments", "change", "seconds", "version"];
    let rows: Vec<Vec<String>> = nights.iter().map(row).collect();
    let table = table_of_width(&HEADER, &rows, None);
    let mut lines: Vec<String> = Vec::new();
    let remarks = std::iter::once(Vec::new()).chain(nights.iter().map(remarks));
    for (line, remarks) in table.lines().zip(remarks) {
        lines.push(line.to_string());
        lines.extend(remarks);
    }
    format!("{}\n\n{}", lines.join("\n"), total(nights))
}

fn row(night: &RecordedNight) -> Vec<String> {
    let date = night.as_of.to_string();
    let Some(run) = &night.run else {
        let empty = std::iter::repeat_n(String::new(), 5);
        return [date, paint(Tone::Warning, MISSING)].into_iter().chain(empty).collect();
    };
    let RecordedRun { manifest, released, minor_units, .. } = run;
    let state = state(manifest, released.is_some());
    let shown = match state {
        "held" => paint(Tone::Failure, state),
        "released" => paint(Tone::Warning, state),
        _ => state.to_string(),
    };
    let totals = &manifest.control_totals;
    let change = totals.new_limit_total - totals.old_limit_total;
    vec![
        date,
        shown,
        thousands(totals.accounts.into()),
        thousands(totals.adjustments.into()),
        minor_units.map_or(thousands(change), |places| money(change, places)),
        format!("{:.1}", manifest.timing.seconds),
        manifest.program_version.clone(),
    ]
}

/// What else there is to say of a night, a line each: by when its inputs were known, if that was later; the gates that do
/// not hold, and who released it in spite of them.
fn remarks(night: &RecordedNight) -> Vec<String> {
    let Some(run) = &night.run else { return Vec::new() };
    let minor_units = run.minor_units.unwrap_or(0);
    let gates = not_holding(&run.manifest.gates).into_iter().map(|gate| gate.line(minor_units));
    let released = run.released.iter().map(ReleaseNote::line);
    let Manifest { as_of, known_on, .. } = &run.manifest;
    let known = (known_on != as_of).then(|| format!("known on {known_on}"));
    known.into_iter().chain(gates).chain(released).map(|line| format!("    {line}")).collect()
}

/// How many nights there are of each kind.
fn total(nights: &[RecordedNight]) -> String {
    const STATES: [&str; 5] = ["published", "simulated", "released", "held", MISSING];
    let states: Vec<&str> = nights.iter().map(state_of).collect();
    let counted = STATES.iter().filter_map(|state| {
        let count = states.iter().filter(|of| *of == state).count();
        (count > 0).then(|| format!("{} {state}", thousands(count as i128)))
    });
    let counted: Vec<String> = counted.collect();
    format!("{}: {}", plural(nights.len(), "night"), counted.join(", "))
}

fn state_of(night: &RecordedNight) -> &'static str {
    night.run.as_ref().map_or(MISSING, |run| state(&run.manifest, run.released.is_some()))
}

/// What `--json` prints of a night.
#[derive(Serialize)]
struct NightLine<'a> {
    as_of: Day,
    state: &'static str,
    #[serde(flatten)]
    run: Option<RunLine<'a>>,
}

/// What `--json` prints of a night's run.
#[derive(Serialize)]
struct RunLine<'a> {
    known_on: Day,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_from: Option<Day>,
    job: &'a str,
    directory: String,
    accounts: u64,
    lines: u64,
    adjustments: u64,
    /// Minor units.
    change: i128,
    minor_units: Option<u32>,
    failing: Vec<&'a str>,
    warning: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    released: Option<&'a ReleaseNote>,
    started_at: &'a str,
    seconds: f64,
    program_version: &'a str,
}

impl<'a> NightLine<'a> {
    fn of(night: &'a RecordedNight) -> NightLine<'a> {
        NightLine { as_of: night.as_of, state: state_of(night), run: night.run.as_ref().map(RunLine::of) }
    }
}

impl<'a> RunLine<'a> {
    fn of(run: &'a RecordedRun) -> RunLine<'a> {
        let manifest = &run.manifest;
        let totals = &manifest.control_totals;
        let warning = manifest.gates.iter().filter(|gate| gate.verdict() == GateVerdict::Warns);
        RunLine {
            known_on: manifest.known_on,
            chain_from: manifest.chain_from,
            job: &manifest.job,
            directory: plain_path(&run.directory),
            accounts: totals.accounts,
            lines: totals.lines,
            adjustments: totals.adjustments,
            change: totals.new_limit_total - totals.old_limit_total,
            minor_units: run.minor_units,
            failing: failed(&manifest.gates).into_iter().map(|gate| gate.name.as_str()).collect(),
            warning: warning.map(|gate| gate.name.as_str()).collect(),
            released: run.released.as_ref(),
            started_at: &manifest.timing.started_at,
            seconds: manifest.timing.seconds,
            program_version: &manifest.program_version,
        }
    }
}
