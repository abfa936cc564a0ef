//! The nights of a run in order, each published as it is done, under one lock.
//!
//! - `request`, `asked_date`: what is asked for; `session`: what lives from night to night;
//! - `inputs`, `opened`, `previous`, `published`, `simulation`: what a night reads;
//! - `night`: its verbs in the order in which data flows; `compute`, `figures`: the book, and the figures over it;
//! - `answers`, `ahead`, `ready`: features of one night, and of several at once;
//! - `outcome`: how it ended; `steps`: a night that many processes share;
//! - `notices`, `watch`: what it warns of; `existing`: a run that is there already;
//! - `plan`: what a run would read and do.

mod ahead;
mod answers;
mod asked_date;
mod compute;
mod existing;
mod figures;
mod inputs;
mod night;
mod notices;
mod opened;
mod outcome;
mod plan;
mod previous;
mod published;
mod ready;
mod request;
mod session;
mod simulation;
mod steps;
mod watch;

use anyhow::{Context, Result};

use crate::console::{Progress, plain_path};
use crate::publish::commit::Lock;
use crate::signal;

pub use answers::Sorting;
pub(crate) use answers::{FeatureRows, Swept, Work};
pub use asked_date::AskedDate;
pub(crate) use compute::{EmptyRange, NightBook, NightInputs};
pub(crate) use figures::BookFigures;
pub use inputs::{Deliveries, Files, bind, missing_days, prepare};
pub(crate) use inputs::{earlier_snapshots, wanted_lines};
use night::run_night;
pub use outcome::{Ending, NightOutcome};
pub use plan::{NightPlan, PlannedNight, PlannedRead, plan};
pub use request::{Nights, RunRequest};
use session::Session;
pub(crate) use steps::{PlannedSteps, StepResults, StepsEnd, plan_steps};

/// Runs the nights of a request; `each` is called with every one as it is done. The first that fails ends the
/// run, one that is held does not; those before it stay published.
pub fn run(
    request: &RunRequest,
    progress: &Progress,
    each: &mut dyn FnMut(NightOutcome) -> Result<()>,
) -> Result<()> {
    let (mut session, first) = Session::open(request)?;
    let what = format!("running {} ({} of {})", plain_path(&request.job), first.job.name, request.nights);
    let lock = Lock::take(&session.out, &what, first.job.access)?;
    let mut first = Some(first);
    let nights = request.nights.all();
    let is_range = matches!(request.nights, Nights::Range { .. });
    if is_range {
        progress.nights(nights.len());
    }
    for (as_of, known_on) in nights {
        progress.night(as_of);
        let mut next = || {
            signal::check()?;
            let prepared = match first.take() {
                Some(first) => first,
                None => session.prepare(as_of, known_on)?,
            };
            run_night(&mut session, &lock, prepared, progress)
        };
        let mut outcome = next();
        if is_range {
            outcome = outcome.with_context(|| format!("night of {as_of}"));
        }
        let outcome = outcome?;
        progress.night_done(outcome.is_left_alone());
        each(outcome)?;
    }
    if let Some((last, _)) = request.nights.all().last() {
        lock.clear_attempts(*last);
    }
    Ok(())
}
