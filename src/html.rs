//! HTML pages: a verdict, tiles, sections, tables with bars in them and charts, as one file that needs nothing else.
//!
//! - here: the page, its head and its sections;
//! - `axis`: round steps, and how figures along them are written;
//! - `chart`: columns and lines over axes;
//! - `table`: tables and the bars in their cells.
//!
//! All text stays text until the template escapes it.

mod axis;
mod chart;
mod table;

use anyhow::{Context, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

pub use axis::{Axis, FigureUnit, basis_points, round_step, tenths};
pub use chart::{Chart, CurvePoint, HEIGHT, MoreCharts, NightAxis, STEPS, histogram, histogram_outline};
pub use table::{Bar, BarMark, BarPiece, Cell, Table, WIDTH, scale_about_zero, scale_to, scaled};

/// A page.
#[derive(Debug, Default, Serialize)]
pub struct Page {
    /// The heading.
    pub title: String,
    /// What it is of, below the heading.
    pub subtitle: String,
    /// The verdict.
    pub banner: Option<Banner>,
    /// The headline figures.
    pub tiles: Vec<Tile>,
    /// The rest.
    pub sections: Vec<Section>,
}

impl Page {
    /// The page as HTML; the template escapes every text.
    pub fn render(&self) -> Result<String> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_syntax(SyntaxConfig::builder().trim_blocks(true).build()?);
        templates.add_template("page.css", include_str!("../templates/page.css"))?;
        templates.add_template("page.html", include_str!("../templates/page.html"))?;
        templates.add_global("width", WIDTH);
        templates.add_global("height", HEIGHT);
        let file = templates.get_template("page.html")?;
        let page = file.render(context! { page => Value::from(Serde(self)) }).context("make the page")?;
        // HTML does not allow most control characters, and a NUL nowhere.
        Ok(page.replace(|character: char| character.is_control() && character != '\n', "\u{fffd}"))
    }
}

/// The verdict, and what it rests on.
#[derive(Debug, Default, Serialize)]
pub struct Banner {
    /// `good`, `warn` or `bad`.
    pub tone: &'static str,
    /// In a word or two.
    pub verdict: String,
    /// Who, when, why: a sentence each.
    pub sentences: Vec<String>,
    /// What speaks against it: a name and its figure, each with `bad` or `warn`.
    pub points: Vec<BannerPoint>,
}

/// Something that speaks against a run.
#[derive(Debug, Serialize)]
pub struct BannerPoint {
    /// Its name.
    pub name: String,
    /// Its figure, in the units it is read in.
    pub text: String,
    /// `bad` or `warn`.
    pub tone: &'static str,
}

/// A headline figure.
#[derive(Debug, Serialize)]
pub struct Tile {
    /// What it is.
    pub label: String,
    /// The figure.
    pub cell: Cell,
    /// What it is counted in, where that is not plain; may be empty.
    pub unit: String,
    /// What to hold it against; may be empty.
    pub note: String,
}

impl Tile {
    /// A figure without a unit and a note.
    pub fn new(label: &str, cell: Cell) -> Tile {
        Tile { label: label.to_string(), cell, unit: String::new(), note: String::new() }
    }

    /// With what to hold it against.
    pub fn note(self, note: impl Into<String>) -> Tile {
        Tile { note: note.into(), ..self }
    }

    /// With what it is counted in.
    pub fn unit(self, unit: impl Into<String>) -> Tile {
        Tile { unit: unit.into(), ..self }
    }
}

/// A part of the page.
#[derive(Debug, Default, Serialize)]
pub struct Section {
    /// Where links lead.
    pub id: String,
    /// The heading.
    pub title: String,
    /// Some sentences; may be empty.
    pub note: String,
    /// What marks and colours of all its charts mean: names and colours.
    pub legend: Vec<(String, String)>,
    /// Charts, above the tables.
    pub charts: Vec<Chart>,
    /// Charts folded away until asked for; on paper they never are.
    pub more: MoreCharts,
    /// Tables.
    pub tables: Vec<Table>,
}

impl Section {
    /// An empty one.
    pub fn new(id: &str, title: &str) -> Section {
        Section { id: id.to_string(), title: title.to_string(), ..Section::default() }
    }
}

/// The colour of a step of an ordered scale, the lowest first.
pub fn shade(step: usize, of: usize) -> String {
    const SHADES: usize = 6;
    format!("s{}", step * (SHADES - 1) / of.saturating_sub(1).max(1))
}

/// Parts of a whole as a percentage with one decimal place.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_string();
    }
    let tenths = (u128::from(part) * 1000 + u128::from(whole) / 2) / u128::from(whole);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// What a column of money is called: with the currency where the job names it.
pub fn money_column(name: &str, currency: Option<&str>) -> String {
    currency.map_or(name.to_string(), |currency| format!("{name}, {currency}"))
}
