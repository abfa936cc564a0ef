//! A dry run: what every night of a run would read and do, without doing it.

use std::collections::BTreeSet;

use anyhow::{Error, Result};
use serde::Serialize;

use super::answers::{FeatureRows, Sorting};
use super::existing::{existing_run, exists};
use super::inputs::Deliveries;
use super::inputs::Files;
use super::request::RunRequest;
use super::session::{PreparedNight, Session};
use super::simulation::reads_runs_in;
use crate::day::{Dates, Day};
use crate::features::AskedDay;
use crate::features::plan::Plans;
use crate::input::file::OpenFile;
use crate::input::wanted::Units;
use crate::signal;

/// What a run would do about a night.
#[derive(Debug)]
pub enum NightPlan {
    /// It ran before, from the same inputs and job files; `held` says whether it is held.
    LeftAlone {
        /// Whether a gate holds it.
        held: bool,
    },
    /// It ran before, but reads what nights before it are yet to issue: it is left alone if those come out
    /// as they were, and refused otherwise.
    Depends,
    /// It would be computed.
    Compute(Sorting),
    /// It could not run.
    Fails(Error),
}

/// What a night would read of an input.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PlannedRead {
    /// Which input.
    pub input: &'static str,
    /// How many files.
    pub files: usize,
    /// Rows in them.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A night of a dry run.
#[derive(Debug)]
pub struct PlannedNight {
    /// What it is for.
    pub dates: Dates,
    /// What would be done.
    pub plan: NightPlan,
    /// What would be read; nothing where nothing is computed.
    pub reads: Vec<PlannedRead>,
    /// Nights of the same run whose adjustments it would read besides, once they are issued.
    pub depends_on: Vec<Day>,
}

/// Plans the nights of a request. Takes no lock and writes nothing.
pub fn plan(request: &RunRequest) -> Result<Vec<PlannedNight>> {
    let (mut session, first) = Session::open(request)?;
    let mut first = Some(first);
    let mut planned: Vec<PlannedNight> = Vec::new();
    let mut sorted = Planned::new();
    // Nights that are to publish what later ones read, ascending.
    let mut to_come: Vec<Day> = Vec::new();
    for (as_of, known_on) in request.nights.all() {
        signal::check()?;
        let prepared = match first.take() {
            Some(first) => first,
            None => session.prepare_as_listed(as_of, known_on)?,
        };
        let of_runs = prepared.deliveries.of_runs();
        let is_read = of_runs.into_iter().any(|catalog| reads_runs_in(&catalog.spec, &session.out, as_of));
        let night = plan_night(&mut session, prepared, to_come.clone(), &mut sorted);
        if is_read && !matches!(night.plan, NightPlan::LeftAlone { .. }) {
            to_come.push(as_of);
        }
        planned.push(night);
    }
    Ok(planned)
}

/// Deliveries that a computed night sorts for those after it, by input.
type Planned = BTreeSet<(&'static str, Option<Day>)>;

fn plan_night(
    session: &mut Session,
    mut prepared: PreparedNight,
    depends_on: Vec<Day>,
    sorted: &mut Planned,
) -> PlannedNight {
    let dates = prepared.dates;
    leave_out(&mut prepared.deliveries, &depends_on);
    let (plan, reads) = match plan_prepared(session, &prepared, !depends_on.is_empty(), sorted) {
        Ok(found) => found,
        Err(error) => (NightPlan::Fails(error), Vec::new()),
    };
    PlannedNight { dates, plan, reads, depends_on }
}

fn plan_prepared(
    session: &mut Session,
    prepared: &PreparedNight,
    depends_on: bool,
    sorted: &mut Planned,
) -> Result<(NightPlan, Vec<PlannedRead>)> {
    let PreparedNight { dates, job, deliveries } = prepared;
    session.footers.next_night();
    let files = Files::open(job, deliveries, *dates, &mut session.footers)?;
    files.hash(&mut session.footers, dates.as_of)?;
    if !session.request.replace && exists(&session.out, *dates) {
        if depends_on {
            return Ok((NightPlan::Depends, Vec::new()));
        }
        let identity = files.identity(job, *dates)?;
        if let Some(existing) = existing_run(&session.out, &identity)? {
            return Ok((NightPlan::LeftAlone { held: existing.held }, Vec::new()));
        }
    }
    files.check_schemas(job, deliveries, &mut session.footers)?;
    let plans = Plans::of(&job.features);
    let units = Units::of(job);
    let account_kind = job.scopes.account_kind();
    let rows =
        FeatureRows { job, files: &files, units: &units, plans: &plans, account_kind, first: dates.as_of };
    let day = AskedDay { as_of: dates.as_of, known_on: dates.known_on };
    let (sorting, [transactions, repayments]) = rows.outlook(&session.copies, &[day], sorted)?;
    let mut reads: Vec<PlannedRead> = Vec::new();
    for (number, (spec, files)) in files.by_input(job).into_iter().enumerate() {
        let files = match number {
            0 => &*transactions,
            1 => &*repayments,
            _ => files,
        };
        if reads.last().is_none_or(|reading| reading.input != spec.name) {
            reads.push(PlannedRead { input: spec.name, ..PlannedRead::default() });
        }
        let reading = reads.last_mut().expect("just there");
        reading.files += files.len();
        reading.rows += files.iter().map(OpenFile::rows).sum::<u64>();
        reading.bytes += files.iter().map(|file| file.size).sum::<u64>();
    }
    for (input, outlook) in &sorting.inputs {
        sorted.extend(outlook.to_make.iter().map(|(delivery, _)| (*input, *delivery)));
    }
    Ok((NightPlan::Compute(sorting), reads))
}

/// Leaves out what runs that are to be made anew have published, on ascending days.
fn leave_out(deliveries: &mut Deliveries, depends_on: &[Day]) {
    for catalog in deliveries.issued.iter_mut().chain(&mut deliveries.previous) {
        catalog
            .deliveries
            .retain(|delivery| delivery.date.is_none_or(|date| depends_on.binary_search(&date).is_err()));
    }
}
