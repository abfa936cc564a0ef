//! A dry run: what every night of a run would read and do, without doing it.

use std::collections::BTreeSet;

use anyhow::{Error, Result};
use serde::Serialize;

use super::answers::{Rows, Sorting};
use super::existing::{is_there, standing_run};
use super::inputs::Deliveries;
use super::inputs::Files;
use super::request::Request;
use super::session::{Prepared, Session};
use super::simulation::reads_runs_in;
use crate::day::{Dates, Day};
use crate::features::AskedDay;
use crate::features::plan::Plans;
use crate::input::file::OpenFile;
use crate::input::wanted::Units;
use crate::signal;

/// What a run would do about a night.
#[derive(Debug)]
pub enum Course {
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
pub struct Reading {
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
    pub course: Course,
    /// What would be read; nothing where nothing is computed.
    pub reads: Vec<Reading>,
    /// Nights of the same run whose adjustments it would read besides, once they are issued.
    pub awaits: Vec<Day>,
}

/// Plans the nights of a request. Takes no lock and writes nothing.
pub fn plan(request: &Request) -> Result<Vec<PlannedNight>> {
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
        if is_read && !matches!(night.course, Course::LeftAlone { .. }) {
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
    mut prepared: Prepared,
    awaits: Vec<Day>,
    sorted: &mut Planned,
) -> PlannedNight {
    let dates = prepared.dates;
    leave_out(&mut prepared.deliveries, &awaits);
    let (course, reads) = match course(session, &prepared, !awaits.is_empty(), sorted) {
        Ok(found) => found,
        Err(error) => (Course::Fails(error), Vec::new()),
    };
    PlannedNight { dates, course, reads, awaits }
}

fn course(
    session: &mut Session,
    prepared: &Prepared,
    awaits: bool,
    sorted: &mut Planned,
) -> Result<(Course, Vec<Reading>)> {
    let Prepared { dates, job, deliveries } = prepared;
    session.footers.next_night();
    let files = Files::open(job, deliveries, *dates, &mut session.footers)?;
    files.hash(&mut session.footers, dates.as_of)?;
    if !session.request.replace && is_there(&session.out, *dates) {
        if awaits {
            return Ok((Course::Depends, Vec::new()));
        }
        let identity = files.identity(job, *dates)?;
        if let Some(standing) = standing_run(&session.out, &identity)? {
            return Ok((Course::LeftAlone { held: standing.held }, Vec::new()));
        }
    }
    files.check_schemas(job, deliveries, &mut session.footers)?;
    let plans = Plans::of(&job.features);
    let units = Units { minor_units: job.minor_units, timezone: job.timezone.clone() };
    let account_kind = job.scopes.lines.columns[0].1;
    let rows = Rows { job, files: &files, units: &units, plans: &plans, account_kind, first: dates.as_of };
    let day = AskedDay { as_of: dates.as_of, known_on: dates.known_on };
    let (sorting, [transactions, repayments]) = rows.outlook(&session.copies, &[day], sorted)?;
    let mut reads: Vec<Reading> = Vec::new();
    for (number, (spec, files)) in files.by_input(job).into_iter().enumerate() {
        let files = match number {
            0 => &*transactions,
            1 => &*repayments,
            _ => files,
        };
        if reads.last().is_none_or(|reading| reading.input != spec.name) {
            reads.push(Reading { input: spec.name, ..Reading::default() });
        }
        let reading = reads.last_mut().expect("just there");
        reading.files += files.len();
        reading.rows += files.iter().map(OpenFile::rows).sum::<u64>();
        reading.bytes += files.iter().map(|file| file.size).sum::<u64>();
    }
    for (input, outlook) in &sorting.inputs {
        sorted.extend(outlook.to_make.iter().map(|(delivery, _)| (*input, *delivery)));
    }
    Ok((Course::Compute(sorting), reads))
}

/// Leaves out what runs that are to be made anew have published, on ascending days.
fn leave_out(deliveries: &mut Deliveries, awaits: &[Day]) {
    for catalog in deliveries.issued.iter_mut().chain(&mut deliveries.previous) {
        let is_there = |date: Day| awaits.binary_search(&date).is_err();
        catalog.deliveries.retain(|delivery| delivery.date.is_none_or(is_there));
    }
}
