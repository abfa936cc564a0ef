//! Counts and sums: a word a segment, and exactly beside it what the word cannot hold.

use num_bigint::BigInt;

use crate::expr::Ints;
use crate::hash;

/// Words of a segment: the count, or the sum.
pub const WORDS: usize = 1;

/// What sums have run over, by word of all slots: the exact sum is the word plus this.
#[derive(Debug, Default)]
pub struct Carry(hash::Map<usize, i128>);

impl Carry {
    fn of(&self, word: usize) -> i128 {
        self.0.get(&word).copied().unwrap_or(0)
    }
}

/// Counts a row in each of some words.
#[inline]
pub fn count(words: &mut [i64], at: impl Iterator<Item = usize>) {
    at.for_each(|word| words[word] += 1);
}

/// Adds values to words, and to the carry what they cannot hold.
#[inline]
pub fn add(words: &mut [i64], carry: &mut Carry, values: impl Iterator<Item = (usize, i64)>) {
    values.for_each(|(at, value)| {
        let word = &mut words[at];
        match word.checked_add(value) {
            Some(sum) => *word = sum,
            None => {
                *carry.0.entry(at).or_default() += i128::from(*word);
                *word = value;
            }
        }
    });
}

/// By slot, the sum of its first segments. `slots` are those segments of each slot, and the number of the first word
/// among those of all slots. `Err` names the first slot whose sum does not fit in 64 bits, and the sum.
pub fn window<'a>(
    slots: impl Iterator<Item = (usize, &'a [i64])> + Clone,
    carry: &Carry,
) -> Result<Ints, (usize, BigInt)> {
    if carry.0.is_empty() {
        let sums = slots
            .clone()
            .map(|(_, segments)| segments.iter().try_fold(0_i64, |sum, segment| sum.checked_add(*segment)));
        if let Some(sums) = sums.collect() {
            return Ok(Ints::all(sums));
        }
    }
    let exact = slots.enumerate().map(|(slot, (first, segments))| {
        let words = segments.iter().zip(first..);
        let sum: i128 = words.map(|(segment, word)| i128::from(*segment) + carry.of(word)).sum();
        i64::try_from(sum).map(Some).map_err(|_| (slot, BigInt::from(sum)))
    });
    exact.collect()
}
