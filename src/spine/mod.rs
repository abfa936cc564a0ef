//! Features for a list of accounts and days: of each row what the run of its day would have come to.
//!
//! ```text
//! spine ─ read ─▶ accounts and days ─ ask ─▶ questions, each once
//!    │              snapshots, issued ─ lines ─▶ the lines of each question
//!    │      transactions, repayments ─ sweep ─▶ features by slot: a question that has a line
//!    └───────────── columns as they lie ─ write ─▶ the spine with features, and scores
//! ```
//!
//! A model's sample asks the same of the same sweep, and writes a table of its own.

mod ask;
mod asked_rows;
mod book;
mod lines;
mod read;
mod sweep;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::console::{Progress, plain_path};
use crate::day::Day;
use crate::failure::{Kind, failure};
use crate::input::footer_cache::FooterCache;
use crate::job::{Job, RawJob};
use crate::own::{UserFile, unwritable};
use crate::places;
use crate::run::prepare;

pub use ask::{AskedSlots, LeftOut};
pub use asked_rows::{AskedRows, days_of};
pub use book::BookDay;
use read::Spine;
pub use sweep::{FeatureSweep, SweepOptions, SweptSlots};
use write::{AnsweredRows, added_fields};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct SpineRequest {
    /// The job file.
    pub job: PathBuf,
    /// The file of accounts and days.
    pub spine: PathBuf,
    /// Where the rows go with their features.
    pub out: PathBuf,
    /// Whether scores are wanted, too.
    pub with_scores: bool,
    /// How much memory it may take, half of it for sorted deliveries that are not kept; `None`: as for 512 MiB.
    pub memory_bytes: Option<u64>,
    /// Whether to leave sorted deliveries of other runs aside, and to keep none.
    pub from_scratch: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct SpineOutcome {
    /// The job's name.
    pub job: String,
    /// Rows of the spine.
    pub rows: u64,
    /// Rows without features, by reason.
    pub left_out: BTreeMap<LeftOut, u64>,
    /// The first and the last as-of date of those that have features, and how many there are.
    pub days: Option<AnsweredDays>,
    /// Distinct accounts of rows that have features.
    pub accounts: u64,
    /// How many features each has.
    pub features: usize,
    /// Whether the output went to standard output, so that nothing else should.
    pub is_stdout: bool,
}

/// The as-of dates of the rows that have features.
#[derive(Debug, Clone, Copy)]
pub struct AnsweredDays {
    /// The first.
    pub first: Day,
    /// The last.
    pub last: Day,
    /// How many.
    pub count: usize,
}

impl SpineOutcome {
    /// Rows that have features.
    pub fn answered(&self) -> u64 {
        self.rows - self.left_out.values().sum::<u64>()
    }
}

/// Reads a spine and writes it with features. Mistakes in the job files are reported before troubles with the
/// spine, and those before troubles with the inputs.
pub fn answer_spine(request: &SpineRequest, progress: &Progress) -> Result<SpineOutcome> {
    let mut draft = RawJob::read(&request.job)?;
    let spine = Spine::read(&request.spine, draft.timezone(), progress);
    let last = spine.as_ref().ok().and_then(|spine| spine.asked.last_dates());
    let mut footers = FooterCache::default();
    let (job, deliveries) = prepare(&mut draft, last, &mut footers)?;
    let spine = spine?;
    let added = added_fields(&job, request.with_scores);
    spine.check_against(&job, added.iter().map(|field| field.name().as_str()))?;
    check_place(request, &job)?;
    let out = UserFile::create(&request.out)?;
    let SpineRequest { memory_bytes, from_scratch, .. } = *request;
    let options = SweepOptions { memory_bytes, from_scratch, scratch: scratch(&request.out) };
    let mut sweep = FeatureSweep::new(job, deliveries, footers, options);
    let subject = format!("read spine ({})", plain_path(&request.spine));
    // Inputs that cannot be read are reported as such; what else the file system refuses is a place to write.
    let answers = sweep.answer(&spine.asked, &subject, progress).map_err(unwritable)?;
    progress.stage("write", 0);
    let (job, SweptSlots { asked, slots, features }) = (&sweep.job, &answers);
    let asked_slots = asked.asked();
    let answered =
        AnsweredRows { job, features, asked: &asked_slots, slots, with_scores: request.with_scores };
    let written = answered.write(&spine.file, out.handle()?);
    written.with_context(|| format!("write {}", request.out.display())).map_err(unwritable)?;
    spine.file.check_unchanged()?;
    let is_stdout = out.is_stdout();
    out.finish()?;
    Ok(outcome(job, asked, slots, is_stdout))
}

/// Where files may be put that go with the command: beside the output, unless that is a device or a pipe.
pub fn scratch(out: &Path) -> PathBuf {
    let beside = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if out.is_file() || !out.exists() { places::scratch(beside) } else { std::env::temp_dir() }
}

/// The device and the number of a file that is there.
fn file_number(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|found| (found.dev(), found.ino()))
}

/// Refuses to write over the spine while it is read, and where a run would take the output for an input.
fn check_place(request: &SpineRequest, job: &Job) -> Result<()> {
    let SpineRequest { spine, out, .. } = request;
    let input = job.inputs.delivered().find(|spec| places::holds(&spec.root, out));
    let why = if file_number(out).is_some_and(|found| Some(found) == file_number(spine)) {
        "it is the spine itself".to_string()
    } else if let Some(input) = input {
        format!("it lies in the directory of {}", input.name)
    } else {
        return Ok(());
    };
    Err(failure(Kind::Usage, format!("--out {}: {why}; name another file", out.display())))
}

fn outcome(job: &Job, asked: &AskedSlots, slots: &[Result<u32, LeftOut>], is_stdout: bool) -> SpineOutcome {
    let mut left_out: BTreeMap<LeftOut, u64> = LeftOut::ALL.map(|reason| (reason, 0)).into();
    for reason in slots.iter().filter_map(|slot| slot.err()) {
        *left_out.entry(reason).or_default() += 1;
    }
    let days: BTreeSet<Day> = asked.days.iter().map(|day| day.as_of).collect();
    let ends = days.first().zip(days.last());
    SpineOutcome {
        job: job.name.clone(),
        rows: slots.len() as u64,
        left_out,
        days: ends.map(|(first, last)| AnsweredDays { first: *first, last: *last, count: days.len() }),
        accounts: asked.accounts.len() as u64,
        features: job.features.len(),
        is_stdout,
    }
}
