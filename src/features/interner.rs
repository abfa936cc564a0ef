//! Small numbers for values: equal values get equal numbers; which number depends on who came first, so
//! numbers stand for identity only.

use std::sync::{Arc, RwLock};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// Texts and integers with their numbers, shared by threads.
#[derive(Default)]
pub struct Interner {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    numbers: HashMap<Arc<str>, u32, FixedState>,
    texts: Vec<Arc<str>>,
    of_ints: HashMap<i64, u32, FixedState>,
    ints: Vec<i64>,
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
        let number = |int: &i64| match *int {
            0..=OWN_NUMBER => *int,
            int => {
                let next = known.ints.len() as u32;
                let number = *known.of_ints.entry(int).or_insert(next);
                if number == next {
                    known.ints.push(int);
                }
                OWN_NUMBER + 1 + i64::from(number)
            }
        };
        ints.iter().map(number).collect()
    }

    /// An interner that knows texts and integers by the numbers they had.
    pub fn of(texts: Vec<Arc<str>>, ints: Vec<i64>) -> Interner {
        let interner = Interner::default();
        interner.numbers(&texts);
        interner.numbers_of_ints(&ints);
        interner
    }

    /// The integers that have numbers other than their own, by number.
    pub fn ints(&self) -> Vec<i64> {
        self.known.read().expect("no thread panicked").ints.clone()
    }

    /// All texts, by number.
    pub fn texts(&self) -> Vec<Arc<str>> {
        self.known.read().expect("no thread panicked").texts.clone()
    }
}
