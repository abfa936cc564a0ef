//! What a word cannot hold: distinct values, and smallest and largest ones, in logs that are sorted and
//! thinned out whenever they have grown by half.
//!
//! Ages are cut off at [`OLDEST`]: older than every bounded window is all one.

use crate::job::MOST_KEPT;
use crate::pieces::piece;

/// The greatest age that is told apart; windows are at most 1,096 days.
pub const OLDEST: u32 = (1 << AGE_BITS) - 1;

const AGE_BITS: u32 = 11;
const VALUE_BITS: u32 = 32;
const GROUP_BITS: u32 = MOST_KEPT.ilog2();

/// How many groups one plan may keep in logs.
const MOST_GROUPS: usize = MOST_KEPT;

/// Fewer entries than this are not worth thinning out before the end.
const SETTLE_AT_LEAST: usize = piece(1 << 12, 4);

/// A log's entries: sorted, they bring together what belongs together, the youngest first.
pub trait Entry: Copy + Ord {
    /// The account's number within its partition.
    fn account(&self) -> u32;
    /// The group's place among those kept in logs.
    fn group(&self) -> u32;
    /// Days from the row's date to the as-of date, at most [`OLDEST`].
    fn age(&self) -> u32;
    /// The same some days later, under another number of the account.
    fn older(&self, account: u32, days: u32) -> Self;
    /// Whether the entry says nothing that the younger `kept` of the same account and group does not.
    fn is_idle(&self, kept: &Self, is_smallest: impl Fn(u32) -> bool) -> bool;
}

/// A value that an account's group has seen, by number: account, group, value, age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sight(u64);

/// A value that may be an account's smallest or largest of some window: account, group, age; value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step(u32, u16, i64);

impl Sight {
    /// A value seen in a row of some age.
    #[inline]
    pub fn new(account: u32, group: u32, value: u32, age: u32) -> Sight {
        let owner = u64::from(account) << GROUP_BITS | u64::from(group);
        Sight((owner << VALUE_BITS | u64::from(value)) << AGE_BITS | u64::from(age.min(OLDEST)))
    }

    /// The account and its group; the value and its age: a number each, as a state keeps them.
    pub fn parts(&self) -> [i64; 2] {
        let own = VALUE_BITS + AGE_BITS;
        [(self.0 >> own) as i64, (self.0 & ((1 << own) - 1)) as i64]
    }

    /// From its parts.
    pub fn of_parts([owner, rest]: [i64; 2]) -> Sight {
        Sight((owner as u64) << (VALUE_BITS + AGE_BITS) | rest as u64)
    }

    /// The value's number.
    fn value(&self) -> u32 {
        (self.0 >> AGE_BITS) as u32
    }
}

impl Entry for Sight {
    fn account(&self) -> u32 {
        (self.0 >> (AGE_BITS + VALUE_BITS + GROUP_BITS)) as u32
    }

    fn group(&self) -> u32 {
        (self.0 >> (AGE_BITS + VALUE_BITS)) as u32 & (MOST_GROUPS as u32 - 1)
    }

    fn age(&self) -> u32 {
        self.0 as u32 & OLDEST
    }

    fn older(&self, account: u32, days: u32) -> Sight {
        Sight::new(account, self.group(), self.value(), self.age() + days)
    }

    fn is_idle(&self, kept: &Sight, _: impl Fn(u32) -> bool) -> bool {
        self.0 >> AGE_BITS == kept.0 >> AGE_BITS
    }
}

impl Step {
    /// A value of a row of some age.
    #[inline]
    pub fn new(account: u32, group: u32, value: i64, age: u32) -> Step {
        Step(account << GROUP_BITS | group, age.min(OLDEST) as u16, value)
    }

    /// The value.
    pub fn value(&self) -> i64 {
        self.2
    }
}

impl Entry for Step {
    fn account(&self) -> u32 {
        self.0 >> GROUP_BITS
    }

    fn group(&self) -> u32 {
        self.0 & (MOST_GROUPS as u32 - 1)
    }

    fn age(&self) -> u32 {
        u32::from(self.1)
    }

    fn older(&self, account: u32, days: u32) -> Step {
        Step::new(account, self.group(), self.2, self.age() + days)
    }

    fn is_idle(&self, kept: &Step, is_smallest: impl Fn(u32) -> bool) -> bool {
        self.0 == kept.0 && if is_smallest(self.group()) { self.2 >= kept.2 } else { self.2 <= kept.2 }
    }
}

/// Entries in order up to some place, then as they came.
#[derive(Debug)]
pub struct Log<E> {
    entries: Vec<E>,
    settled: usize,
}

impl<E> Default for Log<E> {
    fn default() -> Self {
        Log { entries: Vec::new(), settled: 0 }
    }
}

impl<E: Entry> Log<E> {
    /// A log of entries that have been settled before.
    pub fn of(entries: Vec<E>) -> Log<E> {
        let settled = if entries.is_sorted() { entries.len() } else { 0 };
        Log { entries, settled }
    }

    /// Adds an entry.
    #[inline]
    pub fn push(&mut self, entry: E) {
        self.entries.push(entry);
    }

    /// Adds an entry that comes from a log in order, and mostly keeps that order.
    pub fn push_next(&mut self, entry: E) {
        let is_next =
            self.settled == self.entries.len() && self.entries.last().is_none_or(|last| *last <= entry);
        self.entries.push(entry);
        self.settled += usize::from(is_next);
    }

    /// Thins out if the log has grown by half.
    pub fn settle_if_grown(&mut self, is_smallest: impl Fn(u32) -> bool) {
        if self.entries.len() >= SETTLE_AT_LEAST.max(self.settled + self.settled / 2) {
            self.settle(is_smallest);
        }
    }

    /// Sorts, and drops what says nothing new.
    pub fn settle(&mut self, is_smallest: impl Fn(u32) -> bool) {
        if self.settled == self.entries.len() {
            return;
        }
        self.entries[self.settled..].sort_unstable();
        let mut merged: Vec<E> = Vec::with_capacity(self.entries.len());
        let mut push = |entry: E| {
            if !merged.last().is_some_and(|kept| entry.is_idle(kept, &is_smallest)) {
                merged.push(entry);
            }
        };
        let (known, fresh) = self.entries.split_at(self.settled);
        let mut known = known.iter().copied().peekable();
        for entry in fresh {
            while let Some(before) = known.next_if(|known| known <= entry) {
                push(before);
            }
            push(*entry);
        }
        known.for_each(push);
        self.entries = merged;
        self.settled = self.entries.len();
    }

    /// All entries, in order; the log must be settled.
    pub fn entries(&self) -> &[E] {
        assert_eq!(self.settled, self.entries.len(), "the log is settled");
        &self.entries
    }

    /// Makes all entries some days older and keeps those that `reaches` still knows, by group and age.
    pub fn grow_older(&mut self, days: u32, reaches: impl Fn(u32, u32) -> bool) {
        self.entries.retain_mut(|entry| {
            *entry = entry.older(entry.account(), days);
            reaches(entry.group(), entry.age())
        });
        // Ages that are cut off may have come to be the same.
        self.settled = if self.entries.is_sorted() { self.entries.len() } else { 0 };
    }

    /// Keeps the entries that pass.
    pub fn retain(&mut self, passes: impl Fn(&E) -> bool) {
        let entries = self.entries.len();
        self.entries.retain(passes);
        if self.entries.len() < entries {
            self.settled = if self.settled == entries { self.entries.len() } else { 0 };
        }
    }
}
