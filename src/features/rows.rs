//! Rows reduced to what accumulators need: account, age, the groups they count in, values.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use super::Interner;
use super::accumulate::{Cells, Segments};
use super::masks::masks;
use super::plan::{Plan, Reach};
use crate::day::Day;
use crate::expr::column::NULL_CODE;
use crate::expr::{Column, Frame};

/// Packed rows, all of one shape: a word of account and age, words of group bits, a word a value.
#[derive(Debug, Clone)]
pub struct Packed {
    words: Vec<u64>,
    shape: Shape,
}

/// What a row's words are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// By value of the plan, its word within a row; [`ABSENT`] where rows are without it.
    places: Vec<u32>,
    mask_words: usize,
    stride: usize,
}

const ABSENT: u32 = u32::MAX;

/// One packed row.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    words: &'a [u64],
    shape: &'a Shape,
}

impl Shape {
    /// Rows with those of the plan's values that are wanted.
    fn new(plan: &Plan, wanted: &[bool]) -> Shape {
        let mask_words = plan.mask_words();
        let mut stride = 1 + mask_words;
        let mut place = |wanted: &bool| {
            stride += usize::from(*wanted);
            if *wanted { stride as u32 - 1 } else { ABSENT }
        };
        Shape { places: wanted.iter().map(&mut place).collect(), mask_words, stride }
    }
}

impl Packed {
    /// No rows, with all of the plan's values.
    pub fn of(plan: &Plan) -> Packed {
        Packed { words: Vec::new(), shape: Shape::new(plan, &vec![true; plan.values.len()]) }
    }

    /// No rows, with the values that are within reach.
    pub fn within(plan: &Plan, reach: &Reach) -> Packed {
        Packed { words: Vec::new(), shape: Shape::new(plan, &reach.values) }
    }

    /// Rows from their words, with all of the plan's values.
    pub fn from_words(plan: &Plan, words: Vec<u64>) -> Packed {
        Packed { words, ..Packed::of(plan) }
    }

    /// No rows, of the shape of others.
    pub fn like(other: &Packed) -> Packed {
        Packed { words: Vec::new(), shape: other.shape.clone() }
    }

    /// The rows.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.words.chunks_exact(self.shape.stride).map(|words| Row { words, shape: &self.shape })
    }

    /// The words of all rows, and how many a row has.
    pub fn words(&self) -> (&[u64], usize) {
        (&self.words, self.shape.stride)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.words.len() / self.shape.stride
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// One of the rows.
    #[inline]
    pub fn row(&self, number: usize) -> Row<'_> {
        let stride = self.shape.stride;
        Row { words: &self.words[number * stride..][..stride], shape: &self.shape }
    }

    /// Whether both are of one shape.
    pub fn is_like(&self, other: &Packed) -> bool {
        self.shape == other.shape
    }

    /// Adds a run of rows of the same shape.
    pub fn extend(&mut self, other: &Packed, rows: Range<usize>) {
        let stride = self.shape.stride;
        self.words.extend_from_slice(&other.words[rows.start * stride..rows.end * stride]);
    }

    /// Takes all rows away, and keeps the room they had.
    pub fn clear(&mut self) {
        self.words.clear();
    }

    /// Adds a row of any shape, under a number of its account and at an age; values that it is without
    /// are 0, since it counts in no group that takes them.
    pub fn push_as(&mut self, row: Row, account: u32, age: u32) {
        self.words.push(head(account, age));
        self.words.extend_from_slice(&row.words[1..=self.shape.mask_words]);
        for (own, other) in self.shape.places.iter().zip(&row.shape.places) {
            match (*own, *other) {
                (ABSENT, _) => {}
                (_, ABSENT) => self.words.push(0),
                (_, other) => self.words.push(row.words[other as usize]),
            }
        }
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

    /// The groups it counts in, a bit each.
    #[inline]
    pub fn masks(&self) -> &[u64] {
        &self.words[1..=self.shape.mask_words]
    }

    /// One of the plan's values; only those that a group takes in which the row counts.
    #[inline]
    pub fn value(&self, number: usize) -> i64 {
        self.words[self.shape.places[number] as usize] as i64
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

    /// The rows of `frame` (columns by position in the source's scope) that count in some group within
    /// `reach`, whose columns the frame holds. `place` gives a row's account and age, or `None` to leave
    /// it out. `each` hears of every row packed.
    pub fn pack(
        &self,
        frame: &Frame,
        reach: &Reach,
        place: impl Fn(usize) -> Option<(u32, u32)>,
        packed: &mut Packed,
        mut each: impl FnMut(usize),
    ) {
        let plan = self.plan;
        let read = plan.values.iter().zip(&reach.values).filter(|(_, is_read)| **is_read);
        let values: Vec<Cow<[i64]>> = read
            .map(|(value, _)| {
                let column = frame.columns[value.slot].expect("the frame holds it");
                self.numbers(column, value.is_numbered)
            })
            .collect();
        let masks = masks(plan, frame, reach);
        let Packed { words, shape } = packed;
        let start = words.len();
        words.resize(start + frame.rows * shape.stride, 0);
        let mut free = words[start..].chunks_exact_mut(shape.stride);
        let mut kept = 0;
        for row in 0..frame.rows {
            if masks.iter().all(|mask| mask[row] == 0) {
                continue;
            }
            let Some((account, age)) = place(row) else { continue };
            let own = free.next().expect("there is room for all rows");
            own[0] = head(account, age);
            let (bits, of_values) = own[1..].split_at_mut(shape.mask_words);
            bits.iter_mut().zip(&masks).for_each(|(word, mask)| *word = mask[row]);
            of_values.iter_mut().zip(&values).for_each(|(word, values)| *word = values[row] as u64);
            kept += 1;
            each(row);
        }
        words.truncate(start + kept * shape.stride);
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
    partition: Range<u32>,
) -> Cells {
    let mut cells = Cells::new(plan, partition.len());
    if !plan.is_empty() {
        let mut packed = Packed::of(plan);
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
