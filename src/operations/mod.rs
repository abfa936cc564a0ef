//! What other systems are told of how nights ended: metrics, lineage, whoever is on call. Nothing here fails a run,
//! changes its exit code or holds it up for long.
//!
//! - here: the nights of a run as they end; `night_report`: how one did;
//! - `metrics`: figures for Prometheus, a file that is replaced after every night;
//! - `notify`: a command that is told of what is held or has failed;
//! - `lineage`: OpenLineage's events; `datasets`: what they say of inputs and outputs; `facet`: their parts;
//! - `endpoint`: where they are posted;
//! - `process`: what this process has read, and the memory it took.

mod datasets;
mod endpoint;
mod facet;
mod lineage;
mod metrics;
mod night_report;
mod notify;
mod process;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use jiff::Timestamp;

use crate::day::Day;
use crate::failure::{FAULT, Kind, exit_code};
use crate::job::{Operations, operations_of};
use crate::log;
use crate::run::{Ending, NightOutcome, RunRequest};
use lineage::LineageEvents;
use night_report::NightReport;

/// Follows the nights of a run and tells of each as it ends.
pub struct Watcher {
    job: String,
    operations: Operations,
    lineage: Option<LineageEvents>,
    nights: Vec<(Day, Day)>,
    /// How many of them have ended.
    ended: usize,
    started: Instant,
    started_at: Timestamp,
    bytes_before: Option<u64>,
    is_done: bool,
}

impl Watcher {
    /// Begins to follow a run. A simulation is no night: nobody is told of it.
    pub fn begin(request: &RunRequest) -> Watcher {
        if request.chain {
            return Watcher::of(&request.job, Operations::default(), None, Vec::new());
        }
        let (name, operations) = operations_of(&request.job);
        Watcher::of(&request.job, operations, name, request.nights.all())
    }

    /// Begins to follow the last step of a night that many processes share.
    pub fn begin_commit(job: &Path, as_of: Day, known_on: Day) -> Watcher {
        let (name, operations) = operations_of(job);
        Watcher::of(job, operations, name, vec![(as_of, known_on)])
    }

    fn of(path: &Path, operations: Operations, name: Option<String>, nights: Vec<(Day, Day)>) -> Watcher {
        let job = name.unwrap_or_else(|| file_stem(path));
        let lineage = operations.lineage.clone().map(|lineage| LineageEvents::new(lineage, path));
        let mut watcher = Watcher {
            job,
            operations,
            lineage,
            nights,
            ended: 0,
            started: Instant::now(),
            started_at: Timestamp::now(),
            bytes_before: process::bytes_read(),
            is_done: false,
        };
        watcher.start_night();
        watcher
    }

    fn start_night(&mut self) {
        self.started = Instant::now();
        self.started_at = Timestamp::now();
        self.bytes_before = process::bytes_read();
        if let (Some(lineage), Some((as_of, known_on))) = (&mut self.lineage, self.nights.get(self.ended)) {
            guarded("no events of lineage are sent", || {
                lineage.start(&self.job, *as_of, *known_on, self.started_at);
                Ok(())
            });
        }
    }

    /// Tells of a night that has ended, published or held.
    pub fn night_ended(&mut self, outcome: &NightOutcome) {
        let (exit, ending) = match outcome.ending {
            Ending::Held => (Kind::Held.exit_code(), "held"),
            Ending::Published => (0, "published"),
            Ending::Unchanged => (0, "unchanged"),
        };
        let run = Some(log::run_id(&outcome.manifest.fingerprint));
        let dates = (outcome.manifest.as_of, outcome.manifest.known_on);
        self.tell(dates, NightEnd { exit, ending, run, message: None, outcome: Some(outcome) });
        self.ended += 1;
        if self.ended < self.nights.len() {
            self.start_night();
        }
    }

    /// Tells of the night at which the run has failed, if it has. That some nights are held has been told.
    pub fn run_ended(mut self, error: Option<&anyhow::Error>) {
        self.is_done = true;
        if let Some(error) = error {
            self.night_failed(exit_code(error), &format!("{error:#}"));
        }
    }

    fn night_failed(&mut self, exit: u8, message: &str) {
        let Some(dates) = self.nights.get(self.ended).copied() else { return };
        let message = Some(log::without_accounts(message));
        let end = NightEnd { exit, ending: "failed", run: log::current_run(), message, outcome: None };
        self.tell(dates, end);
    }

    fn tell(&mut self, (as_of, known_on): (Day, Day), end: NightEnd) {
        let NightEnd { exit, ending, run, message, outcome } = end;
        let bytes_read = process::bytes_read().zip(self.bytes_before);
        let report = NightReport {
            job: &self.job,
            as_of,
            known_on,
            run,
            ended_at: Timestamp::now(),
            seconds: self.started.elapsed().as_secs_f64(),
            exit,
            ending,
            message,
            bytes_read: bytes_read.map(|(now, before)| now.saturating_sub(before)),
            outcome,
        };
        let Operations { metrics, notify, .. } = &self.operations;
        if let Some(path) = metrics {
            guarded("metrics are not written", || metrics::write(path, &report));
        }
        if let Some(lineage) = &mut self.lineage {
            guarded("no events of lineage are sent", || {
                lineage.end(&report);
                Ok(())
            });
        }
        // Whoever stops a run at the keyboard knows.
        let is_told = exit != 0 && exit != Kind::Interrupted.exit_code();
        if let Some(notify) = notify.as_ref().filter(|_| is_told) {
            guarded("nobody is notified", || {
                notify::tell(notify, &report);
                Ok(())
            });
        }
    }
}

impl Drop for Watcher {
    /// A fault of the program is a failure as well.
    fn drop(&mut self) {
        if !self.is_done && std::thread::panicking() {
            self.night_failed(FAULT, "a fault of the program");
        }
    }
}

/// Does what may fail, even by a fault of the program, and makes a warning of that.
fn guarded(what: &str, mut tell: impl FnMut() -> Result<()>) {
    match catch_unwind(AssertUnwindSafe(&mut tell)) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("{what}: {error:#}"),
        Err(_) => tracing::warn!("{what}: a fault of the program"),
    }
}

/// How a night ended, as the run says.
struct NightEnd<'a> {
    exit: u8,
    ending: &'static str,
    run: Option<String>,
    message: Option<String>,
    outcome: Option<&'a NightOutcome>,
}

/// What a job is called of which no name can be read.
fn file_stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "job".to_string(), |stem| stem.to_string_lossy().into_owned())
}
