//! Compares two runs, two ranges of runs or two Parquet files: what changed, for whom, by how much, and why.
//!
//! Both sides stream, sorted, through one merge join, so memory does not grow with them:
//!
//! - `read` reads sorted blocks of both sides and pairs their rows into pieces;
//! - `tallies` takes every piece through `tally`, which counts what changed, and `causes`, which says why;
//! - `provenance` compares what the runs were made from;
//! - `findings` is the tree of all that, which `render` turns into text and a page.

mod causes;
mod change_file;
mod compare;
mod filters;
mod findings;
pub mod pages;
mod piece_changes;
mod provenance;
mod range;
mod read;
mod render;
mod request;
mod selection;
mod tallies;
mod tally;

pub use causes::decisions::DecisionCauses;
pub use compare::{compare, compare_open};
pub use findings::{Findings, SideCounts};
pub use range::{RangeFindings, compare_ranges};
pub use render::page::page;
pub use render::range_page::range_page;
pub use render::section::Detail;
pub use render::terminal::{range_text, text};
pub use request::{DiffRequest, Only, is_range};
