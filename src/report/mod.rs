//! A run, or a range of them, as a page to look at: one HTML file that needs nothing else.
//!
//! The page is a function of the run's own tables and manifest (and those of the run it is held against),
//! its `timing` and outputs aside.

pub mod blocks;
mod drift;
mod figures;
mod movement;
mod night;
mod outcome;
mod range;

use anyhow::{Context, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};

use crate::published::PublishedRun;
use blocks::{HEIGHT, Page, WIDTH};
use figures::Figures;
use movement::Movement;

pub use range::range_page;

/// The page of a run, held against another where there is one.
pub fn page(run: &PublishedRun, against: Option<&PublishedRun>) -> Result<String> {
    let figures = Figures::of(run)?;
    let mut page = night::head(run, &figures);
    page.sections.push(night::gates(run));
    page.sections.push(outcome::scores(run, &figures));
    page.sections.push(outcome::actions(run));
    page.sections.push(outcome::limits(run));
    page.sections.push(outcome::reasons(run, &figures));
    page.sections.push(outcome::rules(run, &figures));
    page.sections.push(outcome::caps(&figures));
    if let Some(before) = against {
        let movement = Movement::between(before, run)?;
        page.sections.push(drift::migration(before, run, &movement));
        page.sections.push(drift::stability(before, run, &movement));
    }
    page.sections.push(night::rejects(&figures));
    page.sections.push(night::inputs(run));
    render(&page)
}

/// Puts the page's blocks in their places; the template escapes every text.
fn render(page: &Page) -> Result<String> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_syntax(SyntaxConfig::builder().trim_blocks(true).build()?);
    templates.add_template("report.css", include_str!("../../templates/report.css"))?;
    templates.add_template("report.html", include_str!("../../templates/report.html"))?;
    templates.add_global("width", WIDTH);
    templates.add_global("height", HEIGHT);
    let file = templates.get_template("report.html")?;
    file.render(context! { page => Value::from(Serde(page)) }).context("make the report")
}
