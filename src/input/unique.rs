//! Rows sent twice: the same value of the `unique` column, delivered within some days.

use hashbrown::hash_map::Entry;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::judge::Verdicts;
use super::reason::RejectReason;
use crate::day::Day;
use crate::expr::Column;
use crate::hash::{self, xxh3_128};
use crate::pieces::piece;
use crate::radix::sort_rows;

/// A value of the `unique` column. Integers and text of up to 15 bytes stand for themselves; longer
/// text by 120 bits of its XXH3 hash, so that two different values are taken for one less often than
/// memory fails.
pub type Key = u128;

/// Row numbers and keys, by shard.
type Sharded = Vec<Vec<(u32, Key)>>;

/// The keys of some rows with their row numbers, ascending.
#[derive(Debug, Default)]
pub struct Keys {
    /// Integers, as far as they keep rising: ids mostly do.
    rising: Vec<(i64, u32)>,
    /// Integers that came after a greater one, or an equal one; in order once all are there.
    strays: Vec<(i64, u32)>,
    /// All others, by shard.
    shards: Sharded,
}

/// One of several shares of all keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyShard {
    /// Which; the first is 0.
    pub number: usize,
    /// How many there are, at most [`MOST_KEY_SHARDS`].
    pub of: usize,
}

/// Keys are shared out to no more shards than this.
pub const MOST_KEY_SHARDS: usize = SHARDS;

impl KeyShard {
    fn holds(self, key: Key) -> bool {
        shard_of(key) % self.of == self.number
    }

    /// Verdicts by which rows with keys of other shards are left out.
    pub fn only(self, column: &Column, verdicts: &Verdicts) -> Verdicts {
        let by_code: Vec<bool> = match column {
            Column::Text(texts) => texts.dictionary.iter().map(|text| self.holds(text_key(text))).collect(),
            _ => Vec::new(),
        };
        let is_own = |row: usize| match column {
            Column::Int(ints) => self.holds((ints.values[row] as u64).into()),
            Column::Bool(truths) => self.holds(truths[row].into()),
            Column::Text(texts) => by_code.get(texts.codes[row] as usize).copied().unwrap_or(false),
            Column::Wide(_) => unreachable!("no input column is wide"),
        };
        let own = verdicts.0.iter().enumerate();
        Verdicts(own.map(|(row, own)| own.or((!is_own(row)).then_some(RejectReason::DuplicateRow))).collect())
    }
}

impl Keys {
    /// Adds the rows of a batch that have a value and no reason against them yet.
    pub fn add(&mut self, first_row: u32, column: &Column, verdicts: &Verdicts) {
        let rows = (0..column.len()).filter(|row| verdicts.0[*row].is_none() && column.is_valid(*row));
        let rows = rows.map(|row| (row, first_row + row as u32));
        match column {
            Column::Int(ints) => {
                self.rising.reserve(ints.values.len());
                let numbered = ints.values.iter().zip(first_row..).zip(&verdicts.0).enumerate();
                for (row, ((value, number), verdict)) in numbered {
                    if verdict.is_none() && ints.is_valid(row) {
                        self.push_int(*value, number);
                    }
                }
            }
            Column::Bool(truths) => rows.for_each(|(row, number)| self.push(number, truths[row].into())),
            Column::Text(texts) => {
                let by_code: Vec<Key> = texts.dictionary.iter().map(|text| text_key(text)).collect();
                rows.for_each(|(row, number)| self.push(number, by_code[texts.codes[row] as usize]));
            }
            Column::Wide(_) => unreachable!("no input column is wide"),
        }
    }

    #[inline]
    fn push_int(&mut self, key: i64, row: u32) {
        if self.rising.last().is_none_or(|(last, _)| *last < key) {
            self.rising.push((key, row));
        } else {
            self.strays.push((key, row));
        }
    }

    fn push(&mut self, row: u32, key: Key) {
        self.shards.resize_with(SHARDS, Vec::new);
        self.shards[shard_of(key)].push((row, key));
    }

    fn len(&self) -> usize {
        self.rising.len() + self.strays.len() + self.shards.iter().map(Vec::len).sum::<usize>()
    }

    /// Whether few integers are strays.
    fn mostly_rises(&self) -> bool {
        const STRAYS_ONE_IN: usize = piece(16, 2);
        self.strays.len() <= self.rising.len() / STRAYS_ONE_IN + STRAYS_ONE_IN
    }

    /// Every key, by shard.
    fn into_shards(mut self) -> Sharded {
        let mut ints: Vec<(u32, i64)> = Vec::with_capacity(self.rising.len() + self.strays.len());
        let (rising, strays) = (std::mem::take(&mut self.rising), std::mem::take(&mut self.strays));
        ints.extend(rising.into_iter().chain(strays).map(|(key, row)| (row, key)));
        ints.sort_unstable();
        ints.into_iter().for_each(|(row, key)| self.push(row, (key as u64).into()));
        self.shards
    }

    /// The rows that repeat one of `earlier` or an earlier one of these, ascending.
    fn repeats_of(&self, earlier: &[&Keys]) -> Vec<u32> {
        let mut rows: Vec<u32> = Vec::new();
        for pair in self.strays.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            rows.push(pair[1].1);
        }
        // A rising key that equals a stray came before it.
        rows.extend(common(&self.rising, &self.strays));
        for part in earlier {
            for known in [&part.rising, &part.strays] {
                rows.extend(common(known, &self.rising));
                rows.extend(common(known, &self.strays));
            }
        }
        rows.sort_unstable();
        rows.dedup();
        rows
    }
}

/// The rows of `later` whose keys are among those of `earlier`; both are in order.
fn common<'k>(earlier: &'k [(i64, u32)], later: &'k [(i64, u32)]) -> impl Iterator<Item = u32> + 'k {
    // Most parts have ids of their own, all above or all below those of others.
    let mut earlier = among(earlier, later);
    let later = among(later, earlier);
    let common = later.iter().filter(move |(key, _)| {
        // Steps that double: few from one key to the next, and not many where there are few keys.
        let mut step = 1;
        while earlier.get(step).is_some_and(|(known, _)| known < key) {
            step *= 2;
        }
        let near = &earlier[..earlier.len().min(step + 1)];
        earlier = &earlier[near.partition_point(|(known, _)| known < key)..];
        earlier.first().is_some_and(|(known, _)| known == key)
    });
    common.map(|(_, row)| *row)
}

/// The keys of `all` that lie between the first and the last of `others`; both are in order.
fn among<'k>(all: &'k [(i64, u32)], others: &[(i64, u32)]) -> &'k [(i64, u32)] {
    let (Some((first, _)), Some((last, _))) = (others.first(), others.last()) else { return &[] };
    let start = all.partition_point(|(key, _)| key < first);
    let end = all.partition_point(|(key, _)| key <= last);
    &all[start..end.max(start)]
}

/// The key of a text; see [`Key`].
pub fn text_key(text: &str) -> Key {
    const HASHED: u128 = 0xff << 120;
    let bytes = text.as_bytes();
    if bytes.len() > 15 {
        return xxh3_128(bytes) | HASHED;
    }
    let mut packed = [0; 16];
    packed[..bytes.len()].copy_from_slice(bytes);
    packed[15] = bytes.len() as u8;
    u128::from_le_bytes(packed)
}

/// What has been seen so far, with its latest delivery; rows must come in order.
pub struct Seen {
    within_days: u32,
    /// Parts of the deliveries that still matter, as long as looking rows up in them is worth it.
    parts: Vec<(Day, Keys)>,
    /// Everything, once some part was not.
    shards: Option<Vec<Shard>>,
}

#[derive(Default)]
struct Shard {
    latest: hash::Map<Key, Day>,
    prune_at: usize,
}

/// Shards let threads share the work; which key lies in which has no effect on the outcome.
const SHARDS: usize = 256;

/// Below this many keys a shard is not worth pruning.
const PRUNE_AT_LEAST: usize = piece(1 << 12, 2);

/// One part of a wave: its delivery (undated ones count as one day) and its rows' keys.
pub struct DeliveryKeys {
    /// When the rows arrived.
    pub delivery: Option<Day>,
    /// Their keys.
    pub keys: Keys,
}

impl Seen {
    /// Nothing seen yet.
    pub fn new(within_days: u32) -> Seen {
        Seen { within_days, parts: Vec::new(), shards: None }
    }

    /// The rows of each part that repeat an earlier one, ascending.
    pub fn repeats(&mut self, parts: Vec<DeliveryKeys>) -> Vec<Vec<u32>> {
        let parts = parts.into_iter().map(|part| (part.delivery.unwrap_or(Day(0)), part.keys));
        let mut parts: Vec<(Day, Keys)> = parts.collect();
        parts.par_iter_mut().for_each(|(_, keys)| sort_rows(&mut keys.strays));
        if self.shards.is_none() && self.are_looked_up(&parts) {
            let new: usize = parts.iter().map(|(_, keys)| keys.len()).sum();
            let repeats = self.among_parts(parts);
            // Where most rows repeat others, each value is better kept once.
            if repeats.iter().map(Vec::len).sum::<usize>() > new / 2 {
                self.keep_by_shard();
            }
            return repeats;
        }
        if self.shards.is_none() {
            self.keep_by_shard();
        }
        self.among_shards(parts)
    }

    /// Keeps what has been seen by shard from now on.
    fn keep_by_shard(&mut self) {
        let known = std::mem::take(&mut self.parts);
        self.shards = Some((0..SHARDS).map(|_| Shard::default()).collect());
        self.among_shards(known);
    }

    /// Whether looking rows up part by part is worth it: all are integers, and those that do not rise are
    /// looked up in few parts.
    fn are_looked_up(&self, parts: &[(Day, Keys)]) -> bool {
        const FEW_PARTS: usize = piece(16, 2);
        let within = i64::from(self.within_days);
        parts.iter().enumerate().all(|(number, (delivery, keys))| {
            let earlier = parts[..number].iter().rev().chain(self.parts.iter().rev());
            let mut matter = earlier.take_while(|(seen, _)| delivery.since(*seen) <= within);
            keys.shards.is_empty() && (keys.mostly_rises() || matter.nth(FEW_PARTS).is_none())
        })
    }

    fn among_parts(&mut self, parts: Vec<(Day, Keys)>) -> Vec<Vec<u32>> {
        let (within, new) = (i64::from(self.within_days), parts.len());
        let first = parts.first().map(|(delivery, _)| *delivery);
        self.parts.retain(|(seen, _)| first.is_none_or(|first| first.since(*seen) <= within));
        self.parts.extend(parts);
        let all = &self.parts;
        let repeats = (all.len() - new..all.len()).into_par_iter().map(|number| {
            let (delivery, keys) = &all[number];
            let matter = all[..number].iter().filter(|(seen, _)| delivery.since(*seen) <= within);
            keys.repeats_of(&matter.map(|(_, keys)| keys).collect::<Vec<_>>())
        });
        repeats.collect()
    }

    fn among_shards(&mut self, parts: Vec<(Day, Keys)>) -> Vec<Vec<u32>> {
        let within = i64::from(self.within_days);
        let parts: Vec<(Day, Sharded)> =
            parts.into_par_iter().map(|(delivery, keys)| (delivery, keys.into_shards())).collect();
        let by_shard: Vec<Vec<Vec<u32>>> = self
            .shards
            .as_mut()
            .expect("keys that do not rise are kept by shard")
            .par_iter_mut()
            .enumerate()
            .map(|(number, shard)| {
                let own = parts.iter().map(|(delivery, shards)| (*delivery, shards.get(number)));
                own.map(|(delivery, keys)| shard.repeats(delivery, keys.map_or(&[], Vec::as_slice), within))
                    .collect()
            })
            .collect();
        (0..parts.len())
            .map(|part| {
                let mut rows: Vec<u32> =
                    by_shard.iter().flat_map(|shard| shard[part].iter().copied()).collect();
                rows.sort_unstable();
                rows
            })
            .collect()
    }
}

impl Shard {
    fn repeats(&mut self, delivery: Day, keys: &[(u32, Key)], within: i64) -> Vec<u32> {
        if self.latest.len() > self.prune_at {
            self.latest.retain(|_, seen| delivery.since(*seen) <= within);
            self.prune_at = (self.latest.len() * 2).max(PRUNE_AT_LEAST);
        }
        let mut repeats = Vec::new();
        for (row, key) in keys {
            match self.latest.entry(*key) {
                Entry::Occupied(mut seen) => {
                    if delivery.since(*seen.get()) <= within {
                        repeats.push(*row);
                    }
                    seen.insert(delivery);
                }
                Entry::Vacant(free) => {
                    free.insert(delivery);
                }
            }
        }
        repeats
    }
}

fn shard_of(key: Key) -> usize {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15; // 2^64 / golden ratio: spreads consecutive integers
    let folded = (key as u64) ^ ((key >> 64) as u64);
    (folded.wrapping_mul(MIX) >> 56) as usize % SHARDS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::expr::Ints;

    fn part(delivery: i32, values: &[i64]) -> DeliveryKeys {
        let mut keys = Keys::default();
        let column = Column::Int(Ints::all(values.to_vec()));
        keys.add(0, &column, &Verdicts(vec![None; values.len()]));
        DeliveryKeys { delivery: Some(Day(delivery)), keys }
    }

    /// Row by row: an equal value before, delivered at most so many days ago.
    fn naive(parts: &[(i32, Vec<i64>)], within: i32) -> Vec<Vec<u32>> {
        let mut seen: Vec<(i32, i64)> = Vec::new();
        let mut row = |delivery: i32, value: i64| {
            let is_repeat = seen.iter().any(|(day, known)| *known == value && delivery - day <= within);
            seen.push((delivery, value));
            is_repeat
        };
        let repeats = |(delivery, values): &(i32, Vec<i64>)| {
            let rows = values.iter().enumerate().filter(|(_, value)| row(*delivery, **value));
            rows.map(|(number, _)| number as u32).collect()
        };
        parts.iter().map(repeats).collect()
    }

    proptest! {
        /// Rising integers are looked up in one way, others in another; both find what a look at every
        /// row finds, and so does a change from one to the other half-way.
        #[test]
        fn repeats_are_found_whether_keys_rise_or_not(
            mut parts in prop::collection::vec((0_i32..6, prop::collection::vec(0_i64..60, 0..60)), 1..8),
            rising in prop::collection::vec(any::<bool>(), 8),
            within in 0_u32..4,
            cut in 0_usize..8,
        ) {
            parts.sort_by_key(|(delivery, _)| *delivery);
            for ((_, values), _) in parts.iter_mut().zip(&rising).filter(|(_, rises)| **rises) {
                values.sort_unstable();
            }
            let mut seen = Seen::new(within);
            let cut = cut.min(parts.len());
            let wave = |parts: &[(i32, Vec<i64>)]| parts.iter().map(|(day, values)| part(*day, values)).collect();
            let mut found = seen.repeats(wave(&parts[..cut]));
            found.extend(seen.repeats(wave(&parts[cut..])));
            prop_assert_eq!(found, naive(&parts, within as i32));
        }
    }
}
