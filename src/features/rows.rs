//! Rows reduced to what accumulators need: account, age, the groups they count in, values.

use std::collections::BTreeMap;
use std::sync::Mutex;

use anyhow::Result;
use rayon::prelude::*;

use super::accumulate::{Cells, Segments};
use super::plan::Plan;
use super::{Interner, Partitions};
use crate::console::Progress;
use crate::day::Day;
use crate::expr::column::NULL_CODE;
use crate::expr::{Column, Frame, Truths};
use crate::input::accounts::{Accounts, STRANGER};
use crate::input::stream::{Chunk, Source, Tally, stream};

/// Packed rows: a word of account and age, words of group bits, a word a value.
#[derive(Debug, Default)]
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

    fn like(other: &Packed) -> Packed {
        Packed { words: Vec::new(), ..*other }
    }
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
                Some(word * u64::BITS as usize + bit as usize)
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
    /// group. `place` gives a row's account and age, or `None` to leave it out. `each` hears of every
    /// row appended.
    pub fn pack(
        &self,
        frame: &Frame,
        place: impl Fn(usize) -> Option<(u32, u32)>,
        packed: &mut Packed,
        mut each: impl FnMut(usize),
    ) {
        let plan = self.plan;
        packed.mask_words = plan.groups.len().div_ceil(u64::BITS as usize);
        packed.values = plan.values.len();
        let filters: Vec<Truths> = plan.filters.iter().map(|filter| filter.truths(frame)).collect();
        let columns: Vec<&Column> = plan
            .values
            .iter()
            .map(|slot| frame.columns[*slot].expect("the frame holds what is read"))
            .collect();
        let values: Vec<Vec<i64>> = columns.iter().map(|column| self.numbers(column)).collect();
        let masks: Vec<Vec<u64>> =
            (0..packed.mask_words).map(|word| self.masks(word, frame.rows, &filters, &columns)).collect();
        for row in 0..frame.rows {
            if masks.iter().all(|mask| mask[row] == 0) {
                continue;
            }
            let Some((account, age)) = place(row) else { continue };
            packed.words.push(u64::from(account) | u64::from(age) << 32);
            packed.words.extend(masks.iter().map(|mask| mask[row]));
            packed.words.extend(values.iter().map(|values| values[row] as u64));
            each(row);
        }
    }

    /// By row, which of 64 groups it counts in. Groups with one filter and one value share a pass.
    fn masks(&self, word: usize, rows: usize, filters: &[Truths], columns: &[&Column]) -> Vec<u64> {
        const BITS: usize = u64::BITS as usize;
        let mut passes: BTreeMap<(Option<usize>, Option<usize>), u64> = BTreeMap::new();
        for (bit, group) in self.plan.groups.iter().skip(word * BITS).take(BITS).enumerate() {
            let value = group.value.filter(|value| columns[*value].has_nulls());
            *passes.entry((group.filter, value)).or_default() |= 1 << bit;
        }
        let mut masks = vec![0; rows];
        for ((filter, value), bits) in passes {
            match (filter.map(|filter| &filters[filter]), value.map(|value| columns[value])) {
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

    /// A column's values as integers: themselves, or a number for each text.
    fn numbers(&self, column: &Column) -> Vec<i64> {
        match column {
            Column::Int(ints) => ints.values.clone(),
            Column::Bool(truths) => truths.iter().map(|truth| i64::from(*truth)).collect(),
            Column::Text(texts) => {
                let numbers = self.interner.numbers(&texts.dictionary);
                let number =
                    |code: &u32| if *code == NULL_CODE { 0 } else { i64::from(numbers[*code as usize]) };
                texts.codes.iter().map(number).collect()
            }
            Column::Wide(_) => unreachable!("no row column is wide"),
        }
    }
}

/// Rows of one row group on their way to the partitions; `numbers` are kept where repeats are told.
#[derive(Default)]
struct Load {
    packed: Packed,
    numbers: Vec<u32>,
}

/// Reads transactions into accumulators, one [`Cells`] a partition. `slots` gives each wanted column's
/// position in the transactions scope.
#[allow(clippy::too_many_arguments)]
pub fn read_transactions(
    source: &Source,
    slots: &[usize],
    scope_len: usize,
    plan: &Plan,
    accounts: &Accounts,
    partitions: Partitions,
    as_of: Day,
    progress: &Progress,
) -> Result<(Vec<Cells>, Tally)> {
    let segments = Segments::new(plan);
    let interner = Interner::default();
    let packer = Packer::new(plan, &interner);
    let longest = i64::from(plan.longest_days.expect("windows of transactions are bounded"));
    let cells: Vec<Mutex<Cells>> = (0..partitions.count())
        .map(|number| Mutex::new(Cells::new(plan, partitions.accounts(number).len())))
        .collect();
    let pack = |chunk: &Chunk, load: &mut Load| {
        if plan.is_empty() {
            return Ok(());
        }
        let mut columns = vec![None; scope_len];
        slots.iter().zip(chunk.columns).for_each(|(slot, column)| columns[*slot] = Some(column));
        let positions = accounts.positions(&chunk.columns[0]);
        let Column::Int(posted_on) = &chunk.columns[1] else { unreachable!("a date") };
        let place = |row: usize| {
            let age = i64::from(as_of.0) - posted_on.values[row];
            let counts =
                chunk.verdicts.0[row].is_none() && positions[row] != STRANGER && (0..longest).contains(&age);
            counts.then_some((positions[row], age as u32))
        };
        let keep_numbers = source.unique.is_some();
        let frame = Frame { rows: positions.len(), columns };
        packer.pack(&frame, place, &mut load.packed, |row| {
            if keep_numbers {
                load.numbers.push(chunk.first_row + row as u32);
            }
        });
        Ok(())
    };
    let sink = |load: Load, repeats: &[u32]| {
        for (number, rows) in scatter(load, repeats, partitions).iter().enumerate() {
            if !rows.words.is_empty() {
                let mut cells = cells[number].lock().expect("no thread panicked");
                cells.add(plan, &segments, partitions.accounts(number).start, rows);
            }
        }
        Ok(())
    };
    let tally = stream(source, progress, pack, sink, || {})?;
    let cells = cells.into_iter().map(|cells| cells.into_inner().expect("no thread panicked"));
    Ok((cells.collect(), tally))
}

/// Splits rows by partition, leaving out repeats.
fn scatter(load: Load, repeats: &[u32], partitions: Partitions) -> Vec<Packed> {
    let mut parts: Vec<Packed> = (0..partitions.count()).map(|_| Packed::like(&load.packed)).collect();
    let is_repeat = |row: usize| {
        !repeats.is_empty()
            && load.numbers.get(row).is_some_and(|number| repeats.binary_search(number).is_ok())
    };
    for (number, row) in load.packed.iter().enumerate() {
        if !is_repeat(number) {
            parts[partitions.of(row.account())].words.extend_from_slice(row.words);
        }
    }
    parts
}

/// Accumulates the rows of a frame that all belong to one partition.
pub fn accumulate(
    plan: &Plan,
    frame: &Frame,
    place: impl Fn(usize) -> Option<(u32, u32)>,
    partition: std::ops::Range<u32>,
) -> Cells {
    let mut cells = Cells::new(plan, partition.len());
    if plan.is_empty() {
        return cells;
    }
    let mut packed = Packed::default();
    Packer::new(plan, &Interner::default()).pack(frame, place, &mut packed, |_| {});
    cells.add(plan, &Segments::new(plan), partition.start, &packed);
    cells
}

/// Accumulates every partition in parallel.
pub(super) fn by_partition<T: Send>(
    partitions: Partitions,
    each: impl Fn(usize) -> T + Sync + Send,
) -> Vec<T> {
    (0..partitions.count()).into_par_iter().map(each).collect()
}
