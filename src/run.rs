//! A run: the verbs, in the order in which data flows.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use rayon::prelude::*;

use crate::console::Progress;
use crate::day::Day;
use crate::expr::Type;
use crate::failure::{Kind, failure};
use crate::features::bills::read_repayments;
use crate::features::plan::Plan;
use crate::features::{self, FeatureTable, Partitions, read_transactions};
use crate::input::catalog::{self, Catalog, Delivery};
use crate::input::file::{self, OpenFile, Role, Units, Wanted};
use crate::input::issued;
use crate::input::lines::{self, Lines};
use crate::input::rejects;
use crate::input::stream::{Source, Tally};
use crate::job::{
    Draft, FileColumns, From, InputColumns, InputSpec, Inputs, Job, REPAYMENT_COLUMNS, TRANSACTION_COLUMNS,
};
use crate::policy::facts::line_columns;
use crate::policy::{Decision, decide};
use crate::publish::commit::{Lock, run_directory};
use crate::publish::manifest::{Counts, Identity, Manifest, Timing, control_totals};
use crate::publish::{Results, gates};
use crate::score::{Scores, score};
use crate::signal;
use crate::summary::Summary;

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

/// The deliveries of every input.
pub struct Deliveries {
    /// Of transactions.
    pub transactions: Catalog,
    /// Of repayments.
    pub repayments: Catalog,
    /// Of lines.
    pub lines: Catalog,
    /// Of earlier adjustments, if the job has them.
    pub issued: Option<Catalog>,
}

impl Deliveries {
    /// Lists all inputs.
    pub fn list(inputs: &Inputs) -> Result<Deliveries> {
        Ok(Deliveries {
            transactions: catalog::list(&inputs.transactions)?,
            repayments: catalog::list(&inputs.repayments)?,
            lines: catalog::list(&inputs.lines)?,
            issued: inputs.issued.as_ref().map(catalog::list).transpose()?,
        })
    }
}

/// Resolves a job against the columns of the newest files delivered by `by`. Mistakes in the job files
/// are told before troubles with the inputs.
pub fn prepare(path: &Path, by: Option<Day>) -> Result<(Job, Deliveries, Draft)> {
    let mut draft = Draft::read(path)?;
    let listed = draft.inputs().map(Deliveries::list);
    let columns = match &listed {
        Some(Ok(deliveries)) => input_columns(deliveries, by),
        _ => InputColumns::default(),
    };
    let job = draft.bind(&columns);
    draft.remarks.check()?;
    let deliveries = listed.expect("a job without mistakes has inputs")?;
    Ok((job.expect("a job without mistakes is bound"), deliveries, draft))
}

fn input_columns(deliveries: &Deliveries, by: Option<Day>) -> InputColumns {
    let newest = |catalog: &Catalog| -> Option<FileColumns> {
        let seen = |delivery: &&Delivery| delivery.date <= by || by.is_none();
        let delivery = catalog.deliveries.iter().rfind(seen).or(catalog.deliveries.first())?;
        let file = file::open(&catalog.spec, delivery.date, delivery.files.first()?).ok()?;
        Some(file.columns(&catalog.spec))
    };
    InputColumns {
        transactions: newest(&deliveries.transactions),
        repayments: newest(&deliveries.repayments),
        lines: newest(&deliveries.lines),
    }
}

/// The input files a run stands on, opened.
pub struct Files {
    transactions: Vec<OpenFile>,
    repayments: Vec<OpenFile>,
    lines: Vec<OpenFile>,
    issued: Vec<OpenFile>,
    snapshot: Option<Day>,
}

impl Files {
    /// Finds and opens them; whatever must have been delivered and was not is an error.
    pub fn open(job: &Job, deliveries: &Deliveries, as_of: Day, known_on: Day) -> Result<Files> {
        deliveries.transactions.require(as_of)?;
        deliveries.repayments.require(as_of)?;
        let (snapshot, lines) = lines::snapshot_of(&deliveries.lines, as_of, job.lines_max_age_days)?;
        let issued = match &deliveries.issued {
            Some(catalog) => catalog.within(Day(i32::MIN), as_of.plus(-1)),
            None => Vec::new(),
        };
        let transactions = deliveries.transactions.within(oldest_transactions(job, as_of), known_on);
        let repayments = deliveries.repayments.within(Day(i32::MIN), known_on);
        Ok(Files {
            transactions: open_all(&job.inputs.transactions, &transactions)?,
            repayments: open_all(&job.inputs.repayments, &repayments)?,
            lines: open_all(&job.inputs.lines, &lines)?,
            issued: match &job.inputs.issued {
                Some(spec) => open_all(spec, &issued)?,
                None => Vec::new(),
            },
            snapshot,
        })
    }

    /// Checks every file's columns against the contract.
    pub fn check_schemas(&self, job: &Job) -> Result<()> {
        let units = Units { minor_units: job.minor_units, timezone: job.timezone.clone() };
        let of_transactions = Plan::new(&job.features, From::Transactions, &job.scopes.transactions);
        let (transactions, _) = transactions(job, self, &units, &of_transactions, Day(0), Type::Any);
        let repayments = repayments(job, self, &units, Day(0), Type::Any);
        let lines: Vec<Wanted> = wanted_lines(job).into_iter().map(|(_, wanted)| wanted).collect();
        let all = [
            (&job.inputs.transactions, &self.transactions, &transactions.wanted),
            (&job.inputs.repayments, &self.repayments, &repayments.wanted),
            (&job.inputs.lines, &self.lines, &lines),
        ];
        for (spec, files, wanted) in all {
            files.par_iter().try_for_each(|file| file.bind(spec, wanted, &units).map(|_| ()))?;
        }
        Ok(())
    }

    /// By input.
    pub fn by_input<'a>(&'a self, job: &'a Job) -> Vec<(&'a InputSpec, &'a [OpenFile])> {
        let mut all: Vec<(&InputSpec, &[OpenFile])> = vec![
            (&job.inputs.transactions, &self.transactions),
            (&job.inputs.repayments, &self.repayments),
            (&job.inputs.lines, &self.lines),
        ];
        all.extend(job.inputs.issued.as_ref().map(|spec| (spec, &*self.issued)));
        all
    }
}

fn open_all(spec: &InputSpec, deliveries: &[Delivery]) -> Result<Vec<OpenFile>> {
    let files: Vec<_> = deliveries
        .iter()
        .flat_map(|delivery| delivery.files.iter().map(|file| (delivery.date, file)))
        .collect();
    files.into_par_iter().map(|(date, file)| file::open(spec, date, file)).collect()
}

/// Longest window over transactions; at least the as-of date itself, whose rejects are listed.
fn transactions_window(job: &Job) -> i32 {
    let plan = Plan::new(&job.features, From::Transactions, &job.scopes.transactions);
    plan.longest_days.map_or(i32::MAX, |days| days.max(1) as i32)
}

/// The first delivery date that bears on a run: later than D − the longest window − `within_days`.
fn oldest_transactions(job: &Job, as_of: Day) -> Day {
    let within = job.inputs.transactions.unique.as_ref().map_or(0, |unique| unique.within_days);
    as_of.plus(-transactions_window(job)).plus(-i32::try_from(within).unwrap_or(i32::MAX)).plus(1)
}

/// Days without a delivery, by input, that a run of the day would have wanted.
pub fn missing_days(job: &Job, deliveries: &Deliveries, as_of: Day) -> [(&'static str, Vec<Day>); 2] {
    let from = |from, scope| match Plan::new(&job.features, from, scope).longest_days {
        Some(days) => Some(as_of.plus(-(days as i32))),
        None => None,
    };
    let transactions = from(From::Transactions, &job.scopes.transactions);
    let repayments = from(From::Bills, &job.scopes.bills);
    [
        (job.inputs.transactions.name, deliveries.transactions.missing_days(transactions, as_of)),
        (job.inputs.repayments.name, deliveries.repayments.missing_days(repayments, as_of)),
    ]
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
    let (job, deliveries, _) = prepare(&request.job, Some(known_on))?;
    let out = request.out.clone().unwrap_or_else(|| job.output_dir.clone());
    let lock = Lock::take(&out, &format!("run {} of {as_of}", job.name))?;
    let files = Files::open(&job, &deliveries, as_of, known_on)?;
    let identity = Identity::of(&job.sources, &files.by_input(&job), as_of, known_on)?;
    if let Some(outcome) = standing_run(request, &job, &out, &identity)? {
        return Ok(outcome);
    }
    watch.lap("open inputs");
    let mut manifest = Manifest::new(&job.name, as_of, known_on, identity);
    let night = compute(&job, &files, as_of, known_on, &mut manifest, &mut watch, progress)?;
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
    let summary = Summary::of(&results)?;
    watch.lap("write");
    manifest.timing = watch.stop();
    let directory = run_directory(&out, as_of, known_on, manifest.held);
    stage.commit(&manifest, &directory)?;
    progress.finish();
    let ending = if manifest.held { Ending::Held } else { Ending::Published };
    Ok(Outcome { ending, directory, manifest, summary: Some(summary), minor_units: job.minor_units })
}

/// The run that is there already, if it may stand; an error if it may not and must not be replaced.
fn standing_run(request: &Request, job: &Job, out: &Path, identity: &Identity) -> Result<Option<Outcome>> {
    if request.replace {
        return Ok(None);
    }
    for held in [false, true] {
        let directory = run_directory(out, request.as_of, request.known_on, held);
        if !directory.exists() {
            continue;
        }
        match Manifest::read(&directory)? {
            Some(manifest) if manifest.fingerprint == identity.fingerprint => {
                let ending = if held { Ending::Held } else { Ending::Unchanged };
                let minor_units = job.minor_units;
                return Ok(Some(Outcome { ending, directory, manifest, summary: None, minor_units }));
            }
            // A held run is nobody's input: a newer one takes its place.
            _ if held => {}
            Some(manifest) => {
                let what = differences(&manifest, identity);
                let message = format!(
                    "{} is published already, from other inputs or job files ({what}); --replace replaces it",
                    directory.display()
                );
                return Err(failure(Kind::Refused, message));
            }
            None => {
                let message = format!(
                    "{} is there, but is no run (it has no manifest.json); move it away",
                    directory.display()
                );
                return Err(failure(Kind::Refused, message));
            }
        }
    }
    Ok(None)
}

/// What differs between a published run and what a run would stand on now.
fn differences(manifest: &Manifest, identity: &Identity) -> String {
    let mut what: Vec<String> = Vec::new();
    for file in &identity.job_files {
        if !manifest.job_files.contains(file) {
            what.push(file.file.clone());
        }
    }
    let added = identity.inputs.iter().filter(|entry| !manifest.inputs.contains(entry));
    let gone = manifest.inputs.iter().filter(|entry| !identity.inputs.contains(entry));
    let mut inputs: Vec<String> =
        added.chain(gone).map(|entry| format!("{} {}", entry.input, entry.file)).collect();
    inputs.sort();
    inputs.dedup();
    const MOST_NAMED: usize = 3;
    let more = inputs.len().saturating_sub(MOST_NAMED);
    what.extend(inputs.into_iter().take(MOST_NAMED));
    if more > 0 {
        what.push(format!("{more} more files"));
    }
    what.join(", ")
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
    known_on: Day,
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

    let of_transactions = Plan::new(&job.features, From::Transactions, &job.scopes.transactions);
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
    let of_bills = Plan::new(&job.features, From::Bills, &job.scopes.bills);
    let source = repayments(job, files, &units, as_of, kind);
    let repayments =
        read_repayments(&source, &of_bills, &book.accounts, partitions, as_of, job.bill_tolerance, progress)?;
    manifest.bill_conflicts = repayments.conflicts;
    watch.lap("repayments");
    signal::check()?;
    progress.stage("score and decide", 0);
    let of_lines = Plan::new(&job.features, From::Lines, &job.scopes.lines);
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
    debug_assert!(known_on >= as_of);
    Ok(Night { lines: book, features, scores, decisions, rejects })
}

fn read_lines(job: &Job, files: &Files, units: &Units, progress: &Progress) -> Result<Lines> {
    let wanted = wanted_lines(job);
    let scope_len = job.scopes.lines.columns.len();
    lines::load(&job.inputs.lines, &files.lines, files.snapshot, wanted, scope_len, units, progress)
}

/// What to read of lines, with each column's position in the scope.
fn wanted_lines(job: &Job) -> Vec<(usize, Wanted)> {
    let scope = &job.scopes.lines;
    let of_lines = Plan::new(&job.features, From::Lines, scope);
    let mut needed = of_lines.columns;
    needed.extend(&job.policy.extra_columns);
    let spec = &job.inputs.lines;
    needed.extend(spec.unique.as_ref().and_then(|unique| scope.find(&unique.column)).map(|(slot, _)| slot));
    let inputs = scope.columns.len() - crate::job::LINE_STATE.len();
    needed.retain(|slot| *slot < inputs);
    needed.sort_unstable();
    needed.dedup();
    lines::wanted(scope, &needed)
}

/// What to read of transactions, and each column's position in the scope.
fn transactions<'a>(
    job: &'a Job,
    files: &'a Files,
    units: &'a Units,
    plan: &Plan,
    as_of: Day,
    account_kind: Type,
) -> (Source<'a>, Vec<usize>) {
    let spec = &job.inputs.transactions;
    let scope = &job.scopes.transactions;
    let mut slots: Vec<usize> = (0..TRANSACTION_COLUMNS.len()).collect();
    let unique = spec.unique.as_ref().and_then(|unique| scope.find(&unique.column)).map(|(slot, _)| slot);
    for slot in plan.columns.iter().copied().chain(unique) {
        if !slots.contains(&slot) {
            slots.push(slot);
        }
    }
    let roles = [Role::Id, Role::Date, Role::Money];
    let role = |slot: &usize| roles.get(*slot).copied().unwrap_or(Role::Extra);
    let wanted = slots.iter().map(|slot| Wanted::new(&scope.columns[*slot].0, role(slot))).collect();
    let source = Source {
        spec,
        files: &files.transactions,
        wanted,
        units,
        judge: rejects::judge_transactions,
        unique: unique.and_then(|unique| slots.iter().position(|slot| *slot == unique)),
        report_from: as_of,
        account_kind,
    };
    (source, slots)
}

fn repayments<'a>(
    job: &'a Job,
    files: &'a Files,
    units: &'a Units,
    as_of: Day,
    account_kind: Type,
) -> Source<'a> {
    let spec = &job.inputs.repayments;
    let roles = [Role::Id, Role::Text, Role::Id, Role::Date, Role::Money, Role::Date, Role::Money];
    let contract = REPAYMENT_COLUMNS.iter().zip(roles);
    let mut wanted: Vec<Wanted> = contract.map(|((name, _), role)| Wanted::new(name, role)).collect();
    let unique = spec.unique.as_ref().map(|unique| {
        match wanted.iter().position(|column| column.name == unique.column) {
            Some(position) => position,
            None => {
                wanted.push(Wanted::new(&unique.column, Role::Extra));
                wanted.len() - 1
            }
        }
    });
    let judge = rejects::judge_repayments;
    Source { spec, files: &files.repayments, wanted, units, judge, unique, report_from: as_of, account_kind }
}
