//! The latest date with a row, and the largest value of that date.
//!
//! The first word is the date's age in days plus one, or 0 without a row: the date is within every window that begins
//! at a greater age.

use crate::expr::Ints;

/// Words of a slot that keeps the age alone.
pub const AGE_WORDS: usize = 1;

/// Words of a slot that keeps the age and the value.
pub const VALUE_WORDS: usize = 2;

/// A row of an age, in days, for the slot whose first word is named.
#[derive(Debug, Clone, Copy)]
pub struct AgedValue {
    /// The slot's first word.
    pub at: usize,
    /// Days from the row's date to the slot's.
    pub age: u32,
    /// The row's value.
    pub value: i64,
}

/// Keeps the least age of each slot.
#[inline]
pub fn keep_age(words: &mut [i64], ages: impl Iterator<Item = (usize, u32)>) {
    ages.for_each(|(at, age)| {
        let (own, age) = (&mut words[at], i64::from(age) + 1);
        if *own == 0 || age < *own {
            *own = age;
        }
    });
}

/// Keeps the least age of each slot, and the largest value of it.
#[inline]
pub fn keep_value(words: &mut [i64], rows: impl Iterator<Item = AgedValue>) {
    rows.for_each(|AgedValue { at, age, value }| {
        let own = &mut words[at..at + VALUE_WORDS];
        let (latest, age) = (own[0], i64::from(age) + 1);
        if latest == 0 || age < latest || (age == latest && value > own[1]) {
            (own[0], own[1]) = (age, value);
        }
    });
}

/// By slot, the days since the latest date of the window that begins at an age; null without one.
pub fn ages<'a>(slots: impl Iterator<Item = &'a [i64]>, end: i64) -> Ints {
    slots.map(|own| is_within(own[0], end).then(|| own[0] - 1)).collect()
}

/// By slot, the value of the latest date of the window that begins at an age; null without one.
pub fn values<'a>(slots: impl Iterator<Item = &'a [i64]>, end: i64) -> Ints {
    slots.map(|own| is_within(own[0], end).then(|| own[1])).collect()
}

fn is_within(age: i64, end: i64) -> bool {
    age != 0 && age <= end
}
