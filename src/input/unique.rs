//! Rows sent twice: the same value of the `unique` column, delivered within some days.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use crate::day::Day;
use crate::expr::Column;

/// A value of the `unique` column. Integers and text of up to 15 bytes stand for themselves; longer
/// text by 120 bits of its XXH3 hash, so that two different values are taken for one less often than
/// memory fails.
pub type Key = u128;

/// The keys of a batch's rows; `None` where the value is null.
pub fn keys(column: &Column) -> Vec<Option<Key>> {
    match column {
        Column::Int(ints) => {
            (0..ints.values.len()).map(|row| ints.get(row).map(|value| u128::from(*value as u64))).collect()
        }
        Column::Bool(truths) => {
            (0..truths.len()).map(|row| column.is_valid(row).then(|| u128::from(truths[row]))).collect()
        }
        Column::Text(texts) => {
            let by_code: Vec<Key> = texts.dictionary.iter().map(|text| text_key(text)).collect();
            texts.codes.iter().map(|code| by_code.get(*code as usize).copied()).collect()
        }
        Column::Wide(_) => unreachable!("no input column is wide"),
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
const SHARDS: usize = 16;

/// Below this many keys a shard is not worth pruning.
const PRUNE_AT_LEAST: usize = 1 << 16;

/// One part of a wave: its delivery and its rows' keys.
pub struct Part<'a> {
    /// Undated deliveries count as one day.
    pub delivery: Option<Day>,
    /// By row; `None` where the value is null or the row has an earlier reason.
    pub keys: &'a [Option<Key>],
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
        for (row, key) in part.keys.iter().enumerate() {
            let Some(key) = key else { continue };
            if shard_of(*key) != number {
                continue;
            }
            match self.latest.entry(*key) {
                Entry::Occupied(mut seen) => {
                    if delivery.since(*seen.get()) <= within {
                        repeats.push(row as u32);
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
    (folded.wrapping_mul(MIX) >> 60) as usize % SHARDS
}
