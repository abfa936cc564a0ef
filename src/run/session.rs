//! A session: what lives from one night of a run to the next.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;

use super::inputs::{Deliveries, bind, prepare, required};
use super::ready::Ahead;
use super::request::RunRequest;
use super::simulation::{Simulation, pending_remark};
use crate::console::missed;
use crate::day::{Dates, Day};
use crate::input::footer_cache::FooterCache;
use crate::input::hashes::{self, HASHES, Hashes};
use crate::job::{Job, RawJob};
use crate::pieces::piece;
use crate::places;
use crate::sorted::{Shelf, SortedDeliveries};

/// What lives from night to night: the job files as they were read, the files opened so far.
pub struct Session {
    /// What is asked for.
    pub request: RunRequest,
    /// Where runs are published.
    pub out: PathBuf,
    /// The input files opened so far.
    pub footers: FooterCache,
    draft: RawJob,
    /// What had been delivered when the session was opened.
    listed: Deliveries,
    chain: Option<Simulation>,
    warned: BTreeSet<(String, Day)>,
    noticed: BTreeSet<String>,
    /// The sorted deliveries.
    pub copies: SortedDeliveries,
    /// Nights to come that are answered already.
    pub ahead: Ahead,
    /// Nights computed so far.
    computed: usize,
}

/// In a range the hashes of inputs are left at its end, and every so many nights.
const LEAVE_EVERY: usize = piece(30, 2);

/// A night about to run: what it is for, the job bound to its inputs, and what was delivered.
pub struct PreparedNight {
    /// What it is for.
    pub dates: Dates,
    /// The job, bound to the columns of that time.
    pub job: Job,
    /// Everything delivered so far.
    pub deliveries: Deliveries,
}

impl Session {
    /// Reads the job files and prepares the first night. Mistakes in the job files are reported here, those
    /// that only the columns of a later night show among them.
    pub fn open(request: &RunRequest) -> Result<(Session, PreparedNight)> {
        let mut draft = RawJob::read(&request.job)?;
        if let Some(out) = &request.out {
            draft.check_out(out)?;
        }
        let all = request.nights.all();
        let from = request.nights.first();
        let chain_from = request.chain.then_some(from);
        let dates = |(as_of, known_on)| Dates { as_of, known_on, chain_from };
        let first = dates(all[0]);
        let mut footers = FooterCache::default();
        let (job, mut deliveries) = prepare(&mut draft, Some(first), &mut footers)?;
        if let Some(directory) = job.state_dir.as_deref().filter(|_| !request.from_scratch) {
            footers.hashes = Hashes::read(directory);
        }
        let chain =
            if request.chain { Some(Simulation::begin(&job, from, request.out.as_deref())?) } else { None };
        check_nights(&mut draft, &job, &deliveries, all.iter().copied().map(dates), &mut footers)?;
        if let Some(remark) = pending_remark(request, &job, from) {
            tracing::warn!("{remark}");
        }
        let listed = deliveries.clone();
        if let Some(chain) = &chain {
            chain.redirect(&mut deliveries, first.as_of);
        }
        let out = request.out.clone().unwrap_or_else(|| job.output_dir.clone());
        let shelf = Shelf::of(&job).filter(|_| !request.from_scratch);
        let copies = SortedDeliveries::new(shelf, &places::scratch(&out), request.memory_bytes);
        let (request, warned) = (request.clone(), BTreeSet::new());
        let session = Session {
            request,
            out,
            footers,
            draft,
            listed,
            chain,
            warned,
            noticed: BTreeSet::new(),
            copies,
            ahead: Ahead::new(),
            computed: 0,
        };
        Ok((session, PreparedNight { dates: first, job, deliveries }))
    }

    /// Prepares a night: binds the job to what has been delivered by now.
    pub fn prepare(&mut self, as_of: Day, known_on: Day) -> Result<PreparedNight> {
        let dates = self.dates(as_of, known_on);
        let (job, deliveries) = prepare(&mut self.draft, Some(dates), &mut self.footers)?;
        Ok(self.prepared(dates, job, deliveries))
    }

    /// Prepares a night from what had been delivered when the session was opened.
    pub fn prepare_as_listed(&mut self, as_of: Day, known_on: Day) -> Result<PreparedNight> {
        let dates = self.dates(as_of, known_on);
        let job = bind(&mut self.draft, Some(&self.listed), Some(dates), &mut self.footers)?;
        Ok(self.prepared(dates, job, self.listed.clone()))
    }

    fn dates(&self, as_of: Day, known_on: Day) -> Dates {
        Dates { as_of, known_on, chain_from: self.chain.as_ref().map(|chain| chain.from) }
    }

    fn prepared(&self, dates: Dates, job: Job, mut deliveries: Deliveries) -> PreparedNight {
        if let Some(chain) = &self.chain {
            chain.redirect(&mut deliveries, dates.as_of);
        }
        PreparedNight { dates, job, deliveries }
    }

    /// Leaves the hashes of input files for the next run, at the end of this one and now and then before.
    pub fn leave_hashes(&mut self, job: &Job, as_of: Day) {
        self.computed += 1;
        let is_due = self.is_last(as_of) || self.computed.is_multiple_of(LEAVE_EVERY);
        let Some(shelf) = Shelf::of(job).filter(|_| is_due && !self.request.from_scratch) else { return };
        if let Some(text) = self.footers.hashes.to_text(as_of)
            && let Err(error) = shelf.put_file(HASHES, text.as_bytes(), hashes::is_own)
        {
            tracing::warn!("the hashes of the inputs are not kept: {error:#}");
        }
    }

    /// The nights that come after a day.
    pub fn nights_after(&self, as_of: Day) -> Vec<Day> {
        let nights = self.request.nights.all().into_iter().map(|(night, _)| night);
        nights.filter(|night| *night > as_of).collect()
    }

    /// Whether no night comes after a day.
    pub fn is_last(&self, as_of: Day) -> bool {
        self.request.nights.all().last().is_none_or(|(last, _)| as_of >= *last)
    }

    /// Warns of each notice once.
    pub fn warn_of(&mut self, notices: &[String]) {
        for notice in notices {
            if self.noticed.insert(notice.clone()) {
                tracing::warn!("{notice}");
            }
        }
    }

    /// Warns of days without a delivery, of each once.
    pub fn warn_missing(&mut self, name: &str, days: &[Day]) {
        let known = self.warned.len();
        self.warned.extend(days.iter().map(|day| (name.to_string(), *day)));
        if let Some(missed) = missed(days).filter(|_| self.warned.len() > known) {
            tracing::warn!("{name}: {missed}");
        }
    }
}

/// Binds the job for every night, so that mistakes are reported before the first one begins. Where a later
/// night lacks a delivery, the nights before it can run all the same: that is warned of.
fn check_nights(
    draft: &mut RawJob,
    job: &Job,
    deliveries: &Deliveries,
    nights: impl Iterator<Item = Dates>,
    footers: &mut FooterCache,
) -> Result<()> {
    for (number, dates) in nights.enumerate() {
        if number > 0 {
            bind(draft, Some(deliveries), Some(dates), footers)?;
        }
        if required(job, deliveries, dates).is_err() {
            if number > 0 {
                tracing::warn!(
                    "the range will come no further than {}, for which not all is delivered",
                    dates.as_of
                );
            }
            break;
        }
    }
    Ok(())
}
