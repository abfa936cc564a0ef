//! What a fitted card is worth on each part of the sample: goods above bads, predicted against observed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::evidence::OutcomeWeights;
use super::scale::ScoreScale;
use super::scored::CardRows;
use crate::model::{ModelSample, SamplePart};

/// What a card is worth on a part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartQuality {
    /// `train`, `holdout` or `out_of_time`.
    pub part: &'static str,
    /// The weight of its goods.
    pub good: u64,
    /// The weight of its bads.
    pub bad: u64,
    /// Of all pairs of a good and a bad those in which the good has the higher score, half of those with one score: the area
    /// under the ROC curve, in basis points, rounded half up; null without goods or without bads.
    pub auc_bp: Option<u64>,
    /// The share of bads.
    pub observed_bad_rate: f64,
    /// The mean of the shares that the rounded scores predict.
    pub predicted_bad_rate: f64,
}

/// What a card's scores are worth on the parts that have goods or bads.
pub fn by_part(
    sample: &ModelSample,
    rows: &CardRows,
    scores: &[i32],
    scale: &ScoreScale,
) -> Vec<PartQuality> {
    let mut parts: BTreeMap<SamplePart, BTreeMap<i32, OutcomeWeights>> = BTreeMap::new();
    for ((row, weight), score) in rows.positions.iter().zip(&rows.weights).zip(scores) {
        if let Some(is_bad) = sample.outcome[*row].is_bad() {
            let part = parts.entry(sample.part[*row]).or_default();
            *part.entry(*score).or_default() += OutcomeWeights::of(*weight, is_bad);
        }
    }
    let told = parts.into_iter().filter(|(part, _)| *part != SamplePart::Embargo);
    told.map(|(part, scores)| quality(part, &scores, scale)).collect()
}

fn quality(part: SamplePart, scores: &BTreeMap<i32, OutcomeWeights>, scale: &ScoreScale) -> PartQuality {
    let (mut all, mut twice_above, mut predicted) = (OutcomeWeights::default(), 0_u128, 0.0);
    for (score, own) in scores {
        twice_above += u128::from(own.good) * u128::from(2 * all.bad + own.bad);
        predicted += own.rows() as f64 * scale.bad_rate(f64::from(*score));
        all += *own;
    }
    let pairs = u128::from(all.good) * u128::from(all.bad);
    let auc_bp = (pairs > 0).then(|| ((twice_above * 10_000 + pairs) / (2 * pairs)) as u64);
    PartQuality {
        part: part.name(),
        good: all.good,
        bad: all.bad,
        auc_bp,
        observed_bad_rate: all.bad_rate(),
        predicted_bad_rate: predicted / all.rows().max(1) as f64,
    }
}

/// An area under the ROC curve as people read it, from basis points.
pub fn auc(basis_points: u64) -> String {
    format!("{}.{:04}", basis_points / 10_000, basis_points % 10_000)
}
