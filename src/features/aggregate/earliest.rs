//! The earliest date with a row: of each segment its age in days plus one, or 0 without a row.

use crate::expr::Ints;

/// Words of a segment.
pub const WORDS: usize = 1;

/// Keeps the greatest age of each segment, whose word is named.
#[inline]
pub fn keep(words: &mut [i64], ages: impl Iterator<Item = (usize, u32)>) {
    ages.for_each(|(at, age)| words[at] = words[at].max(i64::from(age) + 1));
}

/// By slot, the days since the earliest date of its first segments; null without one.
pub fn window<'a>(slots: impl Iterator<Item = &'a [i64]>) -> Ints {
    let earliest = slots.map(|segments| segments.iter().copied().max().filter(|age| *age != 0));
    earliest.map(|age| age.map(|age| age - 1)).collect()
}
