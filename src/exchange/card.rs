//! A scorecard as another program's file gives it, on its way to ours.

use std::ops::Range;

use super::decimal::Decimal;

/// A number, and where it is written.
#[derive(Debug, Clone)]
pub struct PlacedPoints {
    /// In the other program's points.
    pub value: Decimal,
    /// Its bytes in the file.
    pub at: Range<usize>,
}

/// A scorecard that was read, before its points become whole.
#[derive(Debug, Clone)]
pub struct ImportedCard {
    /// What the file calls it.
    pub name: String,
    /// What every account starts with.
    pub base: PlacedPoints,
    /// The least and the most that a score may be, where the file bounds it.
    pub clamp: [Option<PlacedPoints>; 2],
    /// How many reasons are given.
    pub reasons: usize,
    /// In file order; empty where the file has none.
    pub bands: Vec<ImportedBand>,
    /// In file order; empty where the file has none.
    pub dimensions: Vec<ImportedDimension>,
    /// In order: what is made of others comes after them.
    pub features: Vec<ImportedFeature>,
    /// In file order.
    pub characteristics: Vec<ImportedCharacteristic>,
    /// What whoever takes it over has to know, a sentence each.
    pub notes: Vec<String>,
}

/// A band of scores.
#[derive(Debug, Clone)]
pub struct ImportedBand {
    /// Its name.
    pub name: String,
    /// The least score in it.
    pub from: i32,
}

/// A group of characteristics.
#[derive(Debug, Clone)]
pub struct ImportedDimension {
    /// Its name.
    pub name: String,
    /// As people read it.
    pub title: String,
}

/// A feature that the scorecard needs.
#[derive(Debug, Clone)]
pub struct ImportedFeature {
    /// What it is called here.
    pub name: String,
    /// What the file calls it.
    pub field: String,
    /// Where its values come from.
    pub source: FeatureSource,
}

/// Where a feature's values come from.
#[derive(Debug, Clone)]
pub enum FeatureSource {
    /// The user says: a number.
    Number(NumberUnits),
    /// The user says: the code of a text, the first of which is 1; 0 is any other text.
    Codes(Vec<String>),
    /// The user says: 0 for false, 1 for true.
    Truth,
    /// An expression over features before it.
    Expression(String),
}

/// What one unit of a number is, and what of fractions.
#[derive(Debug, Clone, Copy)]
pub struct NumberUnits {
    /// How many units make one of the file's.
    pub scale: i64,
    /// What a value that lies between two whole numbers becomes.
    pub fractions: Fractions,
}

/// What may be done with a value between two whole numbers, so that the points stay the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fractions {
    /// There are none.
    None,
    /// They may be cut off, down to the whole number below.
    Down,
    /// They may be rounded up.
    Up,
    /// They have no points here: the feature must be whole.
    Never,
}

/// A characteristic that was read.
#[derive(Debug, Clone)]
pub struct ImportedCharacteristic {
    /// The feature's name.
    pub feature: String,
    /// The dimension's name; empty for the one of what is imported.
    pub dimension: String,
    /// Reason code.
    pub reason: String,
    /// The reason in words, as far as the file has any.
    pub text: String,
    /// Points where the feature is null.
    pub missing: PlacedPoints,
    /// Code and words where the feature is null, if they differ.
    pub missing_reason: Option<ImportedReason>,
    /// What the points are held against for reasons; `None`: the most that it gives.
    pub baseline: Option<PlacedPoints>,
    /// Whether the person can move it, as our own files say: `up`, `down`, `false`.
    pub actionable: Option<String>,
    /// Ascending; the last has no upper bound.
    pub bins: Vec<ImportedBin>,
}

/// A reason's code and words.
#[derive(Debug, Clone)]
pub struct ImportedReason {
    /// The code.
    pub code: String,
    /// The words.
    pub text: String,
}

/// The points of a range of values.
#[derive(Debug, Clone)]
pub struct ImportedBin {
    /// Values less than this; `None` takes all the rest.
    pub below: Option<i64>,
    /// What they give.
    pub points: PlacedPoints,
}
