//! Rows reduced to what accumulators need: account, date, the groups they count in, values.

use std::borrow::Cow;

use super::Interner;
use super::masks::masks;
use super::plan::{Plan, Reach};
use crate::expr::column::NULL_CODE;
use crate::expr::{Column, Frame};

/// Packed rows, all of one shape: a word of account and date, words of group bits, a word a value.
#[derive(Debug, Clone, Default)]
pub(super) struct Packed {
    words: Vec<u64>,
    shape: Shape,
}

/// What a row's words are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Shape {
    /// By value of the plan, its word within a row; [`ABSENT`] where rows are without it.
    places: Vec<u32>,
    mask_words: usize,
    stride: usize,
}

const ABSENT: u32 = u32::MAX;

/// One packed row.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    words: &'a [u64],
    shape: &'a Shape,
}

/// Whose a row is, and of which day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    /// The number of the account, or of its slot.
    pub number: u32,
    /// Days since 1970-01-01.
    pub date: i32,
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
    /// The rows.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.len()).map(|row| self.row(row))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.words.len() / self.shape.stride.max(1)
    }

    /// One of the rows.
    #[inline]
    pub fn row(&self, number: usize) -> Row<'_> {
        let stride = self.shape.stride;
        Row { words: &self.words[number * stride..][..stride], shape: &self.shape }
    }
}

impl Row<'_> {
    /// Position of the account, or its slot.
    #[inline]
    pub fn number(&self) -> u32 {
        self.words[0] as u32
    }

    /// Its date, in days since 1970-01-01.
    #[inline]
    pub fn date(&self) -> i32 {
        (self.words[0] >> 32) as i32
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

/// The rows of `frame` (columns by position in the source's scope) that count in some group within `reach`, whose
/// columns the frame holds. `owner` tells whose a row is, or `None` to leave it out; the interner numbers the
/// values that are counted as distinct. The room of packed rows of `before` is used again.
pub(super) fn pack(
    plan: &Plan,
    interner: &Interner,
    frame: &Frame,
    reach: &Reach,
    before: Packed,
    owner: impl Fn(usize) -> Option<Owner>,
) -> Packed {
    let read = plan.values.iter().zip(&reach.values).filter(|(_, is_read)| **is_read);
    let values: Vec<Cow<[i64]>> = read
        .map(|(value, _)| {
            let column = frame.columns[value.slot].expect("the frame holds it");
            numbers(interner, column, value.is_numbered)
        })
        .collect();
    let masks = masks(plan, frame, reach);
    let shape = Shape::new(plan, &reach.values);
    let mut words = before.words;
    words.clear();
    words.resize(frame.rows * shape.stride, 0);
    let mut free = words.chunks_exact_mut(shape.stride);
    let mut packed = 0;
    for row in 0..frame.rows {
        if masks.iter().all(|mask| mask[row] == 0) {
            continue;
        }
        let Some(Owner { number, date }) = owner(row) else { continue };
        let own = free.next().expect("there is room for all rows");
        own[0] = u64::from(number) | u64::from(date as u32) << 32;
        let (bits, of_values) = own[1..].split_at_mut(shape.mask_words);
        bits.iter_mut().zip(&masks).for_each(|(word, mask)| *word = mask[row]);
        of_values.iter_mut().zip(&values).for_each(|(word, values)| *word = values[row] as u64);
        packed += 1;
    }
    words.truncate(packed * shape.stride);
    Packed { words, shape }
}

/// A column's values: themselves, or a small number for each.
fn numbers<'c>(interner: &Interner, column: &'c Column, is_numbered: bool) -> Cow<'c, [i64]> {
    match column {
        Column::Int(ints) if is_numbered => Cow::Owned(interner.numbers_of_ints(&ints.values)),
        Column::Int(ints) => Cow::Borrowed(&ints.values),
        Column::Bool(truths) => Cow::Owned(truths.iter().map(|truth| i64::from(*truth)).collect()),
        Column::Text(texts) => {
            let numbers = interner.numbers(&texts.dictionary);
            let number = |code: &u32| if *code == NULL_CODE { 0 } else { i64::from(numbers[*code as usize]) };
            Cow::Owned(texts.codes.iter().map(number).collect())
        }
        Column::Wide(_) => unreachable!("no row column is wide"),
    }
}
