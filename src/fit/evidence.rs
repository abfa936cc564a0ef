//! Goods and bads, and what a share of them tells: weight of evidence and information value.

use std::cmp::Ordering;
use std::ops::{Add, AddAssign, Sub};

/// So many more rows every bin is counted with, at the bad rate of all rows: no bin is without goods or without bads,
/// and what few rows say is not taken for more than it is.
pub const PRIOR_ROWS: u64 = 10;

/// Rows by what happened to them, by weight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutcomeWeights {
    /// Rows that are good.
    pub good: u64,
    /// Rows that are bad.
    pub bad: u64,
}

impl OutcomeWeights {
    /// So many rows of one outcome.
    pub fn of(weight: u64, is_bad: bool) -> OutcomeWeights {
        if is_bad { OutcomeWeights { good: 0, bad: weight } } else { OutcomeWeights { good: weight, bad: 0 } }
    }

    /// All rows.
    pub fn rows(self) -> u64 {
        self.good + self.bad
    }

    /// The share of bads; 0 without rows.
    pub fn bad_rate(self) -> f64 {
        if self.rows() == 0 { 0.0 } else { self.bad as f64 / self.rows() as f64 }
    }
}

impl Add for OutcomeWeights {
    type Output = OutcomeWeights;

    fn add(self, other: OutcomeWeights) -> OutcomeWeights {
        OutcomeWeights { good: self.good + other.good, bad: self.bad + other.bad }
    }
}

impl Sub for OutcomeWeights {
    type Output = OutcomeWeights;

    fn sub(self, other: OutcomeWeights) -> OutcomeWeights {
        OutcomeWeights { good: self.good - other.good, bad: self.bad - other.bad }
    }
}

impl AddAssign for OutcomeWeights {
    fn add_assign(&mut self, other: OutcomeWeights) {
        *self = *self + other;
    }
}

/// What bins are held against: all rows, among which there are goods and bads.
#[derive(Debug, Clone, Copy)]
pub struct Evidence {
    /// All of them.
    pub all: OutcomeWeights,
}

/// No more rows are fitted on, by weight: products of four such numbers fit in 128 bits.
pub const MOST_ROWS: u64 = 1 << 31;

impl Evidence {
    /// The goods and bads of a bin with [`PRIOR_ROWS`] more, each times the number of all rows: exact.
    fn smoothed(&self, bin: OutcomeWeights) -> (u128, u128) {
        let (rows, prior) = (u128::from(self.all.rows()), u128::from(PRIOR_ROWS));
        let with_prior = |own: u64, all: u64| u128::from(own) * rows + prior * u128::from(all);
        (with_prior(bin.good, self.all.good), with_prior(bin.bad, self.all.bad))
    }

    /// How the bad rates of two bins compare, [`PRIOR_ROWS`] included; exact.
    pub fn compare_bad_rates(&self, one: OutcomeWeights, other: OutcomeWeights) -> Ordering {
        let ((good, bad), (other_good, other_bad)) = (self.smoothed(one), self.smoothed(other));
        (bad * other_good).cmp(&(other_bad * good))
    }

    /// The weight of evidence of a bin: the logarithm of its odds of good to bad over those of all rows. More is better.
    pub fn woe(&self, bin: OutcomeWeights) -> f64 {
        let (good, bad) = self.smoothed(bin);
        libm::log(good as f64 / bad as f64) - libm::log(self.all.good as f64 / self.all.bad as f64)
    }

    /// What a bin adds to the information value: never negative.
    pub fn iv(&self, bin: OutcomeWeights) -> f64 {
        let share = |own: u64, all: u64| own as f64 / all as f64;
        (share(bin.good, self.all.good) - share(bin.bad, self.all.bad)) * self.woe(bin)
    }
}
