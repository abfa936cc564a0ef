//! Shares of rows below a score, and the bound of another score that keeps such a share.

use super::values::roundest;

/// The values of a score over rows, by weight.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScoreShares {
    /// Ascending values, each once, with the weight of the rows up to and at it.
    reached: Vec<(i64, u64)>,
}

impl ScoreShares {
    /// Of values with weights.
    pub fn of(rows: impl IntoIterator<Item = (i64, u64)>) -> ScoreShares {
        let mut values: Vec<(i64, u64)> = rows.into_iter().filter(|(_, weight)| *weight > 0).collect();
        values.sort_unstable();
        let mut reached: Vec<(i64, u64)> = Vec::new();
        let mut sum = 0_u64;
        for (value, weight) in values {
            sum = sum.saturating_add(weight);
            match reached.last_mut().filter(|last| last.0 == value) {
                Some(last) => last.1 = sum,
                None => reached.push((value, sum)),
            }
        }
        ScoreShares { reached }
    }

    /// The weight of all rows.
    pub fn all(&self) -> u64 {
        self.reached.last().map_or(0, |last| last.1)
    }

    /// The weight of the rows below a value.
    pub fn below(&self, bound: i64) -> u64 {
        let position = self.reached.partition_point(|(value, _)| *value < bound);
        position.checked_sub(1).map_or(0, |last| self.reached[last].1)
    }

    /// The share of rows below a value in basis points, rounded half up; 0 without rows.
    pub fn below_bp(&self, bound: i64) -> u64 {
        let all = u128::from(self.all());
        if all == 0 { 0 } else { ((20_000 * u128::from(self.below(bound)) + all) / (2 * all)) as u64 }
    }

    /// Whether all rows have one value, or there are none.
    pub fn is_constant(&self) -> bool {
        self.reached.len() < 2
    }

    /// The bound below which as much lies here as below `bound` in another distribution of the same rows, or as near to
    /// that as can be; of two that are as near, the lower one. It is `bound` itself where that keeps the share as well, and
    /// else the roundest of those that part the same rows.
    pub fn bound_as_in(&self, other: &ScoreShares, bound: i64) -> i64 {
        let wanted = other.below(bound);
        let distance = |own: u64| own.abs_diff(wanted);
        // Number `n` lies above the first n values: between the one before it and the one at it.
        let (mut best, mut below) = (0, 0);
        for (number, (_, reached)) in self.reached.iter().enumerate() {
            if distance(*reached) < distance(below) {
                (best, below) = (number + 1, *reached);
            }
        }
        if distance(self.below(bound)) <= distance(below) {
            return bound;
        }
        let least = best.checked_sub(1).map(|before| self.reached[before].0);
        let most = self.reached.get(best).map(|at| at.0);
        match (least, most) {
            (Some(least), Some(most)) => roundest(least, most),
            (Some(least), None) => least.saturating_add(1),
            (None, most) => most.unwrap_or(bound),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_keeps_the_share_below_it() {
        let old = ScoreShares::of((0..100).map(|row| (row, 1)));
        let new = ScoreShares::of((0..100).map(|row| (row * 7 + 300, 1)));
        assert_eq!((old.below(30), old.below_bp(30), new.below(300)), (30, 3_000, 0));
        let bound = new.bound_as_in(&old, 30);
        assert_eq!((bound, new.below(bound)), (510, 30));
        assert_eq!(new.bound_as_in(&old, -5), -5);
        assert_eq!(new.bound_as_in(&old, 1_000), 1_000);
        assert_eq!(new.bound_as_in(&old, 100), 994);
        assert_eq!(ScoreShares::default().bound_as_in(&old, 30), 30);
        let lumps = ScoreShares::of([(1, 60), (5, 40)]);
        assert_eq!(lumps.bound_as_in(&old, 30), 1);
        assert_eq!(lumps.bound_as_in(&old, 31), 5);
    }
}
