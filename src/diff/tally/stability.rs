//! How far a distribution has moved: the population stability index.
//!
//! PSI = Σ (r − l) · ln(r ÷ l) over bins, l and r being the shares of each side's accounts in a bin; a
//! bin that is empty on one side counts as half an account there, one that is empty on both is left out
//! (Siddiqi, Credit Risk Scorecards, 2006). Bins are a characteristic's own, with one for null; or tenths
//! of the left side.

use std::collections::BTreeMap;

use crate::diff::read::pairs::{NONE, Pairs};
use crate::expr::Ints;
use crate::hash::Map;
use crate::magnitude::{farthest, step};

/// Accounts of both sides in a bin.
pub type Pair = [u64; 2];

/// Values of both sides, counted as they come.
#[derive(Debug, Clone)]
pub enum Distribution {
    /// By bin of a characteristic: the upper bounds, exclusive, ascending, and the counts: two more, the
    /// last of nulls.
    Bins { below: Vec<i64>, counts: Vec<Pair> },
    /// By magnitude: values nearer to 0 than 16 for themselves, others with those that begin with the
    /// same four binary digits; last the nulls.
    Magnitudes { counts: Vec<Pair> },
    /// Every value for itself; for what takes few values and is never null.
    Values { counts: BTreeMap<i64, Pair> },
}

/// Binary digits after the first that tell magnitudes apart.
const DIGITS: u32 = 3;

/// Magnitudes of one sign but 0.
const MAGNITUDES: usize = farthest(DIGITS);

/// Bins that the left side is cut into.
const TENTHS: u64 = 10;

impl Distribution {
    /// By the bins of a characteristic, given by their upper bounds.
    pub fn bins(below: Vec<i64>) -> Distribution {
        let counts = vec![[0; 2]; below.len() + 2];
        Distribution::Bins { below, counts }
    }

    /// By magnitude.
    pub fn magnitudes() -> Distribution {
        Distribution::Magnitudes { counts: vec![[0; 2]; 2 * MAGNITUDES + 2] }
    }

    /// Value by value.
    pub fn values() -> Distribution {
        Distribution::Values { counts: BTreeMap::new() }
    }

    /// Counts the values of both sides' rows; a side without the column has no values.
    pub fn add(&mut self, sides: [Option<&Ints>; 2], pairs: &Pairs) {
        match self {
            Distribution::Bins { below, counts } => {
                let null = counts.len() - 1;
                each(sides, pairs, |side, value| {
                    let bin = value.map_or(null, |value| below.partition_point(|below| value >= *below));
                    counts[bin][side] += 1;
                });
            }
            Distribution::Magnitudes { counts } => {
                let null = counts.len() - 1;
                each(sides, pairs, |side, value| counts[value.map_or(null, magnitude_index)][side] += 1);
            }
            Distribution::Values { counts } => {
                let mut found = Map::<i64, Pair>::default();
                each(sides, pairs, |side, value| {
                    found.entry(value.unwrap_or_default()).or_default()[side] += 1;
                });
                for (value, more) in found {
                    let bin = counts.entry(value).or_default();
                    (0..2).for_each(|side| bin[side] += more[side]);
                }
            }
        }
    }

    /// The index in thousandths; `None` where a side has no accounts.
    pub fn thousandths(&self) -> Option<i64> {
        let bins = match self {
            Distribution::Bins { counts, .. } => counts.clone(),
            Distribution::Magnitudes { counts } => {
                let (null, values) = counts.split_last().expect("one is of nulls");
                let mut bins = tenths(values.iter().copied());
                bins.push(*null);
                bins
            }
            Distribution::Values { counts } => tenths(counts.values().copied()),
        };
        stability_index(&bins)
    }
}

/// Calls `to` with every value; in turn of the left and the right side, so that one count need not wait for
/// the other.
fn each(sides: [Option<&Ints>; 2], pairs: &Pairs, mut to: impl FnMut(usize, Option<i64>)) {
    for (left, right) in pairs.iter() {
        for (side, row) in [left, right].into_iter().enumerate() {
            if let Some(ints) = sides[side].filter(|_| row != NONE) {
                to(side, ints.get(row as usize).copied());
            }
        }
    }
}

/// The position of a value's magnitude among all, ascending.
fn magnitude_index(value: i64) -> usize {
    MAGNITUDES.wrapping_add_signed(step(value, DIGITS) as isize)
}

/// Joins neighbours until each bin holds a tenth of the left side, as nearly as they allow.
fn tenths(counts: impl Iterator<Item = Pair> + Clone) -> Vec<Pair> {
    let total: u64 = counts.clone().map(|[left, _]| left).sum();
    let mut bins = vec![[0; 2]];
    let mut seen = 0;
    for [left, right] in counts {
        // A bin is full once the left side has come to its share of tenths.
        if seen * TENTHS >= total * bins.len() as u64 && (bins.len() as u64) < TENTHS && total > 0 && left > 0
        {
            bins.push([0; 2]);
        }
        let last = bins.last_mut().expect("there is one");
        last[0] += left;
        last[1] += right;
        seen += left;
    }
    bins
}

fn stability_index(bins: &[Pair]) -> Option<i64> {
    let [left, right] = [0, 1].map(|side| bins.iter().map(|bin| bin[side]).sum::<u64>());
    if left == 0 || right == 0 {
        return None;
    }
    let index: f64 = bins
        .iter()
        .filter(|bin| **bin != [0; 2])
        .map(|[l, r]| {
            let (l, r) = (share(*l, left), share(*r, right));
            (r - l) * logarithm(r / l)
        })
        .sum();
    Some((index * 1000.0).round() as i64)
}

/// The share of the accounts of one side; half an account stands for none.
fn share(count: u64, total: u64) -> f64 {
    (if count == 0 { 0.5 } else { count as f64 }) / total as f64
}

/// The natural logarithm by operations that every machine rounds alike: x = m · 2ᵉ with m near 1, and
/// ln m = 2 artanh((m − 1) ÷ (m + 1)).
fn logarithm(x: f64) -> f64 {
    const TERMS: i32 = 24;
    let (mut m, mut e) = (x, 0.0);
    while m > std::f64::consts::SQRT_2 {
        m /= 2.0;
        e += 1.0;
    }
    while m < std::f64::consts::FRAC_1_SQRT_2 {
        m *= 2.0;
        e -= 1.0;
    }
    let y = (m - 1.0) / (m + 1.0);
    let (mut power, mut sum) = (y, 0.0);
    for term in 0..TERMS {
        sum += power / f64::from(2 * term + 1);
        power *= y * y;
    }
    2.0 * sum + e * std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_that_of_the_standard_library() {
        for x in [1e-9, 0.001, 0.5, 0.9, 1.0, 1.1, 2.0, 3.0, 1234.5, 1e12] {
            assert!((logarithm(x) - f64::ln(x)).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn a_textbook_case() {
        // Two bins: 50 % and 50 % before, 60 % and 40 % after: 0.1 ln 1.2 − 0.1 ln 0.8 = 0.0405.
        assert_eq!(stability_index(&[[50, 60], [50, 40]]), Some(41));
        assert_eq!(stability_index(&[[50, 50], [50, 50]]), Some(0));
        assert_eq!(stability_index(&[[0, 0], [50, 50]]), Some(0));
        assert_eq!(stability_index(&[[1, 0]]), None);
    }

    #[test]
    fn tenths_hold_a_tenth_of_the_left_side_each() {
        let mut distribution = Distribution::values();
        let pairs: Pairs = (0..100).map(|row| (row, NONE)).collect();
        distribution.add([Some(&Ints::all((0..100).collect())), None], &pairs);
        let Distribution::Values { counts } = &distribution else { unreachable!() };
        assert_eq!(tenths(counts.values().copied()), vec![[10, 0]; 10]);
    }
}
