//! The sample's rows as the current card and the fitted one score them, by the program's own hand.

use anyhow::Result;

use super::shares::ScoreShares;
use crate::expr::{Column, Ints};
use crate::failure::input;
use crate::features::FeatureTable;
use crate::job::Job;
use crate::model::{ModelSample, RowOutcome};
use crate::score::{Scores, add_up};

/// The rows of a sample that have features and that the model file does not exclude: shares are theirs.
#[derive(Debug, Clone)]
pub struct CardRows {
    /// Their positions in the sample.
    pub positions: Vec<usize>,
    /// Their weights.
    pub weights: Vec<u64>,
}

impl CardRows {
    /// Those of a sample.
    pub fn of(sample: &ModelSample) -> CardRows {
        let has_features = |row: &usize| {
            !matches!(sample.outcome[*row], RowOutcome::LeftOut | RowOutcome::Excluded)
                && sample.weight[*row] > 0
        };
        let positions: Vec<usize> = (0..sample.outcome.len()).filter(has_features).collect();
        let weights = positions.iter().map(|row| u64::try_from(sample.weight[*row]).unwrap_or(0)).collect();
        CardRows { positions, weights }
    }

    /// Their scores by a job's card. Fails where the sample lacks one of its features.
    pub fn score(&self, job: &Job, sample: &ModelSample) -> Result<Scores> {
        let mut columns = Vec::with_capacity(job.features.len());
        for feature in &job.features {
            let Some(position) = sample.names.iter().position(|name| *name == feature.name) else {
                let message = format!(
                    "the sample has no feature `{}`, which the scorecard has; draw it again (`rescore sample`)",
                    feature.name
                );
                return Err(input(message));
            };
            let own = &sample.features[position];
            let values: Ints = self.positions.iter().map(|row| own.get(*row).copied()).collect();
            columns.push(Column::Int(values));
        }
        Ok(add_up(&job.scorecard, &FeatureTable::of(&columns), self.positions.len()))
    }

    /// How values of these rows are distributed.
    pub fn distribution(&self, values: &[i32]) -> ScoreShares {
        ScoreShares::of(values.iter().map(|value| i64::from(*value)).zip(self.weights.iter().copied()))
    }
}
