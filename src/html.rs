//! HTML pages: tiles, sections, tables with bars in them and charts, rendered as one file that needs nothing else.
//!
//! Shapes are in whole units of their own drawing. All text stays text until the template escapes it.

use anyhow::{Context, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

/// A page.
#[derive(Debug, Default, Serialize)]
pub struct Page {
    /// The heading.
    pub title: String,
    /// What it is of, below the heading.
    pub subtitle: String,
    /// The verdict in a word or two, and whether it is good.
    pub badge: Option<(String, bool)>,
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

/// A headline figure.
#[derive(Debug, Serialize)]
pub struct Tile {
    /// What it is.
    pub label: String,
    /// The figure.
    pub cell: Cell,
    /// What to hold it against; may be empty.
    pub note: String,
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
    /// Charts, above the tables.
    pub charts: Vec<Chart>,
    /// Tables.
    pub tables: Vec<Table>,
}

impl Section {
    /// An empty one.
    pub fn new(id: &str, title: &str) -> Section {
        Section { id: id.to_string(), title: title.to_string(), ..Section::default() }
    }
}

/// A table.
#[derive(Debug, Default, Serialize)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Names of columns, and whether they hold numbers.
    pub header: Vec<(String, bool)>,
    /// As many cells a row as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// Whether it is folded away until asked for.
    pub folded: bool,
}

impl Table {
    /// A table without rows; a column whose name begins with `#` holds numbers.
    pub fn new(caption: &str, header: &[&str]) -> Table {
        let header = header.iter().map(|name| match name.strip_prefix('#') {
            Some(name) => (name.to_string(), true),
            None => ((*name).to_string(), false),
        });
        Table { caption: caption.to_string(), header: header.collect(), ..Table::default() }
    }
}

/// A cell of a table.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Cell {
    /// What is read.
    pub text: String,
    /// Whether it is aligned as a number.
    pub is_number: bool,
    /// How it is set off: `good`, `bad`, `soft`, `strong`, a colour's name, or nothing.
    pub tone: String,
    /// Which figure of the manifest it shows; empty if none.
    pub figure: String,
    /// The figure as the manifest has it.
    pub value: String,
    /// Drawn instead of text.
    pub bar: Option<Bar>,
}

impl Cell {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), ..Cell::default() }
    }

    /// A number, as it is to be read.
    pub fn number(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), is_number: true, ..Cell::default() }
    }

    /// A count.
    pub fn count(count: u64) -> Cell {
        Cell::number(crate::console::thousands(count.into()))
    }

    /// An amount of minor units.
    pub fn money(minor: i128, minor_units: u32) -> Cell {
        Cell::number(crate::console::money(minor, minor_units))
    }

    /// Set off.
    pub fn tone(self, tone: &str) -> Cell {
        Cell { tone: tone.to_string(), ..self }
    }

    /// Named as a figure of the manifest, with its value there.
    pub fn figure(self, name: impl Into<String>, value: impl ToString) -> Cell {
        Cell { figure: name.into(), value: value.to_string(), ..self }
    }

    /// A bar.
    pub fn bar(bar: Bar) -> Cell {
        Cell { bar: Some(bar), ..Cell::default() }
    }
}

/// How wide drawings are in their own units, which stretch to the room there is.
pub const WIDTH: u32 = 1000;

/// How high charts are.
pub const HEIGHT: u32 = 240;

/// A part of a bar.
#[derive(Debug, Clone, Serialize)]
pub struct BarPiece {
    /// Where it begins.
    pub start: u32,
    /// How long it is.
    pub length: u32,
    /// Its colour.
    pub colour: String,
}

/// A mark across a bar.
#[derive(Debug, Clone, Serialize)]
pub struct BarMark {
    /// Where it is.
    pub position: u32,
    /// `mark` for a figure, `tick` for a scale.
    pub kind: &'static str,
}

/// A bar in a cell: pieces along a line, and marks across it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Bar {
    /// What it shows, in words.
    pub alt: String,
    /// From left to right.
    pub pieces: Vec<BarPiece>,
    /// In any order.
    pub marks: Vec<BarMark>,
}

impl Bar {
    /// A bar of `amount` where `most` fills the cell.
    pub fn of(amount: u128, most: u128, colour: &str, alt: String) -> Bar {
        let piece = BarPiece { start: 0, length: scaled(amount, most, WIDTH), colour: colour.to_string() };
        Bar { alt, pieces: vec![piece], marks: Vec::new() }
    }

    /// Pieces end to end, `most` of all filling the cell.
    pub fn stacked(pieces: &[(u128, String)], most: u128, alt: String) -> Bar {
        let mut before = 0;
        let pieces = pieces.iter().map(|(amount, colour)| {
            let start = scaled(before, most, WIDTH);
            before += amount;
            BarPiece { start, length: scaled(before, most, WIDTH) - start, colour: colour.clone() }
        });
        Bar { alt, pieces: pieces.collect(), marks: Vec::new() }
    }

    /// A bar to the right of the middle for gains, to the left for losses.
    pub fn about_zero(amount: i128, most: u128, alt: String) -> Bar {
        let half = WIDTH / 2;
        let length = scaled(amount.unsigned_abs(), most, half);
        let (start, colour) = if amount < 0 { (half - length, "down") } else { (half, "up") };
        let piece = BarPiece { start, length, colour: colour.to_string() };
        Bar { alt, pieces: vec![piece], marks: vec![BarMark { position: half, kind: "tick" }] }
    }
}

/// `amount` of `most` on a scale of `length`; anything at all is seen.
pub fn scaled(amount: u128, most: u128, length: u32) -> u32 {
    const LEAST_SEEN: u32 = 3;
    if amount == 0 || most == 0 {
        return 0;
    }
    // Both are shifted right alike until their product with `length` fits in 128 bits.
    let shift = 96_u32.saturating_sub(most.max(amount).leading_zeros());
    let (amount, most) = (amount >> shift, (most >> shift).max(1));
    let exact = amount.min(most) * u128::from(length) / most;
    (exact as u32).clamp(LEAST_SEEN, length)
}

/// A column of a chart.
#[derive(Debug, Serialize)]
pub struct ChartColumn {
    /// Its left edge.
    pub left: u32,
    /// Its top edge.
    pub top: u32,
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// Its colour.
    pub colour: String,
    /// What it shows, in words.
    pub alt: String,
}

/// A line of a chart.
#[derive(Debug, Serialize)]
pub struct ChartLine {
    /// Its points as SVG takes them.
    pub points: String,
    /// Its colour.
    pub colour: String,
    /// Where its last point is, from the left.
    pub end_x: u32,
    /// And from the top.
    pub end_y: u32,
}

/// A drawing with its axes.
#[derive(Debug, Default, Serialize)]
pub struct Chart {
    /// The heading.
    pub title: String,
    /// What it shows, in words.
    pub alt: String,
    /// Names and colours.
    pub legend: Vec<(String, String)>,
    /// From left to right.
    pub columns: Vec<ChartColumn>,
    /// Those drawn later cover those before.
    pub lines: Vec<ChartLine>,
    /// The value at the top of the drawing.
    pub top: String,
    /// The value at the bottom.
    pub bottom: String,
    /// Positions along the bottom, in thousandths of the width, and the values there.
    pub ticks: Vec<(u32, String)>,
}

/// The line of some values over `least..=most`, the first at the left, the last at the right.
pub fn line(values: &[i128], least: i128, most: i128, colour: &str) -> ChartLine {
    const MARGIN: u32 = 6;
    let span = most.abs_diff(least);
    let steps = (values.len().saturating_sub(1)).max(1) as u32;
    let points = values.iter().enumerate().map(|(number, value)| {
        let x = MARGIN + number as u32 * (WIDTH - 2 * MARGIN) / steps;
        let above_least = value.abs_diff(least);
        let height = match (span, above_least) {
            // Values that are all the same make a line in the middle.
            (0, _) => HEIGHT / 2,
            (_, 0) => MARGIN,
            _ => MARGIN + scaled(above_least, span, HEIGHT - 2 * MARGIN),
        };
        (x, HEIGHT - height)
    });
    let points: Vec<(u32, u32)> = points.collect();
    let text = points.iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ");
    let (end_x, end_y) = points.last().copied().unwrap_or_default();
    ChartLine { points: text, colour: colour.to_string(), end_x, end_y }
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
