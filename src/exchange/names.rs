//! What features are called here: as in the file, unless something else has the name already.

use std::collections::HashSet;

use crate::job::{LINE_COLUMNS, LINE_HISTORY, LINE_STATE, SCORE_COLUMNS};

/// The names that are taken.
#[derive(Debug, Clone)]
pub struct FeatureNames {
    taken: HashSet<String>,
}

impl FeatureNames {
    /// With the names that no feature may have, and those of dimensions.
    pub fn new<'a>(dimensions: impl IntoIterator<Item = &'a str>) -> FeatureNames {
        let columns = LINE_COLUMNS.iter().chain(&LINE_STATE).chain(&LINE_HISTORY).chain(&SCORE_COLUMNS);
        let columns = columns.map(|(name, _)| (*name).to_string());
        let taken = columns.chain(dimensions.into_iter().map(str::to_string)).collect();
        FeatureNames { taken }
    }

    /// A name for what is called so in the file; the same, if it is free.
    pub fn take(&mut self, wanted: &str) -> String {
        let clean: String = wanted.trim().chars().map(|c| if c.is_control() { '_' } else { c }).collect();
        let clean = if clean.is_empty() { "feature".to_string() } else { clean };
        let mut name = clean.clone();
        let mut number = 1;
        while !self.taken.insert(name.clone()) {
            name = if number == 1 { format!("{clean}_value") } else { format!("{clean}_{number}") };
            number += 1;
        }
        name
    }
}
