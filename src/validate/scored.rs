//! A model's sample as a scorecard sees it: scores, bands and bins, row by row.

use std::cmp::Ordering;

use anyhow::Result;

use super::tally::{MOST_WEIGHT, OutcomesByScore};
use crate::expr::Column;
use crate::failure::input;
use crate::features::FeatureTable;
use crate::job::{CardTerms, Scorecard};
use crate::model::{ModelSample, RowOutcome, SamplePart};
use crate::score::add_up;

/// A sample, scored.
pub struct ScoredSample<'a> {
    /// The rows.
    pub sample: &'a ModelSample,
    /// What they are scored with.
    pub card: &'a CardTerms,
    /// By row.
    pub score: Vec<i32>,
    /// By row: position of the band.
    pub band: Vec<u8>,
    /// By characteristic, by row: 0 for null, then the bins, ascending.
    pub bins: Vec<Vec<u16>>,
}

impl<'a> ScoredSample<'a> {
    /// Scores every row, as a night would. The sample has all features of the card's characteristics.
    pub fn of(sample: &'a ModelSample, card: &'a CardTerms) -> ScoredSample<'a> {
        // The table holds the features of the characteristics alone, in their order.
        let mut scorecard: Scorecard = card.scorecard.clone();
        let mut columns = Vec::with_capacity(scorecard.characteristics.len());
        let mut bins = Vec::with_capacity(scorecard.characteristics.len());
        for (number, characteristic) in scorecard.characteristics.iter_mut().enumerate() {
            let name = card.name_of(characteristic);
            let column = sample.names.iter().position(|known| known == name);
            let ints = &sample.features[column.expect("the sample has the card's features")];
            let below: Vec<i64> = characteristic.bins.iter().filter_map(|bin| bin.below).collect();
            let bin = |row: usize| match ints.get(row) {
                None => 0,
                Some(value) => 1 + below.partition_point(|below| below <= value) as u16,
            };
            bins.push((0..sample.weight.len()).map(bin).collect());
            columns.push(Column::Int(ints.clone()));
            characteristic.feature = number;
        }
        let scores = add_up(&scorecard, &FeatureTable::of(&columns), sample.weight.len());
        ScoredSample { sample, card, score: scores.score, band: scores.band, bins }
    }

    /// Rows that count in a population: those with features that are not left out by the model file.
    pub fn population(&self) -> impl Iterator<Item = usize> + '_ {
        let is_in = |row: &usize| {
            !matches!(self.sample.outcome[*row], RowOutcome::Excluded | RowOutcome::LeftOut)
                && self.sample.weight[*row] > 0
        };
        (0..self.sample.weight.len()).filter(is_in)
    }

    /// For how many rows a row stands.
    pub fn weight(&self, row: usize) -> u64 {
        self.sample.weight[row].unsigned_abs()
    }

    /// Whether a row is bad, where it is known.
    pub fn is_bad(&self, row: usize) -> Option<bool> {
        self.sample.outcome[row].is_bad()
    }

    /// The month of a row's as-of date, as `2026-11`.
    pub fn month(&self, row: usize) -> String {
        const MONTH: usize = "2026-11".len();
        self.sample.as_of[row].map_or_else(String::new, |day| {
            let day = day.to_string();
            day.get(..MONTH).unwrap_or(&day).to_string()
        })
    }

    /// Goods and bads by score, of the rows for which something holds.
    pub fn tally(&self, is_in: impl Fn(usize) -> bool) -> OutcomesByScore {
        let mut tally = OutcomesByScore::default();
        for row in self.population().filter(|row| is_in(*row)) {
            if let Some(is_bad) = self.is_bad(row) {
                tally.add(self.score[row].into(), is_bad, self.weight(row));
            }
        }
        tally
    }

    /// Those of a part.
    pub fn tally_of(&self, part: SamplePart) -> OutcomesByScore {
        self.tally(|row| self.sample.part[row] == part)
    }
}

/// Fails where the weights of a sample are none, or more than can be counted with.
pub fn check_weights(sample: &ModelSample, what: &str) -> Result<()> {
    let mut sum = 0_u64;
    for weight in &sample.weight {
        sum = match weight.cmp(&0) {
            Ordering::Less => {
                return Err(input(format!("{what}: a weight is {weight}; weights are 0 or more")));
            }
            _ => sum.saturating_add(weight.unsigned_abs()),
        };
    }
    if sum > MOST_WEIGHT {
        return Err(input(format!(
            "{what}: its weights come to {sum}, more than the {MOST_WEIGHT} that pairs can be counted of; give weights \
             in larger units"
        )));
    }
    Ok(())
}
