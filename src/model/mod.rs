//! The model file: where a scorecard comes from (sample, outcome, split, fit), and what it must prove.

mod bind;
mod counts;
mod definitions;
mod draw;
mod file;
mod fit_options;
mod later;
mod other_features;
mod outcome;
mod outcome_bills;
mod outcome_file;
mod page;
mod rows;
mod sample;
mod sample_file;
mod split;
mod written;

pub use counts::{GoodBad, MonthCounts, PartCounts, SampleCounts};
pub use definitions::{FeatureDefinition, FeatureDefinitions};
pub use draw::{DrawnSample, draw, meaning};
pub use file::{
    Every, Fairness, Match, ModelFile, Outcome, SampleRows, Split, ValidationBounds, sibling_path,
};
pub use fit_options::{CharacteristicOptions, FitOptions, Monotone};
pub use later::LaterOutcomes;
pub use other_features::{OtherFeatures, features_of_scorecard};
pub use sample::{ModelSample, RowOutcome, SampleOrigin, SamplePart, SpineColumn};
pub use sample_file::{DEFINITIONS_KEY, FEATURES_KEY, MODEL_KEY};
pub use split::share_of;
pub use written::WrittenText;
