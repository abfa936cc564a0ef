//! Findings for people: sections with tables, shown in the terminal or as a page.

mod decisions;
pub mod page;
pub mod range;
mod scores;
pub mod sections;
