//! What a night's features are computed from, and why.

use std::fmt;

use super::inputs::Files;
use super::{Dates, Request};
use crate::day::Day;
use crate::expr::Type;
use crate::features::accumulate::Segments;
use crate::features::bills::bill_id_is_read;
use crate::features::transactions::leaving;
use crate::history::{Candidate, Grounds, Plans, Shelf};
use crate::input::file::OpenFile;
use crate::input::stream::recent;
use crate::job::Job;

/// What a night's features are computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// Every row within the windows.
    Scratch {
        /// Why nothing else will do.
        why: String,
        /// How often the inputs are read, each time for a part of the accounts.
        passes: usize,
    },
    /// What an earlier night left, and the rows that have come and gone since.
    State {
        /// That night.
        of: Day,
        /// Whether it is another night of the same run.
        is_own: bool,
        /// Bytes of the state on disk.
        bytes: u64,
    },
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Basis::Scratch { why, passes: 1 } => write!(f, "from scratch: {why}"),
            Basis::Scratch { why, passes } => write!(f, "from scratch in {passes} passes: {why}"),
            Basis::State { of, is_own: true, .. } => write!(f, "from the night of {of}"),
            Basis::State { of, is_own: false, .. } => write!(f, "from the state of {of}"),
        }
    }
}

impl Basis {
    /// How often the inputs are read.
    pub fn passes(&self) -> usize {
        match self {
            Basis::Scratch { passes, .. } => *passes,
            Basis::State { .. } => 1,
        }
    }
}

/// A night that looks for something to begin with.
pub struct Search<'a> {
    /// What is asked for.
    pub request: &'a Request,
    /// The night's job.
    pub job: &'a Job,
    /// Its inputs.
    pub files: &'a Files,
    /// What it accumulates.
    pub plans: &'a Plans,
    /// What it is for.
    pub dates: Dates,
    /// What it stands on.
    pub grounds: &'a Grounds,
    /// What an earlier night of the same run leaves.
    pub last: Option<(Day, &'a Grounds)>,
}

/// What a search comes to: the basis, the state to load for it, and why others were passed over.
pub type Found = (Basis, Option<Candidate>, Vec<String>);

impl Search<'_> {
    /// Chooses what the night begins with: the latest that fits, of a day up to `latest`.
    pub fn choose(&self, latest: Day) -> Found {
        let passes = self.request.memory_bytes.map_or(1, |bytes| passes(self.files, self.plans, bytes));
        let scratch = |why: String| (Basis::Scratch { why, passes }, None, Vec::new());
        if passes > 1 {
            return scratch("--memory".into());
        }
        if self.request.from_scratch {
            return scratch("--from-scratch".into());
        }
        if let Some(why) = self.why_never() {
            return scratch(why.into());
        }
        let as_of = self.dates.as_of;
        let own = self.last.filter(|(day, grounds)| {
            *day <= as_of && grounds.unfit(*day, self.grounds, &self.files.past).is_none()
        });
        let own = own.map(|(day, _)| (Basis::State { of: day, is_own: true, bytes: 0 }, None));
        let (found, remarks) = match (own, shelf(self.job)) {
            (Some(own), _) => (Ok(own), Vec::new()),
            (None, None) => (Err("the job has no [state]".to_string()), Vec::new()),
            (None, Some(shelf)) => {
                let (found, remarks) = shelf.find(as_of.min(latest), self.grounds, &self.files.past);
                let basis =
                    |found: &Candidate| Basis::State { of: found.as_of, is_own: false, bytes: found.bytes };
                (found.map(|found| (basis(&found), Some(found))), remarks)
            }
        };
        let (basis, candidate) = match found {
            Ok(found) => found,
            Err(why) => return (Basis::Scratch { why, passes }, None, remarks),
        };
        let bytes = |files: &[OpenFile]| files.iter().map(|file| file.size).sum::<u64>();
        let (transactions, repayments) = self.reads(&basis);
        let all = bytes(&self.files.transactions) + bytes(&self.files.repayments);
        if bytes(&transactions) + bytes(&repayments) >= all {
            let why = format!("to go on {basis} would take as much reading");
            return (Basis::Scratch { why, passes }, None, remarks);
        }
        (basis, candidate, remarks)
    }

    /// Why this job's nights cannot go on from one another.
    fn why_never(&self) -> Option<&'static str> {
        why_never(self.job, self.plans)
    }

    /// The transactions and repayments that are read.
    pub fn reads(&self, basis: &Basis) -> (Vec<OpenFile>, Vec<OpenFile>) {
        let Files { transactions, repayments, past, .. } = self.files;
        let as_of = self.dates.as_of;
        let Basis::State { of: since, .. } = *basis else {
            return (transactions.clone(), repayments.clone());
        };
        let segments = Segments::new(&self.plans.transactions, as_of);
        let mut read = leaving(&self.plans.transactions, &segments, past, since, as_of);
        read.extend(leaving(&self.plans.transactions, &segments, transactions, since, as_of));
        read.extend(recent(&self.job.inputs.transactions, transactions, as_of, Some(since)));
        (read, recent(&self.job.inputs.repayments, repayments, as_of, Some(since)))
    }
}

/// The first day of those that a night may go on from: what another night of the run leaves, and the
/// states on the shelf.
pub fn earliest_start(
    request: &Request,
    job: &Job,
    as_of: Day,
    grounds: &Grounds,
    last: Option<Day>,
) -> Option<Day> {
    let on_shelf = shelf(job).into_iter().flat_map(|shelf| shelf.days(&grounds.key));
    let days = last.into_iter().chain(on_shelf).filter(|day| *day <= as_of);
    if request.from_scratch { None } else { days.min() }
}

/// The states of a job.
pub fn shelf(job: &Job) -> Option<Shelf> {
    job.state_dir.as_deref().map(|directory| Shelf::new(directory, job.access))
}

fn why_never(job: &Job, plans: &Plans) -> Option<&'static str> {
    let has_text_ids = job.scopes.repayments.columns[2].1 == Type::Text;
    if !job.inputs.transactions.is_dated() {
        return Some("transactions have no {date}, so the rows that leave a window cannot be found");
    }
    (has_text_ids && bill_id_is_read(&plans.bills))
        .then_some("a feature reads the text of bill ids, which is not kept")
}

/// Whether a night can be gone on from: what it knows is what was known at the end of its day.
pub fn is_kept(job: &Job, plans: &Plans, dates: Dates) -> bool {
    dates.known_on == dates.as_of && why_never(job, plans).is_none()
}

/// In how many passes to read so that the run takes about so much memory. Figures are bytes, measured on
/// books of the sample's kind; a pass holds the accumulators, then the ledgers, of its accounts only.
fn passes(files: &Files, plans: &Plans, memory: u64) -> usize {
    const BUFFERS: u64 = 200_000_000;
    const A_LINE: u64 = 220;
    const A_DISTINCT_VALUE: u64 = 6;
    const A_REPAYMENT: u64 = 40;
    const MOST: u64 = 64;
    let rows = |files: &[OpenFile]| files.iter().map(OpenFile::rows).sum::<u64>();
    let lines = rows(&files.lines);
    let words = (plans.transactions.stride.max(plans.bills.stride) * size_of::<i64>()) as u64;
    let logs = (plans.transactions.logged.len() as u64) * rows(&files.transactions) * A_DISTINCT_VALUE / 4;
    let passing = (lines * words + logs).max(rows(&files.repayments) * A_REPAYMENT);
    let left = memory.saturating_sub(BUFFERS + lines * A_LINE).max(passing / MOST).max(1);
    passing.div_ceil(left).clamp(1, MOST) as usize
}
