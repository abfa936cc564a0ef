//! A model's sample: accounts on days with their features, what happened to them, and what part they play.

use crate::day::Day;
use crate::expr::{Column, Ints, Texts};

/// A sample, row by row in the order of its spine; as long in every column.
#[derive(Debug, Clone)]
pub struct ModelSample {
    /// Whose.
    pub account: Column,
    /// When; `None` where the spine has no date.
    pub as_of: Vec<Option<Day>>,
    /// Of which line, where the spine tells.
    pub product: Option<Texts>,
    /// For how many rows a row stands; 1 where the spine does not tell. Never negative.
    pub weight: Vec<i64>,
    /// What happened.
    pub outcome: Vec<RowOutcome>,
    /// Which part a row plays.
    pub part: Vec<Part>,
    /// The features' names.
    pub names: Vec<String>,
    /// The features, in the order of their names; null in all where the row is left out.
    pub features: Vec<Ints>,
    /// The spine's other columns.
    pub extra: Vec<ExtraColumn>,
    /// SHA-256 of the sample's file, in hexadecimal.
    pub hash: String,
}

/// A column of the spine that is neither account, date, product nor weight.
#[derive(Debug, Clone)]
pub struct ExtraColumn {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: Column,
}

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowOutcome {
    /// It paid.
    Good,
    /// It did not.
    Bad,
    /// It is neither.
    Indeterminate,
    /// Its outcome is not known yet.
    Immature,
    /// Nothing tells what happened.
    Unmatched,
    /// The model file leaves it out.
    Excluded,
    /// It has no features.
    LeftOut,
}

impl RowOutcome {
    /// All of them, as the sample's page counts them.
    pub const ALL: [RowOutcome; 7] = [
        RowOutcome::Good,
        RowOutcome::Bad,
        RowOutcome::Indeterminate,
        RowOutcome::Immature,
        RowOutcome::Unmatched,
        RowOutcome::Excluded,
        RowOutcome::LeftOut,
    ];

    /// As the file names it.
    pub fn name(self) -> &'static str {
        match self {
            RowOutcome::Good => "good",
            RowOutcome::Bad => "bad",
            RowOutcome::Indeterminate => "indeterminate",
            RowOutcome::Immature => "immature",
            RowOutcome::Unmatched => "unmatched",
            RowOutcome::Excluded => "excluded",
            RowOutcome::LeftOut => "left_out",
        }
    }

    /// Whether it is bad, where it is known to be good or bad.
    pub fn is_bad(self) -> Option<bool> {
        match self {
            RowOutcome::Good => Some(false),
            RowOutcome::Bad => Some(true),
            _ => None,
        }
    }
}

/// Which part a row plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Fitted on.
    Train,
    /// Held out: other accounts of the same time.
    HoldOut,
    /// Of a later time.
    OutOfTime,
    /// Of the time before the cut, with an outcome that was not known at it: fitted on by nobody.
    Embargo,
}

impl Part {
    /// All of them, in the order in which figures are given.
    pub const ALL: [Part; 4] = [Part::Train, Part::HoldOut, Part::OutOfTime, Part::Embargo];

    /// As the file names it.
    pub fn name(self) -> &'static str {
        match self {
            Part::Train => "train",
            Part::HoldOut => "holdout",
            Part::OutOfTime => "out_of_time",
            Part::Embargo => "embargo",
        }
    }
}
