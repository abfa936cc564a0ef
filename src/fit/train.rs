//! The rows that are fitted on: good or bad, of the part train.

use anyhow::Result;

use super::evidence::{MOST_ROWS, OutcomeWeights};
use crate::console::{plain_path, thousands};
use crate::expr::Ints;
use crate::failure::{Kind, failure, input};
use crate::model::{ModelFile, ModelSample, SamplePart};

/// Below so many bads nothing is fitted without `--force`.
pub const LEAST_BADS: u64 = 50;

/// What is fitted on.
#[derive(Debug, Clone, Default)]
pub struct TrainingRows {
    /// By row.
    pub rows: Vec<OutcomeWeights>,
    /// By feature of the sample, in its order.
    pub features: Vec<Ints>,
    /// All of them.
    pub all: OutcomeWeights,
}

impl TrainingRows {
    /// Those of a sample. Fails where there are none, where all are good or all are bad, and where the bads are too few to
    /// learn from, unless that is said to be known.
    pub fn of(model: &ModelFile, sample: &ModelSample, force: bool) -> Result<TrainingRows> {
        let outcomes = sample.outcome.iter().zip(&sample.part).enumerate();
        let train = outcomes.filter(|(_, (_, part))| **part == SamplePart::Train);
        let train = train.filter_map(|(row, (outcome, _))| Some((row, outcome.is_bad()?)));
        let positions: Vec<(usize, bool)> = train.filter(|(row, _)| sample.weight[*row] > 0).collect();
        let mut weight = 0_u64;
        let mut rows = Vec::with_capacity(positions.len());
        for (row, is_bad) in &positions {
            let own = u64::try_from(sample.weight[*row]).unwrap_or(0);
            weight = weight.saturating_add(own);
            rows.push(OutcomeWeights::of(own.min(MOST_ROWS), *is_bad));
        }
        let file = plain_path(&model.sample);
        if weight > MOST_ROWS {
            let message = format!(
                "fit on {file}: its rows weigh {}, and at most {} are fitted on: divide the weights",
                thousands(weight.into()),
                thousands(MOST_ROWS.into())
            );
            return Err(input(message));
        }
        let all = rows.iter().fold(OutcomeWeights::default(), |sum, row| sum + *row);
        check(&file, all, force)?;
        let features = sample.features.iter();
        let features = features
            .map(|column| positions.iter().map(|(row, _)| column.get(*row).copied()).collect())
            .collect();
        Ok(TrainingRows { rows, features, all })
    }
}

fn check(file: &str, all: OutcomeWeights, force: bool) -> Result<()> {
    let number = |count: u64| thousands(count.into());
    if all.rows() == 0 {
        let message = format!(
            "fit on {file}: no row of the part train is good or bad; look at [split] and [outcome] of the model file, and \
             draw it again (`rescore sample`)"
        );
        return Err(input(message));
    }
    if all.good == 0 || all.bad == 0 {
        let (is, not) = if all.bad == 0 { ("good", "bad") } else { ("bad", "good") };
        let rows = number(all.rows());
        let message = format!(
            "fit on {file}: all {rows} rows of the part train are {is} and none is {not}; nothing can be learned from them"
        );
        return Err(input(message));
    }
    if all.bad < LEAST_BADS && !force {
        let message = format!(
            "fit on {file}: {} bad rows are in the part train, and a card fitted on fewer than {LEAST_BADS} says more \
             about them than about those to come; draw a larger sample, or fit all the same with --force",
            number(all.bad)
        );
        return Err(failure(Kind::Refused, message));
    }
    Ok(())
}
