//! A run: the verbs, in the order in which data flows.

mod inputs;
mod standing;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;

use crate::console::Progress;
use crate::day::Day;
use crate::features::bills::read_repayments;
use crate::features::plan::Plan;
use crate::features::{self, FeatureTable, Partitions, read_transactions};
use crate::input::file::Units;
use crate::input::lines::{self, Lines};
use crate::input::stream::Tally;
use crate::input::{issued, rejects};
use crate::job::{From, Job};
use crate::policy::facts::line_columns;
use crate::policy::{Decision, decide};
use crate::publish::commit::{Lock, run_directory};
use crate::publish::manifest::{Counts, Identity, Manifest, Timing, control_totals};
use crate::publish::{Results, gates};
use crate::published::PublishedRun;
use crate::score::{Scores, score};
use crate::summary::Summary;
use crate::{report, signal};

pub use inputs::{Deliveries, Files, missing_days, prepare};
use inputs::{repayments, transactions, wanted_lines};
use standing::standing_run;

/// What a run is asked to do.
#[derive(Debug, Clone)]
pub struct Request {
    /// The job file.
    pub job: PathBuf,
    /// D.
    pub as_of: Day,
    /// K.
    pub known_on: Day,
    /// Instead of the job's output directory.
    pub out: Option<PathBuf>,
    /// Whether to replace a run published from other inputs or job files.
    pub replace: bool,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Its tables are published.
    Published,
    /// A gate did not hold; its tables lie in `held/`.
    Held,
    /// It was published, or held, already, from the same inputs and job files.
    Unchanged,
}

/// A finished run.
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// Where it lies.
    pub directory: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
    /// Figures for the operator; a run left as it was has none of its own.
    pub summary: Option<Summary>,
    /// Decimal places of money.
    pub minor_units: u32,
}

/// Stages and how long they took.
struct Stopwatch {
    started: Instant,
    last: Instant,
    timing: Timing,
}

impl Stopwatch {
    fn start() -> Stopwatch {
        let now = Instant::now();
        let timing = Timing {
            started_at: jiff::Timestamp::now().to_string(),
            threads: rayon::current_num_threads(),
            ..Timing::default()
        };
        Stopwatch { started: now, last: now, timing }
    }

    fn lap(&mut self, stage: &str) {
        let seconds = self.last.elapsed().as_secs_f64();
        log::info!("{stage}: {seconds:.3} s");
        self.timing.stages.push((stage.to_string(), seconds));
        self.last = Instant::now();
    }

    fn stop(mut self) -> Timing {
        self.timing.seconds = self.started.elapsed().as_secs_f64();
        self.timing
    }
}

/// Runs one night: reads, scores, decides, measures, publishes.
pub fn run(request: &Request, progress: &Progress) -> Result<Outcome> {
    let mut watch = Stopwatch::start();
    let (as_of, known_on) = (request.as_of, request.known_on);
    let (job, deliveries, _) = prepare(&request.job, Some(as_of), Some(known_on))?;
    let out = request.out.clone().unwrap_or_else(|| job.output_dir.clone());
    let lock = Lock::take(&out, &format!("run {} of {as_of}", job.name))?;
    let files = Files::open(&job, &deliveries, as_of, known_on)?;
    let identity = Identity::of(&job.sources, &files.by_input(&job), as_of, known_on)?;
    if let Some(outcome) = standing_run(request, &job, &out, &identity)? {
        return Ok(outcome);
    }
    watch.lap("open inputs");
    let mut manifest = Manifest::new(&job.name, as_of, known_on, identity);
    let night = compute(&job, &files, as_of, &mut manifest, &mut watch, progress)?;
    for (name, days) in missing_days(&job, &deliveries, as_of) {
        warn_missing(name, &days);
        manifest.missing_days.insert(name.to_string(), days);
    }
    let results = night.results(&job, as_of, known_on);
    manifest.control_totals = control_totals(&results);
    let counts = |input: &str| manifest.counts.get(input).cloned().unwrap_or_default();
    let missing = |input: &str| manifest.missing_days.get(input).map_or(0, |days| days.len() as u64);
    manifest.gates = gates::measure(&results, &counts, &missing);
    manifest.held = manifest.gates.iter().any(|gate| !gate.holds);
    watch.lap("gates");
    progress.stage("write", 0);
    let stage = lock.stage()?;
    manifest.outputs = stage.write(&results)?;
    if job.report {
        let page = report::page(&PublishedRun::with_manifest(stage.directory(), manifest.clone())?, None)?;
        manifest.outputs.push(stage.add("report.html", page.as_bytes())?);
        manifest.outputs.sort_by(|a, b| a.file.cmp(&b.file));
    }
    let summary = Summary::of(&results)?;
    watch.lap("write");
    manifest.timing = watch.stop();
    let directory = run_directory(&out, as_of, known_on, manifest.held);
    stage.commit(&manifest, &directory)?;
    progress.finish();
    let ending = if manifest.held { Ending::Held } else { Ending::Published };
    Ok(Outcome { ending, directory, manifest, summary: Some(summary), minor_units: job.minor_units })
}

fn warn_missing(name: &str, days: &[Day]) {
    if let (Some(first), Some(last)) = (days.first(), days.last()) {
        log::warn!("{name}: {} days without a delivery, from {first} to {last}", days.len());
    }
}

/// What a night has computed.
struct Night {
    lines: Lines,
    features: FeatureTable,
    scores: Scores,
    decisions: Vec<Decision>,
    rejects: Vec<rejects::Reject>,
}

impl Night {
    fn results<'a>(&'a self, job: &'a Job, as_of: Day, known_on: Day) -> Results<'a> {
        let Night { lines, features, scores, decisions, rejects } = self;
        Results { job, as_of, known_on, lines, features, scores, decisions, rejects }
    }
}

/// From files to decisions.
fn compute(
    job: &Job,
    files: &Files,
    as_of: Day,
    manifest: &mut Manifest,
    watch: &mut Stopwatch,
    progress: &Progress,
) -> Result<Night> {
    let units = Units { minor_units: job.minor_units, timezone: job.timezone.clone() };
    let mut book = read_lines(job, files, &units, progress)?;
    if let Some(spec) = &job.inputs.issued {
        manifest.issued_unknown = issued::overlay(spec, &files.issued, as_of, &units, &mut book, progress)?;
    }
    manifest.snapshot = files.snapshot;
    watch.lap("lines");
    let partitions = Partitions::new(book.accounts.len());
    let kind = book.accounts.ids.kind();

    let of_transactions = Plan::new(&job.features, From::Transactions);
    let (source, slots) = transactions(job, files, &units, &of_transactions, as_of, kind);
    let scope_len = job.scopes.transactions.columns.len();
    let (cells, transactions) = read_transactions(
        &source,
        &slots,
        scope_len,
        &of_transactions,
        &book.accounts,
        partitions,
        as_of,
        progress,
    )?;
    watch.lap("transactions");
    let of_bills = Plan::new(&job.features, From::Bills);
    let source = repayments(job, files, &units, as_of, kind);
    let repayments =
        read_repayments(&source, &of_bills, &book.accounts, partitions, as_of, job.bill_tolerance, progress)?;
    manifest.bill_conflicts = repayments.conflicts;
    watch.lap("repayments");
    signal::check()?;
    progress.stage("score and decide", 0);
    let of_lines = Plan::new(&job.features, From::Lines);
    let line_cells = features::from_lines(&of_lines, partitions, &book.account, |range| {
        line_columns(&book, as_of, range, &of_lines.columns, job.scopes.lines.columns.len())
    });
    let sources = [(&of_transactions, cells), (&of_bills, repayments.cells), (&of_lines, line_cells)];
    let features = features::finish(&job.features, &sources, &book.accounts, partitions)?;
    drop(sources);
    watch.lap("features");
    let scores = score(&job.scorecard, &features, book.accounts.len());
    let decisions = decide(job, as_of, &book, &features, &scores);
    watch.lap("score and decide");

    let tallies: [(&str, &Tally); 3] = [
        (job.inputs.transactions.name, &transactions),
        (job.inputs.repayments.name, &repayments.tally),
        (job.inputs.lines.name, &book.tally),
    ];
    manifest.counts =
        tallies.iter().map(|(name, tally)| ((*name).to_string(), Counts::from(*tally))).collect();
    let mut rejects: Vec<rejects::Reject> =
        tallies.iter().flat_map(|(_, tally)| tally.rejects.iter().cloned()).collect();
    rejects.sort();
    Ok(Night { lines: book, features, scores, decisions, rejects })
}

fn read_lines(job: &Job, files: &Files, units: &Units, progress: &Progress) -> Result<Lines> {
    let wanted = wanted_lines(job);
    let scope_len = job.scopes.lines.columns.len();
    lines::load(&job.inputs.lines, &files.lines, files.snapshot, wanted, scope_len, units, progress)
}
