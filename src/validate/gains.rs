//! Groups of scores: the gains table, what was predicted in them, and how far the score has moved.

use std::collections::BTreeMap;

use serde::Serialize;

use super::fraction::{Fraction, six_places};
use super::information::{equal_groups, stability_index};
use super::odds::OddsLine;
use super::scored::ScoredSample;
use super::slices::predicted_rate;
use super::tally::{GoodsAndBads, OutcomesByScore};
use crate::model::SamplePart;

/// Groups of about equal weight that scores are cut into.
const GROUPS: u64 = 10;

/// The gains of a part.
#[derive(Debug, Clone, Serialize)]
pub struct GainsTable {
    /// Which part.
    pub part: &'static str,
    /// From the lowest scores, the likeliest bads, to the highest.
    pub groups: Vec<ScoreGroup>,
}

/// The rows within a range of scores.
#[derive(Debug, Clone, Serialize)]
pub struct ScoreGroup {
    /// The lowest score that a row has.
    pub from: i64,
    /// The highest.
    pub to: i64,
    /// Weight of the goods.
    pub good: u64,
    /// Weight of the bads.
    pub bad: u64,
    /// Bads of both.
    pub bad_rate: Option<Fraction>,
    /// Bads that the score predicts, of both; null where the card has no odds.
    pub predicted_bad_rate: Option<f64>,
    /// Of all rows, those in this group and below.
    pub rows_so_far: Option<Fraction>,
    /// Of all bads, those in this group and below.
    pub bads_so_far: Option<Fraction>,
    /// Of all goods, likewise.
    pub goods_so_far: Option<Fraction>,
}

impl GainsTable {
    /// Of the goods and bads by score: about ten groups, no score parted.
    pub fn of(part: &'static str, tally: &OutcomesByScore, odds: Option<&OddsLine>) -> GainsTable {
        let scores: Vec<(i64, GoodsAndBads)> = tally.scores().collect();
        let weights: Vec<u64> = scores.iter().map(|(_, counts)| counts.total()).collect();
        let all = tally.counts();
        let (mut start, mut below) = (0, GoodsAndBads::default());
        let mut groups = Vec::new();
        for end in equal_groups(&weights, GROUPS) {
            let own = &scores[start..end];
            start = end;
            let mut tally = OutcomesByScore::default();
            for (score, counts) in own {
                tally.add(*score, false, counts.good);
                tally.add(*score, true, counts.bad);
            }
            let counts = tally.counts();
            below = below.plus(counts);
            groups.push(ScoreGroup {
                from: own[0].0,
                to: own[own.len() - 1].0,
                good: counts.good,
                bad: counts.bad,
                bad_rate: counts.bad_rate(),
                predicted_bad_rate: predicted_rate(&tally, odds),
                rows_so_far: Fraction::new(below.total().into(), all.total().into()),
                bads_so_far: Fraction::new(below.bad.into(), all.bad.into()),
                goods_so_far: Fraction::new(below.good.into(), all.good.into()),
            });
        }
        GainsTable { part, groups }
    }
}

/// How far the scores of some rows lie from those of others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreShift {
    /// Which rows: a part, or a month.
    pub of: String,
    /// Their weight.
    pub rows: u64,
    /// Population stability index; null where a side has no rows.
    pub psi: Option<f64>,
}

/// Weights by score.
pub type ScoreWeights = BTreeMap<i64, u64>;

/// The index of some scores against others, over about ten groups of equal weight of the others.
pub fn score_psi(reference: &ScoreWeights, scores: &ScoreWeights) -> Option<f64> {
    let (values, weights): (Vec<i64>, Vec<u64>) = reference.iter().unzip();
    let ends = equal_groups(&weights, GROUPS);
    let highest: Vec<i64> = ends.iter().map(|end| values[end - 1]).collect();
    let last = highest.len().checked_sub(1)?;
    // What is higher than all that the reference has goes with its highest.
    let group = |score: i64| highest.partition_point(|highest| *highest < score).min(last);
    let mut bins = vec![[0; 2]; highest.len()];
    for (side, weights) in [reference, scores].into_iter().enumerate() {
        weights.iter().for_each(|(score, weight)| bins[group(*score)][side] += weight);
    }
    stability_index(&bins)
}

/// Of every part but train, and of every month, against the rows of train, whatever their outcome.
pub fn score_shifts(scored: &ScoredSample) -> Vec<ScoreShift> {
    let mut parts: BTreeMap<SamplePart, ScoreWeights> = BTreeMap::new();
    let mut months: BTreeMap<String, ScoreWeights> = BTreeMap::new();
    for row in scored.population() {
        let (score, weight) = (i64::from(scored.score[row]), scored.weight(row));
        *parts.entry(scored.sample.part[row]).or_default().entry(score).or_default() += weight;
        *months.entry(scored.month(row)).or_default().entry(score).or_default() += weight;
    }
    let train = parts.remove(&SamplePart::Train).unwrap_or_default();
    let parts = parts.into_iter().map(|(part, scores)| (part.name().to_string(), scores));
    let months = months.into_iter().filter(|(month, _)| !month.is_empty());
    let shifts = parts.chain(months).map(|(of, scores)| ScoreShift {
        of,
        rows: scores.values().sum(),
        psi: score_psi(&train, &scores).map(six_places),
    });
    shifts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_hold_whole_scores_and_add_up() {
        let mut tally = OutcomesByScore::default();
        for score in 0..40 {
            tally.add(score / 2, score % 5 == 0, 1);
        }
        let table = GainsTable::of("train", &tally, None);
        assert_eq!(table.groups.len(), 10);
        assert_eq!((table.groups[0].from, table.groups[0].to), (0, 1));
        let [.., last] = &table.groups[..] else { panic!("there are groups") };
        assert_eq!((last.from, last.to), (18, 19));
        assert_eq!(last.bads_so_far.map(Fraction::value), Some(1.0));
        let bads: u64 = table.groups.iter().map(|group| group.bad).sum();
        assert_eq!(bads, 8);
        assert!(GainsTable::of("train", &OutcomesByScore::default(), None).groups.is_empty());
    }

    #[test]
    fn a_score_that_stays_has_not_moved() {
        let train: ScoreWeights = (0..100).map(|score| (score, 3)).collect();
        let same: ScoreWeights = (0..100).map(|score| (score, 7)).collect();
        assert_eq!(score_psi(&train, &same), Some(0.0));
        let higher: ScoreWeights = [(1_000, 5)].into();
        assert!(score_psi(&train, &higher).is_some_and(|psi| psi > 1.0));
        assert_eq!(score_psi(&train, &ScoreWeights::new()), None);
        assert_eq!(score_psi(&ScoreWeights::new(), &train), None);
    }
}
