//! Finished features, a part at a time, each in as few bytes as its values need.

use std::ops::Range;

use super::asked::Part;
use crate::expr::{Column, Ints};
use crate::pieces::piece;

/// Every feature of every account asked, on each day it is asked for, in file order. What is called an account here
/// is a slot: of a night they are the same.
#[derive(Debug, Clone, Default)]
pub struct FeatureTable {
    /// By part, its first account; the number of accounts behind the last.
    starts: Vec<usize>,
    /// By part, by feature.
    parts: Vec<Vec<Narrow>>,
}

/// Accounts of a part of columns that were whole.
const PART_ROWS: usize = piece(2_048, 4);

/// Values of one feature for the accounts of one part; the least value of a width stands for null.
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
        let valid = (0..ints.values.len()).filter_map(|row| ints.get(row).copied());
        let (least, most) = valid.fold((0, 0), |(least, most), value| (value.min(least), value.max(most)));
        // The least value of a width is left to stand for null.
        if least > i8::MIN.into() && most <= i8::MAX.into() {
            Narrow::Bytes(or_null(&ints, i8::MIN.into()).map(|value| value as i8).collect())
        } else if least > i16::MIN.into() && most <= i16::MAX.into() {
            Narrow::Shorts(or_null(&ints, i16::MIN.into()).map(|value| value as i16).collect())
        } else if least > i32::MIN.into() && most <= i32::MAX.into() {
            Narrow::Ints(or_null(&ints, i32::MIN.into()).map(|value| value as i32).collect())
        } else if least > i64::MIN {
            Narrow::Longs(or_null(&ints, i64::MIN).collect())
        } else {
            Narrow::Any(ints)
        }
    }

    fn get(&self, row: usize) -> Option<i64> {
        let mut found = None;
        self.each([row].into_iter(), |value| found = value);
        found
    }

    /// Calls `to` with the values of some rows, `None` where null.
    fn each(&self, rows: impl Iterator<Item = usize>, mut to: impl FnMut(Option<i64>)) {
        match self {
            Narrow::Bytes(values) => {
                rows.map(|row| values[row]).for_each(|v| to((v != i8::MIN).then_some(v.into())));
            }
            Narrow::Shorts(values) => {
                rows.map(|row| values[row]).for_each(|v| to((v != i16::MIN).then_some(v.into())));
            }
            Narrow::Ints(values) => {
                rows.map(|row| values[row]).for_each(|v| to((v != i32::MIN).then_some(v.into())));
            }
            Narrow::Longs(values) => {
                rows.map(|row| values[row]).for_each(|v| to((v != i64::MIN).then_some(v)));
            }
            Narrow::Any(ints) => rows.for_each(|row| to(ints.get(row).copied())),
        }
    }

    fn len(&self) -> usize {
        match self {
            Narrow::Bytes(values) => values.len(),
            Narrow::Shorts(values) => values.len(),
            Narrow::Ints(values) => values.len(),
            Narrow::Longs(values) => values.len(),
            Narrow::Any(ints) => ints.values.len(),
        }
    }

    /// The values of some rows.
    pub(super) fn gather(&self, rows: &[u32]) -> Narrow {
        let mut ints = IntsBuilder::with_capacity(rows.len());
        self.each(rows.iter().map(|row| *row as usize), |value| ints.push(value));
        Narrow::of(ints.finish())
    }

    /// As a column again.
    pub(super) fn widen(&self) -> Column {
        let mut ints = Ints::all(Vec::with_capacity(self.len()));
        self.append_to(&mut ints, 0..self.len());
        Column::Int(ints)
    }

    /// Adds the values of a run of rows at the end of a column.
    fn append_to(&self, all: &mut Ints, rows: Range<usize>) {
        match self {
            Narrow::Bytes(values) => append(all, &values[rows], i8::MIN),
            Narrow::Shorts(values) => append(all, &values[rows], i16::MIN),
            Narrow::Ints(values) => append(all, &values[rows], i32::MIN),
            Narrow::Longs(values) => append(all, &values[rows], i64::MIN),
            Narrow::Any(ints) => {
                let before = all.values.len();
                all.values.extend(&ints.values[rows.clone()]);
                let valid = all.valid.get_or_insert_with(|| vec![true; before]);
                valid.extend(rows.map(|row| ints.is_valid(row)));
            }
        }
    }
}

/// By row, the value, or what stands for null.
fn or_null(ints: &Ints, null: i64) -> impl Iterator<Item = i64> {
    (0..ints.values.len()).map(move |row| ints.get(row).copied().unwrap_or(null))
}

/// Adds values at the end of a column, of which one stands for null.
fn append<T: Copy + PartialEq + Into<i64>>(all: &mut Ints, values: &[T], null: T) {
    let before = all.values.len();
    all.values.extend(values.iter().map(|value| (*value).into()));
    if all.valid.is_some() || values.contains(&null) {
        let valid = all.valid.get_or_insert_with(|| vec![true; before]);
        valid.extend(values.iter().map(|value| *value != null));
    }
}

/// Integers that are added one by one.
struct IntsBuilder {
    values: Vec<i64>,
    valid: Vec<bool>,
}

impl IntsBuilder {
    fn with_capacity(rows: usize) -> IntsBuilder {
        IntsBuilder { values: Vec::with_capacity(rows), valid: Vec::with_capacity(rows) }
    }

    #[inline]
    fn push(&mut self, value: Option<i64>) {
        self.values.push(value.unwrap_or_default());
        self.valid.push(value.is_some());
    }

    fn finish(self) -> Ints {
        Ints { values: self.values, valid: self.valid.contains(&false).then_some(self.valid) }
    }
}

impl FeatureTable {
    pub(super) fn of_parts(narrow: Vec<Vec<Narrow>>, parts: &[Part]) -> FeatureTable {
        let starts = parts.iter().map(|part| part.slots().start);
        let end = parts.last().map_or(0, |part| part.slots().end);
        FeatureTable { starts: starts.chain([end]).collect(), parts: narrow }
    }

    /// A table of whole columns, one a feature, one row an account.
    pub fn of(columns: &[Column]) -> FeatureTable {
        let accounts = columns.first().map_or(0, Column::len);
        let starts = (0..accounts).step_by(PART_ROWS);
        let parts = starts.clone().map(|start| {
            let rows = start..(start + PART_ROWS).min(accounts);
            let narrow = columns.iter().map(|column| match column {
                Column::Int(ints) => Narrow::of(rows.clone().map(|row| ints.get(row).copied()).collect()),
                _ => unreachable!("features are integers"),
            });
            narrow.collect()
        });
        FeatureTable { parts: parts.collect(), starts: starts.chain([accounts]).collect() }
    }

    /// The part of an account, and its row within it.
    #[inline]
    fn locate(&self, account: usize) -> (usize, usize) {
        let part = self.starts.partition_point(|start| *start <= account) - 1;
        (part, account - self.starts[part])
    }

    /// A feature of an account; `None` where it is null.
    #[inline]
    pub fn get(&self, feature: usize, account: usize) -> Option<i64> {
        let (part, row) = self.locate(account);
        self.parts[part][feature].get(row)
    }

    /// A feature of some accounts, best in order.
    pub fn gather(&self, feature: usize, accounts: &[u32]) -> Column {
        let mut ints = IntsBuilder::with_capacity(accounts.len());
        let mut rest = accounts;
        while let Some(first) = rest.first() {
            let (part, _) = self.locate(*first as usize);
            let own = self.starts[part]..self.starts[part + 1];
            let count = rest.iter().take_while(|account| own.contains(&(**account as usize))).count();
            let (of_part, after) = rest.split_at(count);
            let rows = of_part.iter().map(|account| *account as usize - own.start);
            self.parts[part][feature].each(rows, |value| ints.push(value));
            rest = after;
        }
        Column::Int(ints.finish())
    }

    /// A feature of a run of accounts.
    pub fn column(&self, feature: usize, accounts: Range<usize>) -> Ints {
        let mut ints = Ints::all(Vec::with_capacity(accounts.len()));
        self.within_parts(feature, accounts).for_each(|(part, rows)| part.append_to(&mut ints, rows));
        ints
    }

    /// Calls `to` with a feature of a run of accounts, `None` where it is null.
    pub fn each(&self, feature: usize, accounts: Range<usize>, mut to: impl FnMut(Option<i64>)) {
        self.within_parts(feature, accounts).for_each(|(part, rows)| part.each(rows, &mut to));
    }

    /// The parts of a feature that a run of accounts lies in, and its rows within each.
    fn within_parts(
        &self,
        feature: usize,
        accounts: Range<usize>,
    ) -> impl Iterator<Item = (&Narrow, Range<usize>)> {
        let first = self.starts.partition_point(|start| *start <= accounts.start).saturating_sub(1);
        let own = self.starts.windows(2).zip(&self.parts).skip(first);
        own.take_while(move |(ends, _)| ends[0] < accounts.end).map(move |(ends, part)| {
            let rows = accounts.start.max(ends[0]) - ends[0]..accounts.end.min(ends[1]) - ends[0];
            (&part[feature], rows)
        })
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
