//! Findings for people: sections with sentences and tables, shown on the terminal or as a page.

mod arms;
mod decisions;
pub mod page;
mod page_parts;
mod range;
pub mod range_page;
mod scores;
pub mod section;
mod sections;
pub mod terminal;
mod verdict;
