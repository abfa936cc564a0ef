//! The model file: where a scorecard comes from (sample, outcome, split, fit), and what it must prove.

mod file;
mod fit_options;
mod sample;

pub use file::{
    Every, Fairness, Match, ModelFile, Outcome, SampleRows, Split, ValidationBounds, Written, sibling_path,
};
pub use fit_options::{CharacteristicOptions, FitOptions, Monotone};
pub use sample::{ExtraColumn, ModelSample, Part, RowOutcome};
