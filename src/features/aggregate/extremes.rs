//! The smallest and the largest value: of each segment whether it has one, and which.

use crate::expr::Ints;

/// Words of a segment: whether there is a value, and the value.
pub const WORDS: usize = 2;

/// Keeps the better one of each value and that of its segment, whose first word is named.
#[inline]
pub fn keep(words: &mut [i64], values: impl Iterator<Item = (usize, i64)>, better: impl Fn(i64, i64) -> i64) {
    values.for_each(|(at, value)| {
        let own = &mut words[at..at + WORDS];
        own[1] = if own[0] == 0 { value } else { better(own[1], value) };
        own[0] = 1;
    });
}

/// By slot, the best value of its first segments; null without one.
pub fn window<'a>(slots: impl Iterator<Item = &'a [i64]>, better: impl Fn(i64, i64) -> i64) -> Ints {
    let best = slots.map(|segments| {
        let found = segments.chunks_exact(WORDS).filter(|segment| segment[0] != 0);
        found.map(|segment| segment[1]).reduce(&better)
    });
    best.collect()
}
