//! A session: what lives from one night of a run to the next.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;

use super::chain::Chain;
use super::inputs::{Deliveries, bind, prepare, required};
use super::{Nights, Request};
use crate::day::Day;
use crate::input::footers::Footers;
use crate::job::{Draft, Job};
use crate::publish::Dates;

/// What lives from night to night: the job files as they were read, the files opened so far.
pub struct Session {
    /// What is asked for.
    pub request: Request,
    /// Where runs are published.
    pub out: PathBuf,
    /// The input files opened so far.
    pub footers: Footers,
    draft: Draft,
    chain: Option<Chain>,
    warned: BTreeSet<(&'static str, Day)>,
}

/// A night about to run: what it is for, the job bound to its inputs, and what was delivered.
pub struct Prepared {
    /// What it is for.
    pub dates: Dates,
    /// The job, bound to the columns of that time.
    pub job: Job,
    /// Everything delivered so far.
    pub deliveries: Deliveries,
}

impl Session {
    /// Reads the job files and prepares the first night. Mistakes in the job files are told here, those
    /// that only the columns of a later night show among them.
    pub fn open(request: &Request) -> Result<(Session, Prepared)> {
        let mut draft = Draft::read(&request.job)?;
        let all = request.nights.all();
        let from = request.nights.first();
        let chain_from = request.chain.then_some(from);
        let dates = |(as_of, known_on)| Dates { as_of, known_on, chain_from };
        let first = dates(all[0]);
        let (job, mut deliveries) = prepare(&mut draft, Some(first))?;
        let chain = match request.chain {
            true => Some(Chain::begin(&job, from, request.out.as_deref())?),
            false => None,
        };
        look_ahead(&mut draft, &job, &deliveries, all.iter().copied().map(dates))?;
        if let Some(chain) = &chain {
            chain.redirect(&mut deliveries, first.as_of);
        }
        let out = request.out.clone().unwrap_or_else(|| job.output_dir.clone());
        let (footers, warned) = (Footers::default(), BTreeSet::new());
        let session = Session { request: request.clone(), out, footers, draft, chain, warned };
        Ok((session, Prepared { dates: first, job, deliveries }))
    }

    /// Prepares a night: binds the job to what has been delivered by now.
    pub fn prepare(&mut self, as_of: Day, known_on: Day) -> Result<Prepared> {
        let dates = Dates { as_of, known_on, chain_from: self.chain.as_ref().map(|chain| chain.from) };
        let (job, mut deliveries) = prepare(&mut self.draft, Some(dates))?;
        if let Some(chain) = &self.chain {
            chain.redirect(&mut deliveries, as_of);
        }
        Ok(Prepared { dates, job, deliveries })
    }

    /// Warns of days without a delivery, of each once.
    pub fn warn_missing(&mut self, name: &'static str, days: &[Day]) {
        let known = self.warned.len();
        self.warned.extend(days.iter().map(|day| (name, *day)));
        if let (Some(first), Some(last), true) = (days.first(), days.last(), self.warned.len() > known) {
            log::warn!("{name}: {} days without a delivery, from {first} to {last}", days.len());
        }
    }
}

/// Binds the job for every night, so that mistakes are told before the first one begins. Where a later
/// night lacks a delivery, the nights before it can run all the same: that is warned of.
fn look_ahead(
    draft: &mut Draft,
    job: &Job,
    deliveries: &Deliveries,
    nights: impl Iterator<Item = Dates>,
) -> Result<()> {
    for (number, dates) in nights.enumerate() {
        if number > 0 {
            bind(draft, Some(deliveries), Some(dates))?;
        }
        if let Err(error) = required(job, deliveries, dates) {
            if number > 0 {
                log::warn!("the range will come no further than {}: {error:#}", dates.as_of);
            }
            break;
        }
    }
    Ok(())
}

impl Nights {
    /// The first as-of date.
    pub fn first(self) -> Day {
        match self {
            Nights::One { as_of, .. } => as_of,
            Nights::Range { from, .. } => from,
        }
    }

    /// D and K of each night, in order; at least one.
    pub fn all(self) -> Vec<(Day, Day)> {
        match self {
            Nights::One { as_of, known_on } => vec![(as_of, known_on)],
            Nights::Range { from, to } => from.to(to.max(from)).map(|day| (day, day)).collect(),
        }
    }
}
