//! What every characteristic's bins hold: outcomes by part and month, what they tell, whether their order holds.

use std::collections::BTreeMap;

use serde::Serialize;

use super::fraction::{Fraction, six_places};
use super::information::{information_value, stability_index, weight_of_evidence};
use super::odds::OddsLine;
use super::scored::ScoredSample;
use super::slices::{ALL, predicted_rate};
use super::tally::{GoodsAndBads, OutcomesByScore};
use crate::job::{Bin, Characteristic, Unit};
use crate::model::SamplePart;
use crate::scorecard::bin_label;

/// A characteristic and its bins.
#[derive(Debug, Clone, Serialize)]
pub struct CharacteristicFigures {
    /// The feature's name.
    pub feature: String,
    /// By part: what it tells of good and bad; null where there is no good or no bad.
    pub information_value: BTreeMap<&'static str, Option<f64>>,
    /// By part but train: how far its values lie from those of train; null where a side has no rows.
    pub psi: BTreeMap<&'static str, Option<f64>>,
    /// By part: whether the bad rate falls as points rise.
    pub order: BTreeMap<&'static str, BinOrder>,
    /// Nulls first, then ascending.
    pub bins: Vec<BinFigures>,
    /// Month by month, all parts together.
    pub months: Vec<CharacteristicMonth>,
}

/// Pairs of bins with rows and unlike points: of how many, the bin with more points has the higher bad rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BinOrder {
    /// Pairs that can be compared.
    pub compared: u64,
    /// Those of the wrong order.
    pub inverted: u64,
}

/// One bin.
#[derive(Debug, Clone, Serialize)]
pub struct BinFigures {
    /// Its values in words; `missing` where the feature is null.
    pub bin: String,
    /// The least value in it; null where nothing bounds it, and for `missing`.
    pub from: Option<i64>,
    /// Its values are less than this; null likewise.
    pub below: Option<i64>,
    /// What it gives.
    pub points: i32,
    /// By part.
    pub parts: BTreeMap<&'static str, BinOutcomes>,
}

/// What a bin holds of a part.
#[derive(Debug, Clone, Serialize)]
pub struct BinOutcomes {
    /// Weight of all rows, whatever their outcome.
    pub rows: u64,
    /// Weight of the goods.
    pub good: u64,
    /// Weight of the bads.
    pub bad: u64,
    /// Bads of both.
    pub bad_rate: Option<Fraction>,
    /// Bads that the score predicts, of both.
    pub predicted_bad_rate: Option<f64>,
    /// Weight of evidence within the part; null where it tells nothing.
    pub woe: Option<f64>,
}

/// A characteristic in a month.
#[derive(Debug, Clone, Serialize)]
pub struct CharacteristicMonth {
    /// As `2026-11`.
    pub month: String,
    /// How far its values lie from those of train; null where a side has no rows.
    pub psi: Option<f64>,
    /// What it tells.
    pub information_value: Option<f64>,
    /// Whether the bad rate falls as points rise.
    pub order: BinOrder,
    /// In the order of the bins.
    pub bins: Vec<BinCount>,
}

/// What a bin holds of a month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct BinCount {
    /// Weight of all rows.
    pub rows: u64,
    /// Goods and bads among them.
    #[serde(flatten)]
    pub outcomes: GoodsAndBads,
}

impl BinCount {
    /// Adds a row.
    pub fn add(&mut self, is_bad: Option<bool>, weight: u64) {
        self.rows += weight;
        if let Some(is_bad) = is_bad {
            self.outcomes.add(is_bad, weight);
        }
    }
}

/// The values of a bin and what it gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BinRange {
    /// In words.
    #[serde(rename = "bin")]
    pub label: String,
    /// The least value; `None` where nothing bounds it.
    pub from: Option<i64>,
    /// Values are less; `None` likewise.
    pub below: Option<i64>,
    /// What it gives.
    pub points: i32,
}

/// The bins of a characteristic: nulls, then ascending.
pub fn bin_ranges(characteristic: &Characteristic) -> Vec<BinRange> {
    let label = "missing".to_string();
    let mut ranges = vec![BinRange { label, from: None, below: None, points: characteristic.missing }];
    let mut from = None;
    for Bin { below, points } in &characteristic.bins {
        let label = bin_label(from, *below, Unit::Number, 0);
        ranges.push(BinRange { label, from, below: *below, points: *points });
        from = *below;
    }
    ranges
}

/// Counts pairs of bins by their points and bad rates.
pub fn bin_order(points: &[i32], outcomes: &[GoodsAndBads]) -> BinOrder {
    let mut order = BinOrder { compared: 0, inverted: 0 };
    for (one, of_one) in points.iter().zip(outcomes) {
        for (other, of_other) in points.iter().zip(outcomes) {
            if one >= other || of_one.total() == 0 || of_other.total() == 0 {
                continue;
            }
            order.compared += 1;
            let fewer_points = u128::from(of_one.bad) * u128::from(of_other.total());
            if fewer_points < u128::from(of_other.bad) * u128::from(of_one.total()) {
                order.inverted += 1;
            }
        }
    }
    order
}

/// A bin's rows and outcomes by score.
#[derive(Debug, Clone, Default)]
struct BinTally {
    rows: u64,
    scores: OutcomesByScore,
}

/// The bins of a characteristic with what they hold, by part and month.
#[derive(Default)]
struct BinTallies {
    parts: BTreeMap<&'static str, Vec<BinTally>>,
    months: BTreeMap<String, Vec<BinCount>>,
}

/// Every characteristic of a card, in file order.
pub fn characteristics(scored: &ScoredSample, odds: Option<&OddsLine>) -> Vec<CharacteristicFigures> {
    let months: Vec<String> = (0..scored.score.len()).map(|row| scored.month(row)).collect();
    let characteristics = scored.card.scorecard.characteristics.iter().zip(&scored.bins);
    let figures = characteristics.map(|(characteristic, bins)| {
        let ranges = bin_ranges(characteristic);
        let tallies = tallies(scored, bins, ranges.len(), &months);
        figures(scored.card.name_of(characteristic), ranges, &tallies, odds)
    });
    figures.collect()
}

fn tallies(scored: &ScoredSample, bins: &[u16], count: usize, months: &[String]) -> BinTallies {
    let mut tallies = BinTallies::default();
    for row in scored.population() {
        let (bin, weight, is_bad) = (usize::from(bins[row]), scored.weight(row), scored.is_bad(row));
        for part in [ALL, scored.sample.part[row].name()] {
            let tally =
                &mut tallies.parts.entry(part).or_insert_with(|| vec![BinTally::default(); count])[bin];
            tally.rows += weight;
            if let Some(is_bad) = is_bad {
                tally.scores.add(scored.score[row].into(), is_bad, weight);
            }
        }
        if !months[row].is_empty() {
            if !tallies.months.contains_key(&months[row]) {
                tallies.months.insert(months[row].clone(), vec![BinCount::default(); count]);
            }
            if let Some(bins) = tallies.months.get_mut(&months[row]) {
                bins[bin].add(is_bad, weight);
            }
        }
    }
    tallies
}

fn figures(
    feature: &str,
    ranges: Vec<BinRange>,
    tallies: &BinTallies,
    odds: Option<&OddsLine>,
) -> CharacteristicFigures {
    let points: Vec<i32> = ranges.iter().map(|range| range.points).collect();
    let outcomes = |bins: &[BinTally]| bins.iter().map(|bin| bin.scores.counts()).collect::<Vec<_>>();
    let train = tallies.parts.get(SamplePart::Train.name());
    let train: Vec<u64> = train.map_or_else(Vec::new, |bins| bins.iter().map(|bin| bin.rows).collect());
    let by_part = || tallies.parts.iter().map(|(part, bins)| (*part, bins));
    let others = by_part().filter(|(part, _)| ![ALL, SamplePart::Train.name()].contains(part));
    let psi = others.map(|(part, bins)| (part, moved(&train, bins.iter().map(|bin| bin.rows))));
    let bins = ranges.iter().enumerate().map(|(number, range)| BinFigures {
        bin: range.label.clone(),
        from: range.from,
        below: range.below,
        points: range.points,
        parts: by_part().map(|(part, bins)| (part, bin_outcomes(&bins[number], bins, odds))).collect(),
    });
    let months = tallies.months.iter().map(|(month, bins)| {
        let outcomes: Vec<GoodsAndBads> = bins.iter().map(|bin| bin.outcomes).collect();
        CharacteristicMonth {
            month: month.clone(),
            psi: moved(&train, bins.iter().map(|bin| bin.rows)),
            information_value: information_value(&outcomes).map(six_places),
            order: bin_order(&points, &outcomes),
            bins: bins.clone(),
        }
    });
    CharacteristicFigures {
        feature: feature.to_string(),
        information_value: by_part()
            .map(|(part, bins)| (part, information_value(&outcomes(bins)).map(six_places)))
            .collect(),
        psi: psi.collect(),
        order: by_part().map(|(part, bins)| (part, bin_order(&points, &outcomes(bins)))).collect(),
        bins: bins.collect(),
        months: months.collect(),
    }
}

/// The index of some rows by bin against those of train.
fn moved(train: &[u64], rows: impl Iterator<Item = u64>) -> Option<f64> {
    let bins: Vec<[u64; 2]> = train.iter().copied().zip(rows).map(|(train, rows)| [train, rows]).collect();
    stability_index(&bins).map(six_places)
}

fn bin_outcomes(bin: &BinTally, all: &[BinTally], odds: Option<&OddsLine>) -> BinOutcomes {
    let counts = bin.scores.counts();
    let sum = all.iter().fold(GoodsAndBads::default(), |sum, bin| sum.plus(bin.scores.counts()));
    BinOutcomes {
        rows: bin.rows,
        good: counts.good,
        bad: counts.bad,
        bad_rate: counts.bad_rate(),
        predicted_bad_rate: predicted_rate(&bin.scores, odds),
        woe: weight_of_evidence(counts, sum).map(six_places),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_counted_by_pairs_of_points() {
        let outcomes = [(90, 10), (80, 20), (0, 0), (85, 15)].map(|(good, bad)| GoodsAndBads { good, bad });
        // By points: 10 (20 %), 20 (15 %), 30 (10 %): as it should be.
        assert_eq!(bin_order(&[30, 10, 15, 20], &outcomes), BinOrder { compared: 3, inverted: 0 });
        // 10 (10 %), 20 (15 %), 30 (20 %): the other way round.
        assert_eq!(bin_order(&[10, 30, 15, 20], &outcomes), BinOrder { compared: 3, inverted: 3 });
        // Of like points there is nothing to compare.
        assert_eq!(bin_order(&[10, 10, 10, 10], &outcomes), BinOrder { compared: 0, inverted: 0 });
    }
}
