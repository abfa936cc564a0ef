//! A run, or a range of them, as a page to look at: one HTML file that needs nothing else.
//!
//! The page is a function of the run's own tables and manifest (and those of the runs it is held against),
//! its `timing` and outputs aside.

mod arms;
mod before;
mod drift;
mod features;
mod figures;
mod gates;
mod night;
mod nights;
mod outcome;
mod range;
mod range_tables;
mod scorecard;
mod scores;

use anyhow::Result;

use crate::diff::compare_open;
use crate::run_dir::PublishedRun;
use night::NightFigures;

pub use before::night_before;
pub(crate) use features::{profile_chart, profile_table};
pub use figures::Figures;
pub use range::range_page;

/// What the page of a run is held against.
#[derive(Clone, Copy)]
pub enum Beside<'a> {
    /// Nothing: the run stands alone.
    Nothing,
    /// The night before: its headline figures and its distributions.
    NightBefore(&'a PublishedRun),
    /// A run that was asked for: also account by account.
    Run(&'a PublishedRun),
}

impl<'a> Beside<'a> {
    fn run(self) -> Option<&'a PublishedRun> {
        match self {
            Beside::Nothing => None,
            Beside::NightBefore(run) | Beside::Run(run) => Some(run),
        }
    }
}

/// The page of a run, held against another where there is one.
pub fn page(run: &PublishedRun, beside: Beside) -> Result<String> {
    let figures = Figures::of(run)?;
    let figures_before = beside.run().map(Figures::of_scores).transpose()?;
    let now = NightFigures { run, figures: &figures };
    let before =
        beside.run().zip(figures_before.as_ref()).map(|(run, figures)| NightFigures { run, figures });
    let before = before.as_ref();
    let mut page = night::head(&now, before)?;
    page.sections.push(gates::section(run));
    if let Beside::Run(other) = beside {
        let found = compare_open(other, run)?;
        page.sections.push(drift::migration(other, run, &found));
        page.sections.push(drift::stability(other, run, &found));
    }
    page.sections.push(scores::section(&now, before));
    page.sections.extend(arms::section(run));
    page.sections.extend(scorecard::scorecards(run)?);
    page.sections.push(outcome::actions(run));
    page.sections.push(outcome::limits(run));
    page.sections.push(outcome::reasons(run, &figures));
    page.sections.extend(outcome::rules(run, &figures));
    page.sections.push(outcome::caps(run, &figures));
    page.sections.extend(features::section(run, beside.run()));
    page.sections.push(night::rejects(&figures));
    page.sections.push(night::inputs(run));
    page.render()
}
