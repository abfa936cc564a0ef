//! The nights of a run in order, each published as it is done, under one lock.

use anyhow::{Context, Result};

use super::session::Session;
use super::{Nights, Outcome, Request, night};
use crate::console::Progress;
use crate::publish::commit::Lock;
use crate::signal;

/// Runs the nights of a request; `each` is told of every one as it is done. The first that fails ends the
/// run, one that is held does not; those before it stay published.
pub fn run(
    request: &Request,
    progress: &Progress,
    each: &mut dyn FnMut(Outcome) -> Result<()>,
) -> Result<()> {
    let (mut session, first) = Session::open(request)?;
    let what = format!("run {} of {}", first.job.name, request.nights);
    let lock = Lock::take(&session.out, &what, first.job.access)?;
    let mut first = Some(first);
    let nights = request.nights.all();
    let is_range = matches!(request.nights, Nights::Range { .. });
    if is_range {
        progress.nights(nights.len());
    }
    for (as_of, known_on) in nights {
        progress.night(as_of);
        let mut run_night = || {
            signal::check()?;
            let prepared = match first.take() {
                Some(first) => first,
                None => session.prepare(as_of, known_on)?,
            };
            night(&mut session, &lock, prepared, progress)
        };
        let outcome = match is_range {
            true => run_night().with_context(|| format!("night of {as_of}"))?,
            false => run_night()?,
        };
        progress.night_done(outcome.is_left_alone());
        each(outcome)?;
    }
    Ok(())
}
