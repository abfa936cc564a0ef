//! Rows sent twice: the same value of the `unique` column, delivered within some days.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use super::rejects::Verdicts;
use crate::day::Day;
use crate::expr::Column;

/// A value of the `unique` column. Integers and text of up to 15 bytes stand for themselves; longer
/// text by 120 bits of its XXH3 hash, so that two different values are taken for one less often than
/// memory fails.
pub type Key = u128;

/// The keys of some rows by shard, with their row numbers ascending.
#[derive(Debug, Default)]
pub struct Keys {
    shards: Vec<Vec<(u32, Key)>>,
}

impl Keys {
    /// Adds the rows of a batch that have a value and no reason against them yet.
    pub fn add(&mut self, first_row: u32, column: &Column, verdicts: &Verdicts) {
        self.shards.resize_with(SHARDS, Vec::new);
        let accepted = (0..column.len()).filter(|row| verdicts.0[*row].is_none() && column.is_valid(*row));
        let rows = accepted.map(|row| (row, first_row + row as u32));
        match column {
            Column::Int(ints) => {
                rows.for_each(|(row, number)| self.push(number, (ints.values[row] as u64).into()))
            }
            Column::Bool(truths) => rows.for_each(|(row, number)| self.push(number, truths[row].into())),
            Column::Text(texts) => {
                let by_code: Vec<Key> = texts.dictionary.iter().map(|text| text_key(text)).collect();
                rows.for_each(|(row, number)| self.push(number, by_code[texts.codes[row] as usize]));
            }
            Column::Wide(_) => unreachable!("no input column is wide"),
        }
    }

    fn push(&mut self, row: u32, key: Key) {
        self.shards[shard_of(key)].push((row, key));
    }
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
    shards: Vec<Shard>,
}

#[derive(Default)]
struct Shard {
    latest: HashMap<Key, Day, FixedState>,
    prune_at: usize,
}

/// Shards let threads share the work; which key lies in which has no effect on the outcome.
const SHARDS: usize = 256;

/// Below this many keys a shard is not worth pruning.
const PRUNE_AT_LEAST: usize = 1 << 12;

/// One part of a wave: its delivery (undated ones count as one day) and its rows' keys.
pub struct Part<'a> {
    /// When the rows arrived.
    pub delivery: Option<Day>,
    /// Their keys.
    pub keys: &'a Keys,
}

impl Seen {
    /// Nothing seen yet.
    pub fn new(within_days: u32) -> Seen {
        Seen { within_days, shards: (0..SHARDS).map(|_| Shard::default()).collect() }
    }

    /// The rows of each part that repeat an earlier one, ascending.
    pub fn repeats(&mut self, parts: &[Part]) -> Vec<Vec<u32>> {
        let within = i64::from(self.within_days);
        let by_shard: Vec<Vec<Vec<u32>>> = self
            .shards
            .par_iter_mut()
            .enumerate()
            .map(|(number, shard)| parts.iter().map(|part| shard.repeats(number, part, within)).collect())
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
    fn repeats(&mut self, number: usize, part: &Part, within: i64) -> Vec<u32> {
        let delivery = part.delivery.unwrap_or(Day(0));
        if self.latest.len() > self.prune_at {
            self.latest.retain(|_, seen| delivery.since(*seen) <= within);
            self.prune_at = (self.latest.len() * 2).max(PRUNE_AT_LEAST);
        }
        let mut repeats = Vec::new();
        for (row, key) in part.keys.shards.get(number).into_iter().flatten() {
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
