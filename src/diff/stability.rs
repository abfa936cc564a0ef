//! How far a distribution has moved: the population stability index.
//!
//! PSI = Σ (r − l) · ln(r ÷ l) over bins, l and r being the shares of each side's accounts in a bin; a
//! bin that is empty on one side counts as half an account there, one that is empty on both is left out
//! (Siddiqi, Credit Risk Scorecards, 2006). Bins are a characteristic's own, with one for null; or tenths
//! of the left side.

use std::collections::BTreeMap;

use super::cells::{NONE, Pairs};
use crate::expr::Ints;

/// Accounts of both sides in a bin.
pub type Pair = [u64; 2];

/// Values of both sides, counted as they come.
#[derive(Debug, Clone)]
pub enum Distribution {
    /// By bin of a characteristic: the upper bounds, exclusive, ascending, and the counts, one more.
    Bins { below: Vec<i64>, counts: Vec<Pair>, null: Pair },
    /// By magnitude: values nearer to 0 than 16 for themselves, others with those that begin with the
    /// same four binary digits.
    Magnitudes { counts: Vec<Pair>, null: Pair },
    /// Every value for itself; for what takes few values.
    Values { counts: BTreeMap<i64, Pair> },
}

/// Values nearer to 0 are told apart.
const EXACT: usize = 16;

/// Binary digits after the first that tell magnitudes apart.
const DIGITS: u32 = 3;

/// Magnitudes of one sign: those told apart, and 8 for each power of two from 2⁴ to 2⁶³.
const MAGNITUDES: usize = EXACT + 60 * (1 << DIGITS);

/// Bins that the left side is cut into.
const TENTHS: u64 = 10;

impl Distribution {
    /// By the bins of a characteristic, given by their upper bounds.
    pub fn bins(below: Vec<i64>) -> Distribution {
        let counts = vec![[0; 2]; below.len() + 1];
        Distribution::Bins { below, counts, null: [0; 2] }
    }

    /// By magnitude.
    pub fn magnitudes() -> Distribution {
        Distribution::Magnitudes { counts: vec![[0; 2]; 2 * MAGNITUDES], null: [0; 2] }
    }

    /// Value by value.
    pub fn values() -> Distribution {
        Distribution::Values { counts: BTreeMap::new() }
    }

    /// Counts the values of both sides' rows; a side without the column has no values.
    pub fn add(&mut self, left: Option<&Ints>, right: Option<&Ints>, pairs: &Pairs) {
        let add = |bin: &mut Pair, more: Pair| {
            bin[0] += more[0];
            bin[1] += more[1];
        };
        match self {
            Distribution::Bins { below, counts, null } => count(left, right, pairs, null, |value, more| {
                let bin = below.iter().position(|below| value < *below).unwrap_or(below.len());
                add(&mut counts[bin], more);
            }),
            Distribution::Magnitudes { counts, null } => {
                count(left, right, pairs, null, |value, more| add(&mut counts[place(value)], more));
            }
            Distribution::Values { counts } => {
                let mut found = hashbrown::HashMap::<i64, Pair, foldhash::fast::FixedState>::default();
                count(left, right, pairs, &mut [0; 2], |value, more| {
                    add(found.entry(value).or_default(), more)
                });
                found.into_iter().for_each(|(value, more)| add(counts.entry(value).or_default(), more));
            }
        }
    }

    /// The index in thousandths; `None` where a side has no accounts.
    pub fn thousandths(&self) -> Option<i64> {
        let bins = match self {
            Distribution::Bins { counts, null, .. } => counts.iter().chain([null]).copied().collect(),
            Distribution::Magnitudes { counts, null } => {
                let mut bins = tenths(counts.iter().copied());
                bins.push(*null);
                bins
            }
            Distribution::Values { counts } => tenths(counts.values().copied()),
        };
        stability_index(&bins)
    }
}

/// Counts by `add`; a value that both sides have is placed once.
fn count(
    left: Option<&Ints>,
    right: Option<&Ints>,
    pairs: &Pairs,
    null: &mut Pair,
    mut add: impl FnMut(i64, Pair),
) {
    let is_whole = |ints: &Ints, rows: &[u32]| ints.valid.is_none() && !rows.contains(&NONE);
    if let (Some(a), Some(b)) = (left, right)
        && is_whole(a, &pairs.left)
        && is_whole(b, &pairs.right)
    {
        for (i, j) in pairs.iter() {
            let (left, right) = (a.values[i as usize], b.values[j as usize]);
            if left == right {
                add(left, [1, 1]);
            } else {
                add(left, [1, 0]);
                add(right, [0, 1]);
            }
        }
        return;
    }
    let cell = |ints: Option<&Ints>, row: u32| {
        let ints = ints.filter(|_| row != NONE)?;
        Some(ints.get(row as usize).copied())
    };
    for (i, j) in pairs.iter() {
        let (left, right) = (cell(left, i), cell(right, j));
        if let (Some(Some(a)), Some(Some(b))) = (left, right)
            && a == b
        {
            add(a, [1, 1]);
            continue;
        }
        for (side, cell) in [left, right].into_iter().enumerate() {
            match cell {
                None => {}
                Some(None) => null[side] += 1,
                Some(Some(value)) => add(value, if side == 0 { [1, 0] } else { [0, 1] }),
            }
        }
    }
}

/// Where a value's magnitude stands among all, ascending.
fn place(value: i64) -> usize {
    let size = value.unsigned_abs();
    let magnitude = match usize::try_from(size) {
        Ok(small) if small < EXACT => small,
        _ => {
            let power = 63 - size.leading_zeros();
            let digits = (size >> (power - DIGITS)) as usize & ((1 << DIGITS) - 1);
            EXACT + ((power as usize - 4) << DIGITS) + digits
        }
    };
    if value < 0 { MAGNITUDES - 1 - magnitude } else { MAGNITUDES + magnitude }
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
    let total = |side: usize| bins.iter().map(|bin| bin[side]).sum::<u64>();
    let (left, right) = (total(0), total(1));
    if left == 0 || right == 0 {
        return None;
    }
    let share = |count: u64, total: u64| (if count == 0 { 0.5 } else { count as f64 }) / total as f64;
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
    fn magnitudes_ascend_with_the_values() {
        let values =
            [i64::MIN, -1_000_000, -17, -16, -15, -1, 0, 1, 15, 16, 17, 18, 31, 32, 1 << 40, i64::MAX];
        let places: Vec<usize> = values.iter().map(|value| place(*value)).collect();
        assert!(places.is_sorted(), "{places:?}");
        assert!(*places.last().unwrap() < 2 * MAGNITUDES);
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
        let pairs = Pairs { left: (0..100).collect(), right: vec![NONE; 100] };
        distribution.add(Some(&Ints::all((0..100).collect())), None, &pairs);
        let Distribution::Values { counts } = &distribution else { unreachable!() };
        assert_eq!(tenths(counts.values().copied()), vec![[10, 0]; 10]);
    }
}
