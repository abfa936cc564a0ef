//! What changed, counted as pieces of paired rows pass by.

pub mod arms;
pub mod columns;
pub mod decisions;
pub mod movers;
pub mod scores;
pub mod stability;
