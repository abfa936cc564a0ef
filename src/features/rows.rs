//! Rows reduced to what accumulators need: account, date, the groups they count in, values.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use num_bigint::BigInt;

use super::interner::Interner;
use super::masks::{NOWHERE, Patterns, Sieve};
use super::plan::{FeaturePlan, Reach};
use crate::expr::column::NULL_CODE;
use crate::expr::{Column, Frame, Ints};

/// Packed rows, column by column.
#[derive(Default)]
pub(super) struct Packed {
    numbers: Vec<u32>,
    dates: Vec<i32>,
    /// By row, its pattern: which groups it counts in.
    patterns: Vec<u32>,
    /// By value of the plan, by row; empty where rows are without it.
    values: Vec<Vec<i64>>,
    /// By row, values of the plan that do not fit in 64 bits.
    wide: BTreeMap<u32, Vec<WideValue>>,
    /// What the rows were sifted by.
    sieve: Option<Box<Sieve>>,
}

/// A value of a row that does not fit in 64 bits.
#[derive(Debug, Clone)]
pub(super) struct WideValue {
    /// Position among the plan's values.
    pub number: usize,
    /// The value.
    pub value: BigInt,
}

/// Whose a row is, and of which day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    /// The number of the account, or of its slot.
    pub number: u32,
    /// Days since 1970-01-01.
    pub date: i32,
}

impl Packed {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// A row's account, or its slot; of a row that counts nowhere, that of the row before it.
    #[inline]
    pub fn number(&self, row: u32) -> u32 {
        self.numbers[row as usize]
    }

    /// A row's date, in days since 1970-01-01.
    #[inline]
    pub fn date(&self, row: u32) -> i32 {
        self.dates[row as usize]
    }

    /// Those of some rows that count somewhere.
    pub fn counting(&self, rows: Range<usize>) -> impl Iterator<Item = u32> {
        (rows.start as u32..rows.end as u32).filter(|row| self.patterns[*row as usize] != NOWHERE)
    }

    /// A row's pattern.
    #[inline]
    pub fn pattern(&self, row: u32) -> u32 {
        self.patterns[row as usize]
    }

    /// The patterns.
    pub fn patterns(&self) -> Option<&Patterns> {
        self.sieve.as_ref().map(|sieve| sieve.patterns())
    }

    /// Whether some row has values that do not fit in 64 bits.
    pub fn has_wide(&self) -> bool {
        !self.wide.is_empty()
    }

    /// The values of a row that do not fit.
    pub fn wide(&self, row: u32) -> &[WideValue] {
        self.wide.get(&row).map_or(&[], Vec::as_slice)
    }

    /// By row, one of the plan's values; to be looked at only where a group takes it in which the row counts.
    pub fn values(&self, number: usize) -> &[i64] {
        &self.values[number]
    }
}

/// A row that counts for a slot.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hit {
    /// The slot within its part.
    pub slot: u32,
    /// The row among the packed ones.
    pub row: u32,
    /// Days from the row's date to the slot's.
    pub age: u32,
}

/// The rows of `frame` (columns by position in the source's scope), with the groups within `reach` that they count
/// in; its columns the frame holds. `owner` says whose a row is, or `None` to count it nowhere; the interner
/// numbers the values that are counted as distinct. The room of packed rows of `before` is used again.
pub(super) fn pack(
    plan: &FeaturePlan,
    interner: &Interner,
    frame: &Frame,
    reach: &Reach,
    before: Packed,
    owner: impl Fn(usize) -> Option<Owner>,
) -> Packed {
    let Packed { mut numbers, mut dates, mut patterns, mut values, mut wide, sieve } = before;
    let taken =
        plan.values.iter().zip(&reach.values).map(|(value, is_read)| is_read.then(|| value.of(frame)));
    let taken: Vec<Option<Cow<Column>>> = taken.collect();
    let sieve = sieve.filter(|sieve| sieve.suits(frame));
    let mut sieve = sieve.unwrap_or_else(|| Box::new(Sieve::new(plan, frame, reach)));
    sieve.sift(plan, frame, &taken, &mut patterns);
    numbers.clear();
    dates.clear();
    let mut last = 0;
    for (row, pattern) in patterns.iter_mut().enumerate() {
        let owner = owner(row);
        if owner.is_none() {
            *pattern = NOWHERE;
        }
        last = owner.map_or(last, |owner| owner.number);
        numbers.push(last);
        dates.push(owner.map_or(0, |owner| owner.date));
    }
    values.resize(plan.values.len(), Vec::new());
    wide.clear();
    for (number, (column, own)) in taken.iter().zip(&mut values).enumerate() {
        own.clear();
        let is_numbered = plan.values[number].is_numbered;
        match column.as_deref() {
            None => {}
            Some(Column::Wide(ints)) => {
                let narrow = Column::Int(narrowed(number, ints, &mut wide));
                put_numbers(own, interner, &narrow, is_numbered);
            }
            Some(column) => put_numbers(own, interner, column, is_numbered),
        }
    }
    Packed { numbers, dates, patterns, values, wide, sieve: Some(sieve) }
}

/// The values of a column as far as they fit, 0 for the others, which are put by.
fn narrowed(number: usize, ints: &Ints<BigInt>, wide: &mut BTreeMap<u32, Vec<WideValue>>) -> Ints {
    let values = (0..ints.values.len()).map(|row| {
        let value = ints.get(row)?;
        let narrow = i64::try_from(value.clone()).ok();
        if narrow.is_none() {
            wide.entry(row as u32).or_default().push(WideValue { number, value: value.clone() });
        }
        Some(narrow.unwrap_or(0))
    });
    values.collect()
}

/// Adds a column's values: themselves, or a small number for each.
fn put_numbers(values: &mut Vec<i64>, interner: &Interner, column: &Column, is_numbered: bool) {
    match column {
        Column::Int(ints) if is_numbered => values.extend(interner.numbers_of_ints(&ints.values)),
        Column::Int(ints) => values.extend(&ints.values),
        Column::Bool(truths) => values.extend(truths.iter().map(|truth| i64::from(*truth))),
        Column::Text(texts) => {
            let numbers = interner.numbers(&texts.dictionary);
            values.extend(texts.codes.iter().map(|code| {
                // Where it is null, nobody looks at the value.
                if *code == NULL_CODE { 0 } else { i64::from(numbers[*code as usize]) }
            }));
        }
        Column::Wide(_) => unreachable!("what is wide was narrowed"),
    }
}
