//! Rows to features: one Int64 (or null) per account and feature.
//!
//! Accounts are split into partitions of neighbouring positions. Rows are packed, scattered to their
//! account's partition and accumulated there, a dense stretch of memory that fits in cache; every
//! accumulator is independent of the order in which rows come.

pub mod accumulate;
pub mod bills;
mod finish;
mod interner;
mod ledger;
pub mod plan;
mod rows;

use std::ops::Range;

use accumulate::Cells;

use crate::expr::{Column, Frame};

pub use finish::{FeatureTable, derived, finish};
pub use interner::Interner;
pub use rows::{Packed, Packer, read_transactions};

/// How accounts are split.
#[derive(Debug, Clone, Copy)]
pub struct Partitions {
    accounts: u32,
    shift: u32,
}

impl Partitions {
    /// Partitions of at most 4,096 accounts: with some hundred bytes an account they fit in a core's
    /// second-level cache.
    pub fn new(accounts: usize) -> Partitions {
        const SHIFT: u32 = 12;
        Partitions { accounts: accounts as u32, shift: SHIFT }
    }

    /// How many there are; at least one.
    pub fn count(&self) -> usize {
        (self.accounts as usize).div_ceil(1 << self.shift).max(1)
    }

    /// The partition of an account.
    #[inline]
    pub fn of(&self, account: u32) -> usize {
        (account >> self.shift) as usize
    }

    /// The positions of a partition's accounts.
    pub fn accounts(&self, partition: usize) -> Range<u32> {
        let first = (partition as u32) << self.shift;
        first..(first + (1 << self.shift)).min(self.accounts)
    }
}

/// Accumulates lines, sorted by account; `columns` makes the lines scope's columns of a run of lines.
pub fn from_lines(
    plan: &plan::Plan,
    partitions: Partitions,
    account: &[u32],
    columns: impl Fn(Range<usize>) -> Vec<Option<Column>> + Sync + Send,
) -> Vec<Cells> {
    rows::by_partition(partitions, |number| {
        let accounts = partitions.accounts(number);
        let first = account.partition_point(|position| *position < accounts.start);
        let last = account.partition_point(|position| *position < accounts.end);
        let columns = columns(first..last);
        let columns: Vec<Option<&Column>> = columns.iter().map(Option::as_ref).collect();
        let frame = Frame { rows: last - first, columns };
        rows::accumulate(plan, &frame, |row| Some((account[first + row], 0)), accounts)
    })
}
