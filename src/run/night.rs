//! One night: read, score, decide, measure, publish; or leave a run alone that is there already.

use std::time::Instant;

use anyhow::Result;

use crate::console::Progress;
use crate::day::Dates;
use crate::features::plan::{FeaturePlan, Plans};
use crate::features::{Asked, AskedDay, FeatureTable, from_lines};
use crate::input::line_columns::line_columns;
use crate::input::lines::Lines;
use crate::input::stream::ReadTally;
use crate::input::wanted::Units;
use crate::input::{issued, previous as earlier_scores};
use crate::job::{From, Job};
use crate::policy::{Decision, decide};
use crate::publish::commit::Lock;
use crate::publish::totals::control_totals;
use crate::publish::{Results, gates};
use crate::run_dir::PublishedRun;
use crate::run_dir::layout::run_directory;
use crate::run_dir::manifest::{Counts, Manifest, Timing};
use crate::score::{Scores, score};
use crate::summary::Summary;
use crate::{own, report, signal};

use super::ahead::look_ahead;
use super::answers::{Answered, FeatureRows, Work};
use super::existing::{check_replaceable, existing_run};
use super::inputs::{Deliveries, Files, missing_days, read_lines};
use super::notices;
use super::outcome::{Ending, NightOutcome};
use super::previous::EarlierRun;
use super::ready::take;
use super::session::{PreparedNight, Session};

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
pub(super) fn run_night(
    session: &mut Session,
    lock: &Lock,
    prepared: PreparedNight,
    progress: &Progress,
) -> Result<NightOutcome> {
    let mut watch = Stopwatch::start();
    let PreparedNight { dates, job, deliveries } = prepared;
    session.footers.next_night();
    let files = Files::open(&job, &deliveries, dates, &mut session.footers)?;
    files.hash(&mut session.footers, dates.as_of)?;
    session.leave_hashes(&job, dates.as_of);
    let identity = files.identity(&job, dates)?;
    if session.request.replace {
        check_replaceable(&session.out, dates)?;
    } else if let Some(existing) = existing_run(&session.out, &identity)? {
        return Ok(existing.outcome(&job));
    }
    files.check_schemas(&job, &deliveries, &mut session.footers)?;
    watch.lap("open inputs");
    let mut manifest = identity.manifest(&job.name);
    let inputs = NightInputs { job: &job, files: &files, deliveries: &deliveries, dates };
    let computed = compute(inputs, session, &mut manifest, &mut watch, progress);
    // Inputs that cannot be read are reported as such; what else the file system refuses is a place to write.
    let night = computed.map_err(own::unwritable)?;
    files.check_unchanged()?;
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
    let ending = if manifest.held { Ending::Held } else { Ending::Published };
    Ok(NightOutcome { ending, directory, manifest, summary, minor_units: job.minor_units })
}

/// What a night has computed.
struct Night {
    lines: Lines,
    features: FeatureTable,
    scores: Scores,
    decisions: Vec<Decision>,
    transactions: ReadTally,
    repayments: ReadTally,
}

impl Night {
    fn results<'a>(&'a self, job: &'a Job, dates: Dates) -> Results<'a> {
        let Night { lines, features, scores, decisions, transactions, repayments } = self;
        let rejects = [&lines.tally.rejects, &repayments.rejects, &transactions.rejects];
        Results { job, dates, lines, features, scores, decisions, rejects }
    }
}

/// What a night is computed from.
#[derive(Clone, Copy)]
struct NightInputs<'a> {
    job: &'a Job,
    files: &'a Files,
    deliveries: &'a Deliveries,
    dates: Dates,
}

/// From files to decisions.
fn compute(
    inputs: NightInputs,
    session: &mut Session,
    manifest: &mut Manifest,
    watch: &mut Stopwatch,
    progress: &Progress,
) -> Result<Night> {
    let NightInputs { job, files, deliveries, dates } = inputs;
    let Dates { as_of, known_on, .. } = dates;
    let scratch = session.out.clone();
    let units = Units::of(job);
    let mut book = read_lines(job, files, &units, &scratch, progress)?;
    manifest.issued_unknown = issued::overlay(&files.issued, as_of, &units, &mut book, progress)?;
    manifest.snapshot = files.snapshot;
    watch.lap("lines");
    let plans = Plans::of(&job.features);
    let asked = Asked::all(&book.accounts, AskedDay { as_of, known_on });
    if session.ahead.is_empty() {
        session.ahead = look_ahead(session, job, deliveries, dates, &book.accounts, progress);
        watch.lap("nights at once");
    }
    let ready = take(&mut session.ahead, as_of, &book.accounts);
    let parts = ready.as_ref().map_or_else(|| asked.parts(), |ready| ready.parts.clone());
    let account_kind = book.accounts.ids.kind();
    let rows = FeatureRows { job, files, units: &units, plans: &plans, account_kind, first: as_of };
    let (copies, lap) = (&mut session.copies, &mut |stage: &str| watch.lap(stage));
    let mut work = Work { copies, scratch: &scratch, progress, lap };
    let answered = rows.answer(&asked, &parts, ready, as_of, &mut work)?;
    let Answered { mut answers, transactions, repayments, conflicts, notices, sorting } = answered;
    log::info!("features {sorting}");
    watch.timing.basis = sorting.to_string();
    manifest.bill_conflicts = conflicts.iter().sum();
    manifest.notices = notices;
    manifest.notices.extend(notices::of_lines(job, &book));
    signal::check()?;
    progress.stage("score and decide", 0);
    let of_lines = FeaturePlan::new(&job.features, From::Lines);
    answers.add(from_lines(&job.features, &of_lines, &asked, &parts, &book.account, |range| {
        line_columns(&book, as_of, range, &of_lines.columns, job.scopes.lines.columns.len())
    })?);
    let features = answers.finish(&job.features, &asked, &parts)?;
    watch.lap("features");
    let read = |of: &EarlierRun| earlier_scores::read(&of.spec, &of.files, &units, &book.accounts);
    let previous = files.previous.as_ref().map(read).transpose()?.unwrap_or_default();
    let scores = Scores { previous, ..score(&job.scorecard, &features, book.accounts.len()) };
    let decisions = decide(job, as_of, &book, &features, &scores);
    watch.lap("score and decide");

    let tallies: [(&str, &ReadTally); 3] = [
        (job.inputs.transactions.name, &transactions),
        (job.inputs.repayments.name, &repayments),
        (job.inputs.lines.name, &book.tally),
    ];
    manifest.counts =
        tallies.iter().map(|(name, tally)| ((*name).to_string(), Counts::from(*tally))).collect();
    drop(asked);
    Ok(Night { lines: book, features, scores, decisions, transactions, repayments })
}
