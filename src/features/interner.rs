//! Small numbers for texts: equal texts get equal numbers; which number depends on who came first, so
//! numbers stand for identity only.

use std::sync::{Arc, RwLock};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// Texts and their numbers, shared by threads.
#[derive(Default)]
pub struct Interner {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    numbers: HashMap<Arc<str>, u32, FixedState>,
    texts: Vec<Arc<str>>,
}

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

    /// All texts, by number.
    pub fn texts(&self) -> Vec<Arc<str>> {
        self.known.read().expect("no thread panicked").texts.clone()
    }
}
