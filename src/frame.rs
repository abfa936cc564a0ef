//! Frames: the room where polars is spoken. Columns in, expressions over them, exact integers out.
//!
//! A frame holds some rows of a book, never all of it; its columns are Int64 with nulls. polars adds without a look
//! at what a type can hold. So whatever is added up over rows is added in Int128, which the values of a frame cannot
//! run over, and the sums of frame after frame are added with a check.

pub mod sql;

use std::collections::BTreeMap;

use anyhow::Result;
use polars::chunked_array::ops::search_sorted::SearchSortedSide;
use polars::prelude::{
    Column, DataFrame, DataType, Field, Int32Chunked, Int64Chunked, Int128Chunked, IntoColumn, IntoLazy,
    LazyFrame, NamedFrom, OptFlags, Series,
};
pub use polars::prelude::{Expr, col, lit, when};

use crate::expr::column::NULL_CODE;
use crate::expr::{Ints, Texts};
use crate::failure::input;
use crate::hash::Map;
use crate::pieces::piece;

/// Rows of a frame over which many expressions are computed: enough that planning them costs little, few enough that
/// they stay near the processor.
pub const FRAME_ROWS: usize = piece(1 << 15, 3);

/// Rows of a frame that is grouped: the more there are, the fewer groups are found again.
pub const GROUP_ROWS: usize = piece(1 << 17, 3);

/// Some rows of whole numbers, as polars has them.
pub struct IntFrame {
    rows: usize,
    columns: Vec<Column>,
}

impl IntFrame {
    /// A frame of so many rows, without columns.
    pub fn new(rows: usize) -> IntFrame {
        IntFrame { rows, columns: Vec::new() }
    }

    /// With one column more.
    pub fn with(mut self, name: &str, ints: Ints) -> IntFrame {
        let valid = ints.valid.map(|valid| valid.as_slice().into());
        let column = Int64Chunked::from_vec_validity(name.into(), ints.values, valid);
        self.columns.push(column.into_column());
        self
    }

    /// The columns of the last of several steps, each of which sees the columns of the one before. All of it is done
    /// by the thread that calls: frames are what is spread over threads.
    pub fn compute(&self, steps: &[Vec<Expr>]) -> Computed {
        let frame = steps.iter().fold(self.lazy(), |frame, step| frame.with_columns_seq(step));
        Computed(collect(frame))
    }

    fn lazy(&self) -> LazyFrame {
        let frame =
            DataFrame::new(self.rows, self.columns.clone()).expect("columns are as long as the frame");
        // There is nothing to optimize in what is written here, and much to look through.
        frame.lazy().with_optimizations(OptFlags::TYPE_COERCION)
    }
}

/// Expressions over columns of known types fail only by a fault of the program.
fn collect(frame: LazyFrame) -> DataFrame {
    frame.collect().expect("the expressions fit the columns")
}

/// Columns that were computed.
pub struct Computed(DataFrame);

impl Computed {
    /// Copies a column of Int32 without nulls.
    pub fn copy_into(&self, name: &str, values: &mut [i32]) {
        let column = self.column(name);
        let column: &Int32Chunked = column.i32().expect("it is computed as Int32");
        let mut rest = values;
        for part in column.downcast_iter() {
            let (own, after) = rest.split_at_mut(part.len());
            own.copy_from_slice(part.values());
            rest = after;
        }
    }

    /// A column of bins.
    pub fn bins(&self, name: &str) -> impl Iterator<Item = u32> {
        let column = self.column(name);
        let column = column.u32().expect("bins are numbers");
        column.to_vec_null_aware().left().expect("no bin is null").into_iter()
    }

    fn column(&self, name: &str) -> &Series {
        self.0.column(name).expect("it is computed").as_materialized_series()
    }
}

/// Which bin a value lies in, by the bins' upper bounds, exclusive and ascending: 0 where it is null, 1 where it is
/// below the first bound.
pub fn bin(of: Expr, below: impl Iterator<Item = i64>) -> Expr {
    // A null is found before all values. No value is below the least, so that bound stands for where they begin.
    let bounds: Vec<i64> = [i64::MIN].into_iter().chain(below).collect();
    lit(Series::new("".into(), bounds)).search_sorted(of, SearchSortedSide::Right, false)
}

/// What is given for each value, null or not. Looking a bin up and then its points takes twice as long.
pub fn points(of: Expr, given_for: impl Fn(Option<i64>) -> i32 + Send + Sync + 'static) -> Expr {
    let kernel = move |column: Column| {
        let mut points = Vec::with_capacity(column.len());
        for part in column.as_materialized_series().i64()?.downcast_iter() {
            let values = part.values().iter().copied();
            match part.validity() {
                None => points.extend(values.map(|value| given_for(Some(value)))),
                Some(valid) => points
                    .extend(values.zip(valid).map(|(value, is_valid)| given_for(is_valid.then_some(value)))),
            }
        }
        Ok(Int32Chunked::from_vec(column.name().clone(), points).into_column())
    };
    of.map(kernel, |_, field| Ok(Field::new(field.name().clone(), DataType::Int32)))
}

/// A computed column as the columns of a frame are.
pub fn whole(of: Expr) -> Expr {
    of.cast(DataType::Int64)
}

/// A column as Int128, in which differences and sums of frames cannot run over.
pub fn wide(of: Expr) -> Expr {
    of.cast(DataType::Int128)
}

/// Rows counted, and expressions summed, by some keys, frame after frame.
pub struct FrameTotals<const KEYS: usize> {
    keys: [Expr; KEYS],
    aggregates: Vec<Expr>,
    groups: BTreeMap<[Option<i64>; KEYS], KeyTotals>,
}

/// What the rows with the same keys come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyTotals {
    /// How many rows.
    pub rows: u64,
    /// By summed expression.
    pub sums: Vec<i128>,
}

impl<const KEYS: usize> FrameTotals<KEYS> {
    /// By keys that are whole numbers or null.
    pub fn new(keys: [Expr; KEYS], sums: &[Expr]) -> FrameTotals<KEYS> {
        let mut number = 0;
        let keys = keys.map(|key| {
            number += 1;
            key.alias(format!("key {number}"))
        });
        let sums = sums.iter().enumerate();
        let sums = sums.map(|(number, sum)| wide(sum.clone()).sum().alias(format!("sum {number}")));
        let aggregates = [polars::prelude::len().alias("rows")].into_iter().chain(sums).collect();
        FrameTotals { keys, aggregates, groups: BTreeMap::new() }
    }

    /// Adds a frame. Fails where a sum does not fit.
    pub fn add(&mut self, frame: &IntFrame) -> Result<()> {
        let frame = frame.lazy();
        let grouped = if KEYS == 0 {
            collect(frame.select(&self.aggregates))
        } else {
            collect(frame.group_by(&self.keys).agg(&self.aggregates))
        };
        let columns: Vec<Series> = grouped.columns().iter().map(as_wide).collect();
        let columns: Vec<&Int128Chunked> = columns.iter().filter_map(|column| column.i128().ok()).collect();
        let (keys, aggregates) = columns.split_at(KEYS);
        for row in 0..grouped.height() {
            let key = std::array::from_fn(|column| keys[column].get(row).map(|key| key as i64));
            let mut values = aggregates.iter().map(|column| column.get(row).unwrap_or_default());
            let rows = values.next().unwrap_or_default() as u64;
            self.groups.entry(key).or_default().add(rows, values)?;
        }
        Ok(())
    }

    /// By keys, in their order, a null before all values.
    pub fn groups(&self) -> &BTreeMap<[Option<i64>; KEYS], KeyTotals> {
        &self.groups
    }
}

/// Keys, counts and sums alike.
fn as_wide(column: &Column) -> Series {
    let wide = column.as_materialized_series().cast(&DataType::Int128);
    wide.expect("keys, counts and sums are whole numbers")
}

impl KeyTotals {
    fn add(&mut self, rows: u64, sums: impl Iterator<Item = i128>) -> Result<()> {
        self.rows = self.rows.checked_add(rows).ok_or_else(run_over)?;
        for (number, sum) in sums.enumerate() {
            if self.sums.len() <= number {
                self.sums.push(0);
            }
            self.sums[number] = self.sums[number].checked_add(sum).ok_or_else(run_over)?;
        }
        Ok(())
    }
}

/// A mean in parts of a whole (1,000 for thousandths), rounded half away from zero; `None` where there are no rows.
pub fn mean(sum: i128, rows: u64, parts: i128) -> Option<i128> {
    let rows = i128::from(rows);
    if rows == 0 {
        return None;
    }
    let (whole, rest) = (sum * parts / rows, sum * parts % rows);
    Some(if 2 * rest.abs() >= rows { whole + sum.signum() } else { whole })
}

fn run_over() -> anyhow::Error {
    input("add up the rows of a table: the sum does not fit in 128 bits; check the amounts upstream")
}

/// Texts as numbers that are the same from frame to frame.
#[derive(Default)]
pub struct NameNumbers {
    names: Vec<String>,
    numbers: Map<String, i64>,
}

impl NameNumbers {
    /// A column as numbers; null where it is null.
    pub fn numbers(&mut self, texts: &Texts) -> Ints {
        let by_code: Vec<i64> = texts.dictionary.iter().map(|name| self.number(name)).collect();
        let number = |code: &u32| (*code != NULL_CODE).then(|| by_code[*code as usize]);
        texts.codes.iter().map(number).collect()
    }

    /// The number of a name.
    pub fn number(&mut self, name: &str) -> i64 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as i64;
        self.names.push(name.to_string());
        self.numbers.insert(name.to_string(), number);
        number
    }

    /// The name of a number; empty where it is null.
    pub fn name(&self, number: Option<i64>) -> &str {
        number.and_then(|number| self.names.get(number as usize)).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "value";

    fn frame(values: &[Option<i64>]) -> IntFrame {
        IntFrame::new(values.len()).with(VALUE, values.iter().copied().collect())
    }

    #[test]
    fn a_sum_may_be_larger_than_its_values() {
        let mut totals = FrameTotals::new([], &[col(VALUE)]);
        for _ in 0..3 {
            totals.add(&frame(&[Some(i64::MAX), Some(i64::MAX), None])).unwrap();
        }
        let group = totals.groups()[&[]].clone();
        assert_eq!(group, KeyTotals { rows: 9, sums: vec![6 * i128::from(i64::MAX)] });
    }

    #[test]
    fn a_difference_may_be_larger_than_its_values() {
        let mut totals = FrameTotals::new([], &[wide(col("new")) - wide(col("old"))]);
        let frame =
            IntFrame::new(1).with("new", Ints::all(vec![i64::MAX])).with("old", Ints::all(vec![i64::MIN]));
        totals.add(&frame).unwrap();
        assert_eq!(totals.groups()[&[]].sums, [i128::from(u64::MAX)]);
    }

    #[test]
    fn a_sum_that_runs_over_is_an_error() {
        let mut group = KeyTotals::default();
        group.add(1, [i128::MAX].into_iter()).unwrap();
        let error = group.add(1, [1].into_iter()).unwrap_err();
        assert_eq!(crate::failure::exit_code(&error), 3);
        assert!(error.to_string().contains("the sum does not fit in 128 bits"), "{error}");
        let mut group = KeyTotals { rows: u64::MAX, sums: Vec::new() };
        assert!(group.add(1, std::iter::empty()).is_err());
    }

    #[test]
    fn rows_are_grouped_by_keys_that_may_be_null() {
        let mut totals = FrameTotals::new([col(VALUE)], &[col(VALUE)]);
        totals.add(&frame(&[Some(2), None, Some(-2), Some(2)])).unwrap();
        totals.add(&frame(&[None, Some(2)])).unwrap();
        totals.add(&frame(&[])).unwrap();
        let found: Vec<(Option<i64>, u64, i128)> =
            totals.groups().iter().map(|([key], group)| (*key, group.rows, group.sums[0])).collect();
        assert_eq!(found, [(None, 2, 0), (Some(-2), 1, -2), (Some(2), 3, 6)]);
    }

    #[test]
    fn bins_begin_at_their_bounds_and_nulls_are_before_all() {
        let values = [None, Some(i64::MIN), Some(-1), Some(0), Some(9), Some(10), Some(i64::MAX)];
        let bins = |below: &[i64]| {
            let step = vec![bin(col(VALUE), below.iter().copied()).alias("bin")];
            frame(&values).compute(&[step]).bins("bin").collect::<Vec<u32>>()
        };
        assert_eq!(bins(&[]), [0, 1, 1, 1, 1, 1, 1]);
        assert_eq!(bins(&[0, 10]), [0, 1, 1, 2, 2, 3, 3]);
        assert_eq!(bins(&[i64::MIN, i64::MAX]), [0, 2, 2, 2, 2, 2, 3]);
    }

    #[test]
    fn means_are_rounded_half_away_from_zero() {
        let cases = [(1, 3, 333), (2, 3, 667), (-2, 3, -667), (1, 2000, 1), (-1, 2000, -1), (1, 2001, 0)];
        for (sum, rows, thousandths) in cases {
            assert_eq!(mean(sum, rows, 1000), Some(thousandths), "{sum} / {rows}");
        }
        assert_eq!(mean(0, 0, 1000), None);
    }

    #[test]
    fn a_name_keeps_its_number() {
        let mut names = NameNumbers::default();
        let first: Texts = [Some("b"), None, Some("a")].into_iter().collect();
        let second: Texts = [Some("a"), Some("c")].into_iter().collect();
        let (first, second) = (names.numbers(&first), names.numbers(&second));
        assert_eq!((first.get(0), first.get(1), first.get(2)), (Some(&0), None, Some(&1)));
        assert_eq!((second.get(0), second.get(1)), (Some(&1), Some(&2)));
        assert_eq!([names.name(Some(2)), names.name(None)], ["c", ""]);
    }
}
