//! All that a validation comes to, as validation.json has it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::arms::ArmFigures;
use super::bounds::BoundOutcome;
use super::characteristics::CharacteristicFigures;
use super::fairness::FairnessFigures;
use super::gains::{GainsTable, ScoreShift};
use super::odds::OddsScale;
use super::scored::ScoredSample;
use super::slices::{ALL, SliceFigures};
use super::swap::SwapSet;
use super::tally::OutcomesByScore;
use crate::model::{RowOutcome, SamplePart};

/// The version of validation.json.
pub const VALIDATION_VERSION: u32 = 1;

/// A validation.
#[derive(Debug, Clone, Serialize)]
pub struct ValidationFigures {
    /// [`VALIDATION_VERSION`]; by it the file is known as the program's own.
    pub validation_version: u32,
    /// Whether every bound holds.
    pub holds: bool,
    /// Every bound of the model file with what it is held against.
    pub bounds: Vec<BoundOutcome>,
    /// What else is to be known, a sentence each.
    pub remarks: Vec<String>,
    /// Which files, by their hashes.
    pub of: ValidatedFiles,
    /// Rows by part and outcome.
    pub counts: Vec<PartWeights>,
    /// How the score ranks: all rows together, then part by part.
    pub parts: Vec<SliceFigures>,
    /// By month of the as-of date, all parts together.
    pub months: Vec<SliceFigures>,
    /// By the columns of `[validate] by`, and by product where the sample has products.
    pub segments: Vec<SliceFigures>,
    /// Groups of scores, by part.
    pub gains: Vec<GainsTable>,
    /// What bads are predicted by; null where nothing tells.
    pub odds: Option<OddsScale>,
    /// How far scores have moved from those of train: by part, then by month.
    pub score_psi: Vec<ScoreShift>,
    /// In the order of the card.
    pub characteristics: Vec<CharacteristicFigures>,
    /// The current card beside the one that is validated; null where they are the same, or cannot be compared.
    pub current: Option<CurrentCard>,
    /// By column of `[fairness]`.
    pub fairness: Vec<FairnessFigures>,
    /// The arms of published nights, where they are asked for.
    pub arms: Option<ArmFigures>,
    /// Goods and bads by score, of the parts in their order: what is plotted.
    #[serde(skip)]
    pub tallies: Vec<PartTally>,
}

/// Goods and bads by score of a part.
#[derive(Debug, Clone)]
pub struct PartTally {
    /// Which; `all` of them first.
    pub part: &'static str,
    /// By score.
    pub tally: OutcomesByScore,
}

impl ValidationFigures {
    /// The part that says most of what is to come: out of time, else held out, else all rows.
    pub fn main_part(&self) -> &'static str {
        let names = [SamplePart::OutOfTime.name(), SamplePart::HoldOut.name()];
        let found = names.into_iter().find(|name| self.parts.iter().any(|figures| figures.part == *name));
        found.unwrap_or(ALL)
    }
}

/// What was validated.
#[derive(Debug, Clone, Serialize)]
pub struct ValidatedFiles {
    /// The job's name.
    pub job: String,
    /// The model file's name.
    pub model: String,
    /// SHA-256 of the model file.
    pub model_sha256: String,
    /// The scorecard's name.
    pub scorecard: String,
    /// SHA-256 of the scorecard.
    pub scorecard_sha256: String,
    /// SHA-256 of the sample's file.
    pub sample_sha256: String,
}

/// Rows of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartWeights {
    /// Which; `all` of them first.
    pub part: &'static str,
    /// Rows, whatever their weight.
    pub rows: u64,
    /// Weights by outcome.
    pub weights: BTreeMap<&'static str, u64>,
}

/// The card that the job has now.
#[derive(Debug, Clone, Serialize)]
pub struct CurrentCard {
    /// SHA-256 of its file.
    pub scorecard_sha256: String,
    /// How it ranks.
    pub parts: Vec<SliceFigures>,
    /// Who would be above a threshold under one card and not the other; null where they have none in common.
    pub swap_set: Option<SwapSet>,
}

/// Counts rows by part and outcome, those left out among them.
pub fn part_counts(scored: &ScoredSample) -> Vec<PartWeights> {
    let sample = scored.sample;
    let counts = |part: Option<SamplePart>| {
        let mut counts = PartWeights {
            part: part.map_or(ALL, SamplePart::name),
            rows: 0,
            weights: RowOutcome::ALL.map(|outcome| (outcome.name(), 0)).into(),
        };
        for row in (0..sample.weight.len()).filter(|row| part.is_none_or(|part| sample.part[*row] == part)) {
            counts.rows += 1;
            *counts.weights.entry(sample.outcome[row].name()).or_default() += scored.weight(row);
        }
        counts
    };
    let parts = SamplePart::ALL.into_iter().map(|part| counts(Some(part))).filter(|counts| counts.rows > 0);
    std::iter::once(counts(None)).chain(parts).collect()
}
