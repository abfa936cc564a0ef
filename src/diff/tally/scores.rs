//! Scores: by how much they changed, from which band to which, how far their distributions moved.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::stability::Distribution;
use crate::diff::read::join::JoinPiece;
use crate::diff::read::runs::{Block, Layout};
use crate::expr::{Column, Ints};
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
    pub bands: Vec<Migration>,
    /// Of the score: see the README.
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
pub struct Migration {
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

/// Counts score changes.
pub struct ScoreTally {
    slots: [(usize, usize); 2],
    changes: ScoreChanges,
    histogram: [u64; 2 * STEPS.len() + 1],
    bands: BTreeMap<(usize, usize), u64>,
    names: [Vec<String>; 2],
    scores: Distribution,
    features: Vec<(String, [usize; 2], Distribution)>,
}

impl ScoreTally {
    /// `terms` are the left run's, where they could be read: they give bins and the order of bands.
    pub fn new(left: &Layout, right: &Layout, terms: [Option<&Terms>; 2]) -> Option<ScoreTally> {
        let slots = |layout: &Layout| Some((layout.of_scores("score")?, layout.of_scores("band")?));
        let features = left.columns[left.scores..].iter().filter_map(|(name, _)| {
            let slots = [left.of_features(name)?, right.of_features(name)?];
            Some((name.clone(), slots, distribution(name, terms[0])))
        });
        let bands = |terms: Option<&Terms>| -> Vec<String> {
            terms.map_or(Vec::new(), |terms| {
                terms.scorecard.bands.iter().map(|band| band.name.clone()).collect()
            })
        };
        Some(ScoreTally {
            slots: [slots(left)?, slots(right)?],
            changes: ScoreChanges::default(),
            histogram: Default::default(),
            bands: BTreeMap::new(),
            names: terms.map(bands),
            scores: Distribution::values(),
            features: features.collect(),
        })
    }

    /// Counts a piece.
    pub fn add(&mut self, piece: &JoinPiece) {
        let bands = [self.bands_of(0, piece.left), self.bands_of(1, piece.right)];
        let [left, right] = columns(piece, [self.slots[0].0, self.slots[1].0]);
        self.scores.add([left, right], &piece.rows);
        let mut migrated = vec![vec![0; self.names[1].len()]; self.names[0].len()];
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
        self.features.par_iter_mut().for_each(|(_, slots, distribution)| {
            distribution.add(columns(piece, *slots), &piece.rows);
        });
    }

    /// By row of a block, the position of its band's name.
    fn bands_of(&mut self, side: usize, block: Option<&Block>) -> Vec<usize> {
        let Some(Column::Text(bands)) = block.map(|block| &block.columns[self.slots[side].1]) else {
            return Vec::new();
        };
        let names = &mut self.names[side];
        let mut place = |name: &str| {
            names.iter().position(|known| known == name).unwrap_or_else(|| {
                names.push(name.to_string());
                names.len() - 1
            })
        };
        let by_code: Vec<usize> = bands.dictionary.iter().map(|name| place(name)).collect();
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
        let place = if change < 0 { STEPS.len() - steps } else { STEPS.len() + steps };
        self.histogram[place] += 1;
    }

    /// What was counted: of scores, and of features, those that moved most first.
    pub fn finish(self) -> (ScoreChanges, Vec<Drift>) {
        let mut changes = self.changes;
        changes.mean_thousandths = mean_thousandths(changes.sum, changes.accounts);
        changes.histogram = ranges(&self.histogram);
        let pairs = (0..self.names[0].len()).flat_map(|l| (0..self.names[1].len()).map(move |r| (l, r)));
        let migration = |(left, right): (usize, usize)| Migration {
            left: self.names[0][left].clone(),
            right: self.names[1][right].clone(),
            accounts: self.bands.get(&(left, right)).copied().unwrap_or(0),
        };
        changes.bands = pairs.map(migration).collect();
        changes.psi_thousandths = self.scores.thousandths();
        let drift = |(feature, _, distribution): (String, [usize; 2], Distribution)| Drift {
            feature,
            psi_thousandths: distribution.thousandths(),
        };
        let mut drifts: Vec<Drift> = self.features.into_iter().map(drift).collect();
        drifts.sort_by_key(|drift| std::cmp::Reverse(drift.psi_thousandths));
        (changes, drifts)
    }
}

/// A column of integers on each side.
fn columns<'a>(piece: &JoinPiece<'a>, slots: [usize; 2]) -> [Option<&'a Ints>; 2] {
    let ints = |block: Option<&'a Block>, slot: usize| match block.map(|block| &block.columns[slot]) {
        Some(Column::Int(ints)) => Some(ints),
        _ => None,
    };
    [ints(piece.left, slots[0]), ints(piece.right, slots[1])]
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

/// A mean in thousandths, rounded half away from zero.
pub fn mean_thousandths(sum: i128, count: u64) -> Option<i128> {
    let count = i128::from(count);
    let thousandths = || {
        let (whole, rest) = (sum * 1000 / count, sum * 1000 % count);
        whole + if 2 * rest.abs() >= count { sum.signum() } else { 0 }
    };
    (count > 0).then(thousandths)
}

fn ranges(histogram: &[u64]) -> Vec<ChangeRange> {
    let zero = STEPS.len();
    let range = |(place, accounts): (usize, &u64)| {
        let step = |steps: usize| (Some(STEPS[steps - 1]), STEPS.get(steps).map(|next| next - 1));
        let (from, to) = match place.cmp(&zero) {
            std::cmp::Ordering::Equal => (Some(0), Some(0)),
            std::cmp::Ordering::Greater => step(place - zero),
            std::cmp::Ordering::Less => {
                let (near, far) = step(zero - place);
                (far.map(|far| -far), near.map(|near| -near))
            }
        };
        ChangeRange { from, to, accounts: *accounts }
    };
    histogram.iter().enumerate().map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_rounded_half_away_from_zero() {
        let cases = [(1, 3, 333), (2, 3, 667), (-2, 3, -667), (1, 2000, 1), (-1, 2000, -1), (1, 2001, 0)];
        for (sum, count, thousandths) in cases {
            assert_eq!(mean_thousandths(sum, count), Some(thousandths), "{sum} / {count}");
        }
        assert_eq!(mean_thousandths(0, 0), None);
    }

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
