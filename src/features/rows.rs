//! Rows reduced to what accumulators need: account, age, the groups they count in, values.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Interner;
use super::accumulate::{Cells, Segments};
use super::plan::{BITS, Plan, Reach};
use crate::day::Day;
use crate::expr::column::NULL_CODE;
use crate::expr::{Column, Frame, Truths};

/// Packed rows: a word of account and age, words of group bits, a word a value.
#[derive(Debug, Default, Clone)]
pub struct Packed {
    words: Vec<u64>,
    mask_words: usize,
    values: usize,
}

/// One packed row.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    words: &'a [u64],
    mask_words: usize,
}

impl Packed {
    fn stride(&self) -> usize {
        1 + self.mask_words + self.values
    }

    /// The rows.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        let mask_words = self.mask_words;
        self.words.chunks_exact(self.stride()).map(move |words| Row { words, mask_words })
    }

    /// The words of all rows, and how many a row has.
    pub fn words(&self) -> (&[u64], usize) {
        (&self.words, self.stride())
    }

    /// Rows from their words, of the shape a plan gives them.
    pub fn from_words(plan: &Plan, words: Vec<u64>) -> Packed {
        Packed { words, ..Packed::of(plan) }
    }

    /// No rows, of the shape of `other`.
    pub fn like(other: &Packed) -> Packed {
        Packed { words: Vec::new(), ..*other }
    }

    /// No rows, of the shape a plan gives them.
    pub fn of(plan: &Plan) -> Packed {
        Packed { words: Vec::new(), mask_words: plan.mask_words(), values: plan.values.len() }
    }

    /// One of the rows.
    #[inline]
    pub fn row(&self, number: usize) -> Row<'_> {
        let stride = self.stride();
        Row { words: &self.words[number * stride..][..stride], mask_words: self.mask_words }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.words.len() / self.stride()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Adds a row of the same shape.
    #[inline]
    pub fn push(&mut self, row: Row) {
        self.words.extend_from_slice(row.words);
    }

    /// Adds a row of the same shape, under another number of its account and at another age.
    pub fn push_as(&mut self, row: Row, account: u32, age: u32) {
        self.words.push(head(account, age));
        self.words.extend_from_slice(&row.words[1..]);
    }
}

#[inline]
fn head(account: u32, age: u32) -> u64 {
    u64::from(account) | u64::from(age) << 32
}

impl Row<'_> {
    /// Position of the account.
    #[inline]
    pub fn account(&self) -> u32 {
        self.words[0] as u32
    }

    /// Days from the row's date to the as-of date.
    #[inline]
    pub fn age(&self) -> u32 {
        (self.words[0] >> 32) as u32
    }

    /// The groups it counts in, ascending.
    #[inline]
    pub fn groups(&self) -> impl Iterator<Item = usize> {
        self.words[1..=self.mask_words].iter().enumerate().flat_map(|(word, bits)| {
            let mut left = *bits;
            std::iter::from_fn(move || {
                if left == 0 {
                    return None;
                }
                let bit = left.trailing_zeros();
                left &= left - 1;
                Some(word * BITS + bit as usize)
            })
        })
    }

    /// One of the plan's values.
    #[inline]
    pub fn value(&self, number: usize) -> i64 {
        self.words[1 + self.mask_words + number] as i64
    }
}

/// Packs rows of one source.
pub struct Packer<'a> {
    plan: &'a Plan,
    interner: &'a Interner,
}

impl<'a> Packer<'a> {
    /// A packer for a plan; the interner numbers the texts that are counted as distinct values.
    pub fn new(plan: &'a Plan, interner: &'a Interner) -> Packer<'a> {
        Packer { plan, interner }
    }

    /// Appends the rows of `frame` (columns by position in the source's scope) that count in some
    /// group within `reach`, whose columns the frame holds. `place` gives a row's account and age, or
    /// `None` to leave it out. `each` hears of every row appended.
    pub fn pack(
        &self,
        frame: &Frame,
        reach: &Reach,
        place: impl Fn(usize) -> Option<(u32, u32)>,
        packed: &mut Packed,
        mut each: impl FnMut(usize),
    ) {
        let plan = self.plan;
        (packed.mask_words, packed.values) = (plan.mask_words(), plan.values.len());
        let filters = plan.filters.iter().zip(&reach.filters);
        let filters: Vec<Option<Truths>> =
            filters.map(|(filter, is_read)| is_read.then(|| filter.truths(frame))).collect();
        let values = plan.values.iter().zip(&reach.values);
        let columns: Vec<Option<&Column>> = values
            .clone()
            .map(|(value, is_read)| is_read.then(|| frame.columns[value.slot].expect("the frame holds it")))
            .collect();
        let values: Vec<Option<Cow<[i64]>>> = values
            .zip(&columns)
            .map(|((value, _), column)| column.map(|column| self.numbers(column, value.is_numbered)))
            .collect();
        let masks: Vec<Vec<u64>> = (0..packed.mask_words)
            .map(|word| self.masks(word, frame.rows, reach.groups[word], &filters, &columns))
            .collect();
        for row in 0..frame.rows {
            if masks.iter().all(|mask| mask[row] == 0) {
                continue;
            }
            let Some((account, age)) = place(row) else { continue };
            packed.words.push(head(account, age));
            masks.iter().for_each(|mask| packed.words.push(mask[row]));
            let value = |values: &Option<Cow<[i64]>>| values.as_ref().map_or(0, |values| values[row] as u64);
            values.iter().for_each(|values| packed.words.push(value(values)));
            each(row);
        }
    }

    /// By row, which of the `reached` of 64 groups it counts in. Groups with one filter and one value
    /// share a pass.
    fn masks(
        &self,
        word: usize,
        rows: usize,
        reached: u64,
        filters: &[Option<Truths>],
        columns: &[Option<&Column>],
    ) -> Vec<u64> {
        let mut passes: BTreeMap<(Option<usize>, Option<usize>), u64> = BTreeMap::new();
        for (bit, group) in self.plan.groups.iter().skip(word * BITS).take(BITS).enumerate() {
            if reached >> bit & 1 == 1 {
                let value = group.value.filter(|value| columns[*value].is_some_and(Column::has_nulls));
                *passes.entry((group.filter, value)).or_default() |= 1 << bit;
            }
        }
        let mut masks = vec![0; rows];
        for ((filter, value), bits) in passes {
            let filter = filter.map(|filter| filters[filter].as_ref().expect("filters in reach are read"));
            match (filter, value.and_then(|value| columns[value])) {
                (None, None) => masks.iter_mut().for_each(|mask| *mask |= bits),
                (Some(filter), None) => {
                    let truths = masks.iter_mut().zip(filter.iter());
                    truths.for_each(|(mask, truth)| *mask |= if truth { bits } else { 0 });
                }
                (filter, Some(value)) => {
                    for (row, mask) in masks.iter_mut().enumerate() {
                        let counts = value.is_valid(row) && filter.is_none_or(|filter| filter.is_true(row));
                        *mask |= if counts { bits } else { 0 };
                    }
                }
            }
        }
        masks
    }

    /// A column's values: themselves, or a small number for each.
    fn numbers<'c>(&self, column: &'c Column, is_numbered: bool) -> Cow<'c, [i64]> {
        match column {
            Column::Int(ints) if is_numbered => Cow::Owned(self.interner.numbers_of_ints(&ints.values)),
            Column::Int(ints) => Cow::Borrowed(&ints.values),
            Column::Bool(truths) => Cow::Owned(truths.iter().map(|truth| i64::from(*truth)).collect()),
            Column::Text(texts) => {
                let numbers = self.interner.numbers(&texts.dictionary);
                let number =
                    |code: &u32| if *code == NULL_CODE { 0 } else { i64::from(numbers[*code as usize]) };
                Cow::Owned(texts.codes.iter().map(number).collect())
            }
            Column::Wide(_) => unreachable!("no row column is wide"),
        }
    }
}

/// Accumulates the rows of a frame that all belong to one partition.
pub fn accumulate(
    plan: &Plan,
    frame: &Frame,
    place: impl Fn(usize) -> Option<(u32, u32)>,
    partition: std::ops::Range<u32>,
) -> Cells {
    let mut cells = Cells::new(plan, partition.len());
    if !plan.is_empty() {
        let mut packed = Packed::default();
        let interner = Interner::default();
        let packer = Packer::new(plan, &interner);
        packer.pack(frame, &plan.reach(|_, _| true), place, &mut packed, |_| {});
        cells.add(plan, &Segments::new(plan, Day(0)), partition.start, packed.iter());
    }
    cells.settle(plan);
    cells
}

/// Accumulates every partition in parallel.
pub(super) fn by_partition<T: Send>(count: usize, each: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    (0..count).into_par_iter().map(each).collect()
}
