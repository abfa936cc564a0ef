//! How often a feature takes which values, in steps of fixed width, so that counts over parts of a book add up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::magnitude::{bound, farthest, step};

/// Steps that values are counted by are at most 1/128 wide, and below 256 exact.
const FINE_DIGITS: u32 = 7;

/// Those of a [`ValueCounts::histogram`] are at most 1/8 wide, and below 16 exact.
pub const HISTOGRAM_DIGITS: u32 = 3;

/// Values of a feature over some accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueCounts {
    /// Accounts for which it is null.
    pub nulls: u64,
    /// The least value; `None` where all are null.
    pub min: Option<i64>,
    /// The largest value.
    pub max: Option<i64>,
    /// Accounts by fine step.
    steps: BTreeMap<i32, u64>,
}

impl ValueCounts {
    /// Counts values, which `each` gives one by one, `None` where null.
    pub fn of(each: impl FnOnce(&mut dyn FnMut(Option<i64>))) -> ValueCounts {
        let mut counts = ValueCounts::default();
        let mut steps = vec![0_u64; 2 * FARTHEST as usize + 1];
        let (mut min, mut max) = (i64::MAX, i64::MIN);
        each(&mut |value| match value {
            None => counts.nulls += 1,
            Some(value) => {
                (min, max) = (min.min(value), max.max(value));
                steps[(FARTHEST + step(value, FINE_DIGITS)) as usize] += 1;
            }
        });
        (counts.min, counts.max) = if min <= max { (Some(min), Some(max)) } else { (None, None) };
        let counted = (-FARTHEST..).zip(steps).filter(|(_, accounts)| *accounts > 0);
        counts.steps.extend(counted);
        counts
    }

    /// Adds those of other accounts.
    pub fn add(&mut self, other: &ValueCounts) {
        self.nulls += other.nulls;
        self.min = self.min.into_iter().chain(other.min).min();
        self.max = self.max.into_iter().chain(other.max).max();
        for (step, accounts) in &other.steps {
            *self.steps.entry(*step).or_default() += accounts;
        }
    }

    /// Accounts for which it is 0.
    pub fn zeros(&self) -> u64 {
        self.steps.get(&0).copied().unwrap_or_default()
    }

    /// The value that so many hundredths of the values do not exceed, by nearest rank: exact below 256, otherwise the
    /// bound, nearest zero, of the step it lies in, which is at most 1/128 off; `None` where all are null.
    pub fn quantile(&self, percent: u64) -> Option<i64> {
        let (min, max) = (self.min?, self.max?);
        let values: u64 = self.steps.values().sum();
        let rank = (u128::from(values) * u128::from(percent)).div_ceil(100).max(1);
        let mut up_to = 0_u128;
        for (step, accounts) in &self.steps {
            up_to += u128::from(*accounts);
            if up_to >= rank {
                return Some(bound(*step, FINE_DIGITS).clamp(min, max));
            }
        }
        Some(max)
    }

    /// Accounts by wide step, in order: the value of the step nearest zero, and how many.
    pub fn histogram(&self) -> Vec<(i64, u64)> {
        let mut wide: BTreeMap<i64, u64> = BTreeMap::new();
        for (fine, accounts) in &self.steps {
            let step = step(bound(*fine, FINE_DIGITS), HISTOGRAM_DIGITS);
            *wide.entry(bound(step, HISTOGRAM_DIGITS)).or_default() += accounts;
        }
        wide.into_iter().collect()
    }
}

/// How far fine steps are from that of 0 at most.
const FARTHEST: i32 = farthest(FINE_DIGITS) as i32;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[Option<i64>]) -> ValueCounts {
        ValueCounts::of(|to| values.iter().for_each(|value| to(*value)))
    }

    #[test]
    fn quantiles_are_exact_where_values_are_small() {
        let values: Vec<Option<i64>> = (-20..=40).map(Some).chain([None, None]).collect();
        let counts = of(&values);
        assert_eq!((counts.nulls, counts.zeros(), counts.min, counts.max), (2, 1, Some(-20), Some(40)));
        let quantiles = [0, 1, 50, 100].map(|percent| counts.quantile(percent));
        assert_eq!(quantiles, [-20, -20, 10, 40].map(Some));
        assert_eq!(of(&[None]).quantile(50), None);
    }

    #[test]
    fn counts_of_parts_add_up() {
        let values: Vec<Option<i64>> =
            (0..500_i64).map(|n| (n % 7 > 0).then_some((n - 200) * n * n * 1_000)).collect();
        let (first, second) = values.split_at(123);
        let mut all = of(first);
        all.add(&of(second));
        assert_eq!(all, of(&values));
        let histogram = all.histogram();
        assert_eq!(histogram.iter().map(|(_, accounts)| accounts).sum::<u64>() + all.nulls, 500);
        assert!(histogram.is_sorted_by_key(|(bound, _)| *bound));
    }
}
