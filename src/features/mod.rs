//! Rows to features: one Int64 (or null) per account, day asked and feature.
//!
//! Accounts are taken in parts, one after the other. The rows of a part's accounts come from the sorted deliveries,
//! and are accumulated in a dense stretch of memory that fits in cache; every accumulator is independent of the
//! order in which rows come.

mod accumulate;
mod aggregate;
mod asked;
mod bill_cells;
mod bill_columns;
pub mod bills;
mod finish;
mod interner;
mod lanes;
mod ledger;
mod lines;
mod masks;
mod misfits;
pub mod plan;
mod rows;
mod table;
pub mod transactions;
mod value_counts;

pub use aggregate::distinct::MOST_SLOTS;
pub use asked::{Asked, AskedDay, Part};
pub use finish::{Answers, PartAnswers, derived};
pub use interner::Interner;
pub use lines::from_lines;
pub use table::FeatureTable;
pub use value_counts::{HISTOGRAM_DIGITS, ValueCounts};
