//! A model's sample: accounts on days with their features, what happened to them, and what part they play.

use super::definitions::FeatureDefinitions;
use crate::day::Day;
use crate::expr::{Column, Ints, Texts, Type};

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
    pub part: Vec<SamplePart>,
    /// The features' names.
    pub names: Vec<String>,
    /// The features, in the order of their names; null in all where the row is left out.
    pub features: Vec<Ints>,
    /// The spine's other columns.
    pub extra: Vec<SpineColumn>,
    /// SHA-256 of the sample's file, in hexadecimal; empty where it was not read from one.
    pub hash: String,
    /// What it was drawn with.
    pub origin: SampleOrigin,
}

impl ModelSample {
    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.as_of.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.as_of.is_empty()
    }

    /// A feature by its name.
    pub fn feature(&self, name: &str) -> Option<&Ints> {
        let place = self.names.iter().position(|known| known == name)?;
        Some(&self.features[place])
    }
}

/// What a sample was drawn with, so that it is not taken for another's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SampleOrigin {
    /// What its features mean.
    pub features: FeatureDefinitions,
    /// SHA-256, in hexadecimal, of what the model file says of sample, outcome and split.
    pub model: String,
}

/// A column of the spine that is neither account, date, product nor weight.
#[derive(Debug, Clone)]
pub struct SpineColumn {
    /// Its name.
    pub name: String,
    /// What it holds; dates are days in a column of integers.
    pub kind: Type,
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

    /// The outcome of a name.
    pub fn parse(name: &str) -> Option<RowOutcome> {
        RowOutcome::ALL.into_iter().find(|outcome| outcome.name() == name)
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
pub enum SamplePart {
    /// Fitted on.
    Train,
    /// Held out: other accounts of the same time.
    HoldOut,
    /// Of a later time.
    OutOfTime,
    /// Of the time before the cut, with an outcome that was not known at it: fitted on by nobody.
    Embargo,
}

impl SamplePart {
    /// All of them, in the order in which figures are given.
    pub const ALL: [SamplePart; 4] =
        [SamplePart::Train, SamplePart::HoldOut, SamplePart::OutOfTime, SamplePart::Embargo];

    /// As the file names it.
    pub fn name(self) -> &'static str {
        match self {
            SamplePart::Train => "train",
            SamplePart::HoldOut => "holdout",
            SamplePart::OutOfTime => "out_of_time",
            SamplePart::Embargo => "embargo",
        }
    }

    /// The part of a name.
    pub fn parse(name: &str) -> Option<SamplePart> {
        SamplePart::ALL.into_iter().find(|part| part.name() == name)
    }
}
