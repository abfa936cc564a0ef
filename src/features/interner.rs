//! Small numbers for values: equal values get equal numbers; which number depends on who came first, so
//! numbers stand for identity only.

use std::sync::{Arc, RwLock};

use crate::hash;

/// Texts and integers with their numbers, shared by threads.
#[derive(Default)]
pub struct Interner {
    known: RwLock<Numbering>,
}

#[derive(Default)]
struct Numbering {
    numbers: hash::Map<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
    of_ints: hash::Map<i64, u32>,
}

impl Numbering {
    fn number_of_int(&mut self, int: i64) -> i64 {
        if (0..=OWN_NUMBER).contains(&int) {
            return int;
        }
        let next = self.of_ints.len() as u32;
        let number = *self.of_ints.entry(int).or_insert(next);
        OWN_NUMBER + 1 + i64::from(number)
    }
}

/// Integers up to this stand for themselves.
const OWN_NUMBER: i64 = (1 << 31) - 1;

impl Interner {
    /// The numbers of a dictionary's entries.
    pub fn numbers(&self, texts: &[Arc<str>]) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(texts.len());
        {
            let known = self.known.read().expect("no thread panicked");
            for text in texts {
                match known.numbers.get(text) {
                    Some(number) => numbers.push(*number),
                    None => break,
                }
            }
        }
        if numbers.len() < texts.len() {
            let mut known = self.known.write().expect("no thread panicked");
            for text in &texts[numbers.len()..] {
                let next = known.texts.len() as u32;
                let number = *known.numbers.entry(text.clone()).or_insert(next);
                if number == next {
                    known.texts.push(text.clone());
                }
                numbers.push(number);
            }
        }
        numbers
    }

    /// The numbers of integers: those that fit in 31 bits are their own.
    pub fn numbers_of_ints(&self, ints: &[i64]) -> Vec<i64> {
        if ints.iter().all(|int| (0..=OWN_NUMBER).contains(int)) {
            return ints.to_vec();
        }
        let mut known = self.known.write().expect("no thread panicked");
        ints.iter().map(|int| known.number_of_int(*int)).collect()
    }

    /// All texts, by number.
    pub fn texts(&self) -> Vec<Arc<str>> {
        self.known.read().expect("no thread panicked").texts.clone()
    }
}
