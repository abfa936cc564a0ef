//! Aggregates, a family a file: what a group of rows keeps of them, how a row is added, what a window holds.
//!
//! The state of a group lies in a few words of each slot, or in the log of its part. Whoever adds a statistic
//! names it in [`crate::job::Statistic`], and is led by the compiler from there: [`state`] says which family keeps
//! it, [`super::accumulate`] adds its rows and answers its windows.

pub mod active_days;
pub mod distinct;
pub mod earliest;
pub mod extremes;
pub mod latest;
pub mod state;
pub mod sums;
