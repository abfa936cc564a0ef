//! What is watched for in the rows delivered from D on, which every night reads: whether their dates are within
//! reach of any window, and whether the texts that conditions name occur at all.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::day::Day;
use crate::expr::column::NULL_CODE;
use crate::expr::{Column, Texts};
use crate::input::rejects::Verdicts;

/// A text that a condition holds a column against.
pub struct WatchedText {
    /// Its place among the wanted columns.
    pub place: usize,
    /// The column's name.
    pub column: String,
    /// The text.
    pub text: String,
    /// Whether some row had it.
    occurs: AtomicBool,
    /// Whether some row had any text there: of a column of nulls nothing follows.
    is_filled: AtomicBool,
}

impl WatchedText {
    /// Not seen yet.
    pub fn new(place: usize, column: &str, text: &str) -> WatchedText {
        let (column, text) = (column.to_string(), text.to_string());
        WatchedText { place, column, text, occurs: AtomicBool::new(false), is_filled: AtomicBool::new(false) }
    }

    /// Notes whether a column of rows holds it.
    pub fn look_at(&self, texts: &Texts) {
        let has_text = || texts.codes.iter().any(|code| *code != NULL_CODE);
        if !self.is_filled.load(Ordering::Relaxed) && has_text() {
            self.is_filled.store(true, Ordering::Relaxed);
        }
        let is_there = || texts.dictionary.iter().any(|known| **known == *self.text);
        if !self.occurs.load(Ordering::Relaxed) && is_there() {
            self.occurs.store(true, Ordering::Relaxed);
        }
    }

    /// What to say where it does not occur in `rows`, as they are called.
    pub fn notice(&self, rows: &str) -> Option<String> {
        let WatchedText { column, text, .. } = self;
        (self.is_filled.load(Ordering::Relaxed) && !self.occurs.load(Ordering::Relaxed))
            .then(|| format!("a condition asks for `{column}` = '{text}', which none of {rows} has"))
    }
}

/// What is watched for in an input.
pub struct Watch {
    /// Deliveries of this day or later are looked at, and undated ones.
    pub from: Day,
    /// The place of the date among the wanted columns, and the days within reach of a window.
    pub dates: Option<(usize, RangeInclusive<i64>)>,
    /// Texts that must occur.
    pub texts: Vec<WatchedText>,
    accepted: AtomicU64,
    in_reach: AtomicU64,
}

/// Deliveries of which fewer than one accepted row in so many is within reach are warned of.
const ONE_IN: u64 = 100;

/// So many rows have every text that is meant.
const MANY: u64 = 1_000;

impl Watch {
    /// Nothing seen yet.
    pub fn new(from: Day, dates: Option<(usize, RangeInclusive<i64>)>, texts: Vec<WatchedText>) -> Watch {
        Watch { from, dates, texts, accepted: AtomicU64::new(0), in_reach: AtomicU64::new(0) }
    }

    /// Whether the rows of a delivery are looked at.
    pub fn is_watched(&self, delivery: Option<Day>) -> bool {
        delivery.is_none_or(|day| day >= self.from)
    }

    /// Looks at a batch of rows.
    pub fn look_at(&self, columns: &[Column], verdicts: &Verdicts, delivery: Option<Day>) {
        if !self.is_watched(delivery) {
            return;
        }
        for watched in &self.texts {
            if let Column::Text(texts) = &columns[watched.place] {
                watched.look_at(texts);
            }
        }
        let accepted = verdicts.0.iter().filter(|verdict| verdict.is_none()).count() as u64;
        self.accepted.fetch_add(accepted, Ordering::Relaxed);
        if let Some((place, days)) = &self.dates
            && let Column::Int(dates) = &columns[*place]
        {
            let is_in_reach = |(verdict, day): &(&Option<_>, &i64)| verdict.is_none() && days.contains(day);
            let in_reach = verdicts.0.iter().zip(&dates.values).filter(is_in_reach).count() as u64;
            self.in_reach.fetch_add(in_reach, Ordering::Relaxed);
        }
    }

    /// What there is to say of an input; `date` is what its date is called.
    pub fn notices(&self, input: &str, date: &str) -> Vec<String> {
        let (accepted, in_reach) =
            (self.accepted.load(Ordering::Relaxed), self.in_reach.load(Ordering::Relaxed));
        if accepted == 0 {
            return Vec::new();
        }
        let rows = format!("the {accepted} rows of {input} delivered from {} on", self.from);
        let far = (self.dates.is_some() && in_reach < accepted.div_ceil(ONE_IN))
            .then(|| format!("{in_reach} of {rows} have a `{date}` within reach of any window of a feature"));
        // In few rows a text may be missing by chance, but hardly all that are asked of a column.
        let occurs = |text: &WatchedText| text.occurs.load(Ordering::Relaxed);
        let is_known = |column: &str| self.texts.iter().any(|text| text.column == column && occurs(text));
        let told = self.texts.iter().filter(|text| accepted >= MANY || !is_known(&text.column));
        far.into_iter().chain(told.filter_map(|text| text.notice(&rows))).collect()
    }
}
