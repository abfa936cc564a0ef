//! Distinct dates within bounded windows: a bit a day of age.

use crate::expr::Ints;

const BITS: usize = u64::BITS as usize;

/// Words of a slot whose longest window begins at an age in days.
pub fn words(longest: u32) -> usize {
    (longest as usize).div_ceil(BITS)
}

/// Marks the ages of rows, in days, in the slots whose first words are named.
#[inline]
pub fn mark(words: &mut [i64], ages: impl Iterator<Item = (usize, u32)>) {
    ages.for_each(|(at, age)| words[at + age as usize / BITS] |= 1 << (age as usize % BITS));
}

/// By slot, the dates of the window that begins at an age.
pub fn window<'a>(slots: impl Iterator<Item = &'a [i64]>, edge: u32) -> Ints {
    Ints::all(slots.map(|own| marked(own, edge as usize)).collect())
}

/// How many of the first bits are set.
fn marked(words: &[i64], bits: usize) -> i64 {
    let mut set = 0;
    for (number, word) in words.iter().enumerate() {
        let left = bits.saturating_sub(number * BITS);
        let within = if left >= BITS { u64::MAX } else { (1 << left) - 1 };
        set += i64::from((*word as u64 & within).count_ones());
    }
    set
}
