//! What a word cannot hold: distinct values, in a log that is sorted and thinned out whenever it has grown by half.
//!
//! Ages are cut off at [`OLDEST`]: older than every bounded window is all one.

use crate::job::MOST_KEPT;
use crate::pieces::piece;

/// The greatest age that is told apart; windows are at most 1,096 days.
const OLDEST: u32 = (1 << AGE_BITS) - 1;

const AGE_BITS: u32 = 11;
const VALUE_BITS: u32 = 32;
const GROUP_BITS: u32 = MOST_KEPT.ilog2();

/// Fewer entries than this are not worth thinning out before the end.
const THIN_OUT_AT_LEAST: usize = piece(1 << 15, 4);

/// The most slots of a part that can be told apart, and so the most days for which an account can be asked.
pub const MOST_SLOTS: usize = 1 << (u64::BITS - GROUP_BITS - VALUE_BITS - AGE_BITS);

/// A value that a slot's group has seen, by number: slot, group, value, age. Sorted, they bring together what
/// belongs together, the youngest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sight(u64);

impl Sight {
    /// A value seen in a row of some age.
    #[inline]
    pub fn new(slot: u32, group: u32, value: u32, age: u32) -> Sight {
        let owner = u64::from(slot) << GROUP_BITS | u64::from(group);
        Sight((owner << VALUE_BITS | u64::from(value)) << AGE_BITS | u64::from(age.min(OLDEST)))
    }

    /// The slot's number within its part.
    pub fn slot(&self) -> u32 {
        (self.0 >> (AGE_BITS + VALUE_BITS + GROUP_BITS)) as u32
    }

    /// The group's place among those kept in a log.
    pub fn group(&self) -> u32 {
        (self.0 >> (AGE_BITS + VALUE_BITS)) as u32 & (MOST_KEPT as u32 - 1)
    }

    /// Days from the row's date to the as-of date, at most [`OLDEST`].
    pub fn age(&self) -> u32 {
        self.0 as u32 & OLDEST
    }

    /// Whether both are of one value, slot and group.
    fn is_alike(&self, other: &Sight) -> bool {
        self.0 >> AGE_BITS == other.0 >> AGE_BITS
    }
}

/// Values seen, in order up to some place, then as they came.
#[derive(Debug, Default)]
pub struct Log {
    entries: Vec<Sight>,
    sorted: usize,
}

impl Log {
    /// Adds an entry.
    #[inline]
    pub fn push(&mut self, entry: Sight) {
        self.entries.push(entry);
    }

    /// Thins out if the log has grown by half.
    pub fn thin_out_if_grown(&mut self) {
        if self.entries.len() >= THIN_OUT_AT_LEAST.max(self.sorted + self.sorted / 2) {
            self.thin_out();
        }
    }

    /// Sorts, and keeps of each value the youngest.
    pub fn thin_out(&mut self) {
        if self.sorted < self.entries.len() {
            // This sort makes use of what is in order already.
            self.entries.sort();
            self.entries.dedup_by(|next, kept| next.is_alike(kept));
            self.sorted = self.entries.len();
        }
    }

    /// All entries, in order; the log must have been thinned out.
    pub fn entries(&self) -> &[Sight] {
        assert_eq!(self.sorted, self.entries.len(), "the log is thinned out");
        &self.entries
    }
}
