//! What changed between two runs.

pub mod stability;
