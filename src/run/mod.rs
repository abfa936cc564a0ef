//! A run: the verbs of a night, in the order in which data flows.

mod basis;
mod chain;
mod dry_run;
mod inputs;
mod notices;
mod previous;
mod range;
mod session;
mod standing;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;

use crate::console::Progress;
use crate::day::Day;
use crate::features::plan::Plan;
use crate::features::{self, Answers, FeatureTable, Partitions};
use crate::history::{self, Grounds, History, Keeping, Plans};
use crate::input::binding::Units;
use crate::input::lines::{self, Lines};
use crate::input::stream::{Source, Tally};
use crate::input::{issued, previous as earlier_scores};
use crate::job::{From, Job};
use crate::policy::facts::line_columns;
use crate::policy::{Decision, decide};
use crate::publish::commit::{Lock, run_directory};
use crate::publish::manifest::{Counts, Manifest, Timing, control_totals};
use crate::publish::{Dates, Results, gates};
use crate::published::PublishedRun;
use crate::score::{Scores, score};
use crate::summary::Summary;
use crate::{own, report, signal};

use self::previous::Previous;
pub use basis::Basis;
pub use dry_run::{Course, PlannedNight, Reading, plan};
pub use inputs::{Deliveries, Files, missing_days, prepare};
use inputs::{repayments, transactions, wanted_lines};
pub use range::run;
use session::{Prepared, Session};
use standing::{check_replaceable, standing_run};

/// What a run is asked to do.
#[derive(Debug, Clone)]
pub struct Request {
    /// The job file.
    pub job: PathBuf,
    /// Which nights.
    pub nights: Nights,
    /// Instead of the job's output directory.
    pub out: Option<PathBuf>,
    /// Whether to replace runs that are published already.
    pub replace: bool,
    /// Whether the nights are a simulation: one snapshot for all, each sees what those before it issued.
    pub chain: bool,
    /// Whether to leave cached states aside.
    pub from_scratch: bool,
    /// How much memory the run may take; `None`: as much as it needs.
    pub memory_bytes: Option<u64>,
}

/// The nights of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nights {
    /// One, with what was known by a later day perhaps.
    One {
        /// D.
        as_of: Day,
        /// K.
        known_on: Day,
    },
    /// All days of a range, each as it was known on that day.
    Range {
        /// The first D.
        from: Day,
        /// The last one, not before it.
        to: Day,
    },
}

impl fmt::Display for Nights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Nights::One { as_of, .. } => write!(f, "{as_of}"),
            Nights::Range { from, to } => write!(f, "{from} to {to}"),
        }
    }
}

/// How a night ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Its tables are published.
    Published,
    /// A gate did not hold; its tables lie in `held/`.
    Held,
    /// It was published, or held, already, from the same inputs and job files.
    Unchanged,
}

/// A finished night.
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

impl Outcome {
    /// Whether the night had run before, from the same inputs and job files.
    pub fn is_left_alone(&self) -> bool {
        self.summary.is_none()
    }
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

/// Runs one night: reads, scores, decides, measures, publishes. One that ran before is left alone.
fn night(session: &mut Session, lock: &Lock, prepared: Prepared, progress: &Progress) -> Result<Outcome> {
    let mut watch = Stopwatch::start();
    let Prepared { dates, job, deliveries } = prepared;
    session.footers.next_night();
    let mut files = Files::open(&job, &deliveries, dates, &mut session.footers)?;
    files.hash(&mut session.footers, dates.as_of)?;
    session.leave_hashes(&job, dates.as_of);
    let identity = files.identity(&job, dates)?;
    if session.request.replace {
        check_replaceable(&session.out, dates)?;
    } else if let Some(standing) = standing_run(&session.out, &identity)? {
        return Ok(standing.outcome(&job));
    }
    files.check_schemas(&job, &deliveries, &mut session.footers)?;
    watch.lap("open inputs");
    let plans = Plans::of(&job);
    let grounds = files.grounds(&job, &plans, dates.as_of)?;
    let last = session.last.as_ref().map(|last| last.as_of);
    if let Some(since) = basis::earliest_start(&session.request, &job, dates.as_of, &grounds, last) {
        files.open_past(&job, &deliveries, dates.as_of, since, &mut session.footers);
    }
    let (basis, known) = session.start(&job, &files, &plans, dates, &grounds);
    log::info!("features {basis}");
    watch.timing.basis = basis.to_string();
    let mut manifest = Manifest::new(&job.name, identity);
    let staging = session.staging(&job, &plans, dates, &grounds);
    let retains = !session.is_last(dates.as_of) && basis::is_kept(&job, &plans, dates);
    let keeping = Keeping { staging: staging.as_ref(), retains };
    let (passes, scratch) = (basis.passes(), session.out.clone());
    let past = Past { plans: &plans, known, keeping, grounds, passes, scratch: &scratch };
    let computed = compute(&job, &files, dates.as_of, past, &mut manifest, &mut watch, progress);
    // Inputs that cannot be read are told as such; what else the file system refuses is a place to write.
    let (night, history, lasts) = computed.map_err(own::unwritable)?;
    files.check_unchanged()?;
    session.last = history;
    for (name, days) in missing_days(&job, &deliveries, dates.as_of) {
        session.warn_missing(name, &days);
        manifest.missing_days.insert(name.to_string(), days);
    }
    manifest.notices.extend(notices::of_features(&job, &night.features, night.lines.accounts.len()));
    session.warn_of(&manifest.notices);
    let results = night.results(&job, dates);
    manifest.control_totals = control_totals(&results);
    let counts = |input: &str| manifest.counts.get(input).cloned().unwrap_or_default();
    let missing = |input: &str| manifest.missing_days.get(input).map_or(0, |days| days.len() as u64);
    let earlier = files.previous.as_ref().map_or(&[][..], |previous| &previous.gates);
    manifest.gates = gates::measure(&results, &counts, &missing, earlier);
    // A simulation's gates are there to be looked at.
    manifest.held = dates.chain_from.is_none() && manifest.gates.iter().any(|gate| !gate.holds);
    watch.lap("gates");
    progress.stage("write", 0);
    let stage = lock.stage()?;
    let (outputs, summary) = rayon::join(|| stage.write(&results), || Summary::of(&results));
    manifest.outputs = outputs?;
    let summary = Some(summary?);
    if job.report {
        let page = report::page(&PublishedRun::in_the_making(&stage.directory(), manifest.clone())?, None)?;
        manifest.outputs.push(stage.add("report.html", page.as_bytes())?);
        manifest.outputs.sort_by(|a, b| a.file.cmp(&b.file));
    }
    watch.lap("write");
    manifest.timing = watch.stop();
    let directory = run_directory(&session.out, dates.as_of, dates.known_on, manifest.held);
    stage.commit(&mut manifest, &directory)?;
    session.shelve(staging.filter(|_| lasts));
    let ending = if manifest.held { Ending::Held } else { Ending::Published };
    Ok(Outcome { ending, directory, manifest, summary, minor_units: job.minor_units })
}

/// What a night begins with.
struct Past<'a> {
    plans: &'a Plans,
    /// An earlier night's history.
    known: Option<History>,
    /// What becomes of this night's own.
    keeping: Keeping<'a>,
    grounds: Grounds,
    /// In how many passes to read from scratch.
    passes: usize,
    /// Where files may be put that go with the run.
    scratch: &'a Path,
}

/// What a night has computed.
struct Night {
    lines: Lines,
    features: FeatureTable,
    scores: Scores,
    decisions: Vec<Decision>,
    transactions: Tally,
    repayments: Tally,
}

impl Night {
    fn results<'a>(&'a self, job: &'a Job, dates: Dates) -> Results<'a> {
        let Night { lines, features, scores, decisions, transactions, repayments } = self;
        let rejects = [&lines.tally.rejects, &repayments.rejects, &transactions.rejects];
        Results { job, dates, lines, features, scores, decisions, rejects }
    }
}

/// From files to decisions.
fn compute(
    job: &Job,
    files: &Files,
    as_of: Day,
    past: Past,
    manifest: &mut Manifest,
    watch: &mut Stopwatch,
    progress: &Progress,
) -> Result<(Night, Option<History>, bool)> {
    let Past { plans, known, keeping, grounds, passes, scratch } = past;
    let units = Units { minor_units: job.minor_units, timezone: job.timezone.clone() };
    let mut book = read_lines(job, files, &units, scratch, progress)?;
    manifest.issued_unknown = issued::overlay(&files.issued, as_of, &units, &mut book, progress)?;
    manifest.snapshot = files.snapshot;
    watch.lap("lines");
    let partitions = Partitions::new(book.accounts.len());
    let kind = book.accounts.ids.kind();

    let (source, slots) = transactions(job, files, &units, &plans.transactions, as_of, kind);
    let (of_transactions, of_repayments) =
        (notices::of_transactions(job, plans, &slots, as_of), notices::of_repayments(job, plans, as_of));
    let source = Source { scratch, watch: Some(&of_transactions), ..source };
    let reading = history::Reading {
        transactions: source,
        past: &files.past,
        slots,
        scope_len: job.scopes.transactions.columns.len(),
        repayments: Source {
            scratch,
            watch: Some(&of_repayments),
            ..repayments(job, files, &units, as_of, kind)
        },
        features: &job.features,
        transactions_plan: &plans.transactions,
        bills_plan: &plans.bills,
        tolerance: job.bill_tolerance,
        as_of,
        accounts: &book.accounts,
        partitions,
    };
    let mut answers = Answers::new(&job.features, partitions);
    let lap = |stage: &str| watch.lap(stage);
    let told = match passes {
        1 => reading.tell(known, &keeping, grounds, &mut answers, progress, lap)?,
        passes => reading.tell_in_passes(passes, &mut answers, progress, lap)?,
    };
    let history::Told { history, transactions, repayments, conflicts, lasts } = told;
    manifest.bill_conflicts = conflicts;
    manifest.notices = of_transactions.notices(job.inputs.transactions.name, "posted_on");
    manifest.notices.extend(of_repayments.notices(job.inputs.repayments.name, "due_on"));
    manifest.notices.extend(notices::of_lines(job, &book));
    signal::check()?;
    progress.stage("score and decide", 0);
    let of_lines = Plan::new(&job.features, From::Lines);
    let line_cells = features::from_lines(&of_lines, partitions, &book.account, |range| {
        line_columns(&book, as_of, range, &of_lines.columns, job.scopes.lines.columns.len())
    });
    answers.add(&job.features, &of_lines, &line_cells, 0, &book.accounts, partitions)?;
    let features = answers.finish(&job.features, &book.accounts, partitions)?;
    watch.lap("features");
    let read = |of: &Previous| earlier_scores::read(&of.spec, &of.files, &units, &book.accounts);
    let previous = files.previous.as_ref().map(read).transpose()?.unwrap_or_default();
    let scores = Scores { previous, ..score(&job.scorecard, &features, book.accounts.len()) };
    let decisions = decide(job, as_of, &book, &features, &scores);
    watch.lap("score and decide");

    let tallies: [(&str, &Tally); 3] = [
        (job.inputs.transactions.name, &transactions),
        (job.inputs.repayments.name, &repayments),
        (job.inputs.lines.name, &book.tally),
    ];
    manifest.counts =
        tallies.iter().map(|(name, tally)| ((*name).to_string(), Counts::from(*tally))).collect();
    Ok((Night { lines: book, features, scores, decisions, transactions, repayments }, history, lasts))
}

fn read_lines(job: &Job, files: &Files, units: &Units, scratch: &Path, progress: &Progress) -> Result<Lines> {
    let scope_len = job.scopes.lines.columns.len();
    let reading = lines::Reading { spec: &job.inputs.lines, units, scratch, progress };
    lines::load(reading, &files.lines, files.snapshot, wanted_lines(job), scope_len)
}
