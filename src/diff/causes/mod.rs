//! Why scores and decisions changed.

pub mod decisions;
pub mod groups;
pub mod redecide;
pub mod scores;
