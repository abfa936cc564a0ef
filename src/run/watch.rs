//! What is watched for in the rows delivered from D on, which every night reads: whether their dates are within
//! reach of any window, and whether the texts that conditions name occur at all.

use std::ops::RangeInclusive;
use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::day::Day;
use crate::expr::column::NULL_CODE;
use crate::expr::{Column, Texts};
use crate::sorted::{Buffers, Cursor, SortedDelivery};

/// A text that a condition holds a column against.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WatchedText {
    /// The column's name.
    pub column: String,
    /// The text.
    pub text: String,
    /// Whether some row had it.
    occurs: bool,
    /// Whether some row had any text there: of a column of nulls nothing follows.
    is_filled: bool,
}

impl WatchedText {
    /// Not seen yet.
    pub fn new(column: &str, text: &str) -> WatchedText {
        WatchedText { column: column.to_string(), text: text.to_string(), occurs: false, is_filled: false }
    }

    /// Notes whether a column of rows holds it.
    pub fn look_at(&mut self, texts: &Texts) {
        self.is_filled = self.is_filled || texts.codes.iter().any(|code| *code != NULL_CODE);
        self.occurs = self.occurs || texts.dictionary.iter().any(|known| **known == *self.text);
    }

    /// Takes in what was seen of it in other rows.
    pub fn add(&mut self, other: &WatchedText) {
        self.occurs |= other.occurs;
        self.is_filled |= other.is_filled;
    }

    /// What to say where it does not occur in `rows`, as they are called.
    pub fn notice(&self, rows: &str) -> Option<String> {
        let WatchedText { column, text, .. } = self;
        (self.is_filled && !self.occurs)
            .then(|| format!("a condition asks for `{column}` = '{text}', which none of {rows} has"))
    }
}

/// The dates of an input's rows.
pub(super) struct WatchedDates {
    /// The column's name.
    pub column: &'static str,
    /// The days within reach of a window; `None` without one.
    pub within: Option<RangeInclusive<i64>>,
}

/// What is watched for in an input.
pub(super) struct Watch {
    /// The input's name.
    pub input: &'static str,
    /// Deliveries of this day or later are looked at, and undated ones.
    pub from: Day,
    /// Dates within reach.
    pub dates: WatchedDates,
    /// Texts that must occur.
    pub texts: Vec<WatchedText>,
}

/// Deliveries of which fewer than one accepted row in so many is within reach are warned of.
const ONE_IN: u64 = 100;

/// So many rows have every text that is meant.
const MANY: u64 = 1_000;

impl Watch {
    /// Looks at sorted deliveries, and says what there is to say.
    pub fn notices_of(mut self, deliveries: &[Arc<SortedDelivery>]) -> Result<Vec<String>> {
        let (mut accepted, mut in_reach) = (0, 0);
        let from = self.from;
        for delivery in deliveries.iter().filter(|of| of.label.delivery.is_none_or(|day| day >= from)) {
            accepted += delivery.rows();
            in_reach += self.look_at(delivery)?;
        }
        Ok(if accepted == 0 { Vec::new() } else { self.notices(accepted, in_reach) })
    }

    /// Looks at the rows of a delivery; how many of them are within reach.
    fn look_at(&mut self, delivery: &SortedDelivery) -> Result<u64> {
        let names = self.texts.iter().map(|text| text.column.as_str());
        let date = delivery.column_of(self.dates.column)?;
        let mut columns = names.map(|name| delivery.column_of(name)).collect::<Result<Vec<usize>>>()?;
        let of_texts = columns.clone();
        columns.push(date);
        columns.sort_unstable();
        columns.dedup();
        let mut in_reach = 0;
        let mut buffers = Buffers::default();
        for run in &delivery.label.runs {
            let cursor = Cursor::open(delivery, run, &columns)?;
            for block in 0..run.blocks.len() {
                let found = cursor.read(block, &mut buffers)?;
                let of = |stored: usize| &found[columns.partition_point(|column| *column < stored)];
                for (watched, stored) in self.texts.iter_mut().zip(&of_texts) {
                    if let Column::Text(texts) = of(*stored) {
                        watched.look_at(texts);
                    }
                }
                if let (Column::Int(dates), Some(within)) = (of(date), &self.dates.within) {
                    in_reach += dates.values.iter().filter(|day| within.contains(day)).count() as u64;
                }
            }
        }
        Ok(in_reach)
    }

    fn notices(&self, accepted: u64, in_reach: u64) -> Vec<String> {
        let rows = format!("the {accepted} rows of {} delivered from {} on", self.input, self.from);
        let date = self.dates.column;
        let far = (self.dates.within.is_some() && in_reach < accepted.div_ceil(ONE_IN))
            .then(|| format!("{in_reach} of {rows} have a `{date}` within reach of any window of a feature"));
        // In few rows a text may be missing by chance, but hardly all that are asked of a column.
        let known: Vec<&str> =
            self.texts.iter().filter(|text| text.occurs).map(|text| text.column.as_str()).collect();
        let absent =
            self.texts.iter().filter(|text| accepted >= MANY || !known.contains(&text.column.as_str()));
        far.into_iter().chain(absent.filter_map(|text| text.notice(&rows))).collect()
    }
}
