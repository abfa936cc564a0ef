//! Goods and bads by score: whatever is said of how well a score ranks is counted from these, in whole numbers.

use std::collections::BTreeMap;

use num_bigint::BigUint;
use serde::Serialize;

use super::fraction::{Fraction, six_places};

/// Weights of goods and of bads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct GoodsAndBads {
    /// Weight of the goods.
    pub good: u64,
    /// Weight of the bads.
    pub bad: u64,
}

/// The most that the weights of all rows may come to, so that pairs and their differences fit in 128 bits.
pub const MOST_WEIGHT: u64 = 1 << 53;

impl GoodsAndBads {
    /// Adds a row.
    pub fn add(&mut self, is_bad: bool, weight: u64) {
        if is_bad {
            self.bad += weight;
        } else {
            self.good += weight;
        }
    }

    /// Adds others.
    pub fn plus(self, other: GoodsAndBads) -> GoodsAndBads {
        GoodsAndBads { good: self.good + other.good, bad: self.bad + other.bad }
    }

    /// Of both.
    pub fn total(self) -> u64 {
        self.good + self.bad
    }

    /// The bads' share; `None` where there is no row.
    pub fn bad_rate(self) -> Option<Fraction> {
        Fraction::new(self.bad.into(), self.total().into())
    }
}

/// Goods and bads by score.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutcomesByScore {
    by_score: BTreeMap<i64, GoodsAndBads>,
}

/// Pairs of a good and a bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PairCounts {
    /// The good has the higher score.
    pub concordant: u128,
    /// Both have the same.
    pub tied: u128,
    /// All there are.
    pub total: u128,
}

/// How well a score ranks goods above bads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ranking {
    /// What all else follows from.
    pub pairs: PairCounts,
    /// The area under the ROC curve: (concordant + half of the tied) ÷ all pairs.
    pub auc: Fraction,
    /// 2 AUC − 1.
    pub gini: Fraction,
    /// The largest distance between the shares of bads and of goods at or below a score.
    pub ks: Fraction,
    /// The score at which it is, the lowest of several.
    pub ks_score: i64,
    /// Bounds of the AUC; null where there are fewer than two goods or two bads.
    pub auc_bounds: Option<AucBounds>,
}

/// Bounds of an AUC at 95 %, within 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AucBounds {
    /// The lower one.
    pub lower: f64,
    /// The upper one.
    pub upper: f64,
    /// The standard error that they follow from.
    pub standard_error: f64,
}

impl OutcomesByScore {
    /// Adds a row. All weights together are at most [`MOST_WEIGHT`].
    pub fn add(&mut self, score: i64, is_bad: bool, weight: u64) {
        self.by_score.entry(score).or_default().add(is_bad, weight);
    }

    /// Adds the rows of another.
    pub fn add_all(&mut self, other: &OutcomesByScore) {
        for (score, counts) in &other.by_score {
            let own = self.by_score.entry(*score).or_default();
            *own = own.plus(*counts);
        }
    }

    /// By score, ascending.
    pub fn scores(&self) -> impl Iterator<Item = (i64, GoodsAndBads)> + '_ {
        self.by_score.iter().map(|(score, counts)| (*score, *counts)).filter(|(_, counts)| counts.total() > 0)
    }

    /// Of all scores.
    pub fn counts(&self) -> GoodsAndBads {
        self.by_score.values().fold(GoodsAndBads::default(), |sum, counts| sum.plus(*counts))
    }

    /// The mean score; `None` where there is no row.
    pub fn mean_score(&self) -> Option<Fraction> {
        let sum = self.scores().map(|(score, counts)| i128::from(score) * i128::from(counts.total())).sum();
        Fraction::new(sum, self.counts().total().into())
    }

    /// How well the score ranks; `None` where there is no good or no bad.
    pub fn ranking(&self) -> Option<Ranking> {
        let all = self.counts();
        let total = u128::from(all.good) * u128::from(all.bad);
        let (mut concordant, mut tied) = (0, 0);
        let (mut ks, mut ks_score) = (0_u128, 0);
        let mut below = GoodsAndBads::default();
        for (score, counts) in self.scores() {
            concordant += u128::from(counts.good) * u128::from(below.bad);
            tied += u128::from(counts.good) * u128::from(counts.bad);
            below = below.plus(counts);
            let bads = u128::from(below.bad) * u128::from(all.good);
            let distance = bads.abs_diff(u128::from(below.good) * u128::from(all.bad));
            if distance > ks {
                (ks, ks_score) = (distance, score);
            }
        }
        let auc = Fraction::new((2 * concordant + tied) as i128, 2 * total)?;
        let discordant = total - concordant - tied;
        Some(Ranking {
            pairs: PairCounts { concordant, tied, total },
            auc,
            gini: Fraction::new(concordant as i128 - discordant as i128, total)?,
            ks: Fraction::new(ks as i128, total)?,
            ks_score,
            auc_bounds: self.auc_bounds(auc),
        })
    }

    /// DeLong's variance of the AUC (DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988), by mid-ranks as Sun and Xu
    /// have it (IEEE Signal Processing Letters 21, 2014): a good's placement is the share of bads below it, ties half;
    /// a bad's that of goods above it. var = var(placements of goods) ÷ goods + var(those of bads) ÷ bads. Rows of one
    /// score have one placement, so that both variances are counted in whole numbers; a row of weight 2 is two rows.
    fn auc_bounds(&self, auc: Fraction) -> Option<AucBounds> {
        /// The 97.5th percentile of the normal distribution.
        const QUANTILE: f64 = 1.959_963_984_540_054;
        let all = self.counts();
        if all.good < 2 || all.bad < 2 {
            return None;
        }
        let (mut goods, mut bads) = (PlacementSums::default(), PlacementSums::default());
        let mut below = GoodsAndBads::default();
        for (_, counts) in self.scores() {
            let above = all.good - below.good - counts.good;
            // Twice the placement times the number of the other kind.
            goods.add(counts.good, u128::from(below.bad) * 2 + u128::from(counts.bad));
            bads.add(counts.bad, u128::from(above) * 2 + u128::from(counts.good));
            below = below.plus(counts);
        }
        let variance = goods.variance_of_mean(all.good, all.bad) + bads.variance_of_mean(all.bad, all.good);
        let error = libm::sqrt(variance);
        let auc = auc.numerator as f64 / auc.denominator as f64;
        Some(AucBounds {
            lower: six_places((auc - QUANTILE * error).max(0.0)),
            upper: six_places((auc + QUANTILE * error).min(1.0)),
            standard_error: six_places(error),
        })
    }
}

/// Sums of doubled placements and of their squares.
#[derive(Default)]
struct PlacementSums {
    sum: BigUint,
    squares: BigUint,
}

impl PlacementSums {
    fn add(&mut self, weight: u64, doubled: u128) {
        let product = BigUint::from(doubled) * weight;
        self.squares += &product * doubled;
        self.sum += product;
    }

    /// (n Σx² − (Σx)²) ÷ (n² (n − 1) · 4 m²), x being doubled placements among m of the other kind.
    fn variance_of_mean(&self, own: u64, other: u64) -> f64 {
        let numerator = &self.squares * own - &self.sum * &self.sum;
        let own = BigUint::from(own);
        let denominator = &own * &own * (&own - 1_u32) * other * other * 4_u32;
        double(&numerator) / double(&denominator)
    }
}

/// A whole number as a double, by operations that every machine rounds alike.
fn double(number: &BigUint) -> f64 {
    const DIGIT: f64 = 18_446_744_073_709_551_616.0;
    number.to_u64_digits().iter().rev().fold(0.0, |sum, digit| sum * DIGIT + *digit as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(rows: &[(i64, bool, u64)]) -> OutcomesByScore {
        let mut tally = OutcomesByScore::default();
        rows.iter().for_each(|(score, is_bad, weight)| tally.add(*score, *is_bad, *weight));
        tally
    }

    #[test]
    fn pairs_are_counted_by_hand() {
        // Goods 3, 5, 5; bads 1, 3, 5: above 1: 3; above 3: 2, tied 1; tied with 5: 2.
        let rows = [(3, false, 1), (5, false, 1), (5, false, 1), (1, true, 1), (3, true, 1), (5, true, 1)];
        let ranking = tally(&rows).ranking().expect("there are both");
        assert_eq!(ranking.pairs, PairCounts { concordant: 5, tied: 3, total: 9 });
        assert_eq!((ranking.auc.numerator, ranking.auc.denominator), (13, 18));
        assert_eq!((ranking.gini.numerator, ranking.gini.denominator), (4, 9));
        // At or below 1: a third of the bads, no good; at or below 3: two thirds, a third.
        assert_eq!((ranking.ks.numerator, ranking.ks.denominator, ranking.ks_score), (3, 9, 1));
    }

    #[test]
    fn one_kind_alone_has_no_ranking() {
        for rows in
            [&[][..], &[(1, true, 4)], &[(1, false, 4), (2, false, 1)], &[(1, true, 0), (2, false, 1)]]
        {
            assert_eq!(tally(rows).ranking(), None);
        }
        assert_eq!(tally(&[]).mean_score(), None);
    }

    #[test]
    fn a_weight_stands_for_so_many_rows() {
        let weighted = tally(&[(3, false, 3), (5, false, 1), (1, true, 2), (4, true, 2)]);
        let repeated = tally(
            &[(3, false, 1); 3]
                .iter()
                .chain(&[(5, false, 1), (1, true, 1), (1, true, 1), (4, true, 1), (4, true, 1)])
                .copied()
                .collect::<Vec<_>>(),
        );
        assert_eq!(weighted, repeated);
        assert_eq!(weighted.ranking(), repeated.ranking());
    }

    #[test]
    fn bounds_are_those_of_the_definition() {
        // Goods 2, 3, 4; bads 1, 3: placements of goods 1/2, 3/4, 1; of bads 1, 1/2.
        let rows = [(2, false, 1), (3, false, 1), (4, false, 1), (1, true, 1), (3, true, 1)];
        let bounds =
            tally(&rows).ranking().and_then(|ranking| ranking.auc_bounds).expect("there are two of each");
        let variance: f64 = 0.0625 / 3.0 + 0.125 / 2.0;
        assert_eq!(bounds.standard_error, six_places(variance.sqrt()));
        assert_eq!(
            (bounds.lower, bounds.upper),
            (six_places(0.75 - 1.959_963_984_540_054 * variance.sqrt()), 1.0)
        );
    }

    #[test]
    fn the_largest_weights_there_may_be_fit() {
        let half = MOST_WEIGHT / 2;
        let ranking = tally(&[(1, true, half), (2, false, half)]).ranking().expect("there are both");
        assert_eq!((ranking.auc.value(), ranking.gini.value(), ranking.ks.value()), (1.0, 1.0, 1.0));
    }
}
