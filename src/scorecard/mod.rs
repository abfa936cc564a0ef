//! The scorecard as a table: every bin of every characteristic with its points, and what a run has in it.
//!
//! - `table`: bins, points, bands and the range of the score;
//! - `count`: a run's accounts in each bin, and their mean score;
//! - `text`: the table for people.

mod count;
mod table;
pub mod text;

pub use count::InBin;
pub use table::{BinRow, CharacteristicTable, ScorecardTable, bin_label};
