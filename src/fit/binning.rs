//! The bins of a feature: ordinary ones by value, special values and null in bins of their own.

use crate::expr::Ints;

use super::evidence::{Evidence, OutcomeWeights};
use super::optimal::{BinLimits, Partition, Trend, best_partitions};
use super::values::{FineBin, ValueOutcomes, roundest};

/// How the bins of a feature are made.
#[derive(Debug, Clone)]
pub struct BinningRule<'a> {
    /// Values in bins of their own.
    pub special: &'a [i64],
    /// The lower ends of all ordinary bins but the first; `None` where they are searched for.
    pub cuts: Option<&'a [i64]>,
    /// What ordinary bins must have.
    pub limits: BinLimits,
    /// How the bad rate may go; of several the one that tells more, of those that tell as much the first.
    pub trends: &'a [Trend],
}

/// The bins of a feature.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureBins {
    /// Ranges of values, ascending; the last has no upper bound.
    pub ranges: Vec<ValueRangeBin>,
    /// What happened in each bin: ordinary ones by value, special values ascending, null.
    pub counts: Vec<OutcomeWeights>,
    /// How many of them are ordinary.
    pub ordinary: usize,
    /// The weight of evidence of each bin.
    pub woe: Vec<f64>,
    /// The information value.
    pub iv: f64,
    /// How the bad rate goes over the ordinary bins.
    pub trend: Trend,
}

/// Values less than a bound, and not in the range before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueRangeBin {
    /// The bound; `None` takes all the rest.
    pub below: Option<i64>,
    /// Position of the bin; an ordinary bin that a special value parts has two ranges.
    pub bin: usize,
}

impl FeatureBins {
    /// Makes the bins of a feature from what happened at each of its values.
    pub fn of(mut values: ValueOutcomes, evidence: &Evidence, rule: &BinningRule) -> FeatureBins {
        let mut special = rule.special.to_vec();
        special.sort_unstable();
        special.dedup();
        let of_special = values.take_out(&special);
        let (cuts, trend) = match rule.cuts {
            Some(cuts) => (cuts.to_vec(), Trend::Free),
            None => search(&values, evidence, rule),
        };
        let mut counts = vec![OutcomeWeights::default(); cuts.len() + 1];
        for (value, own) in &values.values {
            counts[cuts.partition_point(|cut| cut <= value)] += *own;
        }
        let ordinary = counts.len();
        counts.extend(of_special);
        counts.push(values.null);
        let woe = counts.iter().map(|bin| evidence.woe(*bin)).collect();
        let iv = counts.iter().map(|bin| evidence.iv(*bin)).sum();
        FeatureBins { ranges: ranges(&cuts, &special), counts, ordinary, woe, iv, trend }
    }

    /// The ranges in words, ascending.
    pub fn range_names(&self) -> Vec<String> {
        let mut from = None;
        let mut names = Vec::with_capacity(self.ranges.len());
        for ValueRangeBin { below, .. } in &self.ranges {
            names.push(range_name(from, *below));
            from = *below;
        }
        names
    }

    /// The bins in words: ranges for ordinary ones, values for special ones, null.
    pub fn bin_names(&self) -> Vec<String> {
        let mut names: Vec<Vec<String>> = vec![Vec::new(); self.counts.len()];
        for (range, name) in self.ranges.iter().zip(self.range_names()) {
            names[range.bin].push(name);
        }
        names[self.null()].push("null".to_string());
        names.into_iter().map(|names| names.join(" or ")).collect()
    }

    /// The bin of nulls.
    pub fn null(&self) -> usize {
        self.counts.len() - 1
    }

    /// The bin of a value.
    pub fn bin_of(&self, value: Option<i64>) -> usize {
        let Some(value) = value else { return self.null() };
        let range = self.ranges.partition_point(|range| range.below.is_some_and(|below| below <= value));
        self.ranges[range].bin
    }

    /// The bin of every row of a column.
    pub fn bins_of(&self, column: &Ints) -> Vec<u8> {
        (0..column.values.len()).map(|row| self.bin_of(column.get(row).copied()) as u8).collect()
    }

    /// Whether all rows are in one bin.
    pub fn is_constant(&self) -> bool {
        self.counts.iter().filter(|bin| bin.rows() > 0).count() < 2
    }

    /// Whether no bin has both goods and bads: the outcome can be read off the feature.
    pub fn separates(&self) -> bool {
        self.counts.iter().all(|bin| bin.good == 0 || bin.bad == 0)
    }
}

fn range_name(from: Option<i64>, below: Option<i64>) -> String {
    match (from, below) {
        (None, None) => "all values".to_string(),
        (None, Some(below)) => format!("below {below}"),
        (Some(from), None) => format!("from {from}"),
        (Some(from), Some(below)) if from.checked_add(1) == Some(below) => from.to_string(),
        (Some(from), Some(below)) => format!("{from} to {}", below - 1),
    }
}

/// The cuts with the largest information value, and how the bad rate goes over them.
fn search(values: &ValueOutcomes, evidence: &Evidence, rule: &BinningRule) -> (Vec<i64>, Trend) {
    let fine = values.fine_bins();
    let counts: Vec<OutcomeWeights> = fine.iter().map(|bin| bin.counts).collect();
    let mut best: Option<(Partition, Trend)> = None;
    for trend in rule.trends {
        let partitions = best_partitions(&counts, evidence, rule.limits, *trend);
        for partition in partitions {
            if best.as_ref().is_none_or(|(known, _)| tells_more(partition.iv, known.iv)) {
                best = Some((partition, *trend));
            }
        }
    }
    match best {
        Some((partition, trend)) => (cuts(&fine, &partition), trend),
        None => (Vec::new(), rule.trends.first().copied().unwrap_or(Trend::Free)),
    }
}

/// Whether an information value is larger by more than sums in another order could make it.
fn tells_more(iv: f64, known: f64) -> bool {
    const ROUNDING: f64 = 1e-12;
    iv > known + ROUNDING
}

/// The roundest cuts that part the same rows.
fn cuts(fine: &[FineBin], partition: &Partition) -> Vec<i64> {
    let ends = &partition.ends[..partition.ends.len() - 1];
    ends.iter().map(|end| roundest(fine[end - 1].most, fine[*end].least)).collect()
}

/// Ordinary bins and special values as ranges.
fn ranges(cuts: &[i64], special: &[i64]) -> Vec<ValueRangeBin> {
    let mut bounds: Vec<i64> = cuts.to_vec();
    for value in special {
        bounds.push(*value);
        bounds.extend(value.checked_add(1));
    }
    bounds.sort_unstable();
    bounds.dedup();
    // A range below the least value there is would be empty.
    bounds.retain(|bound| *bound != i64::MIN);
    let bin_at = |value: i64| match special.binary_search(&value) {
        Ok(position) => cuts.len() + 1 + position,
        Err(_) => cuts.partition_point(|cut| *cut <= value),
    };
    let mut from = i64::MIN;
    let mut ranges = Vec::with_capacity(bounds.len() + 1);
    for bound in bounds {
        ranges.push(ValueRangeBin { below: Some(bound), bin: bin_at(from) });
        from = bound;
    }
    ranges.push(ValueRangeBin { below: None, bin: bin_at(from) });
    ranges
}
