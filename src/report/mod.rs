//! A run, or a range of them, as a page to look at: one HTML file that needs nothing else.
//!
//! The page is a function of the run's own tables and manifest (and those of the run it is held against),
//! its `timing` and outputs aside.

mod drift;
mod figures;
mod night;
mod outcome;
mod range;
mod scorecard;

use anyhow::Result;

use crate::diff::compare_open;
use crate::run_dir::PublishedRun;

pub use figures::Figures;
pub use range::range_page;

/// The page of a run, held against another where there is one.
pub fn page(run: &PublishedRun, against: Option<&PublishedRun>) -> Result<String> {
    let figures = Figures::of(run)?;
    let mut page = night::head(run, &figures)?;
    page.sections.push(night::gates(run));
    page.sections.push(outcome::scores(run, &figures));
    page.sections.push(scorecard::scorecard(run)?);
    page.sections.push(outcome::actions(run));
    page.sections.push(outcome::limits(run));
    page.sections.push(outcome::reasons(run, &figures));
    page.sections.push(outcome::rules(run, &figures));
    page.sections.push(outcome::caps(run, &figures));
    if let Some(before) = against {
        let found = compare_open(before, run)?;
        page.sections.push(drift::migration(before, run, &found));
        page.sections.push(drift::stability(before, run, &found));
    }
    page.sections.push(night::rejects(&figures));
    page.sections.push(night::inputs(run));
    page.render()
}
