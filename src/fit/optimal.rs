//! The partition of fine bins with the largest information value: dynamic programming over where bins end.

use std::cmp::Ordering;

use super::evidence::{Evidence, OutcomeWeights};

/// What every bin must have, and how many there may be.
#[derive(Debug, Clone, Copy)]
pub struct BinLimits {
    /// The least weight of rows in a bin.
    pub min_rows: u64,
    /// The least weight of bads in a bin.
    pub min_bads: u64,
    /// No more bins.
    pub max_bins: usize,
}

/// How the bad rate goes from one bin to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend {
    /// It falls: more points for larger values.
    Falling,
    /// It rises.
    Rising,
    /// In any way.
    Free,
}

impl Trend {
    /// Whether a bin may follow another.
    fn allows(self, order: Ordering) -> bool {
        match self {
            Trend::Falling => order == Ordering::Greater,
            Trend::Rising => order == Ordering::Less,
            Trend::Free => true,
        }
    }
}

/// A partition: where bins end among the fine ones, the last at their number, and what it tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Partition {
    /// Ascending.
    pub ends: Vec<usize>,
    /// Its information value.
    pub iv: f64,
}

/// The best partitions of fine bins by their number of bins, from one bin on; none where even one bin would be too small.
/// Of partitions that tell as much, the one with lower ends.
pub fn best_partitions(
    fine: &[OutcomeWeights],
    evidence: &Evidence,
    limits: BinLimits,
    trend: Trend,
) -> Vec<Partition> {
    let table = SpanTable::of(fine, evidence, limits);
    let steps = table.order_of_rates(evidence, trend);
    let mut levels: Vec<Level> = vec![table.first_level()];
    while levels.len() < limits.max_bins.min(fine.len()) {
        let next = table.next_level(&levels[levels.len() - 1], &steps, evidence, trend);
        if next.iv.iter().all(|iv| iv.is_nan()) {
            break;
        }
        levels.push(next);
    }
    (0..levels.len()).filter_map(|last| table.best(&levels[..=last])).collect()
}

/// Every run of fine bins: what happened in it, and whether it may be a bin.
struct SpanTable {
    /// How many fine bins.
    fine: usize,
    /// Of the fine bins before each.
    before: Vec<OutcomeWeights>,
    /// By [`SpanTable::slot`]; not a number where the run is no bin.
    iv: Vec<f64>,
}

/// The best partitions into so many bins, by the last bin.
struct Level {
    /// By slot of the last bin; not a number where there is none.
    iv: Vec<f64>,
    /// By slot of the last bin: where the bin before it begins.
    begins: Vec<u16>,
}

impl SpanTable {
    fn of(fine: &[OutcomeWeights], evidence: &Evidence, limits: BinLimits) -> SpanTable {
        let mut before = vec![OutcomeWeights::default()];
        for counts in fine {
            before.push(before[before.len() - 1] + *counts);
        }
        let mut table = SpanTable { fine: fine.len(), iv: Vec::new(), before };
        table.iv = vec![f64::NAN; (fine.len() + 1) * (fine.len() + 1)];
        for from in 0..fine.len() {
            for to in from + 1..=fine.len() {
                let counts = table.counts(from, to);
                if counts.rows() >= limits.min_rows.max(1) && counts.bad >= limits.min_bads {
                    let slot = table.slot(from, to);
                    table.iv[slot] = evidence.iv(counts);
                }
            }
        }
        table
    }

    /// Where the fine bins from `from` up to `to` stand in tables.
    fn slot(&self, from: usize, to: usize) -> usize {
        from * (self.fine + 1) + to
    }

    fn counts(&self, from: usize, to: usize) -> OutcomeWeights {
        self.before[to] - self.before[from]
    }

    /// By end: the beginnings of bins that end there; those that any bin may follow first.
    fn order_of_rates(&self, evidence: &Evidence, trend: Trend) -> Vec<Vec<u16>> {
        let by_end = (0..=self.fine).map(|end| {
            let begins = (0..end).filter(|from| !self.iv[self.slot(*from, end)].is_nan());
            let mut begins: Vec<u16> = begins.map(|from| from as u16).collect();
            let rate = |a: &u16, b: &u16| evidence.compare_bad_rates(self.span(*a, end), self.span(*b, end));
            match trend {
                Trend::Falling => begins.sort_by(|a, b| rate(b, a)),
                Trend::Rising => begins.sort_by(|a, b| rate(a, b)),
                Trend::Free => {}
            }
            begins
        });
        by_end.collect()
    }

    fn span(&self, from: u16, to: usize) -> OutcomeWeights {
        self.counts(usize::from(from), to)
    }

    fn first_level(&self) -> Level {
        let mut iv = vec![f64::NAN; self.iv.len()];
        let all = 1..=self.fine;
        all.for_each(|end| iv[self.slot(0, end)] = self.iv[self.slot(0, end)]);
        Level { iv, begins: vec![0; self.iv.len()] }
    }

    fn next_level(&self, last: &Level, steps: &[Vec<u16>], evidence: &Evidence, trend: Trend) -> Level {
        let mut next = Level { iv: vec![f64::NAN; self.iv.len()], begins: vec![0; self.iv.len()] };
        for (middle, begins) in steps.iter().enumerate() {
            // The best of the first so many of the bins before.
            let mut best: Vec<(f64, u16)> = Vec::with_capacity(begins.len());
            for begin in begins {
                let own = (last.iv[self.slot(usize::from(*begin), middle)], *begin);
                let is_better = best
                    .last()
                    .is_none_or(|(iv, known)| iv.is_nan() || own.0 > *iv || (own.0 == *iv && own.1 < *known));
                let kept = if is_better { own } else { best[best.len() - 1] };
                best.push(kept);
            }
            for end in middle + 1..=self.fine {
                let slot = self.slot(middle, end);
                if self.iv[slot].is_nan() {
                    continue;
                }
                let own = self.counts(middle, end);
                let followed = begins.partition_point(|begin| {
                    trend.allows(evidence.compare_bad_rates(self.span(*begin, middle), own))
                });
                let Some((iv, begin)) = followed.checked_sub(1).map(|last| best[last]) else { continue };
                next.iv[slot] = iv + self.iv[slot];
                next.begins[slot] = begin;
            }
        }
        next
    }

    /// The best partition of all fine bins at the last of some levels.
    fn best(&self, levels: &[Level]) -> Option<Partition> {
        let last = &levels[levels.len() - 1];
        let mut found: Option<(usize, f64)> = None;
        for from in 0..self.fine {
            let iv = last.iv[self.slot(from, self.fine)];
            if !iv.is_nan() && found.is_none_or(|(_, best)| iv > best) {
                found = Some((from, iv));
            }
        }
        let (mut from, iv) = found?;
        let mut ends = vec![self.fine];
        for level in levels.iter().skip(1).rev() {
            let end = ends[ends.len() - 1];
            let begin = usize::from(level.begins[self.slot(from, end)]);
            ends.push(from);
            from = begin;
        }
        ends.reverse();
        Some(Partition { ends, iv })
    }
}
