//! One sweep over the inputs that answers all rows: features of accounts on days, and figures of bills alone.

use std::path::PathBuf;

use anyhow::Result;

use super::ask::{AskedSlots, LeftOut, Questions, snapshot};
use super::asked_rows::AskedRows;
use super::lines::{AskedLines, Gathering, deliveries_of};
use crate::console::Progress;
use crate::day::Day;
use crate::features::plan::{FeaturePlan, Plans};
use crate::features::{Answers, FeatureTable, from_lines};
use crate::input::footer_cache::FooterCache;
use crate::input::hashes::Hashes;
use crate::input::wanted::Units;
use crate::job::{Feature, From, Job};
use crate::run::{Deliveries, FeatureRows, Files, Swept, Work};
use crate::sorted::{Shelf, SortedDeliveries};

/// How features are computed, whatever asks for them.
#[derive(Debug, Clone)]
pub struct SweepOptions {
    /// How much memory it may take, half of it for sorted deliveries that are not kept; `None`: as for 512 MiB.
    pub memory_bytes: Option<u64>,
    /// Whether to leave sorted deliveries of other runs aside, and to keep none.
    pub from_scratch: bool,
    /// Where files may be put that go with the command.
    pub scratch: PathBuf,
}

/// A job with its inputs, ready to answer.
pub struct FeatureSweep {
    /// The job.
    pub job: Job,
    /// The deliveries of its inputs.
    pub deliveries: Deliveries,
    /// The files opened so far.
    pub footers: FooterCache,
    copies: SortedDeliveries,
    pub(super) scratch: PathBuf,
}

/// The features of all slots.
pub struct SweptSlots {
    /// What was asked of the engine.
    pub asked: AskedSlots,
    /// By row, its slot.
    pub slots: Vec<Result<u32, LeftOut>>,
    /// One row a slot.
    pub features: FeatureTable,
}

impl FeatureSweep {
    /// Makes ready; nothing is read yet but what other runs have kept.
    pub fn new(
        job: Job,
        deliveries: Deliveries,
        mut footers: FooterCache,
        options: SweepOptions,
    ) -> FeatureSweep {
        let SweepOptions { memory_bytes, from_scratch, scratch } = options;
        if let Some(directory) = job.state_dir.as_deref().filter(|_| !from_scratch) {
            footers.hashes = Hashes::read(directory);
        }
        let shelf = Shelf::of(&job).filter(|_| !from_scratch);
        let copies = SortedDeliveries::new(shelf, &scratch, memory_bytes);
        FeatureSweep { job, deliveries, footers, copies, scratch }
    }

    /// Computes the features of every row whose account has a line on its day; `subject` is what names the rows.
    pub fn answer(&mut self, rows: &AskedRows, subject: &str, progress: &Progress) -> Result<SweptSlots> {
        let FeatureSweep { job, deliveries, footers, copies, scratch } = self;
        let questions = Questions::of(rows, |as_of| snapshot(job, deliveries, as_of));
        let Some((first, last)) = questions.span() else { return Ok(nothing(&questions)) };
        let by_snapshot = questions.days_by_snapshot();
        let units = &Units::of(job);
        let of_lines = deliveries_of(job, deliveries, &by_snapshot)?;
        let files = Files::of_days(job, deliveries, first, last, &of_lines, footers)?;
        files.check_schemas(job, deliveries, footers)?;
        let gathering =
            Gathering { job, deliveries, files: &files, units, questions: &questions, scratch, progress };
        gathering.check_columns(&by_snapshot, footers)?;
        let lines = gathering.gather(&by_snapshot)?;
        let (asked, slots) = questions.ask(&lines.answered(questions.distinct.len()));
        asked.check(subject)?;
        files.hash(footers, last.as_of)?;
        let mut features = FeatureTable::default();
        if !asked.days.is_empty() {
            let work = &mut Work { copies, scratch, progress, lap: &mut |_| {} };
            features = answer_slots(job, &files, (&asked, &lines.by_slot()), first, work)?;
        }
        files.check_unchanged()?;
        Ok(SweptSlots { asked, slots, features })
    }

    /// Computes features of bills alone, for accounts that need not have a line any more. A row on whose day there is
    /// no delivery of repayments is left out.
    pub fn answer_bills(
        &mut self,
        features: Vec<Feature>,
        rows: &AskedRows,
        subject: &str,
        progress: &Progress,
    ) -> Result<SweptSlots> {
        let FeatureSweep { job, deliveries, footers, copies, scratch } = self;
        let repayments = &deliveries.repayments;
        let questions = Questions::of(rows, |as_of| {
            repayments.require(as_of).map(|()| None).map_err(|_| LeftOut::NotDelivered)
        });
        let Some((first, last)) = questions.span() else { return Ok(nothing(&questions)) };
        let (asked, slots) = questions.ask(&vec![true; questions.distinct.len()]);
        asked.check(subject)?;
        let job = &Job { features, ..job.clone() };
        let files = Files::of_repayments(job, deliveries, last.known_on, footers)?;
        files.hash(footers, last.as_of)?;
        let (units, plans) = (&Units::of(job), &Plans::of(&job.features));
        let account_kind = asked.accounts.ids.kind();
        let rows = FeatureRows { job, files: &files, units, plans, account_kind, first };
        let (questions, parts) = (asked.asked(), asked.asked().parts());
        let work = &mut Work { copies, scratch, progress, lap: &mut |_| {} };
        let mut answers = Answers::new(&job.features, &parts);
        answers.add(rows.sweep_bills(&questions, &parts, work)?.answers.answers);
        let features = answers.finish(&job.features, &questions, &parts)?;
        files.check_unchanged()?;
        Ok(SweptSlots { asked, slots, features })
    }
}

/// Where nothing can be asked.
fn nothing(questions: &Questions) -> SweptSlots {
    let (asked, slots) = questions.ask(&[]);
    SweptSlots { asked, slots, features: FeatureTable::default() }
}

/// Answers all slots, with their lines, in one sweep; `first` is the first as-of date.
fn answer_slots(
    job: &Job,
    files: &Files,
    (slots, lines): (&AskedSlots, &AskedLines),
    first: Day,
    work: &mut Work,
) -> Result<FeatureTable> {
    let (units, asked, plans) = (&Units::of(job), slots.asked(), &Plans::of(&job.features));
    let parts = asked.parts();
    let account_kind = slots.accounts.ids.kind();
    let rows = FeatureRows { job, files, units, plans, account_kind, first };
    let Swept { transactions, repayments } = rows.sweep(&asked, &parts, work)?;
    let mut answers = Answers::new(&job.features, &parts);
    answers.add(transactions.answers);
    answers.add(repayments.answers.answers);
    let plan = FeaturePlan::new(&job.features, From::Lines);
    let columns = |range| lines.columns(range);
    answers.add(from_lines(&job.features, &plan, &asked, &parts, &lines.slot, columns)?);
    answers.finish(&job.features, &asked, &parts)
}
