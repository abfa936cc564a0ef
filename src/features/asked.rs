//! For which days which accounts are asked: a night asks all accounts of the book for one day, a range for
//! several, a list for whatever it says.

use std::ops::Range;

use crate::day::Day;
use crate::input::accounts::Accounts;
use crate::pieces::piece;

/// A day, and by when what is seen of it had arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskedDay {
    /// D.
    pub as_of: Day,
    /// K, not before D.
    pub known_on: Day,
}

/// Accounts and the days each is asked for. An account and a day are a slot; slots are in order of account, then
/// of day.
pub struct Asked<'a> {
    /// The accounts.
    pub accounts: &'a Accounts,
    /// By account, its first slot; the number of slots behind the last.
    pub starts: Vec<u32>,
    /// By slot.
    pub days: Vec<AskedDay>,
}

/// Neighbouring accounts whose features are computed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Its first account.
    pub first_account: u32,
    /// Behind its last account.
    pub end_account: u32,
    /// Its first slot.
    pub first_slot: u32,
    /// Behind its last slot.
    pub end_slot: u32,
}

impl Part {
    /// Its accounts.
    pub fn accounts(&self) -> Range<u32> {
        self.first_account..self.end_account
    }

    /// Its slots.
    pub fn slots(&self) -> Range<usize> {
        self.first_slot as usize..self.end_slot as usize
    }

    /// How many slots it has.
    pub fn len(&self) -> usize {
        self.slots().len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Slots of a part, where no account has more: with some hundred bytes a slot they fit in a core's second-level
/// cache.
const PART_SLOTS: u32 = piece(2_048, 4) as u32;

impl<'a> Asked<'a> {
    /// All accounts, for one day.
    pub fn all(accounts: &'a Accounts, day: AskedDay) -> Asked<'a> {
        let count = accounts.len();
        Asked { accounts, starts: (0..=count as u32).collect(), days: vec![day; count] }
    }

    /// The slots of an account.
    #[inline]
    pub fn slots(&self, account: u32) -> Range<u32> {
        self.starts[account as usize]..self.starts[account as usize + 1]
    }

    /// The account of a slot.
    pub fn account(&self, slot: usize) -> usize {
        self.starts.partition_point(|start| *start as usize <= slot) - 1
    }

    /// The parts, in order.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut first_account = 0;
        for end_account in 1..=self.accounts.len() as u32 {
            let (first_slot, end_slot) =
                (self.starts[first_account as usize], self.starts[end_account as usize]);
            let is_last = end_account as usize == self.accounts.len();
            if is_last || self.starts[end_account as usize + 1] - first_slot > PART_SLOTS {
                parts.push(Part { first_account, end_account, first_slot, end_slot });
                first_account = end_account;
            }
        }
        parts
    }

    /// The days that are asked, each once, ascending.
    pub fn distinct_days(&self) -> Vec<AskedDay> {
        // Of a night all are the same: few are held.
        let changes = self.days.chunk_by(|a, b| a == b).map(|same| same[0]);
        let mut days: Vec<AskedDay> = changes.collect();
        days.sort_unstable();
        days.dedup();
        days
    }
}
