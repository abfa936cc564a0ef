//! Tables: cells, and bars in them with their scales.

use serde::Serialize;

use super::axis::Axis;

/// A table.
#[derive(Debug, Default, Serialize)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Its columns.
    pub header: Vec<TableHeader>,
    /// As many cells a row as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// Whether it is folded away until asked for; on paper it never is.
    pub folded: bool,
    /// What colours mean: names and colours.
    pub legend: Vec<(String, String)>,
    /// Whether its rows are steps from one sum to another, each a bar with the next below it.
    pub is_steps: bool,
}

/// The head of a column.
#[derive(Debug, Default, Serialize)]
pub struct TableHeader {
    /// Its name.
    pub name: String,
    /// Whether it holds numbers.
    pub is_number: bool,
    /// Where its bars' scale has figures, in thousandths of the width, and which.
    pub scale: Vec<(u32, String)>,
}

impl Table {
    /// A table without rows; a column whose name begins with `#` holds numbers.
    pub fn new(caption: &str, header: &[&str]) -> Table {
        let header = header.iter().map(|name| TableHeader {
            name: name.strip_prefix('#').unwrap_or(name).to_string(),
            is_number: name.starts_with('#'),
            scale: Vec::new(),
        });
        Table { caption: caption.to_string(), header: header.collect(), ..Table::default() }
    }

    /// Gives the bars of a column a scale.
    pub fn scale(mut self, column: usize, scale: Vec<(u32, String)>) -> Table {
        self.header[column].scale = scale;
        self
    }

    /// Says what colours mean.
    pub fn legend(self, names: impl IntoIterator<Item = (String, String)>) -> Table {
        Table { legend: names.into_iter().collect(), ..self }
    }
}

/// The scale of bars from nothing to `most`.
pub fn scale_to(most: String) -> Vec<(u32, String)> {
    vec![(0, "0".to_string()), (1000, most)]
}

/// The scale of bars to both sides of nothing.
pub fn scale_about_zero(least: String, most: String) -> Vec<(u32, String)> {
    vec![(0, least), (500, "0".to_string()), (1000, most)]
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
    /// Figures at its ends, where it has a scale of its own.
    pub ends: Option<(String, String)>,
}

impl Bar {
    /// A bar of `amount` where `most` fills the cell.
    pub fn of(amount: u128, most: u128, colour: &str, alt: String) -> Bar {
        let piece = BarPiece { start: 0, length: scaled(amount, most, WIDTH), colour: colour.to_string() };
        Bar { alt, pieces: vec![piece], ..Bar::default() }
    }

    /// Pieces end to end, `most` of all filling the cell.
    pub fn stacked(pieces: &[(u128, String)], most: u128, alt: String) -> Bar {
        let mut before = 0;
        let pieces = pieces.iter().map(|(amount, colour)| {
            let start = scaled(before, most, WIDTH);
            before += amount;
            BarPiece { start, length: scaled(before, most, WIDTH) - start, colour: colour.clone() }
        });
        Bar { alt, pieces: pieces.collect(), ..Bar::default() }
    }

    /// A bar to the right of the middle for gains, to the left for losses.
    pub fn about_zero(amount: i128, most: u128, alt: String) -> Bar {
        let half = WIDTH / 2;
        let length = scaled(amount.unsigned_abs(), most, half);
        let (start, colour) = if amount < 0 { (half - length, "down") } else { (half, "up") };
        let piece = BarPiece { start, length, colour: colour.to_string() };
        Bar { alt, pieces: vec![piece], marks: vec![BarMark { position: half, kind: "tick" }], ends: None }
    }

    /// From one value to another along an axis, with a mark where zero is.
    pub fn step(from: i128, to: i128, axis: &Axis, colour: &str, alt: String) -> Bar {
        const LEAST_SEEN: u32 = 3;
        let (start, end) = (axis.along(from.min(to), WIDTH), axis.along(from.max(to), WIDTH));
        let length = if from == to { 0 } else { (end - start).max(LEAST_SEEN) };
        let piece = BarPiece { start: start.min(WIDTH - length), length, colour: colour.to_string() };
        let zero = BarMark { position: axis.along(0, WIDTH), kind: "tick" };
        Bar { alt, pieces: vec![piece], marks: vec![zero], ends: None }
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
