//! Finished features, a partition of accounts at a time, each in as few bytes as its values need.

use super::SHIFT;
use crate::expr::{Column, Ints};

/// Every feature of every account, in file order.
#[derive(Debug, Clone, Default)]
pub struct FeatureTable {
    /// By partition, by feature.
    parts: Vec<Vec<Narrow>>,
}

/// Values of one feature for the accounts of one partition; the least value of a width stands for null.
#[derive(Debug, Clone)]
pub(super) enum Narrow {
    Bytes(Vec<i8>),
    Shorts(Vec<i16>),
    Ints(Vec<i32>),
    Longs(Vec<i64>),
    /// Where some value is the least there is.
    Any(Ints),
}

impl Narrow {
    pub(super) fn of(ints: Ints) -> Narrow {
        let valid = || (0..ints.values.len()).filter_map(|row| ints.get(row).copied());
        let (least, most) = valid().fold((0, 0), |(least, most), value| (value.min(least), value.max(most)));
        let within = |low: i64, high: i64| least > low && most <= high;
        let or_null = |null: i64| {
            let ints = &ints;
            (0..ints.values.len()).map(move |row| ints.get(row).copied().unwrap_or(null))
        };
        if within(i8::MIN.into(), i8::MAX.into()) {
            Narrow::Bytes(or_null(i8::MIN.into()).map(|value| value as i8).collect())
        } else if within(i16::MIN.into(), i16::MAX.into()) {
            Narrow::Shorts(or_null(i16::MIN.into()).map(|value| value as i16).collect())
        } else if within(i32::MIN.into(), i32::MAX.into()) {
            Narrow::Ints(or_null(i32::MIN.into()).map(|value| value as i32).collect())
        } else if within(i64::MIN, i64::MAX) {
            Narrow::Longs(or_null(i64::MIN).collect())
        } else {
            Narrow::Any(ints)
        }
    }

    pub(super) fn get(&self, row: usize) -> Option<i64> {
        match self {
            Narrow::Bytes(values) => Some(values[row]).filter(|value| *value != i8::MIN).map(i64::from),
            Narrow::Shorts(values) => Some(values[row]).filter(|value| *value != i16::MIN).map(i64::from),
            Narrow::Ints(values) => Some(values[row]).filter(|value| *value != i32::MIN).map(i64::from),
            Narrow::Longs(values) => Some(values[row]).filter(|value| *value != i64::MIN),
            Narrow::Any(ints) => ints.get(row).copied(),
        }
    }

    /// As a column again.
    pub(super) fn widen(&self) -> Column {
        let rows = match self {
            Narrow::Bytes(values) => values.len(),
            Narrow::Shorts(values) => values.len(),
            Narrow::Ints(values) => values.len(),
            Narrow::Longs(values) => values.len(),
            Narrow::Any(ints) => ints.values.len(),
        };
        Column::Int((0..rows).map(|row| self.get(row)).collect())
    }
}

impl FeatureTable {
    pub(super) fn of_parts(parts: Vec<Vec<Narrow>>) -> FeatureTable {
        FeatureTable { parts }
    }

    /// A table of whole columns, one a feature, one row an account.
    pub fn of(columns: &[Column]) -> FeatureTable {
        let ints = |column: &'_ Column| match column {
            Column::Int(ints) => ints.clone(),
            _ => unreachable!("features are integers"),
        };
        let columns: Vec<Ints> = columns.iter().map(ints).collect();
        let accounts = columns.first().map_or(0, |column| column.values.len());
        let part = |start: usize| {
            let rows = start..(start + (1 << SHIFT)).min(accounts);
            let of_column = |column: &Ints| rows.clone().map(|row| column.get(row).copied()).collect();
            columns.iter().map(|column| Narrow::of(of_column(column))).collect()
        };
        FeatureTable { parts: (0..accounts).step_by(1 << SHIFT).map(part).collect() }
    }

    /// A feature of an account; `None` where it is null.
    #[inline]
    pub fn get(&self, feature: usize, account: usize) -> Option<i64> {
        self.parts[account >> SHIFT][feature].get(account & ((1 << SHIFT) - 1))
    }

    /// A feature of some accounts.
    pub fn gather(&self, feature: usize, accounts: &[u32]) -> Column {
        Column::Int(accounts.iter().map(|account| self.get(feature, *account as usize)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_nulls_keep_at_every_width() {
        for extreme in [0, -127, 127, -128, 32_767, -32_768, i64::from(i32::MIN), i64::MAX, i64::MIN] {
            let values = [Some(extreme), None, Some(1)];
            let narrow = Narrow::of(values.into_iter().collect());
            let found: Vec<Option<i64>> = (0..3).map(|row| narrow.get(row)).collect();
            assert_eq!(found, values, "{extreme}");
        }
    }
}
