//! What a word cannot hold: distinct values, in a log that is thinned out whenever it has grown by half.
//!
//! Ages are cut off at [`OLDEST`]: older than every bounded window is all one.

use crate::job::MOST_KEPT;
use crate::pieces::piece;
use crate::radix::ByKey;

/// The greatest age that is told apart; windows are at most 1,096 days.
const OLDEST: u32 = (1 << AGE_BITS) - 1;

const AGE_BITS: u32 = 11;
const VALUE_BITS: u32 = 32;
const GROUP_BITS: u32 = MOST_KEPT.ilog2();

/// Fewer entries than this are not worth thinning out before the end.
const THIN_OUT_AT_LEAST: usize = piece(1 << 18, 4);

/// The most slots of a part that can be told apart, and so the most days for which an account can be asked.
pub const MOST_SLOTS: usize = 1 << (u64::BITS - GROUP_BITS - VALUE_BITS - AGE_BITS);

/// A value that a slot's group has seen, by number: slot, group, value, age.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
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

/// Values seen: up to some place each once, slot by slot; then as they came.
#[derive(Debug, Default)]
pub struct Log {
    entries: Vec<Sight>,
    thinned_out: usize,
}

impl Log {
    /// Adds entries.
    #[inline]
    pub fn extend(&mut self, entries: impl Iterator<Item = Sight>) {
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
            let slots = self.entries.iter().map(Sight::slot).max().map_or(0, |last| last as usize + 1);
            let mut by_slot = ByKey::default();
            by_slot.fill(&self.entries, slots, |entry| entry.slot() as usize);
            let mut places = Vec::new();
            self.entries.clear();
            by_slot.each(|_, own| {
                let kept = youngest(own, &mut places);
                self.entries.extend_from_slice(&own[..kept]);
            });
            self.thinned_out = self.entries.len();
        }
    }

    /// All entries; the log must have been thinned out.
    pub fn entries(&self) -> &[Sight] {
        assert_eq!(self.thinned_out, self.entries.len(), "the log is thinned out");
        &self.entries
    }
}

/// Brings the youngest sight of each value of a slot to the front; how many there are. `places` is room for a table
/// of them, small enough for the nearest cache.
fn youngest(own: &mut [Sight], places: &mut Vec<u32>) -> usize {
    const NOTHING: u32 = u32::MAX;
    // Half of it stays empty.
    let bits = (2 * own.len()).next_power_of_two().ilog2();
    places.clear();
    places.resize(1 << bits, NOTHING);
    let mut kept = 0;
    for number in 0..own.len() {
        let sight = own[number];
        // An odd number near 2^64 divided by the golden ratio spreads neighbours (Knuth, TAOCP 3, 6.4).
        let mut place =
            ((sight.0 >> AGE_BITS).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - bits)) as usize;
        while places[place] != NOTHING && !own[places[place] as usize].is_alike(&sight) {
            place = (place + 1) & (places.len() - 1);
        }
        if places[place] == NOTHING {
            places[place] = kept as u32;
            own[kept] = sight;
            kept += 1;
        } else {
            let known = &mut own[places[place] as usize];
            *known = (*known).min(sight);
        }
    }
    kept
}
