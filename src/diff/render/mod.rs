//! Findings for people: sections with sentences and tables, shown on the terminal or as a page.

mod decisions;
pub mod page;
mod range;
mod scores;
pub mod section;
mod sections;
pub mod terminal;
mod verdict;
