//! Distinct values: an entry a value in the log of a part, which is thinned out whenever it has grown by half.
//!
//! Ages are cut off at [`OLDEST`], which lies beyond every bounded window.

use crate::expr::Ints;
use crate::job::MOST_KEPT;
use crate::pieces::piece;
use crate::radix::ByKey;

/// The greatest age that is kept exactly; windows are at most 1,096 days long, and ages here count from where
/// they end.
const OLDEST: u32 = (1 << AGE_BITS) - 1;

const AGE_BITS: u32 = 11;
const VALUE_BITS: u32 = 32;
const GROUP_BITS: u32 = MOST_KEPT.ilog2();

/// Fewer entries than this are not worth thinning out before the end.
const THIN_OUT_AT_LEAST: usize = piece(1 << 18, 4);

/// The most slots of a part that have numbers of their own, and so the most days for which an account can be asked.
pub const MOST_SLOTS: usize = 1 << (u64::BITS - GROUP_BITS - VALUE_BITS - AGE_BITS);

/// A value that a slot's group has met, in one word: slot, group, number of the value, age of the row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoggedValue(u64);

impl LoggedValue {
    /// A value of a row of some age, in days from its date to the end of the group's windows.
    #[inline]
    pub fn new(slot: u32, group: u32, value: u32, age: u32) -> LoggedValue {
        let owner = u64::from(slot) << GROUP_BITS | u64::from(group);
        LoggedValue((owner << VALUE_BITS | u64::from(value)) << AGE_BITS | u64::from(age.min(OLDEST)))
    }

    /// The slot's number within its part.
    pub fn slot(&self) -> u32 {
        (self.0 >> (AGE_BITS + VALUE_BITS + GROUP_BITS)) as u32
    }

    /// The group's number among those kept in the log.
    pub fn group(&self) -> u32 {
        (self.0 >> (AGE_BITS + VALUE_BITS)) as u32 & (MOST_KEPT as u32 - 1)
    }

    /// Days from the row's date to the end of the group's windows, at most [`OLDEST`].
    pub fn age(&self) -> u32 {
        self.0 as u32 & OLDEST
    }

    /// Whether both are of one value, slot and group.
    fn is_alike(&self, other: &LoggedValue) -> bool {
        self.0 >> AGE_BITS == other.0 >> AGE_BITS
    }
}

/// The values of a part's slots: a first stretch slot by slot, each value once; then as they came.
#[derive(Debug, Default)]
pub struct ValueLog {
    entries: Vec<LoggedValue>,
    /// How long the first stretch is.
    thinned_out: usize,
}

impl ValueLog {
    /// Adds entries.
    #[inline]
    pub fn extend(&mut self, entries: impl Iterator<Item = LoggedValue>) {
        self.entries.extend(entries);
    }

    /// Thins out if the log has grown by half.
    pub fn thin_out_if_grown(&mut self) {
        if self.entries.len() >= THIN_OUT_AT_LEAST.max(self.thinned_out + self.thinned_out / 2) {
            self.thin_out();
        }
    }

    /// Keeps of each value the youngest.
    pub fn thin_out(&mut self) {
        if self.thinned_out < self.entries.len() {
            let slots = self.entries.iter().map(LoggedValue::slot).max().map_or(0, |last| last as usize + 1);
            let mut by_slot = ByKey::default();
            by_slot.fill(&self.entries, slots, |entry| entry.slot() as usize);
            let mut table = Vec::new();
            self.entries.clear();
            by_slot.each(|_, own| {
                let kept = youngest(own, &mut table);
                self.entries.extend_from_slice(&own[..kept]);
            });
            self.thinned_out = self.entries.len();
        }
    }

    /// How many values a group has met within a window in each of the first slots; the log must have been thinned out.
    pub fn window(&self, slots: usize, group: u32, days: u32) -> Ints {
        assert_eq!(self.thinned_out, self.entries.len(), "the log is thinned out");
        let mut counts = vec![0; slots];
        let end = self.entries.partition_point(|entry| (entry.slot() as usize) < slots);
        for entry in &self.entries[..end] {
            if entry.group() == group && entry.age() < days {
                counts[entry.slot() as usize] += 1;
            }
        }
        Ints::all(counts)
    }
}

/// Brings the youngest entry of each value of a slot to the front; returns how many there are. `table` is room for a
/// hash table of their positions, small enough for the nearest cache.
fn youngest(own: &mut [LoggedValue], table: &mut Vec<u32>) -> usize {
    const EMPTY: u32 = u32::MAX;
    // Half of it stays empty.
    let bits = (2 * own.len()).next_power_of_two().ilog2();
    table.clear();
    table.resize(1 << bits, EMPTY);
    let mut kept = 0;
    for number in 0..own.len() {
        let entry = own[number];
        // An odd number near 2^64 divided by the golden ratio spreads neighbours (Knuth, TAOCP 3, 6.4).
        let mut bucket =
            ((entry.0 >> AGE_BITS).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - bits)) as usize;
        while table[bucket] != EMPTY && !own[table[bucket] as usize].is_alike(&entry) {
            bucket = (bucket + 1) & (table.len() - 1);
        }
        if table[bucket] == EMPTY {
            table[bucket] = kept as u32;
            own[kept] = entry;
            kept += 1;
        } else {
            let known = &mut own[table[bucket] as usize];
            *known = (*known).min(entry);
        }
    }
    kept
}
