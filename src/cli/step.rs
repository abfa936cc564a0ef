//! The `step` command: one step of a run that many processes share.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::shared::{EngineArgs, check_dates};
use crate::console::{Progress, plain_path, print_json};
use crate::day::Day;
use crate::failure::{Failure, Kind};
use crate::operations::Watcher;
use crate::run::{AskedDate, Ending, NightOutcome, Nights, RunRequest};
use crate::run_dir::gates;
use crate::step::plan::{PlanReport, StepsRequest, plan};
use crate::step::{GivenReports, Worker, commit, cut, finish, keys, part, report_line, sort};

#[derive(Debug, Args)]
pub(super) struct StepArgs {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Freeze a run: its inputs, job files and dates, and how its accounts are shared out
    Plan(PlanArgs),
    /// Find the rows of one delivery that repeat others, by one shard of their keys
    Keys(TaskArgs),
    /// Sort one delivery of the plan, unless its sorted copy is there
    Sort(TaskArgs),
    /// Compute one part of the accounts, up to decisions before budgets
    Part(TaskArgs),
    /// Find where each budget ends
    Cut(TaskArgs),
    /// Write the tables of one part of the accounts
    Finish(TaskArgs),
    /// Add up the parts, measure the gates, and publish; its exit code is the run's
    Commit(TaskArgs),
}

#[derive(Debug, Args)]
struct PlanArgs {
    /// The job file
    job: PathBuf,
    /// As-of date D: everything is computed as at the end of this day; or `latest`, or `yesterday`, as `run` takes it
    #[arg(long, value_name = "DATE")]
    date: AskedDate,
    /// Known-on date K, not before D: only deliveries of this day or before are seen [default: D]
    #[arg(long, value_name = "DATE")]
    known_on: Option<Day>,
    /// Publish below this directory instead of the job's
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Run again what is published already, and replace it
    #[arg(long)]
    replace: bool,
    /// So many parts of about as many accounts each; fewer where there are not so many accounts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=99_999))]
    parts: u32,
    /// So many shards of the keys of a `unique` column: with more than one, step `keys` finds what rows
    /// repeat others before deliveries are sorted
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    key_shards: u16,
    /// Where the steps leave their files: a directory or URL that all of them see
    #[arg(long, value_name = "DIR")]
    work: PathBuf,
    #[command(flatten)]
    engine: EngineArgs,
}

#[derive(Debug, Args)]
struct TaskArgs {
    /// The plan, as step `plan` reports it
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// Which of the step's tasks; the first is 0. Given again, those are done one after the other
    #[arg(long = "task", value_name = "I", default_values_t = [0])]
    tasks: Vec<usize>,
    #[command(flatten)]
    engine: EngineArgs,
}

/// What is reported of a run that is published.
#[derive(Serialize)]
struct CommitReport {
    ending: &'static str,
    directory: String,
    exit: u8,
}

pub(super) fn execute(args: StepArgs, progress: &Progress) -> Result<()> {
    match args.step {
        Step::Plan(args) => execute_plan(args),
        Step::Keys(args) => {
            args.engine.start_threads()?;
            let worker = Worker::open(&args.plan, progress)?;
            each("keys", &args, |task| keys::keys(&worker, task))
        }
        Step::Sort(args) => {
            let (worker, given) = begin(&args, progress)?;
            each("sort", &args, |task| sort::sort(&worker, task, &given, args.engine.memory))
        }
        Step::Part(args) => {
            let (worker, given) = begin(&args, progress)?;
            each("part", &args, |task| part::part(&worker, task, &given))
        }
        Step::Cut(args) => {
            let (worker, given) = begin(&args, progress)?;
            say("cut", 0, &cut::cut(&worker, &given)?)
        }
        Step::Finish(args) => {
            let (worker, given) = begin(&args, progress)?;
            each("finish", &args, |task| finish::finish(&worker, task, &given))
        }
        Step::Commit(args) => {
            let (worker, given) = begin(&args, progress)?;
            let plan = &worker.plan;
            let mut watcher = Watcher::begin_commit(&worker.job.sources.job.path, plan.as_of, plan.known_on);
            let done = commit::commit(&worker, &given);
            done.iter().for_each(|outcome| watcher.night_ended(outcome));
            watcher.run_ended(done.as_ref().err());
            end(&done?)
        }
    }
}

/// Does the tasks that are asked for, and says of each what came of it.
fn each<T: Serialize>(step: &str, args: &TaskArgs, run: impl Fn(usize) -> Result<T>) -> Result<()> {
    for &task in &args.tasks {
        say(step, task, &run(task)?)?;
    }
    Ok(())
}

fn begin<'p>(args: &TaskArgs, progress: &'p Progress) -> Result<(Worker<'p>, GivenReports)> {
    args.engine.start_threads()?;
    let given = GivenReports::read()?;
    Ok((Worker::open(&args.plan, progress)?, given))
}

fn execute_plan(args: PlanArgs) -> Result<()> {
    let as_of = args.date.day(&args.job)?;
    check_dates(Some(as_of), args.known_on)?;
    args.engine.start_threads()?;
    let run = RunRequest {
        job: args.job,
        nights: Nights::One { as_of, known_on: args.known_on.unwrap_or(as_of) },
        out: args.out,
        replace: args.replace,
        chain: false,
        from_scratch: args.engine.from_scratch,
        memory_bytes: args.engine.memory,
    };
    match plan(&StepsRequest {
        run,
        parts: args.parts as usize,
        work: args.work,
        key_shards: args.key_shards.into(),
    })? {
        Ok(report) => say("plan", 0, &report),
        Err(existing) => {
            let (held, exit) = held(&existing);
            say("plan", 0, &PlanReport { plan: None, keys: 0, sort: 0, parts: 0, done: true, exit })?;
            held
        }
    }
}

/// Reports how a run ended.
fn end(outcome: &NightOutcome) -> Result<()> {
    let ending = match outcome.ending {
        Ending::Published => "published",
        Ending::Held => "held",
        Ending::Unchanged => "unchanged",
    };
    let (held, exit) = held(outcome);
    let directory = plain_path(&outcome.directory);
    say("commit", 0, &CommitReport { ending, directory, exit })?;
    held
}

/// Fails where a run is held, and says with which exit code.
fn held(outcome: &NightOutcome) -> (Result<()>, u8) {
    if outcome.ending != Ending::Held {
        return (Ok(()), 0);
    }
    let held = gates::held(&outcome.as_gated());
    let kind =
        held.as_ref().err().and_then(|error| error.downcast_ref::<Failure>()).map(|failure| failure.kind);
    (held, kind.unwrap_or(Kind::Held).exit_code())
}

/// Prints a step's report, its only line on standard output.
fn say(step: &str, task: usize, said: &impl Serialize) -> Result<()> {
    print_json(&report_line(step, task, said)?);
    Ok(())
}
