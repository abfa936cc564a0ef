//! One night: read, score, decide, measure, publish; or leave a run alone that is there already.

use std::time::Instant;

use anyhow::Result;

use crate::console::Progress;
use crate::day::Dates;
use crate::features::plan::Plans;
use crate::features::{Asked, AskedDay};
use crate::input::account_range::AccountRange;
use crate::input::snapshot;
use crate::input::wanted::Units;
use crate::policy::decide;
use crate::publish::commit::Lock;
use crate::run_dir::PublishedRun;
use crate::run_dir::layout::run_directory;
use crate::run_dir::manifest::{Manifest, Timing};
use crate::summary::Summary;
use crate::{log, own, places, report, signal};

use super::ahead::look_ahead;
use super::answers::{Answered, FeatureRows, Intake, Work};
use super::compute::{ComputedNight, NightBook, NightInputs};
use super::existing::{SeenRuns, left_alone};
use super::figures::BookFigures;
use super::opened::OpenedNight;
use super::outcome::{Ending, NightOutcome};
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

    /// Ends a stage; the records from here on are of the next one.
    fn lap_before(&mut self, stage: &str, next: &'static str) {
        self.lap(stage);
        log::set_stage(next);
    }

    /// Ends a stage.
    fn lap(&mut self, stage: &str) {
        let seconds = self.last.elapsed().as_secs_f64();
        tracing::info!(stage, "{stage}: {seconds:.3} s");
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
    let OpenedNight { dates, job, deliveries, files, identity } = OpenedNight::open(session, prepared)?;
    let seen = SeenRuns::look(&session.out, dates)?;
    if let Some(existing) = left_alone(&session.out, &identity, session.request.replace, &job)? {
        return Ok(existing);
    }
    files.check_schemas(&job, &deliveries, &mut session.footers)?;
    watch.lap_before("open inputs", "lines");
    let mut manifest = identity.manifest(&job.name);
    let inputs = NightInputs { job: &job, files: &files, deliveries: &deliveries, dates };
    let computed = compute(inputs, session, &mut manifest, &mut watch, progress);
    // Inputs that cannot be read are reported as such; what else the file system refuses is a place to write.
    let night = computed.map_err(own::unwritable)?;
    files.check_unchanged()?;
    let results = night.results(&job, dates);
    inputs.measure(BookFigures::of(&results), &mut manifest);
    for (name, days) in &manifest.missing_days {
        session.warn_missing(name, days);
    }
    session.warn_of(&manifest.notices);
    watch.lap_before("gates", "write");
    progress.stage("write", 0);
    let stage = lock.stage()?;
    let (outputs, summary) = rayon::join(|| stage.write(&results), || Summary::of(&results));
    manifest.outputs = outputs?;
    let summary = Some(summary?);
    if job.report {
        let page = report::page(
            &PublishedRun::in_the_making(&stage.directory(), manifest.clone())?,
            report::Beside::Nothing,
        )?;
        manifest.outputs.push(stage.add("report.html", page.as_bytes())?);
        manifest.outputs.sort_by(|a, b| a.file.cmp(&b.file));
    }
    watch.lap("write");
    manifest.timing = watch.stop();
    let directory = run_directory(&session.out, dates.as_of, dates.known_on, manifest.held);
    let seen = seen.at(manifest.held, session.request.replace);
    stage.commit(&mut manifest, &directory, seen)?;
    let ending = if manifest.held { Ending::Held } else { Ending::Published };
    Ok(NightOutcome::new(&job, ending, directory, manifest, summary))
}

/// From files to decisions.
fn compute(
    inputs: NightInputs,
    session: &mut Session,
    manifest: &mut Manifest,
    watch: &mut Stopwatch,
    progress: &Progress,
) -> Result<ComputedNight> {
    let NightInputs { job, files, deliveries, dates } = inputs;
    let Dates { as_of, known_on, .. } = dates;
    let scratch = places::scratch(&session.out);
    let book = inputs.book(&AccountRange::default(), &scratch, progress)?;
    let NightBook { lines, issued_unknown } =
        book.map_err(|empty| snapshot::none_accepted(&empty.tally, files.snapshot))?;
    manifest.issued_unknown = issued_unknown;
    watch.lap_before("lines", "features");
    let (units, plans) = (Units::of(job), Plans::of(&job.features));
    let asked = Asked::all(&lines.accounts, AskedDay { as_of, known_on });
    if session.ahead.is_empty() {
        session.ahead = look_ahead(session, job, deliveries, dates, &lines.accounts, progress);
        watch.lap("nights at once");
    }
    let ready = take(&mut session.ahead, as_of, &lines.accounts);
    let parts = ready.as_ref().map_or_else(|| asked.parts(), |ready| ready.parts.clone());
    let account_kind = lines.accounts.ids.kind();
    let rows = FeatureRows { job, files, units: &units, plans: &plans, account_kind, first: as_of };
    let (copies, lap) = (&mut session.copies, &mut |stage: &str| watch.lap(stage));
    let mut work = Work { copies, scratch: &scratch, progress, lap };
    let Answered { answers, conflicts, intake } = rows.answer(&asked, &parts, ready, as_of, &mut work)?;
    tracing::info!("features {}", intake.sorting());
    watch.timing.basis = intake.sorting().to_string();
    manifest.bill_conflicts = conflicts.iter().sum();
    inputs.count(&intake, &(&lines.tally).into(), manifest);
    signal::check()?;
    progress.stage("score and decide", 0);
    let features = inputs.features(&lines, &asked, &parts, answers)?;
    watch.lap_before("features", "score and decide");
    let scores = inputs.scores(&lines, &features)?;
    let decisions = decide(job, as_of, &lines, &features, &scores);
    watch.lap_before("score and decide", "gates");
    drop(asked);
    let Intake { transactions, repayments } = intake;
    Ok(ComputedNight { lines, features, scores, decisions, tallies: [transactions.tally, repayments.tally] })
}
