//! The values of a feature with what happened at each, and fine bins of them.

use crate::expr::Ints;

use super::evidence::OutcomeWeights;

/// No feature is cut finer before its bins are searched for: as many distinct values, or else as many parts of equal
/// weight.
pub const MOST_FINE_BINS: usize = 200;

/// What happened at every value of a feature.
#[derive(Debug, Clone, Default)]
pub struct ValueOutcomes {
    /// Ascending, each once.
    pub values: Vec<(i64, OutcomeWeights)>,
    /// Where the feature is null.
    pub null: OutcomeWeights,
}

impl ValueOutcomes {
    /// Counts a column; `rows` has one entry a row of it.
    pub fn of(column: &Ints, rows: &[OutcomeWeights]) -> ValueOutcomes {
        let mut null = OutcomeWeights::default();
        let mut values: Vec<(i64, OutcomeWeights)> = Vec::with_capacity(rows.len());
        for (row, counts) in rows.iter().enumerate() {
            match column.get(row) {
                Some(value) => values.push((*value, *counts)),
                None => null += *counts,
            }
        }
        values.sort_unstable_by_key(|(value, _)| *value);
        values.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                kept.1 += later.1;
            }
            is_same
        });
        values.retain(|(_, counts)| counts.rows() > 0);
        ValueOutcomes { values, null }
    }

    /// Takes some values out; what happened at each, 0 where it does not occur.
    pub fn take_out(&mut self, special: &[i64]) -> Vec<OutcomeWeights> {
        let found = special.iter().map(|value| {
            let position = self.values.binary_search_by_key(value, |(value, _)| *value).ok();
            position.map_or(OutcomeWeights::default(), |position| self.values.remove(position).1)
        });
        found.collect()
    }

    /// Fine bins: a value each where they are few, else of about equal weight.
    pub fn fine_bins(&self) -> Vec<FineBin> {
        let all: u128 = self.values.iter().map(|(_, counts)| u128::from(counts.rows())).sum();
        let is_few = self.values.len() <= MOST_FINE_BINS;
        let (mut before, mut last) = (0, None);
        let mut bins: Vec<FineBin> = Vec::new();
        for (number, (value, counts)) in self.values.iter().enumerate() {
            let weight = u128::from(counts.rows());
            // Where the middle of the value's rows lies among all.
            let part = (2 * before + weight) * MOST_FINE_BINS as u128 / (2 * all).max(1);
            let part = if is_few { number as u128 } else { part };
            before += weight;
            match bins.last_mut().filter(|_| last == Some(part)) {
                Some(bin) => {
                    bin.most = *value;
                    bin.counts += *counts;
                }
                None => bins.push(FineBin { least: *value, most: *value, counts: *counts }),
            }
            last = Some(part);
        }
        bins
    }
}

/// Neighbouring values that are never parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FineBin {
    /// The least value in it.
    pub least: i64,
    /// The largest.
    pub most: i64,
    /// What happened in it.
    pub counts: OutcomeWeights,
}

/// The roundest integer above `below` and no larger than `most`: 0, or else a multiple of the largest of 1, 2 and 5 times
/// the powers of ten; of those the one nearest to the middle.
pub fn roundest(below: i64, most: i64) -> i64 {
    let (below, most) = (i128::from(below), i128::from(most));
    let multiple = |step: i128| {
        let (first, last) = (below.div_euclid(step) + 1, most.div_euclid(step));
        let middle = (below + most).div_euclid(2 * step).clamp(first.min(last), last);
        // Of two that are as near, the lower one.
        (first <= last).then_some(middle * step)
    };
    if below < 0 && most >= 0 {
        return 0;
    }
    const POWERS: u32 = 19;
    let steps = (0..POWERS).rev().flat_map(|power| [5, 2, 1].map(|factor| factor * 10_i128.pow(power)));
    let found = steps.into_iter().find_map(multiple).unwrap_or(most);
    i64::try_from(found).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_are_round_and_part_the_same_rows() {
        for (below, most, cut) in [
            (0, 1, 1),
            (1, 2, 2),
            (-1, 0, 0),
            (-5, 3, 0),
            (0, 7, 5),
            (30, 47, 40),
            (999, 1_001, 1_000),
            (3_316, 3_318, 3_318),
            (-1_500, -1_400, -1_400),
            (i64::MIN, i64::MIN + 1, i64::MIN + 1),
            (i64::MAX - 1, i64::MAX, i64::MAX),
            (i64::MIN, i64::MAX, 0),
        ] {
            let found = roundest(below, most);
            assert!(below < found && found <= most, "{below} {found} {most}");
            assert_eq!(found, cut, "{below} {most}");
        }
    }

    #[test]
    fn fine_bins_have_about_the_same_weight() {
        let column = Ints::all((0..10_000).collect());
        let rows = vec![OutcomeWeights::of(1, false); 10_000];
        let fine = ValueOutcomes::of(&column, &rows).fine_bins();
        assert_eq!(fine.len(), MOST_FINE_BINS);
        assert!(fine.iter().all(|bin| bin.counts.rows() == 50), "{fine:?}");
        assert!(fine.windows(2).all(|pair| pair[0].most < pair[1].least));
    }
}
