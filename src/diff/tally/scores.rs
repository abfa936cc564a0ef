//! Scores: by how much they changed, from which band to which, how far their distributions moved.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::stability::Distribution;
use crate::diff::filters::Exclusions;
use crate::diff::read::join::JoinPiece;
use crate::diff::read::runs::{Block, Layout};
use crate::expr::{Column, Ints};
use crate::frame::mean;
use crate::job::Terms;

/// How the scores of the accounts on both sides changed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ScoreChanges {
    /// Accounts on both sides.
    pub accounts: u64,
    /// Of which the score is another one.
    pub changed: u64,
    /// Of which it is higher.
    pub up: u64,
    /// Of which it is lower.
    pub down: u64,
    /// Σ right − left.
    pub sum: i128,
    /// The mean change over all of them in thousandths of a point, rounded half away from zero.
    pub mean_thousandths: Option<i128>,
    /// The largest fall, and the largest rise.
    pub worst: i64,
    /// See `worst`.
    pub best: i64,
    /// Accounts by change, in ranges.
    pub histogram: Vec<ChangeRange>,
    /// Accounts by band on the left and on the right: every pair of bands, as the scorecards order them.
    pub bands: Vec<BandMigration>,
    /// Of the score: see docs/choices.md.
    pub psi_thousandths: Option<i64>,
}

/// Accounts whose score changed by so much.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeRange {
    /// From, inclusive; null is without end.
    pub from: Option<i64>,
    /// To, inclusive.
    pub to: Option<i64>,
    /// How many.
    pub accounts: u64,
}

/// Accounts that were in one band and are in another, or the same.
#[derive(Debug, Clone, Serialize)]
pub struct BandMigration {
    /// Left.
    pub left: String,
    /// Right.
    pub right: String,
    /// How many.
    pub accounts: u64,
}

/// How far a feature's distribution moved.
#[derive(Debug, Clone, Serialize)]
pub struct Drift {
    /// Its name.
    pub feature: String,
    /// Null where a side has no accounts.
    pub psi_thousandths: Option<i64>,
}

/// The lower ends of the histogram's ranges above 0; those below mirror them.
const STEPS: [i64; 6] = [1, 10, 20, 50, 100, 200];

/// Where a side has scores and bands, among the columns of its blocks.
#[derive(Clone, Copy)]
struct ScoreSlots {
    score: usize,
    band: usize,
}

impl ScoreSlots {
    fn find(layout: &Layout) -> Option<ScoreSlots> {
        Some(ScoreSlots { score: layout.of_scores("score")?, band: layout.of_scores("band")? })
    }
}

/// The values of a feature that both sides have.
struct FeatureTally {
    name: String,
    slots: [usize; 2],
    distribution: Distribution,
}

/// Counts score changes.
pub struct ScoreTally {
    slots: [ScoreSlots; 2],
    changes: ScoreChanges,
    histogram: [u64; 2 * STEPS.len() + 1],
    /// Accounts by the numbers of their bands on the left and on the right.
    bands: BTreeMap<(usize, usize), u64>,
    band_names: [Vec<String>; 2],
    scores: Distribution,
    features: Vec<FeatureTally>,
}

impl ScoreTally {
    /// `terms` are the left run's, where they could be read: they give bins and the order of bands.
    pub fn new(
        left: &Layout,
        right: &Layout,
        terms: [Option<&Terms>; 2],
        excluded: &Exclusions,
    ) -> Option<ScoreTally> {
        let features = left.columns[left.scores..].iter().filter(|column| !excluded.has(&column.name));
        let features = features.filter_map(|column| {
            let name = column.name.clone();
            let slots = [left.of_features(&name)?, right.of_features(&name)?];
            let distribution = distribution(&name, terms[0]);
            Some(FeatureTally { name, slots, distribution })
        });
        Some(ScoreTally {
            slots: [ScoreSlots::find(left)?, ScoreSlots::find(right)?],
            changes: ScoreChanges::default(),
            histogram: Default::default(),
            bands: BTreeMap::new(),
            band_names: terms.map(band_names),
            scores: Distribution::values(),
            features: features.collect(),
        })
    }

    /// Counts a piece.
    pub fn add(&mut self, piece: &JoinPiece) {
        let bands = [self.bands_of(0, piece.left), self.bands_of(1, piece.right)];
        let [left, right] = columns(piece, [self.slots[0].score, self.slots[1].score]);
        self.scores.add([left, right], &piece.rows);
        let mut migrated = vec![vec![0; self.band_names[1].len()]; self.band_names[0].len()];
        if let (Some(left), Some(right)) = (left, right) {
            for (i, j) in piece.rows.matched() {
                self.change(left.values[i], right.values[j]);
                migrated[bands[0][i]][bands[1][j]] += 1;
            }
        }
        for (left, row) in migrated.iter().enumerate() {
            for (right, accounts) in row.iter().enumerate().filter(|(_, accounts)| **accounts > 0) {
                *self.bands.entry((left, right)).or_default() += accounts;
            }
        }
        self.features.par_iter_mut().for_each(|feature| {
            feature.distribution.add(columns(piece, feature.slots), &piece.rows);
        });
    }

    /// By row of a block, the position of its band's name.
    fn bands_of(&mut self, side: usize, block: Option<&Block>) -> Vec<usize> {
        let Some(Column::Text(bands)) = block.map(|block| &block.columns[self.slots[side].band]) else {
            return Vec::new();
        };
        let names = &mut self.band_names[side];
        let numbers = bands.dictionary.iter().map(|name| {
            names.iter().position(|known| **known == **name).unwrap_or_else(|| {
                names.push(name.to_string());
                names.len() - 1
            })
        });
        let by_code: Vec<usize> = numbers.collect();
        bands.codes.iter().map(|code| by_code.get(*code as usize).copied().unwrap_or(0)).collect()
    }

    fn change(&mut self, left: i64, right: i64) {
        let change = right - left;
        let changes = &mut self.changes;
        changes.accounts += 1;
        changes.changed += u64::from(change != 0);
        changes.up += u64::from(change > 0);
        changes.down += u64::from(change < 0);
        changes.sum += i128::from(change);
        changes.worst = changes.worst.min(change);
        changes.best = changes.best.max(change);
        let steps = STEPS.iter().filter(|step| **step <= change.abs()).count();
        let range = if change < 0 { STEPS.len() - steps } else { STEPS.len() + steps };
        self.histogram[range] += 1;
    }

    /// What was counted: of scores, and of features, those that moved most first.
    pub fn finish(self) -> (ScoreChanges, Vec<Drift>) {
        let mut changes = self.changes;
        changes.mean_thousandths = mean(changes.sum, changes.accounts, THOUSANDTHS);
        changes.histogram = ranges(&self.histogram);
        for (left, left_name) in self.band_names[0].iter().enumerate() {
            for (right, right_name) in self.band_names[1].iter().enumerate() {
                changes.bands.push(BandMigration {
                    left: left_name.clone(),
                    right: right_name.clone(),
                    accounts: self.bands.get(&(left, right)).copied().unwrap_or(0),
                });
            }
        }
        changes.psi_thousandths = self.scores.thousandths();
        let drifts = self.features.into_iter().map(|feature| Drift {
            feature: feature.name,
            psi_thousandths: feature.distribution.thousandths(),
        });
        let mut drifts: Vec<Drift> = drifts.collect();
        drifts.sort_by_key(|drift| Reverse(drift.psi_thousandths));
        (changes, drifts)
    }
}

/// A column of integers on each side.
fn columns<'a>(piece: &JoinPiece<'a>, slots: [usize; 2]) -> [Option<&'a Ints>; 2] {
    [ints(piece.left, slots[0]), ints(piece.right, slots[1])]
}

fn ints(block: Option<&Block>, slot: usize) -> Option<&Ints> {
    match block.map(|block| &block.columns[slot]) {
        Some(Column::Int(ints)) => Some(ints),
        _ => None,
    }
}

/// The names of a run's bands in the scorecard's order; none where its terms could not be read.
fn band_names(terms: Option<&Terms>) -> Vec<String> {
    terms.map_or(Vec::new(), |terms| terms.scorecard.bands.iter().map(|band| band.name.clone()).collect())
}

fn distribution(feature: &str, terms: Option<&Terms>) -> Distribution {
    let characteristic = terms.and_then(|terms| {
        let number = terms.feature(feature)?;
        terms.scorecard.characteristics.iter().find(|characteristic| characteristic.feature == number)
    });
    match characteristic {
        Some(characteristic) => {
            Distribution::bins(characteristic.bins.iter().filter_map(|bin| bin.below).collect())
        }
        None => Distribution::magnitudes(),
    }
}

const THOUSANDTHS: i128 = 1_000;

fn ranges(histogram: &[u64]) -> Vec<ChangeRange> {
    let ranges = histogram.iter().enumerate().map(|(number, accounts)| {
        let (from, to) = range_ends(number);
        ChangeRange { from, to, accounts: *accounts }
    });
    ranges.collect()
}

/// From where to where a range of the histogram goes: that of no change lies between the falls, the largest first,
/// and the rises.
fn range_ends(number: usize) -> (Option<i64>, Option<i64>) {
    match number.cmp(&STEPS.len()) {
        Ordering::Equal => (Some(0), Some(0)),
        Ordering::Greater => ends_above_zero(number - STEPS.len()),
        Ordering::Less => {
            let (near, far) = ends_above_zero(STEPS.len() - number);
            (far.map(|far| -far), near.map(|near| -near))
        }
    }
}

/// The ends of the range that begins at the step before `next`.
fn ends_above_zero(next: usize) -> (Option<i64>, Option<i64>) {
    (Some(STEPS[next - 1]), STEPS.get(next).map(|next| next - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_of_the_histogram_meet() {
        let ranges = ranges(&[0; 13]);
        assert_eq!((ranges[0].from, ranges[0].to), (None, Some(-200)));
        assert_eq!((ranges[12].from, ranges[12].to), (Some(200), None));
        for pair in ranges.windows(2) {
            assert_eq!(pair[0].to.unwrap() + 1, pair[1].from.unwrap());
        }
    }
}
