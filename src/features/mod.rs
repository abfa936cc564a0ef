//! Rows to features: one Int64 (or null) per account and feature.
//!
//! Accounts are split into partitions of neighbouring positions. Rows are packed, scattered to their
//! account's partition and accumulated there, a dense stretch of memory that fits in cache; every
//! accumulator is independent of the order in which rows come.

pub mod accumulate;
mod bill_columns;
pub mod bills;
mod finish;
mod interner;
pub mod ledger;
pub mod logs;
mod masks;
pub mod pass;
pub mod plan;
mod rows;
mod scatter;
mod table;
pub mod transactions;
pub mod watch;

use std::ops::Range;

use accumulate::Cells;
use rayon::prelude::*;

use crate::expr::{Column, Frame};
use crate::pieces::piece;

pub use finish::{Answers, derived};
pub use interner::Interner;
pub use rows::{Packed, Packer};
pub use table::FeatureTable;

/// How accounts are split: those of the book first, then strangers, accounts without a line in it.
#[derive(Debug, Clone, Copy)]
pub struct Partitions {
    accounts: u32,
    book: usize,
    strangers: usize,
}

/// Partitions are of 2,048 accounts: with some hundred bytes an account they fit in a core's
/// second-level cache.
const SHIFT: u32 = piece(11, 2) as u32;

impl Partitions {
    /// The partitions of a book of so many accounts, with room for a quarter as many strangers.
    pub fn new(accounts: usize) -> Partitions {
        const STRANGERS_AT_LEAST: usize = 16;
        let book = accounts.div_ceil(1 << SHIFT).max(1);
        Partitions { accounts: accounts as u32, book, strangers: book / 4 + STRANGERS_AT_LEAST }
    }

    /// How many hold accounts of the book; at least one. They come first.
    pub fn of_book(&self) -> usize {
        self.book
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.book + self.strangers
    }

    /// The number of a stranger, by the order in which they were met.
    pub fn stranger(&self, met: u32) -> u32 {
        ((self.book as u32) << SHIFT) + met
    }

    /// Whether there is a place for the account. Past the last one strangers share the last partition.
    pub fn has_room(&self, account: u32) -> bool {
        ((account >> SHIFT) as usize) < self.count()
    }

    /// The partition of an account.
    #[inline]
    pub fn of(&self, account: u32) -> usize {
        ((account >> SHIFT) as usize).min(self.count() - 1)
    }

    /// The numbers of a partition's accounts.
    pub fn accounts(&self, partition: usize) -> Range<u32> {
        let first = (partition as u32) << SHIFT;
        let end = first + (1 << SHIFT);
        first..if partition < self.book { end.min(self.accounts) } else { end }
    }
}

/// Where the accounts of an earlier night have gone: by old partition, each account's new number.
pub struct Places {
    /// Of strangers, also those for whom there is no room now.
    pub by_partition: Vec<Vec<u32>>,
}

impl Places {
    /// The new number of an account.
    pub fn of(&self, account: u32) -> Option<u32> {
        let own = &self.by_partition[(account >> SHIFT) as usize];
        own.get(account as usize & ((1 << SHIFT) - 1)).copied()
    }

    /// Of what is known by old partition of the book: by new one, what stays as it is because none of its
    /// accounts has moved; and by old one, the rest.
    fn unmoved<T>(&self, known: Vec<T>, partitions: Partitions) -> (Vec<Option<T>>, Vec<Option<T>>) {
        let is_unmoved = |partition: usize| {
            let first = partitions.accounts(partition).start;
            let places = self.by_partition[partition].iter().zip(first..);
            partition < partitions.of_book() && places.clone().all(|(place, own)| *place == own)
        };
        let mut stays: Vec<Option<T>> = (0..partitions.count()).map(|_| None).collect();
        let keep = |(partition, known): (usize, T)| match is_unmoved(partition) {
            true => {
                stays[partition] = Some(known);
                None
            }
            false => Some(known),
        };
        let moves = known.into_iter().enumerate().map(keep).collect();
        (stays, moves)
    }

    /// Calls `each`, in parallel, with an old partition of which something is `known`, that, a new
    /// partition, and the old one's accounts' numbers within the new one, as far as there is room for them.
    pub fn each<T: Sync>(
        &self,
        partitions: Partitions,
        known: &[Option<T>],
        each: impl Fn(usize, &T, usize, &[Option<u32>]) + Sync,
    ) {
        self.by_partition.par_iter().zip(known).enumerate().for_each(|(old, (places, known))| {
            let Some(known) = known else { return };
            let mut targets: Vec<usize> = places.iter().map(|account| partitions.of(*account)).collect();
            targets.sort_unstable();
            targets.dedup();
            for target in targets {
                let first = partitions.accounts(target).start;
                let is_here = |account: u32| partitions.has_room(account) && partitions.of(account) == target;
                let local = |account: &u32| is_here(*account).then(|| account - first);
                each(old, known, target, &places.iter().map(local).collect::<Vec<_>>());
            }
        });
    }
}

/// Accumulates lines, sorted by account; `columns` makes the lines scope's columns of a run of lines.
pub fn from_lines(
    plan: &plan::Plan,
    partitions: Partitions,
    account: &[u32],
    columns: impl Fn(Range<usize>) -> Vec<Option<Column>> + Sync + Send,
) -> Vec<Cells> {
    rows::by_partition(partitions.of_book(), |number| {
        let accounts = partitions.accounts(number);
        let first = account.partition_point(|position| *position < accounts.start);
        let last = account.partition_point(|position| *position < accounts.end);
        let columns = columns(first..last);
        let columns: Vec<Option<&Column>> = columns.iter().map(Option::as_ref).collect();
        let frame = Frame { rows: last - first, columns };
        rows::accumulate(plan, &frame, |row| Some((account[first + row], 0)), accounts)
    })
}
