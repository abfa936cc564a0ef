//! Both sides of a comparison as sorted blocks, whose rows are paired by key.

pub mod cells;
pub mod csv_file;
mod file;
pub mod join;
pub mod ordered;
pub mod pairs;
pub mod runs;
pub mod sorted;
